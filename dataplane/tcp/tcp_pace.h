/*
 * Pacing: in slow start new data leaves at twice the window for each round trip, not at the rate of
 * the link, so that a flight does not fill a queue on the way. A bucket of LIMIT_TCP_BURST_BYTES,
 * and what leaves in two ticks of the timer, goes at once; so does all that fits into the burst
 * together with what is out, whatever the bucket says: no small reply ever waits, nor sets a timer.
 * Pure.
 */
#ifndef POSTERN_TCP_PACE_H
#define POSTERN_TCP_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_pace {
    uint64_t next_ns; /* the next segment may leave then; long ago: the bucket is full */
};

/* Of the path: the window, bytes, and the round trip; 0: not known, and nothing is paced. */
struct tcp_pace_rate {
    uint32_t cwnd;
    uint32_t srtt_us;
};

/* May `len` bytes leave now, with `in_flight` out? False: not before p->next_ns. */
bool tcp_pace_lets(const struct tcp_pace *p, uint64_t now_ns, uint32_t in_flight, uint32_t len);
/* They have left. */
void tcp_pace_sent(struct tcp_pace *p, const struct tcp_pace_rate *r, uint64_t now_ns,
                   uint32_t len);

#endif
