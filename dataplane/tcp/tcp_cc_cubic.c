/*
 * CUBIC (RFC 9438): after a loss the window comes back along a cubic of the time since, flat where
 * it was lost before and steep beyond, so that it does not depend on the round trip; where NewReno
 * would be faster (short paths), it follows that. In integers: bytes, milliseconds.
 */
#include "dataplane/tcp/tcp_cc.h"

#include "base/assert.h"
#include "base/clock.h"

/* RFC 9438, 4.6 and 5: beta 0.7, C 0.4 segments / s^3, alpha 3 * (1 - beta) / (1 + beta) */
#define BETA_NUM  7
#define BETA_DEN  10
#define ALPHA_NUM 9
#define ALPHA_DEN 17
/* In slow start, for each ACK (RFC 9406, 4.2, without pacing): receivers that look at their queue
 * from time to time acknowledge many segments at once. */
#define SLOW_START_SEGMENTS 8U
/* Past this from the plateau, 100 s, the cubic is beyond any window, and 64 bits hold it still. */
#define CURVE_MS_MAX 100000

static void cubic_init(struct tcp_cc *cc, uint16_t mss, bool syn_lost)
{
    ASSERT(mss > 0);
    *cc = (struct tcp_cc){ .mss = mss, .ssthresh = TCP_CC_WINDOW_MAX };
    cc->cwnd = syn_lost ? mss : tcp_cc_first_window(mss);
}

/* The largest n with n^3 <= value. */
static uint32_t cube_root(uint64_t value)
{
    uint64_t root = 0;

    for (uint64_t bit = 1U << 20; bit > 0; bit >>= 1) {
        uint64_t n = root + bit;

        if (n * n * n <= value)
            root = n;
    }
    return (uint32_t)root;
}

/* RFC 9438, 4.2: K = cbrt((W_max - cwnd_epoch) / C), the time to the plateau. */
static void begin_epoch(struct tcp_cc *cc, uint64_t now_ns)
{
    cc->epoch_ns = now_ns;
    cc->w_est = cc->cwnd;
    cc->k_ms = 0;
    if (cc->w_max > cc->cwnd)
        cc->k_ms = cube_root((cc->w_max - cc->cwnd) * 2500000000ULL / cc->mss);
    else
        cc->w_max = cc->cwnd;
}

/* RFC 9438, 4.2: W_cubic(t) = C * (t - K)^3 + W_max, bytes. */
static int64_t curve(const struct tcp_cc *cc, uint64_t t_ms)
{
    int64_t d = t_ms < CURVE_MS_MAX ? (int64_t)t_ms : CURVE_MS_MAX;

    d -= cc->k_ms;
    if (d < -CURVE_MS_MAX)
        d = -CURVE_MS_MAX;
    return (int64_t)cc->w_max + 4 * d * d * d / 10000000 * cc->mss / 1000;
}

/* RFC 9438, 4.2: the target lies between the window and half as much again. */
static uint32_t target_at(const struct tcp_cc *cc, uint64_t t_ms)
{
    int64_t target = curve(cc, t_ms);

    if (target < cc->cwnd)
        return cc->cwnd;
    return target > cc->cwnd + cc->cwnd / 2 ? cc->cwnd + cc->cwnd / 2 : (uint32_t)target;
}

/* RFC 9438, 4.3: what NewReno's window would be. */
static void grow_estimate(struct tcp_cc *cc, uint32_t acked)
{
    uint64_t step = (uint64_t)acked * cc->mss / cc->cwnd;

    if (cc->w_est < cc->cwnd_prior)
        step = step * ALPHA_NUM / ALPHA_DEN;
    if (cc->w_est < TCP_CC_WINDOW_MAX)
        cc->w_est += (uint32_t)step;
}

static void avoid_congestion(struct tcp_cc *cc, uint32_t acked, uint64_t now_ns, uint32_t rtt_us)
{
    uint64_t t_ms;
    uint64_t sum;

    if (cc->epoch_ns == 0)
        begin_epoch(cc, now_ns);
    t_ms = (now_ns - cc->epoch_ns) / NS_PER_MS;
    grow_estimate(cc, acked);
    if (curve(cc, t_ms) < cc->w_est) {
        cc->cwnd = cc->w_est > cc->cwnd ? cc->w_est : cc->cwnd;
        return;
    }
    /* RFC 9438, 4.4 and 4.5: (target - cwnd) / cwnd for each byte, the fraction kept in `acked` */
    sum = (uint64_t)(target_at(cc, t_ms + rtt_us / 1000) - cc->cwnd) * acked + cc->acked;
    cc->acked = (uint32_t)(sum % cc->cwnd);
    cc->cwnd += (uint32_t)(sum / cc->cwnd);
}

static void cubic_on_ack(struct tcp_cc *cc, uint32_t acked, uint64_t now_ns, uint32_t rtt_us)
{
    uint32_t most = SLOW_START_SEGMENTS * cc->mss;

    ASSERT(!cc->recovering);
    if (cc->cwnd >= TCP_CC_WINDOW_MAX)
        return;
    acked = acked < cc->cwnd ? acked : cc->cwnd;
    if (cc->cwnd < cc->ssthresh)
        cc->cwnd += acked < most ? acked : most;
    else
        avoid_congestion(cc, acked, now_ns, rtt_us);
}

/* RFC 9438, 4.6 and 4.7: down to beta; who lost below the last plateau leaves room for others. */
static void reduce(struct tcp_cc *cc, uint32_t in_flight)
{
    uint32_t least = 2U * cc->mss;

    cc->cwnd_prior = cc->cwnd;
    cc->w_max = cc->cwnd;
    if (cc->cwnd < cc->w_last)
        cc->w_max = (uint32_t)((uint64_t)cc->cwnd * (BETA_DEN + BETA_NUM) / (2 * BETA_DEN));
    cc->w_last = cc->cwnd;
    cc->ssthresh = (uint32_t)((uint64_t)in_flight * BETA_NUM / BETA_DEN);
    cc->ssthresh = cc->ssthresh > least ? cc->ssthresh : least;
    cc->epoch_ns = 0;
    cc->acked = 0;
}

static void cubic_on_loss(struct tcp_cc *cc, uint32_t in_flight)
{
    ASSERT(!cc->recovering);
    reduce(cc, in_flight);
    cc->recovering = true;
}

static void cubic_on_recovered(struct tcp_cc *cc)
{
    ASSERT(cc->recovering);
    cc->cwnd = cc->ssthresh;
    cc->recovering = false;
}

static void cubic_on_rto(struct tcp_cc *cc, uint32_t in_flight, bool first)
{
    if (first)
        reduce(cc, in_flight);
    /* RFC 9438, 4.8: the next epoch begins on its plateau */
    cc->w_max = 0;
    cc->epoch_ns = 0;
    cc->cwnd = cc->mss;
    cc->recovering = false;
}

static void cubic_on_idle(struct tcp_cc *cc)
{
    tcp_cc_restart(cc);
    cc->epoch_ns = 0; /* RFC 9438, 5.8: time without data is no time */
}

const struct tcp_cc_ops tcp_cc_cubic = {
    .init = cubic_init,
    .on_ack = cubic_on_ack,
    .on_loss = cubic_on_loss,
    .on_recovered = cubic_on_recovered,
    .on_rto = cubic_on_rto,
    .on_idle = cubic_on_idle,
};
