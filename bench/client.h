/*
 * One client: connects, greets, logs in, sends messages, and leaves; again and again. It holds the
 * server to its protocol and counts whatever goes wrong, once, by where and how; then that
 * connection is over.
 *
 * Happy path: client_open; client_event whenever the carrier has news; when it stands in the set's
 * `ready` list it takes a job by client_send. Afterwards it is in `ready` again, or in `closed`.
 */
#ifndef POSTERN_BENCH_CLIENT_H
#define POSTERN_BENCH_CLIENT_H

#include "base/clock.h"
#include "base/list.h"
#include "base/wheel.h"
#include "bench/letter.h"
#include "bench/reply.h"
#include "bench/tally.h"
#include "bench/wire.h"

enum client_kind {
    CLIENT_WORKER,
    CLIENT_IDLE, /* logs in and stays */
    CLIENT_SLOW, /* sends one message after another, a few bytes each second */
    CLIENT_KINDS
};

struct client_config {
    bool starttls;
    bool pipelining;      /* when the server offers it */
    bool bdat;            /* the same */
    uint64_t messages;    /* of a connection; 0: no end */
    uint64_t timeout_ns;  /* for each step */
    uint32_t slow_bytes;  /* of a slow client in a second */
    uint64_t slow_letter; /* size of its messages */
    const char *sender;
    const char *recipient;
    char login[700]; /* AUTH PLAIN's base64; "": no AUTH */
};

/* What all clients of a run share. */
struct client_set {
    const struct client_config *config;
    struct wire_set *wires;
    struct tally *tally; /* the workers' */
    struct tally *aside; /* the others' */
    struct wheel wheel;
    struct clock clock;
    struct list ready;  /* workers that could send */
    struct list closed; /* workers without a connection */
    const char *run;    /* name of the run, in every letter */
    uint64_t next_letter;
    uint32_t idle;   /* idle clients that are logged in */
    int64_t open;    /* all that are not closed */
    int64_t opening; /* those that are not secured yet */
    bool closing;    /* nobody opens or stays any more */
};

enum client_phase {
    CLIENT_CLOSED,
    CLIENT_CONNECTING,
    CLIENT_CLEAR, /* talking, not secured yet */
    CLIENT_SHAKING,
    CLIENT_TALKING,
    CLIENT_READY,
    CLIENT_LEAVING, /* QUIT was answered, the server's end is awaited */
};

#define CLIENT_EXPECTED_MAX 8
#define CLIENT_OUT_BYTES    1024

struct client {
    struct list_node link; /* in ready or closed */
    struct client_set *set;
    struct wire wire;
    struct wheel_entry timer;
    enum client_kind kind;
    enum client_phase phase;
    struct reply reply;
    uint8_t expected[CLIENT_EXPECTED_MAX]; /* enum tally_step of the replies to come, in order */
    unsigned expected_count;
    uint8_t out[CLIENT_OUT_BYTES]; /* commands, then (has_body) a letter and its end */
    uint32_t out_len, out_sent;
    bool has_job;
    bool has_body;
    bool body_out; /* wholly handed over */
    bool by_bdat;
    bool offers_pipelining, offers_chunking, offers_auth, offers_starttls;
    struct letter letter;
    uint64_t body_sent;
    uint64_t allowance; /* a slow client's bytes until its timer */
    uint64_t messages;  /* of this connection */
    uint64_t intended_ns, connect_ns, body_ns;
};

void client_init(struct client *c, struct client_set *set, enum client_kind kind);
/* From `closed` (a worker) or just initialised. Failing to is counted. */
void client_open(struct client *c);
/* A job for a client in `ready` or `closed`: a letter of so many bytes, meant for intended_ns. */
void client_send(struct client *c, uint64_t bytes, uint64_t intended_ns);
/* Goes on as far as it can. */
void client_event(struct client *c);
/* Its timer fired. */
void client_timer(struct client *c);
/* QUIT, if it stands ready; otherwise it goes on to its end. */
void client_leave(struct client *c);
/* Gives up what is under way and counts it as unfinished. */
void client_abandon(struct client *c);

#endif
