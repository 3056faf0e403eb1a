/*
 * A wire into the kernel's stack: a TUN device in a network namespace of the process's own. What we
 * write comes in at the kernel's 10.0.0.2, what it sends to one of our addresses we read.
 */
#ifndef POSTERN_TESTS_TCP_KERNEL_WIRE_H
#define POSTERN_TESTS_TCP_KERNEL_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/seg.h"

#define TCP_KERNEL_ADDR 0x0a000002U /* the kernel's */

struct tcp_kernel_wire {
    int fd;
    struct seg_pool *pool;
    struct seg *seg; /* what was received last */
    uint32_t client; /* our address; what is for others is not seen */
};

/* Makes namespace and device. False with a sentence on standard error. */
bool tcp_kernel_wire_open(struct tcp_kernel_wire *w);
void tcp_kernel_wire_close(struct tcp_kernel_wire *w);
bool tcp_kernel_wire_mtu(uint32_t mtu);
/* Fills in TCP's checksum and sends it to `to`. False: the device did not take it. */
bool tcp_kernel_wire_send(struct tcp_kernel_wire *w, struct seg *s, uint32_t to);
/* An ICMP error about the kernel's segment of these ports that begins at seq: too big for an MTU,
 * or, with 0, host unreachable. */
bool tcp_kernel_wire_icmp(struct tcp_kernel_wire *w, const uint16_t ports[2], uint32_t seq,
                          uint16_t mtu);
uint64_t tcp_kernel_wire_now_ns(void);
/* Waits for the next segment, which is valid until the next call; NULL: none came in this time. */
struct seg *tcp_kernel_wire_receive(struct tcp_kernel_wire *w, uint64_t wait_ns);

#endif
