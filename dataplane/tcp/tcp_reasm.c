/*
 * Reassembly. A segment goes to the end of a range, before one, between two (then they join), or
 * makes one of its own; what is there already is cut off it, and ranges that it covers whole are
 * dropped for it.
 *
 * Failure modes: a peer that sends every second byte runs into the cap of ranges, one that sends
 * tiny segments is gathered into fuller buffers and runs into the cap of segments; both lose only
 * what they sent. So does whoever needs a range when the core has none left.
 */
#include "dataplane/tcp/tcp_reasm.h"

#include "base/assert.h"
#include "dataplane/tcp/tcp_recvq.h"
#include "dataplane/tcp/tcp_seq.h"

static struct seg *seg_of(struct list_node *n)
{
    return LIST_ENTRY(n, struct seg, link);
}

static uint32_t end_of(const struct seg *s)
{
    return s->seq + s->len;
}

void tcp_reasm_init(struct tcp_reasm *r, struct tcp_reasm_source *source)
{
    r->source = source;
    r->root = NULL;
    list_init(&r->recent);
    r->bytes = 0;
    r->segs = 0;
    r->count = 0;
}

/* Both lists have segments. */
static void join_segs(struct list *to, struct list *from)
{
    ASSERT(!list_empty(to));
    ASSERT(!list_empty(from));
    to->head.prev->next = from->head.next;
    from->head.next->prev = to->head.prev;
    to->head.prev = from->head.prev;
    to->head.prev->next = &to->head;
    list_init(from);
}

static struct tcp_range *range_of(struct list_node *n)
{
    return LIST_ENTRY(n, struct tcp_range, recent);
}

static void touch(struct tcp_reasm *r, struct tcp_range *range)
{
    list_remove(&range->recent);
    list_prepend(&r->recent, &range->recent);
}

/* A range without segments yet. NULL: a cap was reached. */
static struct tcp_range *open_range(struct tcp_reasm *r, uint32_t start, uint32_t end)
{
    struct tcp_range *range = r->count < LIMIT_TCP_REASM_RANGES ? pool_get(r->source->pool) : NULL;

    if (range == NULL)
        return NULL;
    *range = (struct tcp_range){ .start = start,
                                 .end = end,
                                 .rank = (uint32_t)rng_next(&r->source->lot) };
    list_init(&range->segs);
    list_node_init(&range->recent);
    tcp_ranges_add(&r->root, range);
    r->count++;
    return range;
}

/* The range has no segments any more. */
static void close_range(struct tcp_reasm *r, struct tcp_range *range)
{
    ASSERT(r->count > 0);
    ASSERT(list_empty(&range->segs));
    r->count--;
    tcp_ranges_remove(&r->root, range);
    list_remove(&range->recent);
    pool_put(r->source->pool, range);
}

static void release_first(struct tcp_reasm *r, struct tcp_range *range)
{
    struct seg *s = seg_of(list_pop(&range->segs));

    r->bytes -= s->len;
    r->segs--;
    seg_release(s);
}

static void drop_range(struct tcp_reasm *r, struct tcp_range *range)
{
    while (!list_empty(&range->segs))
        release_first(r, range);
    close_range(r, range);
}

/* Where bytes from seq on belong. */
struct spot {
    struct tcp_range *before; /* it begins at seq or earlier, and reaches seq; NULL: none */
    struct tcp_range *next;   /* the first that begins later; NULL: none */
};

static struct tcp_range *range_after(const struct tcp_reasm *r, const struct tcp_range *range)
{
    return tcp_ranges_from(r->root, range->end + 1);
}

static struct spot find_spot(const struct tcp_reasm *r, uint32_t seq)
{
    struct tcp_range *at = NULL;

    /* New data follows the newest as a rule. */
    if (!list_empty(&r->recent))
        at = range_of(r->recent.head.next);
    if (at == NULL || at->end != seq)
        at = tcp_ranges_from(r->root, seq);
    if (at == NULL || tcp_seq_gt(at->start, seq))
        return (struct spot){ NULL, at };
    return (struct spot){ at, range_after(r, at) };
}

/* Cuts off s what is held already. False: nothing is left of it. */
static bool cut_known(struct tcp_reasm *r, struct seg *s, struct spot *at)
{
    if (at->before != NULL) {
        uint32_t known = at->before->end - s->seq;

        if (known >= s->len)
            return false;
        seg_pull(s, known);
        s->seq += known;
    }
    /* Ranges that lie inside of s are dropped for it. */
    while (at->next != NULL && tcp_seq_le(at->next->end, end_of(s))) {
        struct tcp_range *inside = at->next;

        at->next = range_after(r, inside);
        drop_range(r, inside);
    }
    if (at->next != NULL && tcp_seq_lt(at->next->start, end_of(s)))
        seg_trim(s, at->next->start - s->seq);
    ASSERT(s->len > 0);
    return true;
}

