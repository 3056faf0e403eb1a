/* Medians of odd and even numbers of readings, the ends, the line of results, and a full sample. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/sample.h"

static struct sample s;

static void fill(const double *values, unsigned count)
{
    s.count = 0;
    for (unsigned i = 0; i < count; i++)
        assert_true(sample_add(&s, values[i]));
}

static void median_of_odd_is_the_middle(void **state)
{
    static const double values[] = { 9, 1, 5 };

    (void)state;
    fill(values, 3);
    assert_true(sample_median(&s) == 5);
    assert_true(sample_min(&s) == 1);
    assert_true(sample_max(&s) == 9);
}

static void median_of_even_is_between(void **state)
{
    static const double values[] = { 4, 1, 100, 2 };

    (void)state;
    fill(values, 4);
    assert_true(sample_median(&s) == 3);
}

static void line_has_six_fields(void **state)
{
    static const double values[] = { 2, 1, 3 };
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    (void)state;
    assert_non_null(f);
    fill(values, 3);
    sample_write(&s, f, "a/b", "ns");
    assert_int_equal(fclose(f), 0);
    assert_string_equal(text, "a/b\tns\t2\t1\t3\t3\n");
    free(text);
}

static void full_takes_no_more(void **state)
{
    (void)state;
    s.count = 0;
    for (unsigned i = 0; i < SAMPLE_MAX; i++)
        assert_true(sample_add(&s, 1));
    assert_false(sample_add(&s, 2));
    assert_true(sample_max(&s) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_of_odd_is_the_middle),
        cmocka_unit_test(median_of_even_is_between),
        cmocka_unit_test(line_has_six_fields),
        cmocka_unit_test(full_takes_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
