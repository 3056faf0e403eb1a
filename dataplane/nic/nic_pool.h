/*
 * Mbufs as segments: each mbuf of our pools has its struct seg in its private area, so the way from
 * one to the other is arithmetic. All references to a seg together are one reference to its mbuf;
 * each transmission under way is one more.
 */
#ifndef POSTERN_NIC_POOL_H
#define POSTERN_NIC_POOL_H

#include "base/seg.h" /* before DPDK: its sys/queue.h has a LIST_ENTRY too */

#include <rte_mbuf.h>

struct nic_pool {
    struct seg_pool base;
    struct rte_mempool *mbufs;
    uint32_t count;
    bool whole; /* one piece of memory without gaps */
};

struct nic_pool_need {
    uint32_t connections;
    uint16_t rx_descriptors;
    uint16_t tx_descriptors;
    uint16_t mtu;
    uint16_t workers; /* of the device */
    bool exception;   /* the kernel has what is not ours */
    int socket;       /* NUMA node of the device */
    bool software;    /* the device copies frames itself, so physical addresses do not matter */
};

/* Mbufs that one queue pair needs: a sum over all who may hold some. */
uint32_t nic_pool_count_needed(const struct nic_pool_need *need);
/* False, with rte_errno: EAL has not memory enough. `name`: 20 characters at most, unique in the
 * process. */
bool nic_pool_open(struct nic_pool *p, const char *name, const struct nic_pool_need *need);
void nic_pool_close(struct nic_pool *p);

/*
 * Takes a received mbuf. One that is chained, of another pool, or still referenced by somebody
 * (net_ring and net_memif may hand over the sender's own) is copied into a fresh one first:
 * *copied. NULL: none left or too long, and the frame is gone.
 */
struct seg *nic_pool_received(struct nic_pool *p, struct rte_mbuf *m, bool *copied);
/* A segment of p with a copy of `frame`'s bytes, or NULL: none left. From any thread that EAL
 * knows. */
struct seg *nic_pool_copy(struct nic_pool *p, const struct seg *frame);
/* Readies the mbuf of s for sending: its place, length and offloads. No reference changes. */
struct rte_mbuf *nic_pool_to_send(struct seg *s);

#endif
