/*
 * The queue of received bytes. Happy path: a full segment is appended as it is, lent by peek,
 * released by consume. A flood of tiny segments ends in buffers at least half full: what is sparse
 * is copied once.
 */
#include "dataplane/tcp/tcp_recvq.h"

#include <string.h>

#include "base/assert.h"

static struct seg *seg_of(struct list_node *n)
{
    return LIST_ENTRY(n, struct seg, link);
}

void tcp_recvq_init(struct tcp_recvq *q)
{
    list_init(&q->segs);
    q->bytes = 0;
    q->count = 0;
}

bool tcp_recvq_should_copy(const struct seg *last, const struct seg *s, uint32_t held)
{
    if (last->ref != 1 || s->len > seg_tailroom(last))
        return false;
    if (s->len <= TCP_RECVQ_COPY_BYTES)
        return true;
    return held > TCP_RECVQ_SPARSE && s->len <= s->cap / 2;
}

void tcp_recvq_copy_behind(struct seg *last, struct seg *s)
{
    ASSERT(last != s);
    ASSERT(s->len <= seg_tailroom(last));
    memcpy(last->data + last->len, s->data, s->len);
    last->len += s->len;
    seg_release(s);
}

void tcp_recvq_push(struct tcp_recvq *q, struct seg *s)
{
    ASSERT(s->len > 0);
    ASSERT(!list_linked(&s->link));
    q->bytes += s->len;
    if (!list_empty(&q->segs)) {
        struct seg *last = seg_of(q->segs.head.prev);

        if (tcp_recvq_should_copy(last, s, q->count)) {
            tcp_recvq_copy_behind(last, s);
            return;
        }
    }
    list_append(&q->segs, &s->link);
    q->count++;
}

unsigned tcp_recvq_peek(const struct tcp_recvq *q, struct span *out, unsigned max)
{
    const struct list_node *n = q->segs.head.next;
    unsigned count = 0;

    for (; n != &q->segs.head && count < max; n = n->next)
        out[count++] = seg_span(LIST_ENTRY(n, struct seg, link));
    return count;
}

void tcp_recvq_consume(struct tcp_recvq *q, uint32_t n)
{
    ASSERT(n <= q->bytes);
    q->bytes -= n;
    while (n > 0) {
        struct seg *s = seg_of(q->segs.head.next);

        if (n < s->len) {
            seg_pull(s, n);
            return;
        }
        n -= s->len;
        list_remove(&s->link);
        q->count--;
        seg_release(s);
    }
    ASSERT((q->bytes == 0) == (q->count == 0));
}

void tcp_recvq_clear(struct tcp_recvq *q)
{
    seg_release_all(&q->segs);
    q->bytes = 0;
    q->count = 0;
}
