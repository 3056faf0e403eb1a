/*
 * The records and their sums. Happy path: a burst is one record, pushed behind and acknowledged
 * from the front. The sums (pipe and counts) change in count_in and count_out, and for what
 * continues a run. Failure modes: where no record is to be had for a part, the run stays whole, and
 * is told of once all of it can be.
 */
#include "dataplane/tcp/tcp_sentq.h"

#include "base/assert.h"
#include "dataplane/tcp/tcp_seq.h"

static struct tcp_sent *sent_of(const struct tcp_sentq *q, struct list_node *n)
{
    return n == &q->all.head ? NULL : LIST_ENTRY(n, struct tcp_sent, link);
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Most are single, and a division costs more than all the rest. */
static uint32_t segments(const struct tcp_sent *s)
{
    uint32_t len = s->end - s->start;

    ASSERT(s->size <= len);
    return len == s->size ? 1 : (len + s->size - 1) / s->size;
}

static void count_in(struct tcp_sentq *q, const struct tcp_sent *s)
{
    uint32_t count = segments(s);

    q->count += count;
    if (s->flags & TCP_SENT_SACKED)
        q->sacked_count += count;
    else if (s->flags & TCP_SENT_LOST)
        q->lost_count += count;
    else
        q->pipe += s->end - s->start;
}

static void count_out(struct tcp_sentq *q, const struct tcp_sent *s)
{
    uint32_t count = segments(s);

    ASSERT(q->count >= count);
    q->count -= count;
    if (s->flags & TCP_SENT_SACKED)
        q->sacked_count -= count;
    else if (s->flags & TCP_SENT_LOST)
        q->lost_count -= count;
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
    *s = (struct tcp_sent){ .sent_ns = sent_ns, .start = start, .end = end, .size = end - start };
    return s;
}

/* s is counted out. */
static void drop(struct tcp_sentq *q, struct tcp_sent *s)
{
    list_remove(&s->link);
    pool_put(q->pool, s);
}

bool tcp_sentq_push(struct tcp_sentq *q, uint32_t start, uint32_t end, uint64_t now_ns)
{
    struct tcp_sent *last = tcp_sentq_last(q);
    struct tcp_sent *s;

    ASSERT(last == NULL || last->end == start);
    if (last != NULL && last->sent_ns == now_ns && last->size == end - start && last->flags == 0) {
        last->end = end;
        q->count++;
        q->pipe += end - start;
        return true;
    }
    s = make(q, start, end, now_ns);
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

uint32_t tcp_sentq_whole(const struct tcp_sent *s, uint32_t upto)
{
    if (tcp_seq_ge(upto, s->end))
        return s->end;
    if (tcp_seq_le(upto, s->start))
        return s->start;
    return upto - (upto - s->start) % s->size;
}

struct tcp_sent *tcp_sentq_part_first(struct tcp_sentq *q, struct tcp_sent *s)
{
    (void)tcp_sentq_split(q, s, s->size);
    return s;
}

struct tcp_sent *tcp_sentq_part_last(struct tcp_sentq *q, struct tcp_sent *s)
{
    uint32_t before = tcp_sentq_whole(s, s->end - 1) - s->start;

    if (before == 0 || !tcp_sentq_split(q, s, before))
        return s;
    return tcp_sentq_next(q, s);
}

void tcp_sentq_acked(struct tcp_sentq *q, uint32_t una)
{
    struct tcp_sent *s = tcp_sentq_first(q);
    uint32_t part;

    ASSERT(s != NULL && tcp_seq_lt(s->start, una));
    if (tcp_seq_le(s->end, una)) {
        count_out(q, s);
        drop(q, s);
        return;
    }
    part = una - tcp_sentq_whole(s, una);
    /* What is left of a segment is a record of its own, so that the others end where they did. */
    if (part > 0)
        (void)tcp_sentq_split(q, s, una - part + s->size - s->start);
    count_out(q, s);
    s->start = una;
    s->size = part > 0 ? s->end - una : smaller(s->size, s->end - una);
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
    rest->size = smaller(s->size, rest->size);
    count_out(q, s);
    s->end = rest->start;
    s->size = smaller(s->size, len);
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
    count_out(q, s);
    while (next != NULL && (next->flags & TCP_SENT_LOST) && next->end - s->start <= len) {
        count_out(q, next);
        s->end = next->end;
        s->size = s->end - s->start;
        drop(q, next);
        next = tcp_sentq_next(q, s);
    }
    count_in(q, s);
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
