/*
 * The measure runs for one round trip at a time. Happy path: an upload doubles what is taken in
 * each of the first trips, and the space keeps ahead of it; once the path or the reader is the
 * limit, it stays. A reader that takes nothing never gets more.
 */
#include "dataplane/tcp/tcp_tune.h"

#include "base/assert.h"
#include "base/clock.h"
#include "dataplane/tcp/tcp_seq.h"

#define SEGMENTS_MORE 16U /* a few, so that small windows grow out of their delayed ACKs */

void tcp_tune_init(struct tcp_tune *t, uint64_t now_ns, uint32_t seq, uint32_t space)
{
    *t = (struct tcp_tune){
        .since_ns = now_ns,
        .window_ns = now_ns,
        .taken_seq = seq,
        .window_end = seq,
        .space = space,
        .taken = space / 4,
    };
}

void tcp_tune_rtt(struct tcp_tune *t, uint32_t rtt_us)
{
    rtt_us = rtt_us == 0 ? 1 : rtt_us;
    if (t->rtt_us == 0 || rtt_us < t->rtt_us)
        t->rtt_us = rtt_us;
    else
        t->rtt_us += (rtt_us - t->rtt_us) / 8;
}

void tcp_tune_arrived(struct tcp_tune *t, uint64_t now_ns, uint32_t rcv_nxt, uint32_t window)
{
    uint64_t us = (now_ns - t->window_ns) / NS_PER_US;

    ASSERT(now_ns >= t->window_ns);
    if (tcp_seq_lt(rcv_nxt, t->window_end))
        return;
    /* A window takes a round trip or longer, so only the shortest says something. */
    if (t->window_ns != now_ns && (t->rtt_us == 0 || us < t->rtt_us))
        t->rtt_us = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
    t->window_ns = now_ns;
    t->window_end = rcv_nxt + window;
}

/* Twice of what was taken now, and more by as much as it grows: three times that in slow start. */
static uint64_t space_for(uint32_t taken, uint32_t before, uint16_t mss)
{
    uint64_t space = 2ULL * taken + SEGMENTS_MORE * mss;
    uint64_t more = taken - before;

    ASSERT(taken > before && before > 0);
    return space + 2 * space * (more < before ? more : before) / before;
}

uint32_t tcp_tune_taken(struct tcp_tune *t, uint64_t now_ns, uint32_t seq, uint16_t mss)
{
    uint32_t taken = seq - t->taken_seq;
    uint64_t space = t->space;

    ASSERT(now_ns >= t->since_ns);
    if (t->rtt_us == 0 || now_ns - t->since_ns < t->rtt_us * NS_PER_US)
        return t->space;
    if (taken > t->taken) {
        space = space_for(taken, t->taken, mss);
        t->taken = taken;
    }
    t->since_ns = now_ns;
    t->taken_seq = seq;
    if (space < t->space)
        return t->space;
    return space < UINT32_MAX ? (uint32_t)space : UINT32_MAX;
}
