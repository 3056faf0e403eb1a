/* The wire as the dataplane sees it: a real DPDK port (dataplane/nic) or the simulator's. */
#ifndef POSTERN_BASE_NIC_H
#define POSTERN_BASE_NIC_H

#include "base/seg.h"
#include "base/spread.h"

#define NIC_BURST 32 /* segments moved by one call at most */

enum nic_offload {
    NIC_RX_L3_CSUM = 1 << 0,
    NIC_RX_L4_CSUM = 1 << 1,
    NIC_TX_L3_CSUM = 1 << 2,
    NIC_TX_L4_CSUM = 1 << 3,
};

/* One queue pair, for one core. */
struct nic {
    const struct nic_ops *ops;
    struct seg_pool *pool; /* segments to send come from here, and received ones go home to it */
    uint8_t mac[6];        /* the address that we answer to */
    uint16_t mtu;          /* largest IP packet, bytes */
    uint32_t offloads;     /* enum nic_offload */
    uint16_t queue;        /* which of the device's it is */
    const struct spread *spread; /* whose connections are whose; NULL: there is one queue */
};

struct nic_ops {
    /* Up to max (<= NIC_BURST) received frames, from the Ethernet header on; the caller takes them.
     */
    unsigned (*rx)(struct nic *n, struct seg **out, unsigned max);
    /* Takes the first k segments, one reference each, and returns k; the rest stay with the caller.
     */
    unsigned (*tx)(struct nic *n, struct seg **segs, unsigned count);
    /*
     * Gives a copy of a received frame to the core of another queue, where rx finds it with
     * SEG_RX_SHARED and what the device had checked. False: no room there. NULL: there is one
     * queue. For what the device hands to one core and another must know (its connection's), or all
     * (ARP and ND).
     */
    bool (*give)(struct nic *n, uint16_t to, const struct seg *s);
    /* Whether the wire is there, so that what is sent reaches somebody. NULL: it always is. May be
     * a system call. */
    bool (*up)(struct nic *n);
};

#endif
