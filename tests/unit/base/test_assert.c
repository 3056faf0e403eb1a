/* ASSERT is in force in every build, evaluates once, and names what failed. */
#include "lib/unit.h"

#include <string.h>

#include "base/assert.h"

static jmp_buf escape;
static const char *seen;

static void on_assert(const char *expr, const char *file, int line)
{
    assert_non_null(strstr(file, "test_assert.c"));
    assert_true(line > 0);
    seen = expr;
    longjmp(escape, 1);
}

static void calls_the_hook(void **state)
{
    (void)state;
    assert_hook = on_assert;
    seen = NULL;
    if (setjmp(escape) == 0) {
        ASSERT(1 + 1 == 3);
        fail_msg("ASSERT let a false expression pass");
    }
    assert_hook = NULL;
    assert_string_equal(seen, "1 + 1 == 3");
}

static void evaluates_once(void **state)
{
    int n = 0;

    (void)state;
    ASSERT(++n == 1);
    assert_int_equal(n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_the_hook),
        cmocka_unit_test(evaluates_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
