/* Lists of sizes, their weights, and both kinds of arrivals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "bench/plan.h"

static struct plan_sizes p;
static struct rng rng;

static void lists(void **state)
{
    (void)state;
    assert_true(plan_sizes_parse(&p, "4K"));
    assert_int_equal(p.count, 1);
    assert_int_equal(p.classes[0].least, 4096);
    assert_true(plan_sizes_parse(&p, "1K:70,20K:25,1M"));
    assert_int_equal(p.count, 3);
    assert_int_equal(p.total, 96);
    assert_int_equal(p.classes[2].most, 1024 * 1024);
}

static void lists_that_are_none(void **state)
{
    static const char *const bad[] = {
        "",          "x",       "1K:",   "1K:0",  "1K,",
        "1K:-1",     "100",     "1000G", "2000M", "-1K",
        "1KK",       ":3",      "1K:x",  "1K;2K", "99999999999999999999",
        "2K-1K",     "1K-",     "-",     "1-2K",  "1K-2K:0",
        "corpus,1K", "1K-2K-3K"
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(plan_sizes_parse(&p, bad[i]));
}

static void sizes_come_by_weight(void **state)
{
    unsigned small = 0;

    (void)state;
    rng_seed(&rng, 3);
    assert_true(plan_sizes_parse(&p, "1K:3,2K:1"));
    for (unsigned i = 0; i < 10000; i++)
        small += plan_size(&p, &rng) == 1024;
    assert_in_range(small, 7300, 7700);
}

static void ranges_share_their_octaves(void **state)
{
    unsigned small = 0;

    (void)state;
    rng_seed(&rng, 3);
    assert_true(plan_sizes_parse(&p, "1K-16K"));
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t size = plan_size(&p, &rng);

        assert_in_range(size, 1024, 16384);
        small += size < 2048;
    }
    assert_in_range(small, 2350, 2650);
}

/* As its table says: half below 4 KB, 4 % from 256 KB up, and nothing out of bounds. */
static void corpus_is_as_published(void **state)
{
    unsigned small = 0, large = 0;

    (void)state;
    rng_seed(&rng, 3);
    assert_true(plan_sizes_parse(&p, "corpus"));
    assert_int_equal(p.total, 10000);
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t size = plan_size(&p, &rng);

        assert_in_range(size, 900, 4 * 1024 * 1024 - 1);
        small += size < 4096;
        large += size >= 256 * 1024;
    }
    assert_in_range(small, 4750, 5080);
    assert_in_range(large, 360, 500);
}

/* Arrivals of ten seconds at 1,000 a second. */
static unsigned count_arrivals(bool constant, uint64_t *least_gap)
{
    struct plan_arrivals a;
    uint64_t at, before = 0;
    unsigned count = 0;

    plan_arrivals_init(&a, 1000, constant, NS_PER_S);
    *least_gap = UINT64_MAX;
    assert_false(plan_arrival(&a, &rng, NS_PER_S - 1, &at));
    while (plan_arrival(&a, &rng, 11 * NS_PER_S - 1, &at)) {
        if (count++ > 0 && at - before < *least_gap)
            *least_gap = at - before;
        assert_true(at >= before);
        before = at;
    }
    assert_true(plan_arrival_next_ns(&a) >= 11 * NS_PER_S - 1);
    return count;
}

static void arrivals_keep_the_rate(void **state)
{
    uint64_t gap;

    (void)state;
    rng_seed(&rng, 5);
    assert_int_equal(count_arrivals(true, &gap), 10000);
    assert_int_equal(gap, NS_PER_MS);
    assert_in_range(count_arrivals(false, &gap), 9700, 10300);
    assert_true(gap < 10 * NS_PER_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(lists_that_are_none),
        cmocka_unit_test(sizes_come_by_weight),
        cmocka_unit_test(ranges_share_their_octaves),
        cmocka_unit_test(corpus_is_as_published),
        cmocka_unit_test(arrivals_keep_the_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