static void append_to(struct tcp_reasm *r, struct tcp_range *range, struct seg *s)
{
    struct seg *last = seg_of(range->segs.head.prev);

    range->end = end_of(s);
    r->bytes += s->len;
    if (tcp_recvq_should_copy(last, s, r->segs)) {
        tcp_recvq_copy_behind(last, s);
        return;
    }
    list_append(&range->segs, &s->link);
    r->segs++;
}

static void prepend_to(struct tcp_reasm *r, struct tcp_range *range, struct seg *s)
{
    range->start = s->seq;
    r->bytes += s->len;
    r->segs++;
    list_prepend(&range->segs, &s->link);
}

static bool is_full(const struct tcp_reasm *r, uint32_t len)
{
    return r->segs >= LIMIT_TCP_REASM_SEGS || r->bytes + len > LIMIT_TCP_REASM_BYTES;
}

/* s follows a range, and may close the gap behind it. */
static void extend(struct tcp_reasm *r, struct spot at, struct seg *s)
{
    bool joins = at.next != NULL && at.next->start == end_of(s);

    append_to(r, at.before, s);
    if (!joins)
        return;
    join_segs(&at.before->segs, &at.next->segs);
    at.before->end = at.next->end;
    close_range(r, at.next);
}

/* s overlaps nothing. False: no range is free. */
static bool place(struct tcp_reasm *r, struct seg *s, struct spot at)
{
    struct tcp_range *range = at.before;

    if (range != NULL) {
        extend(r, at, s);
    } else if (at.next != NULL && at.next->start == end_of(s)) {
        range = at.next;
        prepend_to(r, range, s);
    } else {
        range = open_range(r, s->seq, end_of(s));
        if (range == NULL)
            return false;
        prepend_to(r, range, s);
    }
    touch(r, range);
    return true;
}

/* The first run of s that is held already (RFC 2883, 4). */
static struct tcp_wire_sack find_twice(const struct seg *s, struct spot at)
{
    struct tcp_wire_sack twice = { s->seq, s->seq };
    const struct tcp_range *range = at.next;

    if (at.before != NULL && at.before->end != s->seq)
        range = at.before;
    if (range == NULL || tcp_seq_ge(range->start, end_of(s)))
        return twice;
    twice.start = tcp_seq_max(s->seq, range->start);
    twice.end = tcp_seq_lt(end_of(s), range->end) ? end_of(s) : range->end;
    return twice;
}

enum tcp_reasm_result tcp_reasm_insert(struct tcp_reasm *r, struct seg *s,
                                       struct tcp_wire_sack *twice)
{
    struct spot at = find_spot(r, s->seq);

    ASSERT(s->len > 0);
    *twice = find_twice(s, at);
    if (is_full(r, s->len)) {
        seg_release(s);
        return TCP_REASM_FULL;
    }
    if (!cut_known(r, s, &at)) {
        touch(r, at.before);
        seg_release(s);
        return TCP_REASM_DUPLICATE;
    }
    if (!place(r, s, at)) {
        seg_release(s);
        return TCP_REASM_FULL;
    }
    ASSERT(r->count <= LIMIT_TCP_REASM_RANGES);
    return TCP_REASM_KEPT;
}

static struct tcp_range *first_range(const struct tcp_reasm *r)
{
    struct tcp_range *range = r->root;

    while (range != NULL && range->below != NULL)
        range = range->below;
    return range;
}

struct seg *tcp_reasm_take(struct tcp_reasm *r, uint32_t rcv_nxt)
{
    struct tcp_range *range;

    while ((range = first_range(r)) != NULL && tcp_seq_le(range->start, rcv_nxt)) {
        struct seg *s;

        if (list_empty(&range->segs)) {
            close_range(r, range);
            continue;
        }
        s = seg_of(range->segs.head.next);
        if (tcp_seq_le(end_of(s), rcv_nxt)) {
            release_first(r, range);
            continue;
        }
        list_remove(&s->link);
        r->bytes -= s->len;
        r->segs--;
        seg_pull(s, rcv_nxt - s->seq);
        s->seq = rcv_nxt;
        range->start = end_of(s);
        if (list_empty(&range->segs))
            close_range(r, range);
        return s;
    }
    return NULL;
}

unsigned tcp_reasm_blocks(const struct tcp_reasm *r, struct tcp_wire_sack *out, unsigned max)
{
    const struct list_node *n = r->recent.head.next;
    unsigned count = 0;

    for (; n != &r->recent.head && count < max; n = n->next) {
        const struct tcp_range *range = LIST_ENTRY(n, struct tcp_range, recent);

        out[count++] = (struct tcp_wire_sack){ range->start, range->end };
    }
    return count;
}

void tcp_reasm_clear(struct tcp_reasm *r)
{
    while (r->root != NULL)
        drop_range(r, r->root);
    ASSERT(r->count == 0 && list_empty(&r->recent));
    ASSERT(r->bytes == 0);
    ASSERT(r->segs == 0);
}
