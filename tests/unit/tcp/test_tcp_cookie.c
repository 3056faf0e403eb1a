/* SYN cookies: what comes back is what was put in, rounded down; what we did not make is refused.
 */
#include "lib/unit.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/rng.h"
#include "dataplane/tcp/tcp_cookie.h"
#include "dataplane/tcp/tcp_wire.h"

#define EPOCH_NS (LIMIT_TCP_COOKIE_EPOCH_MS * NS_PER_MS)
#define NOW_NS   (100 * EPOCH_NS)

static const struct hash_key master = { 11, 12 };

static struct tcp_cookie_syn syn_of(uint16_t mss, uint8_t options, uint8_t wscale)
{
    return (struct tcp_cookie_syn){
        .tuple = 77, .irs = 88, .mss = mss, .options = options, .wscale = wscale
    };
}

/* Makes a cookie, and opens it as the peer's ACK would. */
static struct tcp_cookie_syn there_and_back(struct tcp_cookie_syn syn, bool ts)
{
    struct tcp_cookie_jar jar;
    struct tcp_cookie_syn got = { .tuple = syn.tuple, .irs = syn.irs };
    uint32_t stamp = tcp_cookie_stamp(&syn, 12345);
    uint32_t cookie;

    tcp_cookie_init(&jar, &master);
    cookie = tcp_cookie_make(&jar, &syn, NOW_NS);
    assert_true(tcp_cookie_open(&jar, cookie, ts ? &stamp : NULL, NOW_NS, &got));
    return got;
}

static void mss_is_rounded_down(void **state)
{
    static const uint16_t in_out[][2] = {
        { 1, 64 },      { 64, 64 },     { 535, 64 },    { 536, 536 },    { 1220, 1220 },
        { 1300, 1220 }, { 1452, 1440 }, { 1460, 1460 }, { 65535, 8940 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(in_out) / sizeof(in_out[0]); i++)
        assert_int_equal(there_and_back(syn_of(in_out[i][0], 0, 0), false).mss, in_out[i][1]);
}

static void without_timestamps_the_scale_is_rounded_down(void **state)
{
    static const uint8_t out[] = { 0, 0, 2, 2, 4, 4, 6, 7, 8, 9, 9, 9, 9, 9, 9 };

    (void)state;
    for (uint8_t scale = 0; scale < sizeof(out); scale++) {
        struct tcp_cookie_syn got =
            there_and_back(syn_of(1460, TCP_HAS_WSCALE | TCP_HAS_SACK_OK, scale), false);

        assert_int_equal(got.wscale, out[scale]);
        assert_int_equal(got.options, TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_SACK_OK);
    }
    assert_int_equal(there_and_back(syn_of(1460, 0, 0), false).options, TCP_HAS_MSS);
}

static void with_timestamps_all_options_are_exact(void **state)
{
    (void)state;
    for (uint8_t scale = 0; scale <= TCP_WIRE_WSCALE_MAX; scale++) {
        struct tcp_cookie_syn got =
            there_and_back(syn_of(1460, TCP_HAS_WSCALE | TCP_HAS_TS, scale), true);

        assert_int_equal(got.wscale, scale);
        assert_int_equal(got.options, TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_TS);
    }
    assert_int_equal(there_and_back(syn_of(1460, TCP_HAS_TS | TCP_HAS_SACK_OK, 0), true).options,
                     TCP_HAS_MSS | TCP_HAS_TS | TCP_HAS_SACK_OK);
}

/* RFC 7323, 5.4: never later than the clock, or the next segment would look old. */
static void a_stamp_is_not_in_the_future(void **state)
{
    (void)state;
    for (uint32_t now = 0xfffffff0; now != 100; now++) {
        struct tcp_cookie_syn syn = syn_of(1460, TCP_HAS_WSCALE | TCP_HAS_TS, 7);
        uint32_t behind = now - tcp_cookie_stamp(&syn, now);

        assert_true(behind < 64);
    }
}

static void it_lives_for_one_epoch_and_at_most_two(void **state)
{
    struct tcp_cookie_syn syn = syn_of(1460, 0, 0);
    struct tcp_cookie_syn got = syn;
    struct tcp_cookie_jar jar;
    uint32_t cookie;
    uint32_t other;

    (void)state;
    tcp_cookie_init(&jar, &master);
    assert_false(tcp_cookie_open(&jar, 1, NULL, NOW_NS, &got)); /* none is out */
    cookie = tcp_cookie_make(&jar, &syn, NOW_NS);
    assert_true(tcp_cookie_open(&jar, cookie, NULL, NOW_NS + 2 * EPOCH_NS - 1, &got));
    assert_false(tcp_cookie_open(&jar, cookie, NULL, NOW_NS + 2 * EPOCH_NS, &got));
    other = tcp_cookie_make(&jar, &syn, NOW_NS + 2 * EPOCH_NS);
    assert_int_not_equal(other, cookie); /* the same bit of the key, another secret */
    assert_false(tcp_cookie_open(&jar, cookie, NULL, NOW_NS + 2 * EPOCH_NS, &got));
    assert_true(tcp_cookie_open(&jar, other, NULL, NOW_NS + 2 * EPOCH_NS, &got));
}

static void another_connection_s_cookie_is_refused(void **state)
{
    struct tcp_cookie_syn syn = syn_of(1460, TCP_HAS_WSCALE, 7);
    struct tcp_cookie_syn got;
    struct tcp_cookie_jar jar;
    uint32_t cookie;

    (void)state;
    tcp_cookie_init(&jar, &master);
    cookie = tcp_cookie_make(&jar, &syn, NOW_NS);
    got = (struct tcp_cookie_syn){ .tuple = syn.tuple + 1, .irs = syn.irs };
    assert_false(tcp_cookie_open(&jar, cookie, NULL, NOW_NS, &got));
    got = (struct tcp_cookie_syn){ .tuple = syn.tuple, .irs = syn.irs + 1 };
    assert_false(tcp_cookie_open(&jar, cookie, NULL, NOW_NS, &got));
    for (unsigned bit = 0; bit < 32; bit++) {
        got = (struct tcp_cookie_syn){ .tuple = syn.tuple, .irs = syn.irs };
        assert_false(tcp_cookie_open(&jar, cookie ^ 1U << bit, NULL, NOW_NS, &got));
    }
}

/* 2^18 blind guesses: a 64th of one is expected to be right. */
static void guesses_are_wrong(void **state)
{
    struct tcp_cookie_syn syn = syn_of(1460, 0, 0);
    struct tcp_cookie_jar jar;
    struct rng rng;
    unsigned right = 0;

    (void)state;
    rng_seed(&rng, 1);
    tcp_cookie_init(&jar, &master);
    tcp_cookie_make(&jar, &syn, NOW_NS);
    for (unsigned i = 0; i < 1U << 18; i++)
        right += tcp_cookie_open(&jar, (uint32_t)rng_next(&rng), NULL, NOW_NS, &syn);
    assert_int_equal(right, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mss_is_rounded_down),
        cmocka_unit_test(without_timestamps_the_scale_is_rounded_down),
        cmocka_unit_test(with_timestamps_all_options_are_exact),
        cmocka_unit_test(a_stamp_is_not_in_the_future),
        cmocka_unit_test(it_lives_for_one_epoch_and_at_most_two),
        cmocka_unit_test(another_connection_s_cookie_is_refused),
        cmocka_unit_test(guesses_are_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
