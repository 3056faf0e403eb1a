/* NewReno by its numbers: RFC 5681, RFC 6582, RFC 6928. */
#include "lib/unit.h"

#include "base/rng.h"
#include "dataplane/tcp/tcp_cc.h"

static const struct tcp_cc_ops *ops = &tcp_cc_newreno;

/* RFC 6928, 2: min(10 * MSS, max(2 * MSS, 14600)) */
static void the_first_window_is_ten_segments(void **state)
{
    struct tcp_cc cc;

    (void)state;
    ops->init(&cc, 1448, false);
    assert_int_equal(cc.cwnd, 14480);
    ops->init(&cc, 536, false);
    assert_int_equal(cc.cwnd, 5360);
    ops->init(&cc, 8948, false);
    assert_int_equal(cc.cwnd, 17896);
    ops->init(&cc, 1448, true);
    assert_int_equal(cc.cwnd, 1448);
}

/* RFC 5681, 3.1, (2): at most SMSS for each ACK, however much it covers. */
static void slow_start_grows_by_what_is_acknowledged(void **state)
{
    struct tcp_cc cc;

    (void)state;
    ops->init(&cc, 1000, false);
    ops->on_ack(&cc, 1000, 0, 0);
    assert_int_equal(cc.cwnd, 11000);
    ops->on_ack(&cc, 10, 0, 0);
    assert_int_equal(cc.cwnd, 11010);
    ops->on_ack(&cc, 5000, 0, 0);
    assert_int_equal(cc.cwnd, 12010);
}

static void avoidance_grows_by_one_segment_a_window(void **state)
{
    struct tcp_cc cc;

    (void)state;
    ops->init(&cc, 1000, false);
    cc.ssthresh = 10000;
    for (unsigned i = 0; i < 9; i++)
        ops->on_ack(&cc, 1000, 0, 0);
    assert_int_equal(cc.cwnd, 10000);
    ops->on_ack(&cc, 1000, 0, 0);
    assert_int_equal(cc.cwnd, 11000);
}

/* RFC 5681, (4): ssthresh = max(FlightSize / 2, 2 * SMSS) */
static void a_loss_halves(void **state)
{
    struct tcp_cc cc;

    (void)state;
    ops->init(&cc, 1000, false);
    ops->on_loss(&cc, 20000);
    assert_int_equal(cc.ssthresh, 10000);
    assert_true(cc.recovering);
    ops->on_recovered(&cc);
    assert_int_equal(cc.cwnd, 10000);
    assert_false(cc.recovering);
    ops->on_loss(&cc, 1500);
    assert_int_equal(cc.ssthresh, 2000);
}

/* RFC 5681, 3.1, (5) and (4): one segment, and the threshold only the first time. */
static void a_time_out_begins_anew(void **state)
{
    struct tcp_cc cc;

    (void)state;
    ops->init(&cc, 1000, false);
    ops->on_rto(&cc, 20000, true);
    assert_int_equal(cc.cwnd, 1000);
    assert_int_equal(cc.ssthresh, 10000);
    ops->on_rto(&cc, 1000, false);
    assert_int_equal(cc.ssthresh, 10000);
}

/* RFC 5681, 4.1 */
static void idling_gives_the_window_back(void **state)
{
    struct tcp_cc cc;

    (void)state;
    ops->init(&cc, 1000, false);
    cc.cwnd = 100000;
    ops->on_idle(&cc);
    assert_int_equal(cc.cwnd, 10000);
    cc.cwnd = 3000;
    ops->on_idle(&cc);
    assert_int_equal(cc.cwnd, 3000);
}

/* Whatever happens in whatever order, one segment may always go, and numbers stay sane. */
static void no_order_of_events_breaks_it(void **state)
{
    struct rng r;

    (void)state;
    rng_seed(&r, 9);
    for (unsigned run = 0; run < 200; run++) {
        uint16_t mss = (uint16_t)(52 + rng_below(&r, 9000));
        struct tcp_cc cc;

        ops->init(&cc, mss, rng_below(&r, 2));
        for (unsigned i = 0; i < 500; i++) {
            uint32_t n = (uint32_t)rng_below(&r, 1U << 20);

            switch (rng_below(&r, 5)) {
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
                    ops->on_ack(&cc, n, 0, 0);
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
        cmocka_unit_test(the_first_window_is_ten_segments),
        cmocka_unit_test(slow_start_grows_by_what_is_acknowledged),
        cmocka_unit_test(avoidance_grows_by_one_segment_a_window),
        cmocka_unit_test(a_loss_halves),
        cmocka_unit_test(a_time_out_begins_anew),
        cmocka_unit_test(idling_gives_the_window_back),
        cmocka_unit_test(no_order_of_events_breaks_it),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
