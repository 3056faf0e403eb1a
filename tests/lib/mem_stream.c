/*
 * Each direction is one queue of segments; the first `arrived` bytes of it are visible to the
 * reader, the rest is on the way. Chunks and runs cut segments anywhere, as a network does.
 */
#include "lib/mem_stream.h"

#include <stdlib.h>

#include "base/assert.h"

/* One way: filled by one end, read by the other. */
struct way {
    struct list segs;
    uint32_t arrived; /* bytes the reader may see */
    uint32_t queued;  /* bytes in segs, arrived or not */
    bool ended;       /* the writer said shutdown */
    bool end_arrived;
    bool stall;
};

struct end {
    struct stream stream;
    struct mem_pair *pair;
    struct way out; /* what this end sends */
    struct end *other;
    struct seg_pool *pool;
    bool closed;
};

struct mem_pair {
    struct mem_stream_config config;
    struct end ends[2];
};

static struct end *end_of(struct stream *s)
{
    return LIST_ENTRY(s, struct end, stream);
}

/* News for an end that its owner still holds. */
static void tell(struct end *e, uint32_t bits)
{
    if (!e->closed)
        stream_set(&e->stream, bits);
}

static bool has_room(const struct end *e, uint32_t len)
{
    uint32_t room = e->pair->config.room;

    return room == 0 || (e->out.queued <= room && room - e->out.queued >= len);
}

static void update_writable(struct end *e)
{
    if (!e->out.ended && (e->stream.ready & STREAM_FAILED) == 0 &&
        has_room(e, STREAM_RESERVE_MAX) && e->pool->ops->available(e->pool) > 0)
        tell(e, STREAM_WRITABLE);
    else
        stream_clear(&e->stream, STREAM_WRITABLE);
}

static void fail(struct end *e)
{
    seg_release_all(&e->out.segs);
    e->out.queued = 0;
    e->out.arrived = 0;
    stream_clear(&e->stream, STREAM_READABLE | STREAM_WRITABLE | STREAM_DRAINED);
    tell(e, STREAM_FAILED);
}

void mem_stream_break(struct mem_pair *p)
{
    fail(&p->ends[0]);
    fail(&p->ends[1]);
}

/* Moves up to `max` bytes of what `e` sent to its reader; 0: all. */
static uint32_t deliver(struct end *e, uint32_t max)
{
    struct way *w = &e->out;
    uint32_t n = w->queued - w->arrived;
    uint32_t moved;

    if (w->stall || (e->stream.ready & STREAM_FAILED) != 0)
        return 0;
    if (max != 0 && n > max)
        n = max;
    moved = n;
    if (n > 0 && e->other->closed) {
        mem_stream_break(e->pair); /* a reset answers bytes that nobody will read */
        return n;
    }
    w->arrived += n;
    if (n > 0)
        tell(e->other, STREAM_READABLE);
    if (w->ended && !w->end_arrived && w->arrived == w->queued) {
        w->end_arrived = true;
        tell(e->other, STREAM_ENDED);
        moved++;
    }
    if (w->arrived == w->queued)
        tell(e, STREAM_DRAINED);
    return moved;
}

static unsigned mem_peek(struct stream *s, struct span *out, unsigned max)
{
    struct end *e = end_of(s);
    struct way *w = &e->other->out;
    uint32_t left = w->arrived;
    uint32_t run_max = e->pair->config.run_max;
    unsigned count = 0;

    for (struct list_node *n = w->segs.head.next; n != &w->segs.head && left > 0; n = n->next) {
        struct span rest = span_first(seg_span(LIST_ENTRY(n, struct seg, link)), left);

        left -= rest.len;
        while (rest.len > 0 && count < max) {
            out[count] = run_max == 0 ? rest : span_first(rest, run_max);
            rest = span_skip(rest, out[count].len);
            count++;
        }
        if (count == max)
            break;
    }
    return count;
}

static void mem_consume(struct stream *s, uint32_t n)
{
    struct end *e = end_of(s);
    struct way *w = &e->other->out;

    ASSERT(n <= w->arrived);
    w->arrived -= n;
    w->queued -= n;
    while (n > 0) {
        struct seg *front = LIST_ENTRY(w->segs.head.next, struct seg, link);
        uint32_t part = n < front->len ? n : front->len;

        seg_pull(front, part);
        n -= part;
        if (front->len == 0) {
            list_remove(&front->link);
            seg_release(front);
        }
    }
    if (w->arrived == 0)
        stream_clear(s, STREAM_READABLE);
    update_writable(e->other);
}

