/* The retransmission time-out (RFC 6298), from samples in microseconds. Pure. */
#ifndef POSTERN_TCP_RTT_H
#define POSTERN_TCP_RTT_H

#include <stdint.h>

#define TCP_RTT_RTO_FIRST_US 1000000U  /* RFC 6298, 2.1 */
#define TCP_RTT_RTO_AGAIN_US 3000000U  /* RFC 6298, 5.7: when the SYN had to be sent again */
#define TCP_RTT_RTO_MAX_US   60000000U /* RFC 6298, 2.5 */
/* Least of 4 * RTTVAR. RFC 6298 wants an RTO of 1 s at least; 200 ms above the RTT is what the
 * large stacks do, and is above all delayed ACKs that are in use. */
#define TCP_RTT_VAR_MIN_US 200000U

struct tcp_rtt {
    uint32_t srtt_us; /* 0: no sample yet */
    uint32_t rttvar_us;
    uint32_t rto_us; /* without back-off */
    uint8_t backoff; /* doublings since the last good sample */
};

void tcp_rtt_init(struct tcp_rtt *r);
/* A sample of a segment that was sent once (Karn), or told by timestamps; ends the back-off. */
void tcp_rtt_sample(struct tcp_rtt *r, uint32_t rtt_us);
/* The timer ran out: doubles the time-out (RFC 6298, 5.5). */
void tcp_rtt_back_off(struct tcp_rtt *r);
/* The SYN was sent more than once: begin with 3 s (RFC 6298, 5.7). */
void tcp_rtt_syn_was_lost(struct tcp_rtt *r);
/* The time-out to arm now, at most TCP_RTT_RTO_MAX_US. */
uint32_t tcp_rtt_rto_us(const struct tcp_rtt *r);

#endif
