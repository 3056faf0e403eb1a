/*
 * The only way to read time. The program's loop sets it once a turn from the real clocks,
 * the simulator and the tests from their own. Nothing below gateway/ asks the system.
 */
#ifndef POSTERN_BASE_CLOCK_H
#define POSTERN_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL

struct clock {
    uint64_t now_ns;  /* monotonic, never steps back */
    uint64_t unix_ms; /* wall clock; may step: for Date, Received, ids, never for timers */
};

#endif
