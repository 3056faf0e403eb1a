/*
 * Congestion control behind a small table of functions. They get plain numbers, never the
 * connection, so a controller is tested by calling it. What is a loss, tcp_loss decides; what
 * follows for the window, a controller.
 */
#ifndef POSTERN_TCP_CC_H
#define POSTERN_TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_cc {
    uint32_t cwnd;     /* bytes */
    uint32_t ssthresh; /* bytes */
    uint32_t acked;    /* bytes acknowledged towards the next step in congestion avoidance */
    uint16_t mss;      /* payload of a full segment, bytes */
    bool recovering;   /* between on_loss and on_recovered */

    /* CUBIC's, in the words of RFC 9438, 4.1; bytes. */
    uint32_t w_max;
    uint32_t w_last; /* the window at the loss before */
    uint32_t w_est;
    uint32_t cwnd_prior;
    uint32_t k_ms;
    uint64_t epoch_ns; /* 0: begins with the next ACK in congestion avoidance */
};

struct tcp_cc_ops {
    /* syn_lost: the handshake had to retransmit, so begin with one segment (RFC 6928, 2). */
    void (*init)(struct tcp_cc *cc, uint16_t mss, bool syn_lost);
    /* `acked` new bytes were acknowledged, outside of recovery. */
    void (*on_ack)(struct tcp_cc *cc, uint32_t acked, uint64_t now_ns, uint32_t rtt_us);
    /* A segment was found lost with in_flight bytes out: sets ssthresh; recovery begins, in which
     * the window is not the controller's (tcp_prr). */
    void (*on_loss)(struct tcp_cc *cc, uint32_t in_flight);
    /* All that was out when recovery began is acknowledged. */
    void (*on_recovered)(struct tcp_cc *cc);
    /* The timer ran out; first: for the first time since the last ACK of new bytes. Ends recovery.
     */
    void (*on_rto)(struct tcp_cc *cc, uint32_t in_flight, bool first);
    /* Nothing was sent for longer than an RTO (RFC 5681, 4.1). */
    void (*on_idle)(struct tcp_cc *cc);
};

extern const struct tcp_cc_ops tcp_cc_cubic;
extern const struct tcp_cc_ops tcp_cc_newreno;

#define TCP_CC_WINDOW_MAX (1U << 30)

/* RFC 6928, 2: min(10 * MSS, max(2 * MSS, 14600)) */
static inline uint32_t tcp_cc_first_window(uint16_t mss)
{
    uint32_t most = 2U * mss > 14600 ? 2U * mss : 14600;

    return 10U * mss < most ? 10U * mss : most;
}

/* RFC 5681, 4.1: the restart window. */
static inline void tcp_cc_restart(struct tcp_cc *cc)
{
    uint32_t first = tcp_cc_first_window(cc->mss);

    if (!cc->recovering && cc->cwnd > first)
        cc->cwnd = first;
}

#endif
