/*
 * Accepted mail made durable (FORMAT.md): workers fill extents, the writer thread puts them and
 * commit records into segments by group commit, and says when a message survives a crash.
 *
 * Happy path, worker: message_begin; extent_get, fill data[0..cap), append; ...; commit; poll gives
 * the message back as SPOOL_DURABLE; release it. Failure: FULL or FAILED, at poll or as the state
 * of a message still being filled. Nothing here blocks a worker: what is not to be had now is NULL,
 * and the session waits.
 *
 * Order at start: spool_uring_create, spool_open, spool_port for each worker, then the threads; at
 * the end: the threads, spool_close, spool_uring_destroy.
 */
#ifndef POSTERN_SPOOL_H
#define POSTERN_SPOOL_H

#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"
#include "base/mail.h"
#include "base/span.h"

struct spool;
struct spool_io;
struct spool_port; /* one worker's side */

struct spool_config {
    uint64_t bytes_max;     /* of all segments together; past it commits give FULL */
    uint64_t segment_bytes; /* of one file, a multiple of 1 MB */
    unsigned ports;         /* workers */
    uint32_t extents_per_port;
    uint32_t messages_per_port;
};

struct spool_env {
    struct spool_io *io;
    struct counters *counters; /* the writer's shard */
    struct log *log;           /* the writer's */
};

/* --- the disk ----------------------------------------------------------------------------------
 */

/*
 * The real disk below a spool. Makes `directory` (its parent must be there) and takes its lock: a
 * second writer gets NULL. NULL with a sentence in *why.
 */
struct spool_io *spool_uring_create(const char *directory, struct buf *why);
/* The same for readers: no lock, writes nothing, works beside a running gateway. */
struct spool_io *spool_uring_reader_create(const char *directory, struct buf *why);
void spool_uring_destroy(struct spool_io *io);

/* --- start and end ------------------------------------------------------------------------------
 */

/* What recovery found. */
struct spool_recovery {
    uint64_t segments;
    uint64_t messages; /* whole and kept */
    uint64_t dropped;  /* begun and never committed, or torn */
    uint64_t bytes_read;
    uint64_t id_max;  /* floor for mail_id_init */
    uint64_t damaged; /* committed, but the disk has lost a part */
};

/* Recovers (reads every segment from the last checkpoint) and gets ready to write. NULL with a
 * sentence in *why. */
struct spool *spool_open(const struct spool_config *config, const struct spool_env *env,
                         struct spool_recovery *recovery, struct buf *why);
void spool_close(struct spool *s);

/* --- the writer's thread --------------------------------------------------------------------- */

/* One turn: takes requests, submits writes, reaps completions, answers. Returns the work done. */
unsigned spool_turn(struct spool *s);
/* True when nothing is asked for and nothing is in flight. */
bool spool_idle(const struct spool *s);
/* Sleeps until a request or a completion comes (spool_io's wait), or spool_wake. */
void spool_wait(struct spool *s);
/* From any thread: spool_wait returns, now or, if it is not waiting, the next time. For ending the
 * thread. */
void spool_wake(struct spool *s);

/* --- a worker's side ------------------------------------------------------------------------- */

struct spool_port *spool_port(struct spool *s, unsigned worker);

struct spool_extent {
    uint8_t *data; /* where the bytes go */
    uint32_t cap;  /* bytes of room: LIMIT_EXTENT_BYTES */
    uint32_t len;  /* bytes filled, by the worker */
};

enum spool_state {
    SPOOL_FILLING,
    SPOOL_COMMITTING,
    SPOOL_DURABLE,
    SPOOL_FULL,   /* no room on the disk or in the spool's size */
    SPOOL_FAILED, /* a write or sync failed; what was written for it will not count after a restart
                   */
};

struct spool_message {
    enum spool_state state; /* FULL or FAILED may show while filling: abort then */
    void *owner;            /* the worker's own; NULL once nobody waits for it */
};

/* NULL: none now. */
struct spool_message *spool_message_begin(struct spool_port *p, void *owner);
/* Empty extent, or NULL: none now (ask again next turn; until then do not read from the client). */
struct spool_extent *spool_extent_get(struct spool_port *p);
void spool_extent_put(struct spool_port *p, struct spool_extent *e);
/* Takes e (len > 0): it will be written, in order. */
void spool_message_append(struct spool_port *p, struct spool_message *m, struct spool_extent *e);
/*
 * Copies envelope and header; from here on the message is the spool's until poll gives it back.
 * mail->body_bytes must not exceed what was appended. False: the ring is full, try again next turn.
 */
bool spool_message_commit(struct spool_port *p, struct spool_message *m, const struct mail *mail);
/* Gives up a message in state FILLING, FULL or FAILED; m is gone. */
void spool_message_abort(struct spool_port *p, struct spool_message *m);
/* Next message whose commit has ended (state DURABLE, FULL or FAILED), or NULL. Release it after
 * use. */
struct spool_message *spool_port_poll(struct spool_port *p);
void spool_message_release(struct spool_port *p, struct spool_message *m);
/* Becomes readable (eventfd) when poll has news for a sleeping worker; -1 where the io has none. */
int spool_port_fd(const struct spool_port *p);

/* --- readers (postern-spool, the relay) ------------------------------------------------------- */

struct spool_reader;

/* Reads the segments as they are on disk; works beside a running gateway. NULL with a sentence in
 * *why. */
struct spool_reader *spool_reader_open(struct spool_io *io, struct buf *why);
void spool_reader_close(struct spool_reader *r);
/* What is wrong with the directory: sentences, a line each, NUL-ended; they live as long as the
 * reader. */
const char *spool_reader_notes(const struct spool_reader *r);
void spool_reader_totals(const struct spool_reader *r, struct spool_recovery *out);
uint64_t spool_reader_count(const struct spool_reader *r);
/* Messages in commit order; false past the end. Spans live as long as the reader. */
bool spool_reader_at(const struct spool_reader *r, uint64_t index, struct mail *out);
/* True: the disk has lost a part of it; its body cannot be had. */
bool spool_reader_damaged(const struct spool_reader *r, uint64_t index);
bool spool_reader_find(const struct spool_reader *r, uint64_t id, uint64_t *index);
/*
 * Next stored bytes of the body from `offset` on (MAIL_DOT_STUFFED: as DATA carried them), verified
 * against their checksum. Returns bytes, 0 at the end, -1: damaged or unreadable.
 */
int64_t spool_reader_body(struct spool_reader *r, uint64_t index, uint64_t offset, struct buf *out);

#endif
