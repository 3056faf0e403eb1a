/*
 * Frames under way are copies in one list for each direction, ordered by the time of arrival.
 * Bounded by the senders' windows; a frame that finds no segment at its arrival is lost, as on a
 * NIC without descriptors.
 */
#include "sim/sim_wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define SEGS     8192
#define HEADROOM 128
#define ROOM     2048
#define FRAME    1514
#define MTU      1500

struct frame {
    struct list_node link;
    uint64_t due_ns;
    uint32_t len;
    uint8_t bytes[FRAME];
};

struct end {
    struct nic nic;
    struct sim_wire *wire;
    struct list coming; /* to this end, earliest first */
    uint32_t coming_count;
    uint64_t busy_until_ns; /* of the sending direction from this end */
    uint64_t last_due_ns;   /* so that jitter alone keeps order */
};

struct sim_wire {
    struct sim_wire_config config;
    const struct clock *clock;
    struct rng *rng;
    struct end ends[2];
    bool cut;
    struct sim_wire_stats stats;
};

static bool drawn(struct sim_wire *w, uint32_t ppm)
{
    return ppm > 0 && rng_below(w->rng, 1000000) < ppm;
}

static struct end *other(struct end *e)
{
    return e == &e->wire->ends[0] ? &e->wire->ends[1] : &e->wire->ends[0];
}

/* When a frame that is sent now from `e` arrives; UINT64_MAX: the queue is full. */
static uint64_t arrival_ns(struct end *e, uint32_t len)
{
    struct sim_wire *w = e->wire;
    uint64_t now_ns = w->clock->now_ns;
    uint64_t start_ns = e->busy_until_ns > now_ns ? e->busy_until_ns : now_ns;
    uint64_t due_ns;

    if (w->config.rate_bps > 0) {
        uint64_t takes_ns = len * 8ULL * NS_PER_S / w->config.rate_bps;

        if (w->config.queue_max > 0 && start_ns - now_ns > takes_ns * w->config.queue_max)
            return UINT64_MAX;
        start_ns += takes_ns;
        e->busy_until_ns = start_ns;
    }
    due_ns = start_ns + w->config.delay_ns;
    if (w->config.jitter_ns > 0)
        due_ns += rng_below(w->rng, w->config.jitter_ns);
    if (due_ns < e->last_due_ns)
        due_ns = e->last_due_ns;
    e->last_due_ns = due_ns;
    if (drawn(w, w->config.reorder_ppm))
        due_ns += rng_below(w->rng, 3 * w->config.delay_ns + NS_PER_MS);
    return due_ns;
}

static void insert(struct end *to, struct frame *f)
{
    struct list_node *after = to->coming.head.prev;

    while (after != &to->coming.head && LIST_ENTRY(after, struct frame, link)->due_ns > f->due_ns)
        after = after->prev;
    f->link.prev = after;
    f->link.next = after->next;
    after->next->prev = &f->link;
    after->next = &f->link;
    to->coming_count++;
}

static void post(struct end *from, const struct seg *s)
{
    struct sim_wire *w = from->wire;
    uint64_t due_ns = arrival_ns(from, s->len);
    struct frame *f;

    w->stats.sent++;
    if (w->cut || due_ns == UINT64_MAX || drawn(w, w->config.lose_ppm)) {
        w->stats.lost++;
        return;
    }
    f = malloc(sizeof(*f));
    ASSERT(f != NULL && s->len <= FRAME);
    f->len = s->len;
    f->due_ns = due_ns;
    memcpy(f->bytes, s->data, s->len);
    if (s->len > 14 && drawn(w, w->config.corrupt_ppm)) {
        f->bytes[14 + rng_below(w->rng, s->len - 14)] ^= (uint8_t)(1 << rng_below(w->rng, 8));
        w->stats.corrupted++;
    }
    insert(other(from), f);
}

static unsigned tx(struct nic *n, struct seg **segs, unsigned count)
{
    struct end *e = LIST_ENTRY(n, struct end, nic);

    for (unsigned i = 0; i < count; i++) {
        post(e, segs[i]);
        if (drawn(e->wire, e->wire->config.double_ppm))
            post(e, segs[i]);
        seg_release(segs[i]);
    }
    return count;
}

static unsigned rx(struct nic *n, struct seg **out, unsigned max)
{
    struct end *e = LIST_ENTRY(n, struct end, nic);
    unsigned count = 0;

    while (count < max && !list_empty(&e->coming)) {
        struct frame *f = LIST_ENTRY(e->coming.head.next, struct frame, link);
        struct seg *s;

        if (f->due_ns > e->wire->clock->now_ns)
            break;
        list_remove(&f->link);
        e->coming_count--;
        s = e->wire->cut ? NULL : seg_alloc(n->pool);
        if (s != NULL) {
            memcpy(s->data, f->bytes, f->len);
            s->len = f->len;
            out[count++] = s;
        } else {
            e->wire->stats.lost++;
        }
        free(f);
    }
    return count;
}

static const struct nic_ops wire_ops = { .rx = rx, .tx = tx };

struct sim_wire *sim_wire_create(const struct sim_wire_config *config, const struct clock *clock,
                                 struct rng *rng)
{
    struct sim_wire *w = calloc(1, sizeof(*w));

    ASSERT(w != NULL);
    w->config = *config;
    w->clock = clock;
    w->rng = rng;
    for (unsigned i = 0; i < 2; i++) {
        struct end *e = &w->ends[i];

        e->wire = w;
        list_init(&e->coming);
        e->nic.ops = &wire_ops;
        e->nic.mtu = MTU;
        e->nic.pool = seg_plain_create(SEGS, HEADROOM, ROOM);
        ASSERT(e->nic.pool != NULL);
        memcpy(e->nic.mac, (uint8_t[6]){ 2, 0, 0, 0, 0, (uint8_t)(i + 1) }, 6);
    }
    return w;
}

static void forget_frames(struct end *e)
{
    struct list_node *node;

    while ((node = list_pop(&e->coming)) != NULL)
        free(LIST_ENTRY(node, struct frame, link));
    e->coming_count = 0;
}

void sim_wire_destroy(struct sim_wire *w)
{
    for (unsigned i = 0; i < 2; i++) {
        forget_frames(&w->ends[i]);
        seg_plain_destroy(w->ends[i].nic.pool);
    }
    free(w);
}

struct nic *sim_wire_nic(struct sim_wire *w, unsigned end)
{
    return &w->ends[end].nic;
}

uint64_t sim_wire_next_ns(const struct sim_wire *w)
{
    uint64_t next = UINT64_MAX;

    for (unsigned i = 0; i < 2; i++) {
        const struct list *l = &w->ends[i].coming;

        if (!list_empty(l) && LIST_ENTRY(l->head.next, struct frame, link)->due_ns < next)
            next = LIST_ENTRY(l->head.next, struct frame, link)->due_ns;
    }
    return next;
}

void sim_wire_cut(struct sim_wire *w, bool cut)
{
    w->cut = cut;
    forget_frames(&w->ends[0]);
    forget_frames(&w->ends[1]);
}

void sim_wire_stats(const struct sim_wire *w, struct sim_wire_stats *out)
{
    *out = w->stats;
}
