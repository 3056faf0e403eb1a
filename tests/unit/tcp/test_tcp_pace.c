/* The bucket, by a path of 100 ms and a window of 50,000 bytes: twice that for each round trip are
 * 1,000 bytes in a millisecond. */
#include "lib/unit.h"

#include "base/clock.h"
#include "base/limits.h"
#include "dataplane/tcp/tcp_pace.h"

#define MSS 1000U

#define CWND    50000
#define SRTT_US 100000

/* Segments that leave at once, beside many that are out. */
static unsigned burst(struct tcp_pace *p, uint64_t now_ns)
{
    unsigned sent = 0;

    tcp_pace_begin(p, CWND, SRTT_US, now_ns);
    while (sent < 1000 && tcp_pace_lets(p, now_ns, 100 * MSS, MSS)) {
        tcp_pace_sent(p, MSS);
        sent++;
    }
    return sent;
}

/* 8,192 bytes and those of two ticks, in whole segments. */
static void a_full_bucket_lets_a_burst_through(void **state)
{
    struct tcp_pace p = { 0 };

    (void)state;
    assert_int_equal(burst(&p, NS_PER_S), 11);
    assert_int_equal(burst(&p, NS_PER_S), 0);
}

static void then_one_for_each_millisecond(void **state)
{
    struct tcp_pace p = { 0 };
    uint64_t now = NS_PER_S;
    unsigned sent = 0;

    (void)state;
    burst(&p, now);
    for (unsigned ms = 1; ms <= 50; ms++)
        sent += burst(&p, now + ms * NS_PER_MS);
    assert_int_equal(sent, 50);
}

/* What a timer missed leaves when it comes, but never more than a burst. */
static void a_pause_fills_the_bucket_and_no_more(void **state)
{
    struct tcp_pace p = { 0 };

    (void)state;
    burst(&p, NS_PER_S);
    assert_int_equal(burst(&p, NS_PER_S + 5 * NS_PER_MS), 5);
    assert_int_equal(burst(&p, 100 * NS_PER_S), 11);
}

static void what_fits_into_a_burst_never_waits(void **state)
{
    struct tcp_pace p = { .next_ns = UINT64_MAX };

    (void)state;
    assert_true(tcp_pace_lets(&p, 1, 0, 9000)); /* nothing is out: there is no flight to pace */
    assert_true(tcp_pace_lets(&p, 1, LIMIT_TCP_BURST_BYTES - MSS, MSS));
    assert_false(tcp_pace_lets(&p, 1, LIMIT_TCP_BURST_BYTES - MSS + 1, MSS));
}

static void an_unknown_round_trip_paces_nothing(void **state)
{
    struct tcp_pace p = { 0 };

    (void)state;
    tcp_pace_begin(&p, CWND, 0, 1);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(tcp_pace_lets(&p, 1, 100 * MSS, MSS));
        tcp_pace_sent(&p, MSS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_lets_a_burst_through),
        cmocka_unit_test(then_one_for_each_millisecond),
        cmocka_unit_test(a_pause_fills_the_bucket_and_no_more),
        cmocka_unit_test(what_fits_into_a_burst_never_waits),
        cmocka_unit_test(an_unknown_round_trip_paces_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
