/* Segments: references, room at both ends, and the plain pool. */
#include "lib/unit.h"

#include <string.h>

#include "base/seg.h"
#include "lib/fault.h"

static void fresh_ones_are_empty(void **state)
{
    struct seg_pool *pool = seg_plain_create(2, 100, 1500);
    struct seg *s = seg_alloc(pool);

    (void)state;
    assert_int_equal(s->ref, 1);
    assert_int_equal(s->len, 0);
    assert_int_equal(s->flags, 0);
    assert_int_equal(seg_headroom(s), 100);
    assert_int_equal(seg_tailroom(s), 1500);
    assert_false(list_linked(&s->link));
    assert_false(pool->ops->busy(s));
    memset(s->head, 0xee, s->cap); /* all of it is ours */
    seg_release(s);
    seg_plain_destroy(pool);
}

static void pool_is_bounded_and_lifo(void **state)
{
    struct seg_pool *pool = seg_plain_create(2, 0, 64);
    struct seg *a = seg_alloc(pool);
    struct seg *b = seg_alloc(pool);

    (void)state;
    assert_int_equal(pool->ops->available(pool), 0);
    assert_null(seg_alloc(pool));
    a->len = 5;
    a->flags = SEG_TX_L3_CSUM;
    seg_release(a);
    assert_int_equal(pool->ops->available(pool), 1);
    assert_ptr_equal(seg_alloc(pool), a);
    assert_int_equal(a->len, 0);
    assert_int_equal(a->flags, 0);
    seg_release(a);
    seg_release(b);
    assert_int_equal(pool->ops->available(pool), 2);
    seg_plain_destroy(pool);
}

static void last_reference_sends_it_home(void **state)
{
    struct seg_pool *pool = seg_plain_create(1, 0, 64);
    struct seg *s = seg_alloc(pool);

    (void)state;
    assert_ptr_equal(seg_ref(s), s);
    seg_release(s);
    assert_int_equal(pool->ops->available(pool), 0);
    seg_release(s);
    assert_int_equal(pool->ops->available(pool), 1);
    seg_plain_destroy(pool);
}

static void moves_its_ends(void **state)
{
    struct seg_pool *pool = seg_plain_create(1, 8, 16);
    struct seg *s = seg_alloc(pool);

    (void)state;
    memcpy(s->data, "payload", 7);
    s->len = 7;
    memcpy(seg_push(s, 3), "hdr", 3);
    assert_true(span_equal(seg_span(s), SPAN_LITERAL("hdrpayload")));
    assert_int_equal(seg_headroom(s), 5);
    assert_int_equal(seg_tailroom(s), 9);
    seg_pull(s, 5);
    seg_trim(s, 3);
    assert_true(span_equal(seg_span(s), SPAN_LITERAL("ylo")));
    assert_int_equal(seg_headroom(s), 10);
    assert_int_equal(seg_tailroom(s), 11);
    expect_assert_failure(seg_pull(s, 4));
    expect_assert_failure(seg_trim(s, 4));
    expect_assert_failure(seg_push(s, 11));
    seg_release(s);
    seg_plain_destroy(pool);
}

static void releases_a_list(void **state)
{
    struct seg_pool *pool = seg_plain_create(4, 0, 64);
    struct list segs;

    (void)state;
    list_init(&segs);
    for (unsigned i = 0; i < 4; i++)
        list_append(&segs, &seg_alloc(pool)->link);
    assert_int_equal(pool->ops->available(pool), 0);
    seg_release_all(&segs);
    assert_true(list_empty(&segs));
    assert_int_equal(pool->ops->available(pool), 4);
    seg_plain_destroy(pool);
}

static void fault_pool_fails_on_order(void **state)
{
    struct seg_pool *inner = seg_plain_create(8, 0, 64);
    struct fault_pool p;
    struct list segs;

    (void)state;
    list_init(&segs);
    fault_pool_init(&p, inner);
    fault_set(&p.fault, 2, 2);
    for (unsigned call = 1; call <= 5; call++) {
        bool fails = call == 2 || call == 3;
        struct seg *s;

        assert_true(p.pool.ops->available(&p.pool) > 0);
        s = seg_alloc(&p.pool);
        assert_int_equal(s == NULL, fails);
        if (s != NULL)
            list_append(&segs, &s->link);
    }
    assert_true(p.fault.hit);
    seg_release_all(&segs);
    seg_plain_destroy(inner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh_ones_are_empty),
        cmocka_unit_test(pool_is_bounded_and_lifo),
        cmocka_unit_test(last_reference_sends_it_home),
        cmocka_unit_test(moves_its_ends),
        cmocka_unit_test(releases_a_list),
        cmocka_unit_test(fault_pool_fails_on_order),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
