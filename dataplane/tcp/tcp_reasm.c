/*
 * Reassembly. A segment goes to the end of a range, before one, between two (then they join), or
 * makes one of its own; what is there already is cut off it, and ranges that it covers whole are
 * dropped for it.
 *
 * Failure modes: a peer that sends every second byte runs into the cap of ranges, one that sends
 * tiny segments is gathered into fuller buffers and runs into the cap of segments; both lose only
 * what they sent.
 */
#include "dataplane/tcp/tcp_reasm.h"

#include <string.h>

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

void tcp_reasm_init(struct tcp_reasm *r)
{
    r->bytes = 0;
    r->segs = 0;
    r->count = 0;
    r->clock = 0;
}

/* Lists live inside the ranges, so moving a range means linking its ends anew. */
static void move_segs(struct list *to, struct list *from)
{
    list_init(to);
    if (list_empty(from))
        return;
    to->head = from->head;
    to->head.next->prev = &to->head;
    to->head.prev->next = &to->head;
    list_init(from);
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

static void open_range(struct tcp_reasm *r, uint32_t at)
{
    ASSERT(r->count < LIMIT_TCP_REASM_RANGES);
    for (uint32_t i = r->count; i > at; i--) {
        struct tcp_reasm_range *to = &r->ranges[i];
        struct tcp_reasm_range *from = &r->ranges[i - 1];

        to->start = from->start;
        to->end = from->end;
        to->touched = from->touched;
        move_segs(&to->segs, &from->segs);
    }
    list_init(&r->ranges[at].segs);
    r->count++;
}

/* Range `at` has no segments any more. */
static void close_range(struct tcp_reasm *r, uint32_t at)
{
    ASSERT(at < r->count);
    ASSERT(list_empty(&r->ranges[at].segs));
    r->count--;
    for (uint32_t i = at; i < r->count; i++) {
        struct tcp_reasm_range *to = &r->ranges[i];
        struct tcp_reasm_range *from = &r->ranges[i + 1];

        to->start = from->start;
        to->end = from->end;
        to->touched = from->touched;
        move_segs(&to->segs, &from->segs);
    }
}

static void release_first(struct tcp_reasm *r, struct tcp_reasm_range *range)
{
    struct seg *s = seg_of(list_pop(&range->segs));

    r->bytes -= s->len;
    r->segs--;
    seg_release(s);
}

static void drop_range(struct tcp_reasm *r, uint32_t at)
{
    while (!list_empty(&r->ranges[at].segs))
        release_first(r, &r->ranges[at]);
    close_range(r, at);
}

/* The first range that ends at or after seq: the only one that the bytes from seq on may join or
 * overlap first. */
static uint32_t find_range(const struct tcp_reasm *r, uint32_t seq)
{
    uint32_t at = r->count;

    /* New data follows the newest as a rule, so look from the end. */
    while (at > 0 && tcp_seq_ge(r->ranges[at - 1].end, seq))
        at--;
    return at;
}

/* Cuts off s what range `at` and those after it hold. False: nothing is left of s. */
static bool cut_known(struct tcp_reasm *r, struct seg *s, uint32_t at)
{
    if (at < r->count && tcp_seq_le(r->ranges[at].start, s->seq)) {
        struct tcp_reasm_range *before = &r->ranges[at++];
        uint32_t known = before->end - s->seq;

        if (known >= s->len)
            return false;
        seg_pull(s, known);
        s->seq += known;
    }
    /* Ranges that lie inside of s are dropped for it. */
    while (at < r->count && tcp_seq_le(r->ranges[at].end, end_of(s)))
        drop_range(r, at);
    if (at < r->count && tcp_seq_lt(r->ranges[at].start, end_of(s)))
        seg_trim(s, r->ranges[at].start - s->seq);
    return s->len > 0;
}

static void append_to(struct tcp_reasm *r, struct tcp_reasm_range *range, struct seg *s)
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

static void prepend_to(struct tcp_reasm *r, struct tcp_reasm_range *range, struct seg *s)
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

/* s overlaps nothing; `at` is the range that ends at s->seq, or the first that begins after. False:
 * no range free. */
static bool place(struct tcp_reasm *r, struct seg *s, uint32_t at)
{
    uint32_t end = end_of(s);
    bool follows = at < r->count && r->ranges[at].end == s->seq;
    uint32_t next = follows ? at + 1 : at;
    bool precedes = next < r->count && r->ranges[next].start == end;

    if (follows) {
        append_to(r, &r->ranges[at], s);
    } else if (precedes) {
        prepend_to(r, &r->ranges[next], s);
    } else {
        if (r->count == LIMIT_TCP_REASM_RANGES)
            return false;
        open_range(r, at);
        r->ranges[at].start = s->seq;
        r->ranges[at].end = end;
        list_append(&r->ranges[at].segs, &s->link);
        r->bytes += s->len;
        r->segs++;
    }
    r->ranges[at].touched = ++r->clock;
    if (follows && precedes) {
        join_segs(&r->ranges[at].segs, &r->ranges[next].segs);
        r->ranges[at].end = r->ranges[next].end;
        close_range(r, next);
    }
    return true;
}

/* The first run of s that is held already, range `at` being the first that may touch it. */
static struct tcp_wire_sack find_twice(const struct tcp_reasm *r, const struct seg *s, uint32_t at)
{
    struct tcp_wire_sack twice = { s->seq, s->seq };

    if (at < r->count && r->ranges[at].end == s->seq)
        at++;
    if (at == r->count || tcp_seq_ge(r->ranges[at].start, end_of(s)))
        return twice;
    twice.start = tcp_seq_max(s->seq, r->ranges[at].start);
    twice.end = tcp_seq_lt(end_of(s), r->ranges[at].end) ? end_of(s) : r->ranges[at].end;
    return twice;
}

enum tcp_reasm_result tcp_reasm_insert(struct tcp_reasm *r, struct seg *s,
                                       struct tcp_wire_sack *twice)
{
    uint32_t at = find_range(r, s->seq);

    ASSERT(s->len > 0);
    *twice = find_twice(r, s, at);
    if (is_full(r, s->len)) {
        seg_release(s);
        return TCP_REASM_FULL;
    }
    if (!cut_known(r, s, at)) {
        r->ranges[at].touched = ++r->clock;
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

struct seg *tcp_reasm_take(struct tcp_reasm *r, uint32_t rcv_nxt)
{
    while (r->count > 0 && tcp_seq_le(r->ranges[0].start, rcv_nxt)) {
        struct tcp_reasm_range *range = &r->ranges[0];
        struct seg *s;

        if (list_empty(&range->segs)) {
            close_range(r, 0);
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
            close_range(r, 0);
        return s;
    }
    return NULL;
}

unsigned tcp_reasm_blocks(const struct tcp_reasm *r, struct tcp_wire_sack *out, unsigned max)
{
    uint32_t below = UINT32_MAX;
    unsigned count = 0;

    while (count < max && count < r->count) {
        const struct tcp_reasm_range *newest = NULL;

        for (uint32_t i = 0; i < r->count; i++) {
            const struct tcp_reasm_range *range = &r->ranges[i];

            if (range->touched < below && (newest == NULL || range->touched > newest->touched))
                newest = range;
        }
        if (newest == NULL)
            break;
        below = newest->touched;
        out[count++] = (struct tcp_wire_sack){ newest->start, newest->end };
    }
    return count;
}

void tcp_reasm_clear(struct tcp_reasm *r)
{
    while (r->count > 0)
        drop_range(r, r->count - 1);
    ASSERT(r->bytes == 0);
    ASSERT(r->segs == 0);
}
