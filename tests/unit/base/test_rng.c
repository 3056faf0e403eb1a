/* The generator is the published one, and its bounded form is even. */
#include "lib/unit.h"

#include "base/rng.h"

static void gives_the_published_values(void **state)
{
    static const uint64_t expected[] = { 11520, 0, 1509978240, 1215971899390074240 };
    struct rng r = { { 1, 2, 3, 4 } };

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        assert_true(rng_next(&r) == expected[i]);
}

static void repeats_from_a_seed(void **state)
{
    struct rng a, b, c;
    unsigned same = 0;

    (void)state;
    rng_seed(&a, 7);
    rng_seed(&b, 7);
    rng_seed(&c, 8);
    for (unsigned i = 0; i < 100; i++) {
        uint64_t v = rng_next(&a);

        assert_true(v == rng_next(&b));
        same += v == rng_next(&c);
    }
    assert_int_equal(same, 0);
}

static void spreads_evenly_below_a_bound(void **state)
{
    struct rng r;
    unsigned seen[7] = { 0 };

    (void)state;
    rng_seed(&r, 0);
    for (unsigned i = 0; i < 70000; i++) {
        uint64_t v = rng_below(&r, 7);

        assert_true(v < 7);
        seen[v]++;
    }
    for (unsigned i = 0; i < 7; i++)
        assert_in_range(seen[i], 9500, 10500);
    assert_true(rng_below(&r, 1) == 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(rng_below(&r, (1ULL << 63) + 1) <= 1ULL << 63);
}

static void refuses_a_bound_of_zero(void **state)
{
    struct rng r;

    (void)state;
    rng_seed(&r, 0);
    expect_assert_failure(rng_below(&r, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_published_values),
        cmocka_unit_test(repeats_from_a_seed),
        cmocka_unit_test(spreads_evenly_below_a_bound),
        cmocka_unit_test(refuses_a_bound_of_zero),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
