/* The table against an array: everything inserted is found, everything removed is gone, whatever
 * the collisions. */
#include "lib/unit.h"

#include <stdlib.h>

#include "base/rng.h"
#include "dataplane/tcp/tcp_table.h"

#define KEYS 500

static void random_run(uint64_t seed, uint64_t hash_mask)
{
    uint32_t slots_count = tcp_table_slots_for(KEYS);
    struct tcp_table_entry *slots = calloc(slots_count, sizeof(*slots));
    uint64_t hash[KEYS];
    uint32_t ref[KEYS] = { 0 };
    struct tcp_table t;
    struct rng r;
    uint32_t used = 0;

    rng_seed(&r, seed);
    tcp_table_init(&t, slots, slots_count);
    for (unsigned i = 0; i < KEYS; i++)
        hash[i] = (rng_next(&r) & hash_mask) | (uint64_t)i << 48;
    for (unsigned round = 0; round < 20000; round++) {
        unsigned i = (unsigned)rng_below(&r, KEYS);

        if (ref[i] == 0) {
            ref[i] = 1 + (uint32_t)rng_below(&r, 1000000);
            assert_true(tcp_table_insert(&t, hash[i], ref[i]));
            assert_false(tcp_table_insert(&t, hash[i], 5));
            used++;
        } else if (rng_below(&r, 3) == 0) {
            ref[i] = 1 + (uint32_t)rng_below(&r, 1000000);
            tcp_table_replace(&t, hash[i], ref[i]);
        } else {
            tcp_table_remove(&t, hash[i]);
            ref[i] = 0;
            used--;
        }
        assert_int_equal(t.used, used);
        i = (unsigned)rng_below(&r, KEYS);
        assert_int_equal(tcp_table_find(&t, hash[i]), ref[i]);
    }
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(tcp_table_find(&t, hash[i]), ref[i]);
    free(slots);
}

static void it_does_what_an_array_does(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        random_run(seed, UINT64_MAX >> 16);
}

/* All keys in few home slots, and at the end of the table, so that probing wraps around. */
static void collisions_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        random_run(seed, 7);
        random_run(seed, 1);
        random_run(seed, 1023);
    }
}

static void it_is_at_most_half_full(void **state)
{
    (void)state;
    for (uint32_t n = 1; n < 5000; n = n * 3 + 1) {
        uint32_t slots = tcp_table_slots_for(n);

        assert_true(slots >= 2 * n);
        assert_int_equal(slots & (slots - 1), 0);
    }
}

static void removing_what_is_not_there_is_our_fault(void **state)
{
    struct tcp_table_entry slots[16];
    struct tcp_table t;

    (void)state;
    tcp_table_init(&t, slots, 16);
    expect_assert_failure(tcp_table_remove(&t, 5));
    expect_assert_failure(tcp_table_replace(&t, 5, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_does_what_an_array_does),
        cmocka_unit_test(collisions_change_nothing),
        cmocka_unit_test(it_is_at_most_half_full),
        cmocka_unit_test(removing_what_is_not_there_is_our_fault),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
