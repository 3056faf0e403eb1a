/* Addresses to and from text. */
#include "lib/unit.h"

#include <string.h>

#include "base/addr.h"

static void goes_there_and_back(void **state)
{
    static const struct {
        const char *in;
        const char *out;
    } rows[] = {
        { "192.0.2.1", "192.0.2.1" },
        { "0.0.0.0", "0.0.0.0" },
        { "255.255.255.255", "255.255.255.255" },
        { "2001:db8::1", "2001:db8::1" },
        { "2001:0DB8:0:0:0:0:0:1", "2001:db8::1" },
        { "::", "::" },
        { "::1", "::1" },
        { "::ffff:192.0.2.7", "192.0.2.7" },
        { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct addr a;
        char text[ADDR_TEXT_MAX];

        assert_true(addr_parse(rows[i].in, &a));
        assert_int_equal(addr_format(&a, text), strlen(rows[i].out));
        assert_string_equal(text, rows[i].out);
    }
}

static void refuses_what_is_no_address(void **state)
{
    static const char *const rows[] = { "",           "192.0.2",       "192.0.2.256",
                                        "192.0.2.1 ", "::1::",         "12345::",
                                        "localhost",  "192.0.2.1:465", "fe80::1%eth0" };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct addr a;

        assert_false(addr_parse(rows[i], &a));
    }
}

static void knows_v4(void **state)
{
    struct addr v4 = addr_from_v4(0xc0000201);
    struct addr v6;

    (void)state;
    assert_true(addr_is_v4(&v4));
    assert_int_equal(addr_v4(&v4), 0xc0000201);
    assert_true(addr_parse("::192.0.2.1", &v6)); /* compatible, not mapped */
    assert_false(addr_is_v4(&v6));
    assert_false(addr_equal(&v4, &v6));
    expect_assert_failure(addr_v4(&v6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_there_and_back),
        cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(knows_v4),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
