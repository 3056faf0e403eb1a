/* Numbers to numbers, beside a list that is searched from its front. */
#include "lib/unit.h"

#include <stdbool.h>

#include "base/rng.h"
#include "spool/spool_map.h"

#define COUNT 3000

static void like_a_list(struct spool_map *m, uint64_t step)
{
    static uint64_t keys[COUNT];
    struct rng rng;
    uint32_t value;

    rng_seed(&rng, step);
    for (uint32_t n = 0; n < COUNT; n++) {
        uint64_t key = step != 0 ? n * step : rng_next(&rng);

        assert_false(spool_map_find(m, key, &value));
        assert_true(spool_map_put(m, key, n));
        keys[n] = key;
        assert_int_equal(m->count, n + 1);
        assert_true(m->count * 2 <= m->size + 1);
    }
    for (uint32_t n = 0; n < COUNT; n++) {
        assert_true(spool_map_find(m, keys[n], &value));
        assert_int_equal(value, n);
    }
    spool_map_destroy(m);
    assert_false(spool_map_find(m, keys[0], &value));
}

static void random_keys(void **state)
{
    struct spool_map m = { 0 };

    (void)state;
    like_a_list(&m, 0);
}

/* Keys that differ in their low, middle and high bits alone; 0 is a key as any other. */
static void keys_in_a_row(void **state)
{
    struct spool_map m = { 0 };

    (void)state;
    for (unsigned shift = 0; shift < 52; shift += 17)
        like_a_list(&m, 1ULL << shift);
}

static void a_key_is_put_once(void **state)
{
    struct spool_map m = { 0 };

    (void)state;
    unit_catch_asserts();
    assert_true(spool_map_put(&m, 5, UINT32_MAX - 1));
    expect_assert_failure(spool_map_put(&m, 5, 1));
    expect_assert_failure(spool_map_put(&m, 6, UINT32_MAX));
    spool_map_destroy(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_keys),
        cmocka_unit_test(keys_in_a_row),
        cmocka_unit_test(a_key_is_put_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
