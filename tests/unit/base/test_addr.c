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

static void compares_networks(void **state)
{
    struct addr a = { { 0x20, 1, 0x0d, 0xb8, [15] = 1 } };

    (void)state;
    for (uint32_t flipped = 0; flipped < 128; flipped++) {
        struct addr b = a;

        b.octets[flipped / 8] ^= (uint8_t)(0x80 >> flipped % 8);
        for (uint32_t bits = 0; bits <= 128; bits++)
            assert_int_equal(addr_same_network(&a, &b, bits), bits <= flipped);
    }
    assert_true(addr_same_network(&a, &a, 128));
}

static void knows_what_v6_is_for(void **state)
{
    static const struct {
        const char *text;
        bool none, local, group;
    } rows[] = {
        { "::", true, false, false },         { "::1", false, false, false },
        { "fe80::1", false, true, false },    { "febf::1", false, true, false },
        { "fec0::1", false, false, false },   { "fe7f::1", false, false, false },
        { "ff02::1", false, false, true },    { "2001:db8::1", false, false, false },
        { "192.0.2.1", false, false, false },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct addr a;

        assert_true(addr_parse(rows[i].text, &a));
        assert_int_equal(addr_is_none(&a), rows[i].none);
        assert_int_equal(addr_is_link_local(&a), rows[i].local);
        assert_int_equal(addr_is_group(&a), rows[i].group);
    }
}

static void networks_go_there_and_back(void **state)
{
    static const struct {
        const char *in;
        const char *out;
        const char *has;
        const char *has_not;
    } rows[] = {
        { "192.0.2.0/24", "192.0.2.0/24", "192.0.2.255", "192.0.3.0" },
        { "192.0.2.128/25", "192.0.2.128/25", "192.0.2.128", "192.0.2.127" },
        { "192.0.2.7", "192.0.2.7/32", "192.0.2.7", "192.0.2.6" },
        { "0.0.0.0/0", "0.0.0.0/0", "255.255.255.255", "::1" },
        { "2001:db8::/32", "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::" },
        { "2001:db8::8/125", "2001:db8::8/125", "2001:db8::f", "2001:db8::10" },
        { "::1", "::1/128", "::1", "::" },
        { "::/0", "::/0", "192.0.2.1", NULL },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct addr_net n;
        struct addr a;
        char text[ADDR_NET_TEXT_MAX];

        assert_true(addr_net_parse(rows[i].in, &n));
        assert_int_equal(addr_net_format(&n, text), strlen(rows[i].out));
        assert_string_equal(text, rows[i].out);
        assert_true(addr_parse(rows[i].has, &a));
        assert_true(addr_net_has(&n, &a));
        if (rows[i].has_not == NULL)
            continue;
        assert_true(addr_parse(rows[i].has_not, &a));
        assert_false(addr_net_has(&n, &a));
    }
}

static void refuses_what_is_no_network(void **state)
{
    static const char *const rows[] = {
        "",
        "/8",
        "192.0.2.0/",
        "192.0.2.0/33",
        "192.0.2.0/024",
        "192.0.2.0/-1",
        "192.0.2.0/ 24",
        "192.0.2.0/24 ",
        "192.0.2.0/4294967320",
        "192.0.2.1/24", /* a host's address */
        "2001:db8::/129",
        "2001:db8::1/64",
        "localhost/8",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111:2222/8",
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct addr_net n;

        assert_false(addr_net_parse(rows[i], &n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_go_there_and_back),
        cmocka_unit_test(refuses_what_is_no_network),
        cmocka_unit_test(goes_there_and_back),
        cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(knows_v4),
        cmocka_unit_test(compares_networks),
        cmocka_unit_test(knows_what_v6_is_for),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
