/* UTF-8 against a decoder that is slow and plain. */
#include "lib/unit.h"

#include "smtp/smtp_scan.h"

/* The length of the character at p by decoding it; 0: there is none. */
static uint32_t decoded_length(const uint8_t *p, uint32_t len)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t n = p[0] < 0x80       ? 1
                 : p[0] >> 5 == 6  ? 2
                 : p[0] >> 4 == 14 ? 3
                 : p[0] >> 3 == 30 ? 4
                                   : 0;
    uint32_t c;

    if (n == 0 || n > len)
        return 0;
    c = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
    for (uint32_t i = 1; i < n; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || (c >= 0x80 && c <= 0x9f))
        return 0;
    return n;
}

static void utf8_of_three(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 0x1000000; i += 7) {
        const uint8_t b[] = { (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
        uint32_t at = 0;
        uint32_t n;

        while (at < 3 && (n = decoded_length(b + at, 3 - at)) > 0)
            at += n;
        assert_int_equal(smtp_scan_is_utf8(span_of(b, 3)), at == 3);
    }
}

static void utf8_of_four(void **state)
{
    static const uint8_t edges[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff };
    const uint32_t count = sizeof(edges);

    (void)state;
    for (uint32_t first = 0xef; first <= 0xff; first++) {
        for (uint32_t i = 0; i < count * count * count; i++) {
            const uint8_t b[] = { (uint8_t)first, edges[i % count], edges[i / count % count],
                                  edges[i / count / count] };
            uint32_t n = decoded_length(b, 4);

            if (n == 4 || first >= 0xf0)
                assert_int_equal(smtp_scan_is_utf8(span_of(b, 4)), n == 4);
        }
    }
}

static void takers_leave_what_is_not_theirs(void **state)
{
    struct span s = SPAN_LITERAL("  12ab");

    (void)state;
    assert_false(smtp_scan_byte(&s, 'x'));
    smtp_scan_spaces(&s);
    assert_int_equal(smtp_scan_while(&s, smtp_scan_is_digit).len, 2);
    assert_true(smtp_scan_byte(&s, 'a'));
    assert_int_equal(smtp_scan_while(&s, smtp_scan_is_digit).len, 0);
    assert_true(span_equal(s, SPAN_LITERAL("b")));
    assert_int_equal(smtp_scan_hex('F'), 15);
    assert_int_equal(smtp_scan_hex('f'), -1);
    assert_int_equal(smtp_scan_hex('G'), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_of_three),
        cmocka_unit_test(utf8_of_four),
        cmocka_unit_test(takers_leave_what_is_not_theirs),
    };

    unit_catch_asserts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
