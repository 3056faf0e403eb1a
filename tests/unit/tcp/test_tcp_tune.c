/* Right-sizing of the receive window against senders in virtual time: it keeps ahead of slow start,
 * stays when path or reader is the limit, and needs a round trip to know anything. */
#include "lib/unit.h"

#include "base/clock.h"
#include "dataplane/tcp/tcp_tune.h"

#define MSS   1448
#define FIRST (128U * 1024)

static uint32_t after(struct tcp_tune *t, uint64_t *now_ns, uint64_t ms, uint32_t *seq,
                      uint32_t bytes)
{
    *now_ns += ms * NS_PER_MS;
    *seq += bytes;
    t->space = tcp_tune_taken(t, *now_ns, *seq, MSS);
    return t->space;
}

/* What is told after a round trip comes with the ACKs of the next one, twice as large, and those
 * release the one after it. */
static void slow_start_never_meets_the_window(void **state)
{
    uint64_t now = NS_PER_S;
    uint32_t seq = UINT32_MAX - 100000;
    struct tcp_tune t;

    (void)state;
    tcp_tune_init(&t, now, seq, FIRST);
    tcp_tune_rtt(&t, 200000);
    for (uint32_t cwnd = 10 * MSS; cwnd < 16U * 1024 * 1024; cwnd *= 2)
        assert_true(after(&t, &now, 200, &seq, cwnd) >= 4 * cwnd);
}

static void a_steady_path_stays(void **state)
{
    uint64_t now = NS_PER_S;
    uint32_t seq = 5;
    struct tcp_tune t;
    uint32_t space;

    (void)state;
    tcp_tune_init(&t, now, seq, FIRST);
    tcp_tune_rtt(&t, 50000);
    space = after(&t, &now, 50, &seq, 300000);
    assert_in_range(space, 600000, 4000000);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(after(&t, &now, 50, &seq, 300000), space);
}

static void a_reader_that_stands_still_gets_no_more(void **state)
{
    uint64_t now = NS_PER_S;
    uint32_t seq = 5;
    struct tcp_tune t;

    (void)state;
    tcp_tune_init(&t, now, seq, FIRST);
    tcp_tune_rtt(&t, 1000);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(after(&t, &now, 50, &seq, 1000), FIRST);
}

static void nothing_is_judged_within_a_round_trip(void **state)
{
    uint64_t now = NS_PER_S;
    uint32_t seq = 5;
    struct tcp_tune t;

    (void)state;
    tcp_tune_init(&t, now, seq, FIRST);
    assert_int_equal(after(&t, &now, 1000, &seq, 1000000), FIRST); /* no round trip is known */
    tcp_tune_rtt(&t, 2000000);
    assert_int_equal(after(&t, &now, 500, &seq, 1000000), FIRST);
    assert_true(after(&t, &now, 500, &seq, 0) > FIRST);
}

static void a_long_echo_counts_little(void **state)
{
    struct tcp_tune t;

    (void)state;
    tcp_tune_init(&t, NS_PER_S, 5, FIRST);
    tcp_tune_rtt(&t, 80000);
    tcp_tune_rtt(&t, 880000);
    assert_int_equal(t.rtt_us, 180000);
    tcp_tune_rtt(&t, 40000);
    assert_int_equal(t.rtt_us, 40000);
    tcp_tune_rtt(&t, 0);
    assert_int_equal(t.rtt_us, 1);
}

static void a_window_takes_a_round_trip(void **state)
{
    struct tcp_tune t;

    (void)state;
    tcp_tune_init(&t, NS_PER_S, 1000, FIRST);
    tcp_tune_arrived(&t, NS_PER_S, 1000, 5000);
    assert_int_equal(t.rtt_us, 0);
    tcp_tune_arrived(&t, NS_PER_S + 30 * NS_PER_MS, 5999, 5000);
    assert_int_equal(t.rtt_us, 0);
    tcp_tune_arrived(&t, NS_PER_S + 40 * NS_PER_MS, 6000, 5000);
    assert_int_equal(t.rtt_us, 40000);
    tcp_tune_arrived(&t, NS_PER_S + 900 * NS_PER_MS, 11000, 5000); /* the peer was idle */
    assert_int_equal(t.rtt_us, 40000);
    tcp_tune_arrived(&t, NS_PER_S + 920 * NS_PER_MS, 16000, 5000);
    assert_int_equal(t.rtt_us, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_start_never_meets_the_window),
        cmocka_unit_test(a_steady_path_stays),
        cmocka_unit_test(a_reader_that_stands_still_gets_no_more),
        cmocka_unit_test(nothing_is_judged_within_a_round_trip),
        cmocka_unit_test(a_long_echo_counts_little),
        cmocka_unit_test(a_window_takes_a_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
