/* The pool: bounded, last in first out, stable numbers, nothing resident before its use. */
#include "lib/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/pool.h"
#include "base/rng.h"

static void is_bounded_and_lifo(void **state)
{
    struct pool *p = pool_create("test", 3, 100);
    void *a = pool_get(p);
    void *b = pool_get(p);
    void *c = pool_get(p);

    (void)state;
    assert_non_null(c);
    assert_null(pool_get(p));
    assert_int_equal(pool_used(p), 3);
    assert_int_equal(pool_count(p), 3);
    pool_put(p, a);
    pool_put(p, c);
    assert_int_equal(pool_used(p), 1);
    assert_ptr_equal(pool_get(p), c);
    assert_ptr_equal(pool_get(p), a);
    pool_put(p, a);
    pool_put(p, b);
    pool_put(p, c);
    pool_destroy(p);
}

static void numbers_are_stable_and_objects_aligned(void **state)
{
    struct pool *p = pool_create("test", 10, 65);
    void *objects[10];

    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        objects[i] = pool_get(p);
        assert_int_equal((uintptr_t)objects[i] % 64, 0);
        memset(objects[i], 0xff, 65);
        assert_true(pool_index(p, objects[i]) < 10);
        assert_ptr_equal(pool_at(p, pool_index(p, objects[i])), objects[i]);
    }
    for (uint32_t i = 0; i < 10; i++)
        pool_put(p, objects[i]);
    pool_destroy(p);
}

/* Small objects are not spread: 16 bytes each, or the next power of two. */
static void small_objects_lie_close(void **state)
{
    static const struct {
        size_t size;
        ptrdiff_t apart;
    } cases[] = { { 1, 16 }, { 16, 16 }, { 17, 32 }, { 33, 64 }, { 65, 128 } };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pool *p = pool_create("test", 2, cases[i].size);

        assert_int_equal((char *)pool_at(p, 1) - (char *)pool_at(p, 0), cases[i].apart);
        pool_destroy(p);
    }
}

/* Against a plain list of who is out: no object twice, none lost, what was written stays. */
static void agrees_with_a_model(void **state)
{
    enum { COUNT = 64 };
    struct pool *p = pool_create("test", COUNT, 40);
    uint64_t *out[COUNT];
    uint64_t mark[COUNT];
    unsigned n = 0;
    struct rng r;

    (void)state;
    rng_seed(&r, 3);
    for (unsigned round = 0; round < 20000; round++) {
        if (rng_below(&r, 2) == 0) {
            uint64_t *object = pool_get(p);

            assert_int_equal(object == NULL, n == COUNT);
            if (object == NULL)
                continue;
            for (unsigned i = 0; i < n; i++)
                assert_ptr_not_equal(out[i], object);
            out[n] = object;
            mark[n] = rng_next(&r);
            object[0] = mark[n];
            object[4] = ~mark[n];
            n++;
        } else if (n > 0) {
            unsigned i = (unsigned)rng_below(&r, n);

            assert_true(out[i][0] == mark[i]);
            assert_true(out[i][4] == ~mark[i]);
            pool_put(p, out[i]);
            n--;
            out[i] = out[n];
            mark[i] = mark[n];
        }
        assert_int_equal(pool_used(p), n);
    }
    while (n > 0)
        pool_put(p, out[--n]);
    pool_destroy(p);
}

static void untouched_objects_are_not_resident(void **state)
{
    enum { PAGE = 4096, PAGES = 1 << 18, OUT = 16 };
    struct pool *p = pool_create("test", PAGES, PAGE);
    unsigned char *resident = malloc(PAGES);
    void *objects[OUT];
    unsigned count = 0;

    (void)state;
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < OUT; i++) {
            objects[i] = pool_get(p);
            memset(objects[i], 1, PAGE);
        }
        for (unsigned i = 0; i < OUT; i++)
            pool_put(p, objects[i]);
    }
    assert_int_equal(mincore(pool_at(p, 0), (size_t)PAGES * PAGE, resident), 0);
    for (unsigned i = 0; i < PAGES; i++)
        count += resident[i] & 1;
    /* One huge page at most, should the system give those. */
    assert_in_range(count, OUT, 512);
    free(resident);
    pool_destroy(p);
}

static void says_when_memory_is_short(void **state)
{
    (void)state;
    assert_null(pool_create("test", UINT32_MAX, SIZE_MAX / 2));
    assert_null(pool_create("test", 2, SIZE_MAX));
    assert_null(pool_create("test", UINT32_MAX, 1 << 20));
}

static void catches_misuse(void **state)
{
    struct pool *p = pool_create("test", 4, 64);
    char *a = pool_get(p);
    char *b = pool_get(p);

    (void)state;
    expect_assert_failure(pool_put(p, a + 8));
    expect_assert_failure(pool_put(p, pool_at(p, 3)));
    expect_assert_failure(pool_destroy(p));
    expect_assert_failure(pool_at(p, 4));
    pool_put(p, a);
    expect_assert_failure(pool_put(p, a));
    pool_put(p, b);
    expect_assert_failure(pool_put(p, b));
    pool_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_bounded_and_lifo),
        cmocka_unit_test(numbers_are_stable_and_objects_aligned),
        cmocka_unit_test(small_objects_lie_close),
        cmocka_unit_test(agrees_with_a_model),
        cmocka_unit_test(untouched_objects_are_not_resident),
        cmocka_unit_test(says_when_memory_is_short),
        cmocka_unit_test(catches_misuse),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
