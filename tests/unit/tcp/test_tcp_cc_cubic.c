/* CUBIC by its numbers (RFC 9438), against the cubic in floating point. */
#include "lib/unit.h"

#include "base/clock.h"
#include "base/rng.h"
#include "dataplane/tcp/tcp_cc.h"

static const struct tcp_cc_ops *ops = &tcp_cc_cubic;

#define MSS 1000U

/* W_cubic(t) = 0.4 * (t - K)^3 + W_max, in segments, by plain arithmetic. */
static double model(double w_max, double k, double t)
{
    return 0.4 * (t - k) * (t - k) * (t - k) + w_max;
}

/* Acknowledges window after window, a round trip each, for `ms`. */
static void run(struct tcp_cc *cc, uint64_t *now_ns, uint32_t rtt_ms, uint32_t ms)
{
    for (uint32_t t = 0; t < ms; t += rtt_ms) {
        uint32_t left = cc->cwnd;

        *now_ns += rtt_ms * NS_PER_MS;
        for (; left >= MSS; left -= MSS)
            ops->on_ack(cc, MSS, *now_ns, rtt_ms * 1000);
    }
}

/* RFC 9438, 4.6: ssthresh = FlightSize * 0.7, two segments at least */
static void a_loss_takes_three_tenths(void **state)
{
    struct tcp_cc cc;

    (void)state;
    ops->init(&cc, MSS, false);
    ops->on_loss(&cc, 100000);
    assert_int_equal(cc.ssthresh, 70000);
    ops->on_recovered(&cc);
    assert_int_equal(cc.cwnd, 70000);
    ops->on_loss(&cc, 1000);
    assert_int_equal(cc.ssthresh, 2 * MSS);
}

/* RFC 9438, 4.2: 1,000 segments lost at, 700 left; K = cbrt(300 / 0.4) = 9.086 s */
static void the_window_follows_the_cubic(void **state)
{
    uint64_t now = NS_PER_S;
    struct tcp_cc cc;

    (void)state;
    ops->init(&cc, MSS, false);
    cc.cwnd = 1000 * MSS;
    ops->on_loss(&cc, 1000 * MSS);
    ops->on_recovered(&cc);
    for (uint32_t s = 1; s <= 14; s++) {
        run(&cc, &now, 100, 1000);
        assert_in_range(cc.cwnd, 990 * model(1000, 9.086, s), 1010 * model(1000, 9.086, s));
        if (s == 1)
            assert_in_range(cc.k_ms, 9080, 9090);
    }
}

/* RFC 9438, 4.3: on a short path NewReno is faster, and is followed. */
static void a_short_path_is_as_fast_as_newreno(void **state)
{
    uint64_t now = NS_PER_S;
    struct tcp_cc cc;

    (void)state;
    ops->init(&cc, MSS, false);
    cc.cwnd = 20 * MSS;
    ops->on_loss(&cc, 20 * MSS);
    ops->on_recovered(&cc);
    run(&cc, &now, 1, 20); /* 20 round trips: half a segment each, then a whole one */
    assert_in_range(cc.cwnd, 23 * MSS, 36 * MSS);
    assert_true(cc.cwnd >= cc.w_est);
}

/* RFC 9438, 4.7 */
static void a_second_loss_below_makes_room(void **state)
{
    struct tcp_cc cc;

    (void)state;
    ops->init(&cc, MSS, false);
    cc.cwnd = 1000 * MSS;
    ops->on_loss(&cc, 1000 * MSS);
    assert_int_equal(cc.w_max, 1000 * MSS);
    ops->on_recovered(&cc);
    ops->on_loss(&cc, 700 * MSS);
    assert_int_equal(cc.w_max, 595 * MSS);
}

/* RFC 9438, 4.8 */
static void a_time_out_begins_on_a_plateau(void **state)
{
    uint64_t now = NS_PER_S;
    struct tcp_cc cc;

    (void)state;
    ops->init(&cc, MSS, false);
    cc.cwnd = 100 * MSS;
    ops->on_rto(&cc, 100 * MSS, true);
    assert_int_equal(cc.cwnd, MSS);
    assert_int_equal(cc.ssthresh, 70 * MSS);
    ops->on_rto(&cc, MSS, false);
    assert_int_equal(cc.ssthresh, 70 * MSS);
    run(&cc, &now, 100, 2000);
    assert_int_equal(cc.k_ms, 0);
    assert_in_range(cc.w_max, 70 * MSS, 80 * MSS);
    assert_true(cc.cwnd > cc.w_max);
}

static void slow_start_takes_eight_segments_an_ack(void **state)
{
    struct tcp_cc cc;

    (void)state;
    ops->init(&cc, MSS, false);
    ops->on_ack(&cc, 3 * MSS, 0, 0);
    assert_int_equal(cc.cwnd, 13 * MSS);
    ops->on_ack(&cc, 12 * MSS, 0, 0);
    assert_int_equal(cc.cwnd, 21 * MSS);
}

/* Whatever happens in whatever order, one segment may always go, and numbers stay sane. */
static void no_order_of_events_breaks_it(void **state)
{
    struct rng r;

    (void)state;
    rng_seed(&r, 9);
    for (unsigned round = 0; round < 200; round++) {
        uint16_t mss = (uint16_t)(52 + rng_below(&r, 9000));
        uint64_t now = 1 + rng_below(&r, 1ULL << 40);
        struct tcp_cc cc;

        ops->init(&cc, mss, rng_below(&r, 2));
        for (unsigned i = 0; i < 500; i++) {
            uint32_t n = (uint32_t)rng_below(&r, 1U << 20);

            now += rng_below(&r, 1ULL << rng_below(&r, 45));
            switch (rng_below(&r, 8)) {
            case 0: ops->on_rto(&cc, n, n & 1); break;
            case 1: ops->on_idle(&cc); break;
            case 2:
                if (!cc.recovering)
                    ops->on_loss(&cc, n);
                break;
            case 3:
                if (cc.recovering)
                    ops->on_recovered(&cc);
                break;
            default:
                if (!cc.recovering)
                    ops->on_ack(&cc, n, now, n);
                break;
            }
            assert_true(cc.cwnd >= mss);
            assert_true(cc.cwnd < 1U << 31);
            assert_true(cc.ssthresh >= 2U * mss);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_takes_three_tenths),
        cmocka_unit_test(the_window_follows_the_cubic),
        cmocka_unit_test(a_short_path_is_as_fast_as_newreno),
        cmocka_unit_test(a_second_loss_below_makes_room),
        cmocka_unit_test(a_time_out_begins_on_a_plateau),
        cmocka_unit_test(slow_start_takes_eight_segments_an_ack),
        cmocka_unit_test(no_order_of_events_breaks_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
