/* The ring in one thread: order, bound, wrap-around. test_ring_threads has the two threads. */
#include "lib/unit.h"

#include "base/ring.h"

static char items[64];

static void is_bounded_and_in_order(void **state)
{
    struct ring *r = ring_create(4);

    (void)state;
    assert_null(ring_pop(r));
    for (unsigned i = 0; i < 4; i++)
        assert_true(ring_push(r, &items[i]));
    assert_false(ring_push(r, &items[4]));
    assert_int_equal(ring_count(r), 4);
    assert_ptr_equal(ring_pop(r), &items[0]);
    assert_true(ring_push(r, &items[4]));
    for (unsigned i = 1; i < 5; i++)
        assert_ptr_equal(ring_pop(r), &items[i]);
    assert_null(ring_pop(r));
    assert_int_equal(ring_count(r), 0);
    ring_destroy(r);
}

static void goes_around_many_times(void **state)
{
    struct ring *r = ring_create(8);
    unsigned in = 0;
    unsigned out = 0;

    (void)state;
    for (unsigned round = 0; round < 10000; round++) {
        for (unsigned i = 0; i < round % 9; i++)
            in += ring_push(r, &items[in % 64]);
        assert_int_equal(ring_count(r), in - out);
        for (unsigned i = 0; i < round % 7; i++) {
            void *item = ring_pop(r);

            assert_ptr_equal(item, out == in ? NULL : &items[out % 64]);
            out += item != NULL;
        }
    }
    assert_true(out > 10000);
    ring_destroy(r);
}

static void catches_misuse(void **state)
{
    struct ring *r = ring_create(1);

    (void)state;
    expect_assert_failure(ring_push(r, NULL));
    expect_assert_failure(ring_create(3));
    expect_assert_failure(ring_create(0));
    assert_true(ring_push(r, items));
    assert_false(ring_push(r, items));
    ring_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_bounded_and_in_order),
        cmocka_unit_test(goes_around_many_times),
        cmocka_unit_test(catches_misuse),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
