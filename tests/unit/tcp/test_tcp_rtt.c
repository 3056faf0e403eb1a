/* RFC 6298: the numbers of section 2, Karn's back-off, and the bounds. */
#include "lib/unit.h"

#include "base/rng.h"
#include "dataplane/tcp/tcp_rtt.h"

/* (2.1) Until a sample, one second. (2.2) SRTT <- R, RTTVAR <- R/2. */
static void the_first_sample_sets_both(void **state)
{
    struct tcp_rtt r;

    (void)state;
    tcp_rtt_init(&r);
    assert_int_equal(tcp_rtt_rto_us(&r), 1000000);
    tcp_rtt_sample(&r, 400000);
    assert_int_equal(r.srtt_us, 400000);
    assert_int_equal(r.rttvar_us, 200000);
    assert_int_equal(tcp_rtt_rto_us(&r), 400000 + 4 * 200000);
}

/* (2.3) alpha 1/8, beta 1/4 */
static void the_next_samples_move_it(void **state)
{
    struct tcp_rtt r;

    (void)state;
    tcp_rtt_init(&r);
    tcp_rtt_sample(&r, 400000);
    tcp_rtt_sample(&r, 800000);
    assert_int_equal(r.rttvar_us, (3 * 200000 + 400000) / 4);
    assert_int_equal(r.srtt_us, (7 * 400000 + 800000) / 8);
}

static void it_follows_a_floating_point_model(void **state)
{
    struct tcp_rtt r;
    struct rng rng;
    double srtt = 0;
    double var = 0;

    (void)state;
    rng_seed(&rng, 3);
    tcp_rtt_init(&r);
    for (unsigned i = 0; i < 10000; i++) {
        uint32_t sample = 10000 + (uint32_t)rng_below(&rng, 300000);
        double delta = srtt > sample ? srtt - sample : sample - srtt;

        tcp_rtt_sample(&r, sample);
        var = i == 0 ? sample / 2.0 : 0.75 * var + 0.25 * delta;
        srtt = i == 0 ? sample : 0.875 * srtt + 0.125 * sample;
        assert_true(r.srtt_us > srtt - 50 && r.srtt_us < srtt + 50);
        assert_true(r.rttvar_us > var - 50 && r.rttvar_us < var + 50);
    }
}

static void a_steady_path_keeps_200_ms_of_patience(void **state)
{
    struct tcp_rtt r;

    (void)state;
    tcp_rtt_init(&r);
    for (unsigned i = 0; i < 100; i++)
        tcp_rtt_sample(&r, 0);
    assert_true(tcp_rtt_rto_us(&r) >= 200000);
    assert_true(tcp_rtt_rto_us(&r) < 210000);
}

/* (5.5) doubles, (2.5) up to 60 s, and a good sample ends it */
static void back_off_doubles_and_ends(void **state)
{
    struct tcp_rtt r;
    uint32_t last;

    (void)state;
    tcp_rtt_init(&r);
    tcp_rtt_sample(&r, 100000);
    last = tcp_rtt_rto_us(&r);
    for (unsigned i = 0; i < 7; i++) {
        tcp_rtt_back_off(&r);
        assert_int_equal(tcp_rtt_rto_us(&r), last * 2);
        last *= 2;
    }
    for (unsigned i = 0; i < 300; i++)
        tcp_rtt_back_off(&r);
    assert_int_equal(tcp_rtt_rto_us(&r), TCP_RTT_RTO_MAX_US);
    tcp_rtt_sample(&r, 100000);
    assert_true(tcp_rtt_rto_us(&r) < 400000);
}

/* (5.7) */
static void a_lost_syn_means_three_seconds(void **state)
{
    struct tcp_rtt r;

    (void)state;
    tcp_rtt_init(&r);
    tcp_rtt_back_off(&r);
    tcp_rtt_syn_was_lost(&r);
    assert_int_equal(tcp_rtt_rto_us(&r), 3000000);
}

static void an_absurd_sample_is_bounded(void **state)
{
    struct tcp_rtt r;

    (void)state;
    tcp_rtt_init(&r);
    tcp_rtt_sample(&r, UINT32_MAX);
    assert_int_equal(tcp_rtt_rto_us(&r), TCP_RTT_RTO_MAX_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_sample_sets_both),
        cmocka_unit_test(the_next_samples_move_it),
        cmocka_unit_test(it_follows_a_floating_point_model),
        cmocka_unit_test(a_steady_path_keeps_200_ms_of_patience),
        cmocka_unit_test(back_off_doubles_and_ends),
        cmocka_unit_test(a_lost_syn_means_three_seconds),
        cmocka_unit_test(an_absurd_sample_is_bounded),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
