/*
 * Plays packet cases against the kernel's stack, in real time: segments go and come by a TUN
 * device, calls are made on a socket of this process. What only our own stack has is passed over
 * (counters, ready bits, segments) or makes the case one that cannot be run (its settings, its
 * memory).
 *
 * Windows are compared only as to whether they are closed, since buffers are counted differently,
 * and PSH, on which nothing depends, not at all.
 */
#ifndef POSTERN_TESTS_TCP_KERNEL_H
#define POSTERN_TESTS_TCP_KERNEL_H

#include <stdint.h>

#include "tcp_dsl.h"
#include "tcp_kernel_wire.h"

enum tcp_kernel_verdict {
    TCP_KERNEL_EQUAL,
    TCP_KERNEL_DIFFERS,
    TCP_KERNEL_STALLED,       /* differs, but the machine was late, and timers may have run */
    TCP_KERNEL_NEEDS_SETTING, /* of our stack */
    TCP_KERNEL_NEEDS_MEMORY,  /* our pool, emptied on order */
    TCP_KERNEL_NEEDS_TIME,    /* more than patience */
    TCP_KERNEL_VERDICTS,
};

#define TCP_KERNEL_WHY 200

/* `number` makes the client's address: no two cases of one wire may have the same. *why says what
 * was seen when it differs. */
enum tcp_kernel_verdict tcp_kernel_run(struct tcp_kernel_wire *w, const struct tcp_dsl_case *c,
                                       uint32_t number, uint64_t patience_ns,
                                       char why[TCP_KERNEL_WHY]);

#endif
