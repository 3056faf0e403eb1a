/*
 * Happy path: a burst of the device's mbufs becomes a burst of segments, and the other way; frames
 * of other cores come in between. A worker that borrows its queue leaves mbufs in a ring, which the
 * lender empties whenever it receives. Failure modes: the device, or the ring, takes fewer than
 * offered: the rest stays with the caller.
 */
#include "dataplane/nic/nic_queue.h"

#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "base/assert.h"
#include "base/counter.h"
#include "base/limits.h"

/* The kernel's frames that leave in one turn: most of a burst is for our own. */
#define KERNEL_BURST (NIC_BURST / 4)

/* Whether somebody watches. That one who is gone may free the capture, what we have of it is told
 * at once. */
static void look_for_watcher(struct nic_queue *q)
{
    struct nic_capture *now = __atomic_load_n(q->watched, __ATOMIC_ACQUIRE);

    if (now != q->capture)
        __atomic_store_n(&q->capture, now, __ATOMIC_RELEASE);
}

/* The device frees what it has sent: what somebody is to see of it is held until then. */
static uint16_t send_watched(struct nic_queue *q, struct rte_mbuf **mbufs, uint16_t count)
{
    uint16_t sent;

    for (uint16_t i = 0; i < count; i++)
        rte_mbuf_refcnt_update(mbufs[i], 1);
    sent = rte_eth_tx_burst(q->port, q->device_queue, mbufs, count);
    nic_capture_frames(q->capture, q->device_queue, mbufs, sent, true);
    for (uint16_t i = 0; i < count; i++)
        rte_pktmbuf_free(mbufs[i]);
    return sent;
}

/* Takes the first k and returns k. q has the device queue. */
static uint16_t transmit(struct nic_queue *q, struct rte_mbuf **mbufs, uint16_t count)
{
    if (q->capture != NULL)
        return send_watched(q, mbufs, count);
    return rte_eth_tx_burst(q->port, q->device_queue, mbufs, count);
}

/* Sends what is left in o, no more than `most`. */
static void send_for(struct nic_queue *q, struct nic_outbox *o, uint16_t most)
{
    struct rte_mbuf *m;
    uint16_t sent;

    while (o->left_count < most && (m = ring_pop(o->ring)) != NULL)
        o->left[o->left_count++] = m;
    if (o->left_count == 0)
        return;
    sent = transmit(q, o->left, o->left_count);
    o->left_count = (uint16_t)(o->left_count - sent);
    memmove(o->left, o->left + sent, o->left_count * sizeof(o->left[0]));
}

/* What q has to do before it receives. */
static void begin_turn(struct nic_queue *q)
{
    look_for_watcher(q);
    if (q->exception != NULL && q->device_queue == 0)
        send_for(q, nic_exception_outbox(q->exception), KERNEL_BURST);
}

static unsigned receive(struct nic_queue *q, struct seg **out, unsigned max)
{
    struct rte_mbuf *mbufs[NIC_BURST];
    unsigned count = rte_eth_rx_burst(q->port, q->device_queue, mbufs, (uint16_t)max);
    unsigned kept = 0;
    bool copied;

    if (q->capture != NULL)
        nic_capture_frames(q->capture, q->device_queue, mbufs, count, false);
    if (q->exception != NULL)
        count = nic_exception_sort(q->exception, q->device_queue, mbufs, count);
    for (unsigned i = 0; i < count; i++) {
        rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
        out[kept] = nic_pool_received(&q->pool, mbufs[i], &copied);
        if (copied)
            counter_raise(out[kept] != NULL ? &q->copied : &q->dropped, 1);
        if (out[kept] != NULL)
            kept++;
    }
    return kept;
}

static unsigned queue_rx(struct nic *n, struct seg **out, unsigned max)
{
    struct nic_queue *q = (struct nic_queue *)(void *)n;

    ASSERT(max <= NIC_BURST);
    begin_turn(q);
    return receive(q, out, max);
}

static unsigned shared_rx(struct nic *n, struct seg **out, unsigned max)
{
    struct nic_queue *q = (struct nic_queue *)(void *)n;
    unsigned kept;

    ASSERT(max <= NIC_BURST);
    if (!q->borrows)
        begin_turn(q);
    for (struct nic_queue *b = q->borrows ? NULL : q->borrower; b != NULL; b = b->borrower)
        send_for(q, &b->outbox, NIC_BURST);
    /* First, and a part only: a queue that always has a full burst takes them too. */
    kept = nic_share_take(q->share, n->queue, out, max / 4);
    if (!q->borrows)
        kept += receive(q, out + kept, max - kept);
    return kept + nic_share_take(q->share, n->queue, out + kept, max - kept);
}

/* To the device, or to the lender. */
static unsigned hand_over(struct nic_queue *q, struct rte_mbuf **mbufs, unsigned count)
{
    unsigned sent = 0;

    if (!q->borrows)
        return transmit(q, mbufs, (uint16_t)count);
    while (sent < count && ring_push(q->outbox.ring, mbufs[sent]))
        sent++;
    return sent;
}

/*
 * Each mbuf that is taken loses one reference, perhaps within the call. A seg that nobody else
 * holds gives its own and is gone; for one that is held (TCP keeps it until it is acknowledged) the
 * device gets another.
 */
static unsigned queue_tx(struct nic *n, struct seg **segs, unsigned count)
{
    struct nic_queue *q = (struct nic_queue *)(void *)n;
    struct rte_mbuf *mbufs[NIC_BURST];
    bool held[NIC_BURST];
    unsigned sent;

    count = count < NIC_BURST ? count : NIC_BURST;
    for (unsigned i = 0; i < count; i++) {
        mbufs[i] = nic_pool_to_send(segs[i]);
        held[i] = segs[i]->ref > 1;
        if (held[i])
            rte_mbuf_refcnt_update(mbufs[i], 1);
    }
    sent = hand_over(q, mbufs, count);
    for (unsigned i = 0; i < count; i++) {
        if (held[i] && i < sent)
            seg_release(segs[i]);
        if (held[i] && i >= sent)
            rte_mbuf_refcnt_update(mbufs[i], -1);
    }
    return sent;
}

static bool queue_give(struct nic *n, uint16_t to, const struct seg *s)
{
    struct nic_queue *q = (struct nic_queue *)(void *)n;

    return nic_share_give(q->share, n->queue, to, s);
}

static bool queue_up(struct nic *n)
{
    struct nic_queue *q = (struct nic_queue *)(void *)n;
    struct rte_eth_link link;

    return rte_eth_link_get_nowait(q->port, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

static const struct nic_ops queue_ops = { .rx = queue_rx, .tx = queue_tx, .up = queue_up };
static const struct nic_ops shared_ops = {
    .rx = shared_rx, .tx = queue_tx, .give = queue_give, .up = queue_up
};

bool nic_queue_open(struct nic_queue *q, struct nic_queue *lender)
{
    if (lender == NULL)
        return true;
    q->borrows = true;
    q->borrower = lender->borrower;
    lender->borrower = q;
    q->outbox.ring = ring_create(LIMIT_NET_OUT_SEGS);
    return q->outbox.ring != NULL;
}

void nic_queue_close(struct nic_queue *q)
{
    nic_outbox_close(&q->outbox);
}

void nic_queue_ready(struct nic_queue *q, struct nic_share *share)
{
    q->share = share;
    q->nic.ops = share != NULL ? &shared_ops : &queue_ops;
    q->nic.pool = &q->pool.base;
}
