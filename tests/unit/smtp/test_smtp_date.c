/* Dates against libc's, there and back; and what is no date. */
#include "lib/unit.h"

#include <time.h>

#include "base/rng.h"
#include "smtp/smtp_date.h"

static void same_date_as_libc(uint64_t s)
{
    char want[64];
    char got[SMTP_DATE_MAIL_BYTES];
    time_t when = (time_t)s;
    uint64_t again;
    struct tm tm;

    assert_non_null(gmtime_r(&when, &tm));
    strftime(want, sizeof(want), "%a, %-d %b %Y %H:%M:%S +0000", &tm);
    smtp_date_mail(s * 1000 + 999, got);
    assert_string_equal(got, want);
    strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
    smtp_date_iso(s, got);
    assert_string_equal(got, want);
    assert_true(smtp_date_parse(span_str(got), &again));
    assert_true(again == s);
}

static void dates(void **state)
{
    struct rng r;

    (void)state;
    rng_seed(&r, 4);
    same_date_as_libc(0);
    same_date_as_libc(951782399);  /* 2000-02-28 */
    same_date_as_libc(951868799);  /* 2000-02-29 */
    same_date_as_libc(4107542399); /* 2100-02-28: no leap year */
    for (int i = 0; i < 20000; i++)
        same_date_as_libc(rng_below(&r, 200ULL * 365 * 86400));
}

static void no_dates(void **state)
{
    static const char *const bad[] = {
        "",
        "2026-11-24",
        "2026-11-24T14:00:00",
        "2026-11-24T14:00:00+00:00",
        "2026-11-24 14:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-1-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2026-01-01T00:00:00ZZ",
        "+026-01-01T00:00:00Z",
    };
    uint64_t s;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(smtp_date_parse(span_str(bad[i]), &s));
}

static void other_forms(void **state)
{
    char text[SMTP_DATE_ISO_BYTES];
    uint64_t s;

    (void)state;
    assert_true(smtp_date_parse(SPAN_LITERAL("1970-01-01t00:00:01.5z"), &s) && s == 1);
    assert_true(smtp_date_parse(SPAN_LITERAL("2024-02-29T23:59:60Z"), &s) && s == 1709251200);
    smtp_date_iso(UINT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates),
        cmocka_unit_test(no_dates),
        cmocka_unit_test(other_forms),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
