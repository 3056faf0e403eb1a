/* What is written is JSON, whatever the values are, and ends at its bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/json_out.h"

static void check_text(struct json_out *j, const char *want)
{
    assert_true(json_out_end(j));
    assert_int_equal(j->len, strlen(want) + 1);
    assert_memory_equal(j->text, want, strlen(want));
    assert_int_equal(j->text[strlen(want)], '\n');
    json_out_free(j);
}

static void members_and_rows_are_separated(void **state)
{
    struct json_out j;

    (void)state;
    json_out_init(&j, 1024);
    json_out_open(&j, NULL, '{');
    json_out_u64(&j, "a", UINT64_MAX);
    json_out_bool(&j, "b", false);
    json_out_open(&j, "rows", '[');
    json_out_open(&j, NULL, '{');
    json_out_str(&j, "c", "d");
    json_out_close(&j, '}');
    json_out_open(&j, NULL, '{');
    json_out_close(&j, '}');
    json_out_close(&j, ']');
    json_out_open(&j, "none", '{');
    json_out_close(&j, '}');
    json_out_bool(&j, "e", true);
    json_out_close(&j, '}');
    check_text(&j, "{\"a\":18446744073709551615,\"b\":false,\"rows\":[{\"c\":\"d\"},{}],"
                   "\"none\":{},\"e\":true}");
}

static void values_cannot_break_out(void **state)
{
    static const struct {
        const char *value;
        const char *text;
    } cases[] = {
        { "\"}\\", "\"\\\"}\\\\\"" },
        { "a\r\n\x1b\x7f", "\"a\\u000d\\u000a\\u001b\\u007f\"" },
        { "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xa7",
          "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xa7\"" },
        /* Alone, overlong, a surrogate, past U+10FFFF, cut short. */
        { "\x80", "\"\xef\xbf\xbd\"" },
        { "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct json_out j;

        json_out_init(&j, 1024);
        json_out_str(&j, NULL, cases[i].value);
        check_text(&j, cases[i].text);
    }
}

static void past_its_bound_it_is_broken(void **state)
{
    struct json_out j;

    (void)state;
    json_out_init(&j, 5000);
    for (unsigned i = 0; i < 2500; i++)
        json_out_u64(&j, NULL, 1);
    assert_false(j.broken);
    assert_int_equal(j.len, 4999);
    assert_true(json_out_end(&j));
    json_out_u64(&j, NULL, 1);
    assert_true(j.broken);
    assert_int_equal(j.len, 5000);
    assert_false(json_out_end(&j));
    json_out_free(&j);
    assert_false(j.broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_and_rows_are_separated),
        cmocka_unit_test(values_cannot_break_out),
        cmocka_unit_test(past_its_bound_it_is_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
