/* Spans and buffers: compare, cut, append all or nothing. */
#include "lib/unit.h"

#include "base/span.h"

static void compares_case_folded(void **state)
{
    (void)state;
    assert_true(span_equal_nocase(SPAN_LITERAL("EHLO"), SPAN_LITERAL("ehLo")));
    assert_false(span_equal_nocase(SPAN_LITERAL("EHLO"), SPAN_LITERAL("EHL")));
    assert_false(span_equal_nocase(SPAN_LITERAL("EHLO"), SPAN_LITERAL("EHLp")));
    /* Neighbours of the letters, and bytes above 127, are not folded. */
    assert_false(span_equal_nocase(SPAN_LITERAL("@"), SPAN_LITERAL("`")));
    assert_false(span_equal_nocase(SPAN_LITERAL("["), SPAN_LITERAL("{")));
    assert_false(span_equal_nocase(SPAN_LITERAL("\xc4"), SPAN_LITERAL("\xe4")));
    assert_true(span_equal_nocase(span_of(NULL, 0), SPAN_LITERAL("")));
}

static void cuts(void **state)
{
    struct span s = SPAN_LITERAL("abcdef");

    (void)state;
    assert_true(span_equal(span_skip(s, 2), SPAN_LITERAL("cdef")));
    assert_int_equal(span_skip(s, 6).len, 0);
    assert_int_equal(span_skip(s, 7).len, 0);
    assert_int_equal(span_skip(s, UINT32_MAX).len, 0);
    assert_true(span_equal(span_first(s, 3), SPAN_LITERAL("abc")));
    assert_true(span_equal(span_first(s, 7), s));
    assert_int_equal(span_first(s, 0).len, 0);
    assert_false(span_equal(s, SPAN_LITERAL("abcdeg")));
    assert_false(span_equal(s, SPAN_LITERAL("abcde")));
}

static void numbers(void **state)
{
    uint64_t n;

    (void)state;
    assert_true(span_number(SPAN_LITERAL("0"), &n) && n == 0);
    assert_true(span_number(SPAN_LITERAL("18446744073709551615"), &n) && n == UINT64_MAX);
    assert_true(span_number(SPAN_LITERAL("18446744073709551616"), &n) && n == UINT64_MAX);
    assert_true(span_number(SPAN_LITERAL("99999999999999999999"), &n) && n == UINT64_MAX);
    assert_true(span_number(SPAN_LITERAL("00000000000000000012"), &n) && n == 12);
    assert_false(span_number(SPAN_LITERAL("000000000000000000012"), &n));
    assert_false(span_number(SPAN_LITERAL(""), &n));
    assert_false(span_number(SPAN_LITERAL("1 "), &n));
    assert_false(span_number(SPAN_LITERAL("/"), &n));
    assert_false(span_number(SPAN_LITERAL(":"), &n));
}

static void puts_all_or_nothing(void **state)
{
    uint8_t bytes[8] = { 0 };
    struct buf b = { bytes, 0, 5 };

    (void)state;
    assert_true(buf_put(&b, SPAN_LITERAL("abc")));
    assert_false(buf_put(&b, SPAN_LITERAL("def")));
    assert_int_equal(b.len, 3);
    assert_true(buf_put(&b, SPAN_LITERAL("de")));
    assert_true(buf_put(&b, span_of(NULL, 0)));
    assert_false(buf_put(&b, SPAN_LITERAL("f")));
    assert_memory_equal(bytes, "abcde\0\0\0", 8);
}

static void prints_all_or_nothing(void **state)
{
    uint8_t bytes[12];
    struct buf b = { bytes, 0, 10 };

    (void)state;
    memset(bytes, '#', sizeof(bytes));
    assert_true(buf_printf(&b, "%u-%s", 250u, "ok"));
    assert_int_equal(b.len, 6);
    assert_false(buf_printf(&b, "%s", "1234")); /* no room for the NUL */
    assert_int_equal(b.len, 6);
    assert_true(buf_printf(&b, "%s", "123"));
    assert_int_equal(b.len, 9);
    assert_memory_equal(bytes, "250-ok123", 9);
    b.len = 10;
    assert_false(buf_printf(&b, "%s", ""));
    assert_memory_equal(bytes + 10, "##", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_case_folded),
        cmocka_unit_test(cuts),
        cmocka_unit_test(numbers),
        cmocka_unit_test(puts_all_or_nothing),
        cmocka_unit_test(prints_all_or_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
