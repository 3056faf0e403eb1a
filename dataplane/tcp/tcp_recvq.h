/*
 * Bytes in order that the reader has not taken: the segments as they came, so nothing is copied,
 * except that small segments are gathered in their neighbour's free room, so that no peer can hold
 * a large buffer for each few bytes. Pure.
 */
#ifndef POSTERN_TCP_RECVQ_H
#define POSTERN_TCP_RECVQ_H

#include "base/list.h"
#include "base/seg.h"
#include "base/span.h"

struct tcp_recvq {
    struct list segs;
    uint32_t bytes;
    uint32_t count; /* segments held */
};

/* Up to this many bytes are copied into the room behind the last segment; larger ones too, when
 * many are held. */
#define TCP_RECVQ_COPY_BYTES 128
/* Beyond this many held segments, a segment that fills at most half of its buffer is copied where
 * there is room. */
#define TCP_RECVQ_SPARSE 16

void tcp_recvq_init(struct tcp_recvq *q);
/* Takes s (len > 0), the bytes that follow the last. */
void tcp_recvq_push(struct tcp_recvq *q, struct seg *s);
/* Lends up to max runs from the front; returns how many. They live until the next call. */
unsigned tcp_recvq_peek(const struct tcp_recvq *q, struct span *out, unsigned max);
/* Drops n <= bytes from the front. */
void tcp_recvq_consume(struct tcp_recvq *q, uint32_t n);
void tcp_recvq_clear(struct tcp_recvq *q);

/* For tcp_recvq and tcp_reasm: whether `s` is better copied behind `last`, of `held` segments, than
 * kept. */
bool tcp_recvq_should_copy(const struct seg *last, const struct seg *s, uint32_t held);
/* Copies s behind last and takes s. */
void tcp_recvq_copy_behind(struct seg *last, struct seg *s);

#endif
