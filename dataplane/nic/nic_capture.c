/*
 * Happy path: create gives each queue its slots and names the capture in the port; a worker sees
 * that name at its next burst, and copies from then on what the rules take. end takes the name
 * away, and waits for each worker to have dropped it: only then the slots can go. Failure modes:
 * memory is short at the beginning; no slot is empty (dropped, counted).
 */
#include "dataplane/nic/nic_capture.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/ring.h"
#include "dataplane/nic/nic_frame.h"
#include "dataplane/nic/nic_port_priv.h"

struct lane {
    struct ring *empty; /* from the watcher to the queue */
    struct ring *full;  /* and back; NULL: this queue is not watched */
    struct nic_capture_frame *slots;
    struct nic_capture_counts counts; /* one writer, the queue's thread */
} __attribute__((aligned(64)));

struct nic_capture {
    struct nic_port *port;
    struct nic_capture_rules rules;
    uint16_t queues;
    struct lane lanes[];
};

/* --- the watcher's side ---------------------------------------------------------------------- */

static bool create_lane(struct lane *l)
{
    l->slots = malloc(LIMIT_CAPTURE_SLOTS * sizeof(l->slots[0]));
    l->empty = ring_create(LIMIT_CAPTURE_SLOTS);
    l->full = ring_create(LIMIT_CAPTURE_SLOTS);
    if (l->slots == NULL || l->empty == NULL || l->full == NULL)
        return false;
    for (unsigned i = 0; i < LIMIT_CAPTURE_SLOTS; i++)
        ring_push(l->empty, &l->slots[i]);
    return true;
}

void nic_capture_destroy(struct nic_capture *c)
{
    for (uint16_t i = 0; i < c->queues; i++) {
        if (c->lanes[i].empty != NULL)
            ring_destroy(c->lanes[i].empty);
        if (c->lanes[i].full != NULL)
            ring_destroy(c->lanes[i].full);
        free(c->lanes[i].slots);
    }
    free(c);
}

struct nic_capture *nic_capture_create(struct nic_port *p, const struct nic_capture_rules *rules)
{
    size_t size = sizeof(struct nic_capture) + p->count * sizeof(struct lane);
    struct nic_capture *c = aligned_alloc(64, (size + 63) / 64 * 64);

    ASSERT(p->capture == NULL && rules->bytes <= LIMIT_CAPTURE_FRAME_BYTES);
    if (c == NULL)
        return NULL;
    memset(c, 0, size);
    c->port = p;
    c->rules = *rules;
    c->queues = p->count;
    for (uint16_t i = 0; i < c->queues; i++) {
        if ((rules->queue == NIC_CAPTURE_ALL || rules->queue == i) && !create_lane(&c->lanes[i])) {
            nic_capture_destroy(c);
            return NULL;
        }
    }
    __atomic_store_n(&p->capture, c, __ATOMIC_RELEASE);
    return c;
}

struct nic_capture_frame *nic_capture_take(struct nic_capture *c, uint16_t queue)
{
    struct lane *l = &c->lanes[queue];

    return l->full != NULL ? ring_pop(l->full) : NULL;
}

void nic_capture_give_back(struct nic_capture *c, uint16_t queue, struct nic_capture_frame *f)
{
    bool room = ring_push(c->lanes[queue].empty, f);

    ASSERT(room); /* there are as many places as slots */
}

void nic_capture_count(const struct nic_capture *c, uint16_t queue, struct nic_capture_counts *out)
{
    const struct nic_capture_counts *counts = &c->lanes[queue].counts;

    out->seen = __atomic_load_n(&counts->seen, __ATOMIC_RELAXED);
    out->dropped = __atomic_load_n(&counts->dropped, __ATOMIC_RELAXED);
}

bool nic_capture_end(struct nic_capture *c)
{
    struct nic_port *p = c->port;

    __atomic_store_n(&p->capture, NULL, __ATOMIC_RELAXED);
    for (uint16_t i = 0; i < c->queues; i++)
        if (__atomic_load_n(&p->queues[i].capture, __ATOMIC_ACQUIRE) != NULL)
            return false;
    return true;
}

/* --- the queues' side ------------------------------------------------------------------------ */

static bool is_wanted(const struct nic_capture_rules *r, const struct rte_mbuf *m)
{
    struct nic_frame f;

    if (r->port == 0 && addr_is_none(&r->host))
        return true;
    if (!nic_frame_read(span_of(rte_pktmbuf_mtod(m, const void *), m->data_len), &f))
        return false;
    if (!addr_is_none(&r->host) && !addr_equal(&r->host, &f.src) && !addr_equal(&r->host, &f.dst))
        return false;
    return r->port == 0 || (f.ported && (f.ports[0] == r->port || f.ports[1] == r->port));
}

static void copy(struct nic_capture_frame *to, const struct rte_mbuf *m, uint32_t most)
{
    to->wire_len = m->pkt_len;
    to->len = 0;
    for (; m != NULL && to->len < most; m = m->next) {
        uint32_t len = m->data_len < most - to->len ? m->data_len : most - to->len;

        memcpy(to->bytes + to->len, rte_pktmbuf_mtod(m, const void *), len);
        to->len += len;
    }
}

static uint64_t unix_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void nic_capture_frames(struct nic_capture *c, uint16_t queue, struct rte_mbuf *const *mbufs,
                        unsigned count, bool sent)
{
    struct lane *l = &c->lanes[queue];
    uint64_t now_ns = l->full != NULL && count > 0 ? unix_now_ns() : 0;

    for (unsigned i = 0; l->full != NULL && i < count; i++) {
        struct nic_capture_frame *slot;
        bool room;

        if (!is_wanted(&c->rules, mbufs[i]))
            continue;
        counter_raise(&l->counts.seen, 1);
        slot = ring_pop(l->empty);
        if (slot == NULL) {
            counter_raise(&l->counts.dropped, 1);
            continue;
        }
        slot->unix_ns = now_ns;
        slot->sent = sent;
        copy(slot, mbufs[i], c->rules.bytes);
        room = ring_push(l->full, slot);
        ASSERT(room); /* there are as many places as slots */
    }
}
