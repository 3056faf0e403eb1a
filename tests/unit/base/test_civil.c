/* Every day of four centuries against libc's, there and back. */
#include "lib/unit.h"

#include <time.h>

#include "base/civil.h"

#define DAY_S 86400ULL

static void every_day_of_four_centuries(void **state)
{
    (void)state;
    for (uint64_t day = 0; day <= 146097; day++) {
        uint64_t s = day * DAY_S + day * 12345 % DAY_S;
        time_t when = (time_t)s;
        struct civil got;
        struct tm tm;

        assert_non_null(gmtime_r(&when, &tm));
        civil_from_unix(s, &got);
        assert_int_equal(got.year, tm.tm_year + 1900);
        assert_int_equal(got.month, tm.tm_mon + 1);
        assert_int_equal(got.day, tm.tm_mday);
        assert_int_equal(got.hour, tm.tm_hour);
        assert_int_equal(got.minute, tm.tm_min);
        assert_int_equal(got.second, tm.tm_sec);
        assert_true(civil_to_days(got.year, got.month, got.day) == day);
    }
}

static void days_that_are_none(void **state)
{
    struct civil c;

    (void)state;
    civil_from_unix(civil_to_days(2026, 2, 30) * DAY_S, &c);
    assert_int_equal(c.month, 3);
    assert_int_equal(c.day, 2);
    expect_assert_failure(civil_to_days(1969, 12, 31));
    expect_assert_failure(civil_to_days(2026, 13, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_four_centuries),
        cmocka_unit_test(days_that_are_none),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
