/* See now.h. Neither clock can be missing on Linux: this cannot fail. */
#include "gateway/now.h"

#include <time.h>

void now_read(struct clock *c)
{
    struct timespec mono;
    struct timespec wall;

    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME_COARSE, &wall);
    c->now_ns = (uint64_t)mono.tv_sec * NS_PER_S + (uint64_t)mono.tv_nsec;
    c->unix_ms = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / NS_PER_MS;
}
