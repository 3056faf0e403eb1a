/*
 * The records and their sums. Happy path: pushed behind, acknowledged from the front. The sums
 * (pipe and counts) change in two functions alone, count_in and count_out.
 */
#include "dataplane/tcp/tcp_sentq.h"

#include "base/assert.h"
#include "dataplane/tcp/tcp_seq.h"

static struct tcp_sent *sent_of(const struct tcp_sentq *q, struct list_node *n)
{
    return n == &q->all.head ? NULL : LIST_ENTRY(n, struct tcp_sent, link);
}

static void count_in(struct tcp_sentq *q, const struct tcp_sent *s)
{
    if (s->flags & TCP_SENT_SACKED)
        q->sacked_count++;
    else if (s->flags & TCP_SENT_LOST)
        q->lost_count++;
    else
        q->pipe += s->end - s->start;
}

static void count_out(struct tcp_sentq *q, const struct tcp_sent *s)
{
    if (s->flags & TCP_SENT_SACKED)
        q->sacked_count--;
    else if (s->flags & TCP_SENT_LOST)
        q->lost_count--;
    else
        q->pipe -= s->end - s->start;
}

void tcp_sentq_init(struct tcp_sentq *q, struct pool *pool)
{
    *q = (struct tcp_sentq){ .pool = pool };
    list_init(&q->all);
}

static struct tcp_sent *make(struct tcp_sentq *q, uint32_t start, uint32_t end, uint64_t sent_ns)
{
    struct tcp_sent *s = pool_get(q->pool);

    ASSERT(tcp_seq_lt(start, end));
    if (s == NULL)
        return NULL;
    *s = (struct tcp_sent){ .sent_ns = sent_ns, .start = start, .end = end };
    q->count++;
    return s;
}

static void drop(struct tcp_sentq *q, struct tcp_sent *s)
{
    ASSERT(q->count > 0);
    list_remove(&s->link);
    q->count--;
    pool_put(q->pool, s);
}

bool tcp_sentq_push(struct tcp_sentq *q, uint32_t start, uint32_t end, uint64_t now_ns)
{
    struct tcp_sent *s = make(q, start, end, now_ns);

    ASSERT(list_empty(&q->all) || tcp_sentq_last(q)->end == start);
    if (s == NULL)
        return false;
    list_append(&q->all, &s->link);
    count_in(q, s);
    return true;
}

struct tcp_sent *tcp_sentq_first(const struct tcp_sentq *q)
{
    return sent_of(q, q->all.head.next);
}

struct tcp_sent *tcp_sentq_last(const struct tcp_sentq *q)
{
    return sent_of(q, q->all.head.prev);
}

struct tcp_sent *tcp_sentq_next(const struct tcp_sentq *q, const struct tcp_sent *s)
{
    return sent_of(q, s->link.next);
}

struct tcp_sent *tcp_sentq_first_lost(const struct tcp_sentq *q)
{
    struct tcp_sent *s;

    if (q->lost_count == 0)
        return NULL;
    for (s = tcp_sentq_first(q); !(s->flags & TCP_SENT_LOST); s = tcp_sentq_next(q, s))
        continue;
    return s;
}

void tcp_sentq_acked(struct tcp_sentq *q, uint32_t una)
{
    struct tcp_sent *s = tcp_sentq_first(q);

    ASSERT(s != NULL && tcp_seq_lt(s->start, una));
    count_out(q, s);
    if (tcp_seq_le(s->end, una)) {
        drop(q, s);
        return;
    }
    s->start = una;
    count_in(q, s);
}

void tcp_sentq_sacked(struct tcp_sentq *q, struct tcp_sent *s)
{
    ASSERT(!(s->flags & TCP_SENT_SACKED));
    count_out(q, s);
    s->flags = (uint8_t)((s->flags & ~TCP_SENT_LOST) | TCP_SENT_SACKED);
    count_in(q, s);
}

void tcp_sentq_lost(struct tcp_sentq *q, struct tcp_sent *s)
{
    ASSERT(!(s->flags & (TCP_SENT_SACKED | TCP_SENT_LOST)));
    ASSERT(q->pipe >= s->end - s->start);
    count_out(q, s);
    s->flags |= TCP_SENT_LOST;
    count_in(q, s);
}

static void clear_flag(struct tcp_sentq *q, enum tcp_sent_flag flag)
{
    for (struct tcp_sent *s = tcp_sentq_first(q); s != NULL; s = tcp_sentq_next(q, s)) {
        count_out(q, s);
        s->flags &= (uint8_t)~flag;
        count_in(q, s);
    }
}

void tcp_sentq_reneged(struct tcp_sentq *q)
{
    clear_flag(q, TCP_SENT_SACKED);
    ASSERT(q->sacked_count == 0);
}

void tcp_sentq_found(struct tcp_sentq *q)
{
    clear_flag(q, TCP_SENT_LOST);
    ASSERT(q->lost_count == 0);
}

void tcp_sentq_resent(struct tcp_sentq *q, struct tcp_sent *s, uint64_t now_ns)
{
    ASSERT(!(s->flags & TCP_SENT_SACKED));
    count_out(q, s);
    s->flags = TCP_SENT_AGAIN;
    s->sent_ns = now_ns;
    count_in(q, s);
}

bool tcp_sentq_split(struct tcp_sentq *q, struct tcp_sent *s, uint32_t len)
{
    struct tcp_sent *rest;

    ASSERT(len > 0);
    if (s->end - s->start <= len)
        return true;
    rest = make(q, s->start + len, s->end, s->sent_ns);
    if (rest == NULL)
        return false;
    rest->flags = s->flags;
    count_out(q, s);
    s->end = rest->start;
    count_in(q, s);
    count_in(q, rest);
    rest->link.prev = &s->link;
    rest->link.next = s->link.next;
    s->link.next->prev = &rest->link;
    s->link.next = &rest->link;
    return true;
}

void tcp_sentq_gather(struct tcp_sentq *q, struct tcp_sent *s, uint32_t len)
{
    struct tcp_sent *next = tcp_sentq_next(q, s);

    ASSERT(s->flags & TCP_SENT_LOST);
    while (next != NULL && (next->flags & TCP_SENT_LOST) && next->end - s->start <= len) {
        count_out(q, next);
        s->end = next->end;
        drop(q, next);
        next = tcp_sentq_next(q, s);
    }
}

void tcp_sentq_clear(struct tcp_sentq *q)
{
    struct tcp_sent *s;

    while ((s = tcp_sentq_first(q)) != NULL) {
        count_out(q, s);
        drop(q, s);
    }
    ASSERT(q->count == 0);
    ASSERT(q->pipe == 0 && q->sacked_count == 0 && q->lost_count == 0);
}
