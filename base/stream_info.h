/*
 * What a transport knows of one connection, for people (postern-ctl): the words of Linux's
 * tcp_info. What it does not know is 0.
 */
#ifndef POSTERN_BASE_STREAM_INFO_H
#define POSTERN_BASE_STREAM_INFO_H

#include <stdint.h>

struct stream_info {
    const char *state; /* of RFC 9293, 3.3.2; static text, or NULL */
    uint32_t srtt_us;
    uint32_t rttvar_us;
    uint32_t rto_us;   /* with its back-off */
    uint32_t backoff;  /* doublings of it: time-outs since the last answer */
    uint32_t cwnd;     /* bytes */
    uint32_t ssthresh; /* bytes; UINT32_MAX: no loss yet */
    uint32_t snd_mss;  /* payload of a full segment */
    uint32_t rcv_mss;
    uint32_t unacked;   /* segments sent and not acknowledged */
    uint32_t sacked;    /* of those */
    uint32_t lost;      /* of those, and not sent again yet */
    uint32_t retrans;   /* segments sent again since its first SYN */
    uint32_t snd_wnd;   /* bytes, the peer's */
    uint32_t rcv_wnd;   /* bytes, ours as told */
    uint64_t bytes_in;  /* in order, of the peer; of our TCP modulo 2^32 */
    uint64_t bytes_out; /* acknowledged by the peer; the same */
    uint64_t idle_ms;   /* since the peer's last segment */
};

#endif
