/*
 * One worker's side of the spool, and the two rings between it and the writer.
 *
 * Extents and messages never leave their port. A ring's item is a struct spool_item inside of one
 * of them; each item is in at most one ring at a time, and the rings have room for all, so a push
 * never fails. A field belongs to the side that is named with it, or goes over with an item.
 */
#ifndef POSTERN_SPOOL_PORT_H
#define POSTERN_SPOOL_PORT_H

#include <stdatomic.h>

#include "base/list.h"
#include "base/ring.h"
#include "spool/spool.h"
#include "spool/spool_format.h"

enum spool_item_kind {
    /* worker -> writer */
    ITEM_APPEND = 1, /* an extent's */
    ITEM_COMMIT,     /* a message's `ask` */
    ITEM_ABORT,
    /* writer -> worker */
    ITEM_HOME,   /* an extent's: its buffer may be used again */
    ITEM_NOTICE, /* a message's `notice`: it cannot become durable any more */
    ITEM_DONE,   /* a message's `reply`: its commit has ended */
    ITEM_GONE,   /* a message's `reply`: its abort has */
};

struct spool_item {
    enum spool_item_kind kind;
    enum spool_state result; /* NOTICE and DONE: FULL, FAILED or DURABLE */
};

struct spool_port_message;

struct spool_port_extent {
    struct spool_extent pub;
    struct list_node link; /* worker: free ones */
    struct spool_item item;
    struct spool_port_message *message; /* goes over with the item */
};

struct spool_port_message {
    struct spool_message pub; /* worker's */
    struct spool_port *port;
    struct list_node link; /* worker: free, or done and not yet polled */
    uint64_t given_bytes;  /* worker: appended so far */
    /* Go over with `ask`. */
    struct spool_item ask;
    uint64_t texts_end; /* where the commit's body ends in the port's ring of texts */
    uint8_t *texts;     /* struct spool_commit (not all filled in), envelope, header */
    uint32_t texts_bytes;
    /* Go over with `notice` and `reply`. */
    struct spool_item notice;
    struct spool_item reply;
    /* The writer's. */
    struct list_node live; /* in spool->live from the first request to the reply */
    struct list_node wait; /* in spool->committed or spool->withheld */
    uint64_t ticket;       /* 0: the writer has not met it */
    uint64_t stored_bytes;
    uint64_t first_sequence; /* segments that it stands in; 0: none */
    uint64_t last_sequence;
    uint64_t last_end; /* of its last record there */
    uint32_t extents;
    uint32_t extents_crc;
    enum spool_state verdict; /* FILLING while all is well, then FULL or FAILED */
    bool committed;           /* its commit has a place */
};

struct spool_port {
    struct spool *spool;
    struct ring *asks;    /* worker -> writer */
    struct ring *replies; /* writer -> worker */
    struct spool_port_extent *extents;
    struct spool_port_message *messages;
    /* The worker's. */
    _Alignas(64) struct list free_extents;
    struct list free_messages;
    struct list done;
    uint8_t *texts; /* LIMIT_SPOOL_COMMIT_RING_BYTES */
    uint64_t texts_head;
    /* Both. */
    _Alignas(64) _Atomic uint64_t texts_tail;
    _Atomic uint32_t signalled; /* the event was set, and the worker has not looked since */
    /* The writer's. */
    _Alignas(64) struct spool_item *held; /* taken from asks, waiting for a place */
    bool has_news;                        /* replies were pushed in this turn */
    int event;                            /* -1: none */
};

/* Rings, messages and extents over `slots` (extents_per_port * LIMIT_EXTENT_BYTES). False: memory
 * is short. */
bool spool_port_create(struct spool_port *p, struct spool *s, uint8_t *slots, int event);
void spool_port_destroy(struct spool_port *p);

/* --- the writer's calls ---------------------------------------------------------------------- */

void spool_port_send_home(struct spool_port_extent *e);
void spool_port_notice(struct spool_port_message *m, enum spool_state result);
/* The last word on a message: ITEM_DONE with a result, or ITEM_GONE. */
void spool_port_reply(struct spool_port_message *m, enum spool_item_kind kind,
                      enum spool_state result);
/* The commit's texts are copied; their place is free again. */
void spool_port_texts_taken(struct spool_port_message *m);
/* Wakes the worker if it was given anything since the last call. */
void spool_port_signal(struct spool_port *p);

#endif
