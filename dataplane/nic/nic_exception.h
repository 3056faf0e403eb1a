/*
 * The kernel beside us on a device that is ours: what is not Postern's (nic_ours.h) goes to a TAP
 * interface, and what the kernel sends there goes out of the device. The kernel has the device's
 * addresses on that interface, answers ARP, ND and ping for both of us, and has all other ports.
 *
 * TAP means system calls, which a poll loop does not make: a thread of its own makes them, with a
 * ring to it from each queue and one back to the first queue. They are bounded: past a bound frames
 * are dropped and counted, and nobody waits.
 */
#ifndef POSTERN_NIC_EXCEPTION_H
#define POSTERN_NIC_EXCEPTION_H

#include <stdbool.h>

#include "base/span.h"
#include "dataplane/nic/nic_ours.h"

struct nic_exception;
struct nic_outbox;
struct rte_mbuf;

struct nic_exception_config {
    const char *interface; /* made; or one that is there without a program at its other end */
    const struct nic_ours *ours;
    const uint8_t *mac; /* the device's: the kernel's frames come from it */
    uint16_t mtu;
    uint16_t queues;         /* of the device */
    uint16_t tx_descriptors; /* of its first queue, which may hold as many of our frames */
    int socket;
};

/* Frames, since it was made. */
struct nic_exception_stats {
    uint64_t in;          /* to the kernel */
    uint64_t in_dropped;  /* the same: faster than it took them, or the interface is down */
    uint64_t out;         /* from the kernel, to the device's queue */
    uint64_t out_dropped; /* the same: faster than the device took them */
};

/* NULL with a sentence in *why. */
struct nic_exception *nic_exception_create(const struct nic_exception_config *config,
                                           struct buf *why);
/* When no thread uses it, and the device is stopped. */
void nic_exception_destroy(struct nic_exception *x);
/* From any thread. */
void nic_exception_stats(const struct nic_exception *x, struct nic_exception_stats *out);

/* --- its own thread --------------------------------------------------------------------------- */

/* Moves what there is, both ways; when there is nothing, sleeps until there is, or until
 * nic_exception_wake. */
void nic_exception_pump(struct nic_exception *x);
/* From any thread. */
void nic_exception_wake(struct nic_exception *x);

/* --- the queues' threads ---------------------------------------------------------------------- */

/* Takes those of a received burst that are the kernel's. Returns how many are left, in front. */
unsigned nic_exception_sort(struct nic_exception *x, uint16_t queue, struct rte_mbuf **mbufs,
                            unsigned count);
/* What the first queue is to send for the kernel. */
struct nic_outbox *nic_exception_outbox(struct nic_exception *x);

#endif
