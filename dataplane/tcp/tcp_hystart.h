/*
 * HyStart++ (RFC 9406): when the round trip grows in the first slow start, the path's queue is
 * filling; the window then grows slower, and slow start ends before the queue overflows. Pure.
 */
#ifndef POSTERN_TCP_HYSTART_H
#define POSTERN_TCP_HYSTART_H

#include <stdint.h>

enum tcp_hystart_phase {
    TCP_HYSTART_FAST,     /* slow start as ever */
    TCP_HYSTART_CAREFUL,  /* conservative slow start: TCP_HYSTART_DIVISOR times slower */
    TCP_HYSTART_FINISHED, /* congestion avoidance begins where the window is */
};

#define TCP_HYSTART_DIVISOR 4 /* CSS_GROWTH_DIVISOR */

struct tcp_hystart {
    uint32_t round_end; /* windowEnd: the round ends when this is acknowledged */
    uint32_t last_us;   /* lastRoundMinRTT; 0: none */
    uint32_t least_us;  /* currentRoundMinRTT; 0: none */
    uint32_t base_us;   /* cssBaselineMinRtt; 0: not in conservative slow start */
    uint8_t samples;    /* of this round, up to N_RTT_SAMPLE */
    uint8_t rounds;     /* of conservative slow start */
};

/* Slow start begins with all before nxt sent. */
void tcp_hystart_begin(struct tcp_hystart *h, uint32_t nxt);
/* An ACK in slow start: SND.UNA and SND.NXT after it, and its round trip; 0: it told none. */
enum tcp_hystart_phase tcp_hystart_acked(struct tcp_hystart *h, uint32_t una, uint32_t nxt,
                                         uint32_t rtt_us);

#endif
