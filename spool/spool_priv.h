/*
 * The writer's state, shared by the files of this room only. All of it belongs to the writer's
 * thread, but for `asleep` and what spool_port.h says of ports.
 */
#ifndef POSTERN_SPOOL_PRIV_H
#define POSTERN_SPOOL_PRIV_H

#include "base/limits.h"
#include "spool/spool_io.h"
#include "spool/spool_port.h"

enum spool_use {
    USE_READY,    /* holds nothing: may be taken */
    USE_TAKEN,    /* spool->active or spool->next */
    USE_SEALED,   /* full; may be taken when nothing stands in it (W9) */
    USE_DOUBTFUL, /* its header or zeros were refused: taken when nothing else is to be had */
    USE_BROKEN,   /* a write failed, or it is damaged: not touched in this life */
};

struct spool_segment {
    uint64_t sequence; /* 0: no header yet */
    uint64_t previous; /* as its header says */
    uint64_t bytes;    /* of the file */
    uint64_t limit;    /* records may go up to here */
    uint64_t zeroed;   /* and now up to here */
    uint64_t refs;     /* messages that stand in it */
    uint32_t number;
    int file; /* -1: closed */
    enum spool_use use;
    bool cuts; /* its header carries SEGMENT_CUTS */
};

enum spool_phase {
    PHASE_RUN,   /* records go to `active` */
    PHASE_DRAIN, /* none do; its last writes are under way */
    PHASE_OPEN,  /* a header or resume is under way */
    PHASE_STUCK, /* no segment to write to; tried again on demand */
};

enum spool_flight_kind {
    FLIGHT_BATCH,
    FLIGHT_OPEN, /* header or resume */
    FLIGHT_ZERO,
    FLIGHT_SYNC, /* after the last zeros of a segment */
};

/* One write under way. */
struct spool_flight {
    enum spool_flight_kind kind;
    bool flying; /* given to the disk, no result yet */
    bool failed;
    uint64_t offset;
    uint32_t len;
    union {
        struct spool_batch *batch;
        struct spool_segment *segment; /* OPEN, ZERO, SYNC */
    };
};

struct spool_batch {
    uint8_t *data;   /* LIMIT_SPOOL_BATCH_BYTES */
    uint64_t offset; /* in the segment */
    uint32_t len;
    uint32_t last; /* where its last record begins */
    bool used;     /* being filled, or under way */
};

/* What the next header says of the segment before. */
struct spool_previous {
    uint64_t sequence;
    uint64_t end;
    bool cut;
};

struct spool {
    struct spool_config config;
    struct spool_env env;
    struct spool_io *io;

    struct spool_segment *segments; /* LIMIT_SPOOL_SEGMENTS of room */
    uint32_t segment_count;
    uint32_t number_max;
    uint64_t sequence_max;
    uint64_t total_bytes; /* of all files */
    struct spool_segment *active;
    struct spool_segment *next; /* NULL: none was chosen */
    struct spool_previous previous;
    enum spool_phase phase;
    bool sealed;       /* a write to `active` has failed: it gets no more */
    bool holed;        /* and all before it have ended: durable_end stands */
    int error;         /* why it was sealed, or why there is no next segment: errno */
    bool looked;       /* for a next segment, in vain, in this turn */
    bool closing;      /* no more zeros */
    bool said_stuck;   /* logged, until it is over */
    bool chosen_ahead; /* the next segment was looked for since this one was opened */

    uint64_t generation;  /* of records from here on */
    uint64_t offset;      /* where the next batch or extent goes */
    uint64_t durable_end; /* I3 */

    struct spool_flight flights[LIMIT_SPOOL_DEPTH]; /* of records: a row, in order of offset */
    unsigned flight_first;
    unsigned flight_count;
    unsigned batches_flying;
    struct spool_flight opening;
    struct spool_flight zeroing;

    struct spool_batch batches[LIMIT_SPOOL_BATCHES];
    struct spool_batch *open; /* being filled, or NULL */
    uint8_t *open_block;      /* for headers and resumes */
    uint8_t *zeros;           /* LIMIT_SPOOL_ZERO_BYTES */

    struct list live;      /* messages that the writer has met and not answered */
    struct list committed; /* those whose commit has a place, in order of offset */
    struct list withheld;  /* failed, answered when the cut is durable (W6) */
    uint64_t next_ticket;

    struct spool_port *ports;
    unsigned first_port; /* whose requests come first in this turn */
    bool stalled;        /* a request waits for a completion */
    _Alignas(64) _Atomic uint32_t asleep;
};

/* Takes in the results of the disk that are there; returns how many. */
unsigned spool_turn_reap(struct spool *s);
/* After a push to the writer: wakes it if it sleeps. Any worker. */
void spool_turn_wake(struct spool *s);

#endif
