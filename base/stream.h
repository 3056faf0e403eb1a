/*
 * The contract between a transport and what rides on it: an ordered stream of bytes each way.
 *
 * tcp (dataplane/tcp), a kernel socket (dataplane/kernel) and TLS (tls/) implement it. There are
 * no upward callbacks: the transport keeps the ready bits true and puts the stream on the core's
 * ready list; the loop runs what is on the list in its turn.
 *
 * Happy path: READABLE -> read (or peek + consume) until it gives nothing; reserve, write into the
 * segment, commit; shutdown after the last commit; when ENDED is set and nothing is left, close.
 */
#ifndef POSTERN_BASE_STREAM_H
#define POSTERN_BASE_STREAM_H

#include "base/addr.h"
#include "base/list.h"
#include "base/seg.h"

enum stream_ready {
    STREAM_READABLE = 1 << 0, /* a read would give bytes */
    STREAM_WRITABLE = 1 << 1, /* a reserve would give a segment */
    STREAM_ENDED =
        1 << 2, /* the peer sent its end (FIN, close_notify); bytes may be left to read */
    STREAM_FAILED = 1 << 3,  /* reset, timed out, broken: nothing more moves either way */
    STREAM_DRAINED = 1 << 4, /* all that was committed has been acknowledged by the peer */
};

struct stream {
    const struct stream_ops *ops;
    struct list *ready_list; /* the core's; the stream is appended when a bit turns true */
    struct list_node ready_link;
    void *owner; /* free to whoever accepted the stream */
    struct endpoint local;
    struct endpoint peer;
    uint32_t ready; /* enum stream_ready, kept true by the transport */
};

struct stream_info; /* base/stream_info.h */

struct stream_ops {
    /*
     * Lends up to max runs of the next bytes in order, without taking them. Returns the number of
     * runs. They live until the next call on the stream. NULL in tls, which must be told where
     * plaintext goes.
     */
    unsigned (*peek)(struct stream *s, struct span *out, unsigned max);
    /* Hands back n bytes that peek has shown: they are gone, and the peer's window opens by them.
     */
    void (*consume)(struct stream *s, uint32_t n);
    /* Moves up to cap bytes to the place that the reader names; returns how many, 0: none now. */
    uint32_t (*read)(struct stream *s, uint8_t *to, uint32_t cap);
    /*
     * A segment with at least len + STREAM_FRAME_BYTES of tailroom (len <= STREAM_RESERVE_MAX) and
     * headroom for all that goes before; the writer fills from data and sets len. NULL: not now,
     * WRITABLE will say when.
     */
    struct seg *(*reserve)(struct stream *s, uint32_t len);
    /* Takes s, which reserve gave; its bytes will reach the peer in order, or the stream fails. */
    void (*commit)(struct stream *s, struct seg *seg);
    /* No more commits; the peer gets our end (FIN, close_notify) after the last one. Idempotent. */
    void (*shutdown)(struct stream *s);
    /* Gives up at once (RST); what is queued is dropped; then the stream is FAILED. Idempotent. */
    void (*abort)(struct stream *s);
    /*
     * The owner lets go: the stream is off the ready list and never comes back, and the owner must
     * not touch it again. The transport ends what is left by itself (FIN, TIME-WAIT), or resets if
     * there was no shutdown or unread bytes (RFC 2525, 2.17).
     */
    void (*close)(struct stream *s);
    /* How the connection is doing. NULL: nobody asks, or nothing is known. */
    void (*info)(const struct stream *s, struct stream_info *out);
};

/* A reserve of this much succeeds whenever WRITABLE is set. */
#define STREAM_RESERVE_MAX 1200
/* For what a stream on top of a transport puts around its writer's bytes: a TLS record's header and
 * trailer are 22. */
#define STREAM_FRAME_BYTES 32

/* For transports: sets bits; a bit that turns true puts the stream on the ready list. */
void stream_set(struct stream *s, uint32_t bits);
/* For transports: clears bits. */
void stream_clear(struct stream *s, uint32_t bits);
/*
 * On the ready list once more. For owners: to be run again in the next turn. For transports: more
 * bytes came behind some that were not taken yet; an owner that peeked and waits for more must hear
 * of them.
 */
void stream_requeue(struct stream *s);
/* read() for transports that offer peek and consume. */
uint32_t stream_read_by_peek(struct stream *s, uint8_t *to, uint32_t cap);
/* reserve + copy + commit of all of `bytes` or as much as goes now; returns the bytes taken. */
uint32_t stream_write(struct stream *s, struct span bytes);

#endif
