/*
 * The bucket is a time: when the next segment would leave at an even rate, and at most a burst's
 * time ago. Happy path: a reply finds it long past, and moves it a little.
 */
#include "dataplane/tcp/tcp_pace.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/wheel.h"

#define GAIN 2 /* the window doubles in a round trip */
/* A timer is late by up to a tick, and the loop by its turn: what was missed leaves then. */
#define LATE_NS (2 * WHEEL_TICK_NS)

/* How long `len` bytes take at the rate. */
static uint64_t time_of(const struct tcp_pace *p, uint32_t len)
{
    return len * p->byte_ns / TCP_PACE_FRACTION;
}

void tcp_pace_begin(struct tcp_pace *p, uint32_t cwnd, uint32_t srtt_us, uint64_t now_ns)
{
    uint64_t burst_ns;

    ASSERT(cwnd > 0);
    p->byte_ns = srtt_us * NS_PER_US * TCP_PACE_FRACTION / ((uint64_t)GAIN * cwnd);
    burst_ns = time_of(p, LIMIT_TCP_BURST_BYTES) + LATE_NS;
    if (p->next_ns + burst_ns < now_ns)
        p->next_ns = now_ns - burst_ns;
    ASSERT(p->next_ns + burst_ns >= now_ns);
}

bool tcp_pace_lets(const struct tcp_pace *p, uint64_t now_ns, uint32_t in_flight, uint32_t len)
{
    return p->next_ns <= now_ns || in_flight == 0 || in_flight + len <= LIMIT_TCP_BURST_BYTES;
}

void tcp_pace_sent(struct tcp_pace *p, uint32_t len)
{
    p->next_ns += time_of(p, len);
}
