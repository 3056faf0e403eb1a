/* The wheel against an array: nothing early, nothing later than a tick, nothing lost, at any jump
 * of time. */
#include "lib/unit.h"

#include "base/rng.h"
#include "base/wheel.h"

#define MS       WHEEL_TICK_NS
#define DAY_MS   86400000ULL
#define ENTRIES  300
#define START_NS (12345678 * MS + 77)

static struct wheel wheel;
static struct wheel_entry entries[ENTRIES];
static bool is_set[ENTRIES]; /* the model */

static void start(uint64_t now_ns)
{
    wheel_init(&wheel, now_ns);
    for (unsigned i = 0; i < ENTRIES; i++) {
        wheel_entry_init(&entries[i]);
        is_set[i] = false;
    }
}

static uint64_t tick_of_due(uint64_t due_ns)
{
    return due_ns / MS + (due_ns % MS != 0);
}

/* Whether the model says that something is due at `now_ns`. */
static bool model_has_due(uint64_t now_ns)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (is_set[i] && tick_of_due(entries[i].due_ns) <= now_ns / MS)
            return true;
    }
    return false;
}

static uint64_t model_first_tick(void)
{
    uint64_t first = UINT64_MAX;

    for (unsigned i = 0; i < ENTRIES; i++) {
        if (is_set[i] && tick_of_due(entries[i].due_ns) < first)
            first = tick_of_due(entries[i].due_ns);
    }
    return first;
}

static void assert_next_is_a_lower_bound(uint64_t now_ns)
{
    uint64_t first = model_first_tick();

    if (first == UINT64_MAX)
        assert_true(wheel_next_ns(&wheel) == UINT64_MAX);
    else if (first < now_ns / MS) /* set in the past: fires now */
        assert_true(wheel_next_ns(&wheel) <= now_ns);
    else
        assert_true(wheel_next_ns(&wheel) <= first * MS);
}

static void pop_all(uint64_t now_ns)
{
    struct wheel_entry *e;
    uint64_t last_tick = 0;

    while ((e = wheel_pop(&wheel, now_ns)) != NULL) {
        assert_true(is_set[e - entries]);
        assert_false(wheel_is_set(e));
        assert_true(e->due_ns <= now_ns);
        /* In order of ticks, so that nobody's RTO waits behind a later one. */
        assert_true(tick_of_due(e->due_ns) >= last_tick || last_tick == 0);
        last_tick = tick_of_due(e->due_ns);
        is_set[e - entries] = false;
    }
    assert_false(model_has_due(now_ns));
}

static uint64_t random_span(struct rng *r)
{
    static const uint64_t scale[] = {
        1, MS, 300 * MS, 70000 * MS, DAY_MS * MS, 20 * DAY_MS * MS, 200 * DAY_MS * MS
    };

    return rng_below(r, 3 * scale[rng_below(r, sizeof(scale) / sizeof(scale[0]))]);
}

static void agrees_with_an_array(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct rng r;
        uint64_t now = START_NS + seed * 4294967295ULL * MS / 7;

        rng_seed(&r, seed);
        start(now);
        for (unsigned round = 0; round < 5000; round++) {
            unsigned i = (unsigned)rng_below(&r, ENTRIES);
            uint64_t action = rng_below(&r, 10);

            if (action < 5) {
                uint64_t due = now + random_span(&r);

                wheel_set(&wheel, &entries[i], rng_below(&r, 20) == 0 ? now - 3 * MS : due);
                is_set[i] = true;
            } else if (action < 7) {
                wheel_cancel(&wheel, &entries[i]);
                is_set[i] = false;
            } else {
                now += random_span(&r);
                pop_all(now);
            }
            assert_int_equal(wheel_is_set(&entries[i]), is_set[i]);
            assert_next_is_a_lower_bound(now);
        }
    }
}

/* A loop that sleeps until wheel_next_ns and pops fires all at their tick, in few wake-ups. */
static void sleeping_by_next_misses_nothing(void **state)
{
    struct rng r;

    (void)state;
    rng_seed(&r, 99);
    for (unsigned round = 0; round < 300; round++) {
        uint64_t now = START_NS + rng_below(&r, 1000 * DAY_MS) * MS;
        unsigned wakes = 0;
        uint64_t first;

        start(now);
        for (unsigned i = 0; i < 5; i++) {
            wheel_set(&wheel, &entries[i], now + random_span(&r));
            is_set[i] = true;
        }
        while ((first = model_first_tick()) != UINT64_MAX) {
            uint64_t next = wheel_next_ns(&wheel);

            assert_true(next <= first * MS);
            now = next > now ? next : now;
            pop_all(now);
            assert_true(model_first_tick() != first || now < first * MS);
            assert_true(++wakes < 5 * (WHEEL_LEVELS + 60));
        }
    }
}

static void is_never_early(void **state)
{
    (void)state;
    start(10 * MS);
    wheel_set(&wheel, &entries[0], 12 * MS + 1);
    is_set[0] = true;
    assert_null(wheel_pop(&wheel, 12 * MS));
    assert_null(wheel_pop(&wheel, 13 * MS - 1));
    assert_ptr_equal(wheel_pop(&wheel, 13 * MS), &entries[0]);
    wheel_set(&wheel, &entries[0], 14 * MS);
    assert_null(wheel_pop(&wheel, 14 * MS - 1));
    assert_ptr_equal(wheel_pop(&wheel, 14 * MS), &entries[0]);
}

static void a_handler_may_set_and_cancel_others(void **state)
{
    (void)state;
    start(0);
    for (unsigned i = 0; i < 3; i++)
        wheel_set(&wheel, &entries[i], 5 * MS);
    assert_ptr_equal(wheel_pop(&wheel, 9 * MS), &entries[0]);
    wheel_cancel(&wheel, &entries[1]);
    wheel_set(&wheel, &entries[0], 7 * MS); /* past already: this round */
    wheel_set(&wheel, &entries[3], 20 * MS);
    assert_ptr_equal(wheel_pop(&wheel, 9 * MS), &entries[2]);
    assert_ptr_equal(wheel_pop(&wheel, 9 * MS), &entries[0]);
    assert_null(wheel_pop(&wheel, 9 * MS));
    assert_int_equal(wheel.count, 1);
    wheel_set(&wheel, &entries[3], 30 * MS); /* moves it */
    assert_null(wheel_pop(&wheel, 29 * MS));
    assert_ptr_equal(wheel_pop(&wheel, 30 * MS), &entries[3]);
    assert_int_equal(wheel.count, 0);
    assert_true(wheel_next_ns(&wheel) == UINT64_MAX);
}

static void takes_the_farthest_deadline(void **state)
{
    (void)state;
    start(START_NS);
    wheel_set(&wheel, &entries[0], UINT64_MAX);
    assert_null(wheel_pop(&wheel, START_NS + 4000 * DAY_MS * MS));
    assert_true(wheel_is_set(&entries[0]));
    wheel_cancel(&wheel, &entries[0]);
    wheel_cancel(&wheel, &entries[0]);
    assert_int_equal(wheel.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_an_array),
        cmocka_unit_test(sleeping_by_next_misses_nothing),
        cmocka_unit_test(is_never_early),
        cmocka_unit_test(a_handler_may_set_and_cancel_others),
        cmocka_unit_test(takes_the_farthest_deadline),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
