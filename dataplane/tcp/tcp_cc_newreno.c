/* NewReno: slow start, congestion avoidance, fast recovery (RFC 5681, RFC 6582), initial window of
 * 10 (RFC 6928). */
#include "dataplane/tcp/tcp_cc.h"

#include "base/assert.h"

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* RFC 5681, (4): ssthresh = max(FlightSize / 2, 2 * SMSS) */
static uint32_t half_of(const struct tcp_cc *cc, uint32_t in_flight)
{
    return most(in_flight / 2, 2U * cc->mss);
}

static void newreno_init(struct tcp_cc *cc, uint16_t mss, bool syn_lost)
{
    ASSERT(mss > 0);
    *cc = (struct tcp_cc){ .mss = mss, .ssthresh = TCP_CC_WINDOW_MAX };
    cc->cwnd = syn_lost ? mss : tcp_cc_first_window(mss);
}

static void newreno_on_ack(struct tcp_cc *cc, uint32_t acked, uint64_t now_ns, uint32_t rtt_us)
{
    (void)now_ns;
    (void)rtt_us;
    ASSERT(!cc->recovering);
    if (cc->cwnd >= TCP_CC_WINDOW_MAX)
        return;
    if (cc->cwnd < cc->ssthresh) {
        /* RFC 5681, (2): cwnd += min(N, SMSS) */
        cc->cwnd += least(acked, cc->mss);
        return;
    }
    /* RFC 5681, 3.1: one full segment for each window acknowledged, counted in bytes (RFC 3465) */
    cc->acked += acked;
    if (cc->acked >= cc->cwnd) {
        cc->acked -= cc->cwnd;
        cc->cwnd += cc->mss;
    }
}

static void newreno_on_loss(struct tcp_cc *cc, uint32_t in_flight)
{
    ASSERT(!cc->recovering);
    cc->ssthresh = half_of(cc, in_flight);
    cc->acked = 0;
    cc->recovering = true;
}

/* RFC 6582, 3.2, step 3, full acknowledgments; what PRR let go before keeps it from a burst. */
static void newreno_on_recovered(struct tcp_cc *cc)
{
    ASSERT(cc->recovering);
    cc->cwnd = cc->ssthresh;
    cc->recovering = false;
}

static void newreno_on_rto(struct tcp_cc *cc, uint32_t in_flight, bool first)
{
    /* RFC 5681, 3.1: ssthresh is not changed when the segment was sent again by the timer before */
    if (first)
        cc->ssthresh = half_of(cc, in_flight);
    cc->cwnd = cc->mss;
    cc->acked = 0;
    cc->recovering = false;
}

const struct tcp_cc_ops tcp_cc_newreno = {
    .init = newreno_init,
    .on_ack = newreno_on_ack,
    .on_loss = newreno_on_loss,
    .on_recovered = newreno_on_recovered,
    .on_rto = newreno_on_rto,
    .on_idle = tcp_cc_restart,
};
