/* Rates against a slow model, counts against a plain one, and both with threads at once. */
#include "lib/unit.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/rng.h"
#include "gateway/quota.h"

#define START   (5 * NS_PER_S)
#define THREADS 4

static const struct hash_key key = { 3, 4 };

static struct quota_key named(const struct quota *q, const char *name)
{
    return quota_key_of(q, 1, span_str(name));
}

static bool use(struct quota *q, struct quota_key k, struct quota_rate r, uint64_t now_ns)
{
    return quota_has_room(q, k, r, 1, now_ns) && quota_charge(q, k, r, 1, now_ns);
}

static void a_window_at_once_and_then_one_by_one(void **state)
{
    const struct quota_rate rate = { 4, 8 };
    struct quota *q = quota_create(64, &key);
    struct quota_key k = named(q, "ann");

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_true(use(q, k, rate, START));
    assert_false(use(q, k, rate, START));
    assert_false(use(q, k, rate, START + 2 * NS_PER_S - 1));
    assert_true(use(q, k, rate, START + 2 * NS_PER_S));
    assert_false(use(q, k, rate, START + 2 * NS_PER_S));
    /* Long after, no more than a window's worth has gathered. */
    for (int i = 0; i < 4; i++)
        assert_true(use(q, k, rate, START + 1000 * NS_PER_S));
    assert_false(use(q, k, rate, START + 1000 * NS_PER_S));
    /* Another name, and another thing of the same name. */
    assert_true(use(q, named(q, "bob"), rate, START + 1000 * NS_PER_S));
    assert_true(use(q, quota_key_of(q, 2, span_str("ann")), rate, START + 1000 * NS_PER_S));
    quota_destroy(q);
}

static void no_amount_is_no_limit(void **state)
{
    const struct quota_rate none = { 0, 0 };
    struct quota *q = quota_create(64, &key);

    (void)state;
    assert_true(quota_has_room(q, named(q, "ann"), none, UINT64_MAX, START));
    assert_true(quota_charge(q, named(q, "ann"), none, UINT64_MAX, START));
    quota_destroy(q);
}

static void a_debt_is_paid_in_two_windows(void **state)
{
    const struct quota_rate rate = { 100, 10 };
    struct quota *q = quota_create(64, &key);
    struct quota_key k = named(q, "ann");

    (void)state;
    assert_true(quota_charge(q, k, rate, UINT64_MAX, START));
    assert_true(quota_charge(q, k, rate, UINT64_MAX, START));
    assert_false(quota_has_room(q, k, rate, 1, START + 10 * NS_PER_S));
    assert_true(quota_has_room(q, k, rate, 1, START + 11 * NS_PER_S));
    quota_destroy(q);
}

static void counts(void **state)
{
    struct quota *q = quota_create(64, &key);
    struct quota_key k = named(q, "ann");

    (void)state;
    assert_int_equal(quota_enter(q, k, 2, START), QUOTA_ENTERED);
    assert_int_equal(quota_enter(q, k, 2, START), QUOTA_ENTERED);
    assert_int_equal(quota_enter(q, k, 2, START), QUOTA_CROWDED);
    quota_leave(q, k);
    assert_int_equal(quota_enter(q, k, 2, START), QUOTA_ENTERED);
    quota_leave(q, k);
    quota_leave(q, k);
    assert_int_equal(quota_enter(q, k, 1, START), QUOTA_ENTERED);
    assert_int_equal(quota_enter(q, k, 1, START), QUOTA_CROWDED);
    quota_destroy(q);
}

/* The live ones keep their places; the others are told that they are not counted, and places come
 * back. */
static void a_full_table(void **state)
{
    const struct quota_rate rate = { 1, 60 };
    struct quota *q = quota_create(1, &key);
    uint32_t counted = 0;
    uint32_t refused = 0;

    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        struct quota_key k = quota_key_of(q, 0, span_of(&i, sizeof(i)));

        if (quota_charge(q, k, rate, 1, START))
            counted++;
        refused += !quota_has_room(q, k, rate, 1, START);
    }
    assert_int_equal(counted, 8);
    assert_int_equal(refused, counted);
    assert_int_equal(quota_enter(q, named(q, "ann"), 1, START), QUOTA_UNCOUNTED);
    assert_int_equal(quota_enter(q, named(q, "ann"), 1, START + 61 * NS_PER_S), QUOTA_ENTERED);
    quota_destroy(q);
}

struct worker {
    pthread_t thread;
    struct quota *q;
    uint32_t seed;
    uint64_t charged;
};

static const char *const names[] = { "a", "b", "c", "d", "e", "f" };

static void *come_and_go(void *arg)
{
    struct worker *w = arg;
    const struct quota_rate rate = { 1000 * 1000 * 1000, 1000 };
    struct rng rng;

    rng_seed(&rng, w->seed);
    for (int i = 0; i < 20000; i++) {
        struct quota_key k = named(w->q, names[rng_next(&rng) % 6]);

        if (quota_enter(w->q, k, THREADS, START) == QUOTA_ENTERED)
            quota_leave(w->q, k);
        w->charged += quota_charge(w->q, quota_key_of(w->q, 9, span_str("all")), rate, 1, START);
    }
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    const struct quota_rate rate = { 1000 * 1000 * 1000, 1000 };
    struct quota *q = quota_create(4, &key);
    struct worker w[THREADS];
    struct quota_key all = quota_key_of(q, 9, span_str("all"));
    uint64_t charged = 0;

    (void)state;
    for (uint32_t i = 0; i < THREADS; i++) {
        w[i] = (struct worker){ .q = q, .seed = i };
        assert_int_equal(pthread_create(&w[i].thread, NULL, come_and_go, &w[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(w[i].thread, NULL);
        charged += w[i].charged;
    }
    assert_true(quota_has_room(q, all, rate, rate.amount - charged, START));
    assert_false(quota_has_room(q, all, rate, rate.amount - charged + 1, START));
    /* Everybody has left: each name has room for all again. */
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(quota_enter(q, named(q, names[i]), 1, START), QUOTA_ENTERED);
    quota_destroy(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_at_once_and_then_one_by_one),
        cmocka_unit_test(no_amount_is_no_limit),
        cmocka_unit_test(a_debt_is_paid_in_two_windows),
        cmocka_unit_test(counts),
        cmocka_unit_test(a_full_table),
        cmocka_unit_test(threads_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