static struct seg *mem_reserve(struct stream *s, uint32_t len)
{
    struct end *e = end_of(s);
    struct seg *seg = NULL;

    ASSERT(len <= STREAM_RESERVE_MAX);
    if (!e->out.ended && (s->ready & STREAM_FAILED) == 0 && has_room(e, len))
        seg = seg_alloc(e->pool);
    if (seg == NULL)
        stream_clear(s, STREAM_WRITABLE);
    return seg;
}

static void mem_commit(struct stream *s, struct seg *seg)
{
    struct end *e = end_of(s);

    ASSERT(!e->out.ended);
    ASSERT(!list_linked(&seg->link));
    if ((s->ready & STREAM_FAILED) != 0 || seg->len == 0) {
        seg_release(seg);
        return;
    }
    list_append(&e->out.segs, &seg->link);
    e->out.queued += seg->len;
    stream_clear(s, STREAM_DRAINED);
    if (e->pair->config.chunk == 0)
        deliver(e, 0);
    update_writable(e);
}

static void mem_shutdown(struct stream *s)
{
    struct end *e = end_of(s);

    if (e->out.ended || (s->ready & STREAM_FAILED) != 0)
        return;
    e->out.ended = true;
    stream_clear(s, STREAM_WRITABLE);
    if (e->pair->config.chunk == 0)
        deliver(e, 0);
}

static void mem_abort(struct stream *s)
{
    if ((s->ready & STREAM_FAILED) == 0)
        mem_stream_break(end_of(s)->pair);
}

static void mem_close(struct stream *s)
{
    struct end *e = end_of(s);

    ASSERT(!e->closed);
    e->closed = true;
    if (list_linked(&s->ready_link))
        list_remove(&s->ready_link);
    if ((s->ready & STREAM_FAILED) == 0 && (!e->out.ended || e->other->out.arrived > 0))
        mem_stream_break(e->pair);
}

static const struct stream_ops mem_ops = {
    .peek = mem_peek,
    .consume = mem_consume,
    .read = stream_read_by_peek,
    .reserve = mem_reserve,
    .commit = mem_commit,
    .shutdown = mem_shutdown,
    .abort = mem_abort,
    .close = mem_close,
};

static void open_end(struct mem_pair *p, unsigned i)
{
    struct end *e = &p->ends[i];

    *e = (struct end){ .pair = p, .other = &p->ends[1 - i], .pool = p->config.pool[i] };
    list_init(&e->out.segs);
    e->stream = (struct stream){ .ops = &mem_ops, .ready_list = p->config.ready[i] };
    list_node_init(&e->stream.ready_link);
    e->stream.local = (struct endpoint){ addr_from_v4(0xc0000201u + i), (uint16_t)(465 + i) };
    e->stream.peer = (struct endpoint){ addr_from_v4(0xc0000202u - i), (uint16_t)(466 - i) };
}

struct mem_pair *mem_stream_create(const struct mem_stream_config *config)
{
    struct mem_pair *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->config = *config;
    open_end(p, 0);
    open_end(p, 1);
    for (unsigned i = 0; i < 2; i++) {
        tell(&p->ends[i], STREAM_DRAINED);
        update_writable(&p->ends[i]);
    }
    return p;
}

void mem_stream_destroy(struct mem_pair *p)
{
    if (p == NULL)
        return;
    for (unsigned i = 0; i < 2; i++) {
        seg_release_all(&p->ends[i].out.segs);
        if (list_linked(&p->ends[i].stream.ready_link))
            list_remove(&p->ends[i].stream.ready_link);
    }
    free(p);
}

struct stream *mem_stream_end(struct mem_pair *p, unsigned end)
{
    ASSERT(end < 2);
    return &p->ends[end].stream;
}

uint32_t mem_stream_step(struct mem_pair *p)
{
    uint32_t moved = deliver(&p->ends[0], p->config.chunk);

    moved += deliver(&p->ends[1], p->config.chunk);
    for (unsigned i = 0; i < 2; i++)
        update_writable(&p->ends[i]);
    return moved;
}

void mem_stream_set_chunk(struct mem_pair *p, uint32_t chunk)
{
    p->config.chunk = chunk;
}

void mem_stream_set_room(struct mem_pair *p, uint32_t room)
{
    p->config.room = room;
    for (unsigned i = 0; i < 2; i++)
        update_writable(&p->ends[i]);
}

void mem_stream_set_stall(struct mem_pair *p, unsigned end, bool stall)
{
    ASSERT(end < 2);
    p->ends[end].out.stall = stall;
}
