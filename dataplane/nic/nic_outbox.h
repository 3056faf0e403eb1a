/* Frames that a queue sends for somebody who has none: another worker, or the kernel. */
#ifndef POSTERN_NIC_OUTBOX_H
#define POSTERN_NIC_OUTBOX_H

#include "base/nic.h" /* before DPDK: its sys/queue.h has a LIST_ENTRY too */
#include "base/ring.h"

#include <rte_mbuf.h>

struct nic_outbox {
    struct ring *ring; /* of mbufs; NULL: there is nobody */
    /* Those that the device did not take: the queue's thread has them. */
    uint16_t left_count;
    struct rte_mbuf *left[NIC_BURST];
};

/* When no thread uses it. */
static inline void nic_outbox_close(struct nic_outbox *o)
{
    struct rte_mbuf *m;

    if (o->ring == NULL)
        return;
    while (o->left_count > 0)
        rte_pktmbuf_free(o->left[--o->left_count]);
    while ((m = ring_pop(o->ring)) != NULL)
        rte_pktmbuf_free(m);
    ring_destroy(o->ring);
    o->ring = NULL;
}

#endif
