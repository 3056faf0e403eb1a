/* Percentiles against a sorted list of the same values, and both ends of the range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "bench/hdr.h"

#define COUNT 5000

static struct hdr h;
static uint64_t values[COUNT];

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void percentiles_are_right_to_their_step(void **state)
{
    static const double percents[] = { 0, 1, 50, 90, 99, 99.9, 100 };
    struct rng rng;

    (void)state;
    rng_seed(&rng, 7);
    hdr_init(&h);
    for (unsigned i = 0; i < COUNT; i++) {
        uint64_t any = rng_next(&rng);

        values[i] = any >> rng_below(&rng, 63);
        hdr_record(&h, values[i]);
    }
    qsort(values, COUNT, sizeof(values[0]), compare);
    for (unsigned i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
        unsigned rank = (unsigned)ceil(percents[i] * COUNT / 100);
        uint64_t want = values[rank == 0 ? 0 : rank - 1];
        uint64_t got = hdr_percentile(&h, percents[i]);

        assert_true(got >= want && got - want <= want / 64);
    }
}

static void small_values_are_exact(void **state)
{
    (void)state;
    for (uint64_t v = 0; v < 64; v++) {
        hdr_init(&h);
        hdr_record(&h, v);
        hdr_record(&h, v + 1);
        assert_int_equal(hdr_percentile(&h, 50), v);
        assert_int_equal(hdr_percentile(&h, 51), v + 1);
    }
}

static void ends_of_the_range(void **state)
{
    (void)state;
    hdr_init(&h);
    assert_int_equal(hdr_percentile(&h, 99), 0);
    hdr_record(&h, 0);
    hdr_record(&h, UINT64_MAX);
    assert_int_equal(hdr_percentile(&h, 50), 0);
    assert_true(hdr_percentile(&h, 100) == UINT64_MAX);
    assert_true(h.least == 0 && h.most == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_right_to_their_step),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(ends_of_the_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
