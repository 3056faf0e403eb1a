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
    uint64_t byte_ns; /* that a byte takes at the rate, in TCP_PACE_FRACTIONs */
};

#define TCP_PACE_FRACTION 65536

/* A turn begins, on a path with this window, bytes, and round trip; 0: not known, and nothing is
 * paced. */
void tcp_pace_begin(struct tcp_pace *p, uint32_t cwnd, uint32_t srtt_us, uint64_t now_ns);
/* May `len` bytes leave now, with `in_flight` out? False: not before p->next_ns. */
bool tcp_pace_lets(const struct tcp_pace *p, uint64_t now_ns, uint32_t in_flight, uint32_t len);
/* They have left. */
void tcp_pace_sent(struct tcp_pace *p, uint32_t len);

#endif
