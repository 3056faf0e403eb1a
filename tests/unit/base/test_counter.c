/* Counters: every one has a name and a text, and no name stands twice. */
#include "lib/unit.h"

#include <string.h>

#include "base/counter.h"

static void counts(void **state)
{
    static struct counters c;

    (void)state;
    counter_inc(&c, COUNTER_TCP_IN_SEGS);
    counter_add(&c, COUNTER_TCP_IN_SEGS, 41);
    assert_int_equal(counter_get(&c, COUNTER_TCP_IN_SEGS), 42);
    assert_int_equal(counter_get(&c, COUNTER_TCP_OUT_SEGS), 0);
}

static void names_are_unique_words(void **state)
{
    (void)state;
    assert_string_equal(counter_name(COUNTER_TCP_IN_SEGS), "tcp_in_segs");
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        const char *name = counter_name(i);

        assert_true(strlen(name) > 0);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
        assert_true(strlen(counter_help(i)) > 0);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(name, counter_name(j));
    }
    expect_assert_failure(counter_name(COUNTER_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(names_are_unique_words),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
