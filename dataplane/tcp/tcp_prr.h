/*
 * Proportional rate reduction (RFC 6937): in recovery, how much may be out follows what arrives, so
 * that the window comes down to ssthresh over a round trip, without a pause or a burst. Pure.
 */
#ifndef POSTERN_TCP_PRR_H
#define POSTERN_TCP_PRR_H

#include <stdint.h>

struct tcp_prr {
    uint32_t flight;    /* RecoverFS: out when recovery began, bytes */
    uint32_t delivered; /* prr_delivered */
    uint32_t out;       /* prr_out */
};

/* Recovery begins with flight bytes out. */
void tcp_prr_begin(struct tcp_prr *p, uint32_t flight);
/* An ACK told of `delivered` bytes more; the window then, with `pipe` bytes on their way. */
uint32_t tcp_prr_window(struct tcp_prr *p, uint32_t delivered, uint32_t pipe, uint32_t ssthresh,
                        uint16_t mss);
void tcp_prr_sent(struct tcp_prr *p, uint32_t bytes);

#endif
