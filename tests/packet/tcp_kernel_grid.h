/* All cases against the kernel's stack, some at a time, and a report. */
#ifndef POSTERN_TESTS_TCP_KERNEL_GRID_H
#define POSTERN_TESTS_TCP_KERNEL_GRID_H

#include <stdbool.h>

#include "tcp_dsl.h"

/*
 * Runs the cases whose waits are at most patience_ms each, in as many processes as help. Prints
 * what differs without an explanation, with `talkative` also what differs with one, and counts.
 * True: every difference is explained. Needs root.
 */
bool tcp_kernel_grid(const struct tcp_dsl_case *const *cases, unsigned count,
                     unsigned long patience_ms, bool talkative);

#endif
