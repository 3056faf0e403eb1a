/* Half-open entries: retries at 1, 2, 4, 8, 16 and 32 seconds, the oldest first to go, a fixed
 * number of them. */
#include "lib/unit.h"

#include "base/clock.h"
#include "dataplane/tcp/tcp_syn.h"

static const struct tcp_syn any;

static void retries_double_and_end(void **state)
{
    struct tcp_syn_table t;
    uint64_t now = 1000;
    struct tcp_syn *e;

    (void)state;
    assert_true(tcp_syn_open(&t, 4));
    e = tcp_syn_add(&t, &any, now);
    assert_non_null(e);
    for (unsigned i = 0; i < TCP_SYN_RETRIES; i++) {
        assert_null(tcp_syn_due(&t, now + (NS_PER_S << i) - 1));
        assert_int_equal(tcp_syn_next_ns(&t), now + (NS_PER_S << i));
        now += NS_PER_S << i;
        assert_ptr_equal(tcp_syn_due(&t, now), e);
        assert_true(tcp_syn_retry(&t, e, now));
        assert_null(tcp_syn_due(&t, now));
    }
    now += NS_PER_S << TCP_SYN_RETRIES;
    assert_ptr_equal(tcp_syn_due(&t, now), e);
    assert_false(tcp_syn_retry(&t, e, now));
    tcp_syn_remove(&t, e);
    assert_int_equal(tcp_syn_next_ns(&t), UINT64_MAX);
    tcp_syn_close(&t);
}

static void the_oldest_is_found_at_any_level(void **state)
{
    struct tcp_syn_table t;
    struct tcp_syn *a;
    struct tcp_syn *b;

    (void)state;
    assert_true(tcp_syn_open(&t, 4));
    assert_null(tcp_syn_oldest(&t));
    a = tcp_syn_add(&t, &any, 10);
    b = tcp_syn_add(&t, &any, 20);
    assert_ptr_equal(tcp_syn_oldest(&t), a);
    assert_true(tcp_syn_retry(&t, a, 10 + NS_PER_S));
    assert_ptr_equal(tcp_syn_oldest(&t), a);
    tcp_syn_remove(&t, a);
    assert_ptr_equal(tcp_syn_oldest(&t), b);
    tcp_syn_close(&t);
}

static void there_are_so_many_and_no_more(void **state)
{
    struct tcp_syn_table t;

    (void)state;
    assert_true(tcp_syn_open(&t, 3));
    for (unsigned i = 0; i < 3; i++)
        assert_non_null(tcp_syn_add(&t, &any, i));
    assert_null(tcp_syn_add(&t, &any, 4));
    tcp_syn_remove(&t, tcp_syn_oldest(&t));
    assert_non_null(tcp_syn_add(&t, &any, 5));
    tcp_syn_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retries_double_and_end),
        cmocka_unit_test(the_oldest_is_found_at_any_level),
        cmocka_unit_test(there_are_so_many_and_no_more),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
