/*
 * Bytes committed and not yet acknowledged, as the segments that the writer filled. Sequence
 * numbers begin at `una` and end at `end`. Pure: what is sent when is tcp_output's to know.
 */
#ifndef POSTERN_TCP_SENDQ_H
#define POSTERN_TCP_SENDQ_H

#include <stdint.h>

#include "base/list.h"
#include "base/seg.h"

struct tcp_sendq {
    struct list segs;
    struct seg *hint; /* where the last copy ended; NULL: none */
    uint32_t una;     /* sequence number of the first byte */
    uint32_t end;     /* one past the last byte */
    uint32_t count;   /* segments held */
};

void tcp_sendq_init(struct tcp_sendq *q, uint32_t seq);
/* Takes s. Small segments are gathered behind the last one, where there is room. */
void tcp_sendq_push(struct tcp_sendq *q, struct seg *s);
/* Everything before ack is acknowledged; una <= ack <= end. Returns the bytes dropped. */
uint32_t tcp_sendq_ack(struct tcp_sendq *q, uint32_t ack);
/* Copies len bytes from sequence number seq on; una <= seq, seq + len <= end. */
void tcp_sendq_copy(struct tcp_sendq *q, uint32_t seq, uint8_t *to, uint32_t len);
void tcp_sendq_clear(struct tcp_sendq *q);

static inline uint32_t tcp_sendq_bytes(const struct tcp_sendq *q)
{
    return q->end - q->una;
}

#endif
