/*
 * The send queue. Happy path: push, copy once in order, ack. Retransmission copies again from
 * `una`. Segments here are never lent to the wire, so appending to the last one is safe.
 */
#include "dataplane/tcp/tcp_sendq.h"

#include <string.h>

#include "base/assert.h"
#include "dataplane/tcp/tcp_seq.h"

static struct seg *seg_of(struct list_node *n)
{
    return LIST_ENTRY(n, struct seg, link);
}

void tcp_sendq_init(struct tcp_sendq *q, uint32_t seq)
{
    list_init(&q->segs);
    q->hint = NULL;
    q->una = seq;
    q->end = seq;
    q->count = 0;
}

void tcp_sendq_push(struct tcp_sendq *q, struct seg *s)
{
    struct seg *last = seg_of(q->segs.head.prev);

    ASSERT(!list_linked(&s->link));
    if (s->len == 0) {
        seg_release(s);
        return;
    }
    s->seq = q->end;
    q->end += s->len;
    if (q->count > 0 && s->len <= seg_tailroom(last)) {
        memcpy(last->data + last->len, s->data, s->len);
        last->len += s->len;
        seg_release(s);
        return;
    }
    list_append(&q->segs, &s->link);
    q->count++;
}

uint32_t tcp_sendq_ack(struct tcp_sendq *q, uint32_t ack)
{
    uint32_t bytes = ack - q->una;

    ASSERT(tcp_seq_le(q->una, ack));
    ASSERT(tcp_seq_le(ack, q->end));
    q->una = ack;
    while (q->count > 0) {
        struct seg *s = seg_of(q->segs.head.next);

        if (tcp_seq_gt(s->seq + s->len, ack)) {
            if (tcp_seq_gt(ack, s->seq)) {
                seg_pull(s, ack - s->seq);
                s->seq = ack;
            }
            break;
        }
        if (q->hint == s)
            q->hint = NULL;
        list_remove(&s->link);
        q->count--;
        seg_release(s);
    }
    ASSERT((q->count == 0) == (q->una == q->end));
    return bytes;
}

/* The segment that holds seq. Walks from the hint when it can: sending in order never walks. */
static struct seg *find(struct tcp_sendq *q, uint32_t seq)
{
    struct seg *s = q->hint;

    if (s == NULL || tcp_seq_lt(seq, s->seq))
        s = seg_of(q->segs.head.next);
    while (tcp_seq_ge(seq, s->seq + s->len)) {
        ASSERT(s->link.next != &q->segs.head);
        s = seg_of(s->link.next);
    }
    return s;
}

void tcp_sendq_copy(struct tcp_sendq *q, uint32_t seq, uint8_t *to, uint32_t len)
{
    ASSERT(tcp_seq_ge(seq, q->una));
    ASSERT(tcp_seq_le(seq + len, q->end));
    while (len > 0) {
        struct seg *s = find(q, seq);
        uint32_t from = seq - s->seq;
        uint32_t n = s->len - from < len ? s->len - from : len;

        memcpy(to, s->data + from, n);
        q->hint = s;
        to += n;
        seq += n;
        len -= n;
    }
}

void tcp_sendq_clear(struct tcp_sendq *q)
{
    seg_release_all(&q->segs);
    q->hint = NULL;
    q->una = q->end;
    q->count = 0;
}
