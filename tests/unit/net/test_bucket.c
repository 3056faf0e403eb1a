/* The token bucket: a burst at once, then the rate, never more however long it rested. */
#include "lib/unit.h"

#include "base/clock.h"
#include "dataplane/net/net_bucket.h"

static const struct net_bucket_rate rate = { .per_s = 10, .burst = 5 };

static unsigned drain(struct net_bucket *b, uint64_t now_ns)
{
    unsigned got = 0;

    while (got < 1000 && net_bucket_take(b, &rate, now_ns))
        got++;
    return got;
}

static void burst_then_rate(void **state)
{
    struct net_bucket b = { 0 };
    uint64_t now = 7 * NS_PER_S;
    unsigned got = 0;

    (void)state;
    assert_int_equal(drain(&b, now), 5);
    assert_false(net_bucket_take(&b, &rate, now + 99 * NS_PER_MS));
    assert_true(net_bucket_take(&b, &rate, now + 100 * NS_PER_MS));
    assert_false(net_bucket_take(&b, &rate, now + 100 * NS_PER_MS));
    for (unsigned ms = 101; ms <= 10100; ms++)
        got += drain(&b, now + ms * NS_PER_MS);
    assert_int_equal(got, 100);
}

static void rest_fills_it_once(void **state)
{
    struct net_bucket b = { 0 };

    (void)state;
    assert_int_equal(drain(&b, NS_PER_S), 5);
    assert_int_equal(drain(&b, 1000000 * NS_PER_S), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(burst_then_rate),
        cmocka_unit_test(rest_fills_it_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
