/*
 * Is a PROXY header read as its specification has it, never past its end, from any cut, and is
 * everything that is none refused?
 */
#include "lib/unit.h"

#include "base/byteorder.h"
#include "base/crc32c.h"
#include "gateway/proxy_header.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4 \
    "\xc0\x00\x02\x07\xc6\x33\x64\x01\x9c\x41\x02\x4b" /* 192.0.2.7:40001, 198.51.100.1:587 */

static struct endpoint endpoint_of(const char *text, uint16_t port)
{
    struct endpoint e = { .port = port };

    assert_true(addr_parse(text, &e.addr));
    return e;
}

static void is_endpoint(const struct endpoint *got, const char *text, uint16_t port)
{
    struct endpoint want = endpoint_of(text, port);

    assert_true(addr_equal(&got->addr, &want.addr));
    assert_int_equal(got->port, want.port);
}

/* Reads as conn does, so many bytes at most at once; what stands behind the header is not asked
 * for. */
static enum proxy_header_outcome read_by(struct span all, uint32_t step, struct proxy_header *out)
{
    enum proxy_header_outcome outcome;
    uint32_t given = 0;

    while ((outcome = proxy_header_parse(span_first(all, given), out)) == PROXY_HEADER_MORE) {
        assert_true(out->bytes > given);
        if (given == all.len)
            return outcome;
        given += out->bytes - given < step ? out->bytes - given : step;
        given = given < all.len ? given : all.len;
    }
    if (outcome == PROXY_HEADER_WHOLE)
        assert_int_equal(given, out->bytes);
    return outcome;
}

/* The same for all cuts. */
static enum proxy_header_outcome parse(struct span all, struct proxy_header *out)
{
    enum proxy_header_outcome outcome = read_by(all, UINT32_MAX, out);

    for (uint32_t step = 1; step < 20; step++)
        assert_int_equal(read_by(all, step, out), outcome);
    return outcome;
}

static void reads_version_1(void **state)
{
    static const char v4[] = "PROXY TCP4 192.0.2.7 198.51.100.1 40001 587\r\nEHLO x\r\n";
    static const char v6[] = "PROXY TCP6 2001:db8::7 ::1 0 65535\r\n";
    static const char longest[] = "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                                  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
    struct proxy_header h;

    (void)state;
    assert_int_equal(parse(SPAN_LITERAL(v4), &h), PROXY_HEADER_WHOLE);
    assert_int_equal(h.bytes, sizeof(v4) - 1 - 8);
    assert_false(h.local);
    is_endpoint(&h.peer, "192.0.2.7", 40001);
    is_endpoint(&h.local_end, "198.51.100.1", 587);
    assert_int_equal(parse(SPAN_LITERAL(v6), &h), PROXY_HEADER_WHOLE);
    is_endpoint(&h.peer, "2001:db8::7", 0);
    is_endpoint(&h.local_end, "::1", 65535);
    assert_int_equal(sizeof(longest) - 1, LIMIT_PROXY_V1_BYTES);
    assert_int_equal(parse(SPAN_LITERAL(longest), &h), PROXY_HEADER_WHOLE);
    assert_true(h.local);
    assert_int_equal(parse(SPAN_LITERAL("PROXY UNKNOWN\r\n"), &h), PROXY_HEADER_WHOLE);
    assert_true(h.local);
    assert_int_equal(h.bytes, 15);
}

static void refuses_what_is_no_line(void **state)
{
    static const struct span lines[] = {
        SPAN_LITERAL("EHLO x\r\n"),
        SPAN_LITERAL("\x16\x03\x01"),
        SPAN_LITERAL("proxy TCP4 192.0.2.7 198.51.100.1 40001 587\r\n"),
        SPAN_LITERAL("PROXY  TCP4 192.0.2.7 198.51.100.1 40001 587\r\n"),
        SPAN_LITERAL("PROXY TCP4  192.0.2.7 198.51.100.1 40001 587\r\n"),
        SPAN_LITERAL("PROXY TCP4 192.0.2.7 198.51.100.1 40001 587 \r\n"),
        SPAN_LITERAL("PROXY TCP4 192.0.2.7 198.51.100.1 40001 587 1\r\n"),
        SPAN_LITERAL("PROXY TCP4 192.0.2.7 198.51.100.1 40001\r\n"),
        SPAN_LITERAL("PROXY TCP4 192.0.2.7 198.51.100.1 40001 587\n"),
        SPAN_LITERAL("PROXY TCP4 192.0.2.7 198.51.100.1 40001 587\r\r\n"),
        SPAN_LITERAL("PROXY TCP4 192.0.2.7 198.51.100.1 40001 65536\r\n"),
        SPAN_LITERAL("PROXY TCP4 192.0.2.7 198.51.100.1 40001 0587\r\n"),
        SPAN_LITERAL("PROXY TCP4 192.0.2.7 198.51.100.1 -1 587\r\n"),
        SPAN_LITERAL("PROXY TCP4 192.0.2.7 198.51.100.1 40001 123456\r\n"),
        SPAN_LITERAL("PROXY TCP4 192.0.2.7\0x 198.51.100.1 40001 587\r\n"),
        SPAN_LITERAL("PROXY TCP4 2001:db8::7 ::1 40001 587\r\n"),
        SPAN_LITERAL("PROXY TCP6 192.0.2.7 198.51.100.1 40001 587\r\n"),
        SPAN_LITERAL("PROXY TCP5 192.0.2.7 198.51.100.1 40001 587\r\n"),
        SPAN_LITERAL("PROXY UDP4 192.0.2.7 198.51.100.1 40001 587\r\n"),
        SPAN_LITERAL("PROXY TCP4 localhost 198.51.100.1 40001 587\r\n"),
        SPAN_LITERAL("PROXY \r\n         \r\n"),
        SPAN_LITERAL("PROXY\r\n        \r\n"),
    };
    struct proxy_header h;

    (void)state;
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(parse(lines[i], &h), PROXY_HEADER_BAD);
        assert_non_null(h.fault);
    }
}

/* A line without an end costs its 107 bytes and no more. */
static void a_line_is_bounded(void **state)
{
    char text[LIMIT_PROXY_V1_BYTES + 1];
    struct proxy_header h;

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "PROXY UNKNOWN ", 14);
    assert_int_equal(parse(span_of(text, LIMIT_PROXY_V1_BYTES - 1), &h), PROXY_HEADER_MORE);
    assert_int_equal(parse(span_of(text, LIMIT_PROXY_V1_BYTES), &h), PROXY_HEADER_BAD);
    text[LIMIT_PROXY_V1_BYTES - 1] = '\r';
    text[LIMIT_PROXY_V1_BYTES] = '\n'; /* one byte too late */
    assert_int_equal(parse(span_of(text, sizeof(text)), &h), PROXY_HEADER_BAD);
}

static void every_prefix_wants_more(void **state)
{
    static const struct span headers[] = {
        SPAN_LITERAL("PROXY TCP4 192.0.2.7 198.51.100.1 40001 587\r\n"),
        SPAN_LITERAL(SIGNATURE "\x21\x11\x00\x0c" TCP4),
    };
    struct proxy_header h;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        for (uint32_t n = 0; n < headers[i].len; n++) {
            assert_int_equal(proxy_header_parse(span_first(headers[i], n), &h), PROXY_HEADER_MORE);
            assert_true(h.bytes > n);
            assert_true(h.bytes <= headers[i].len);
        }
        assert_int_equal(proxy_header_parse(headers[i], &h), PROXY_HEADER_WHOLE);
    }
}

static void reads_version_2(void **state)
{
    static const char v6[] = SIGNATURE "\x21\x21\x00\x24"
                                       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
                                       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
                                       "\x00\x01\xff\xff";
    struct proxy_header h;

    (void)state;
    assert_int_equal(parse(SPAN_LITERAL(SIGNATURE "\x21\x11\x00\x0c" TCP4 "EHLO"), &h),
                     PROXY_HEADER_WHOLE);
    assert_int_equal(h.bytes, 28);
    assert_false(h.local);
    is_endpoint(&h.peer, "192.0.2.7", 40001);
    is_endpoint(&h.local_end, "198.51.100.1", 587);
    assert_int_equal(h.authority.len + h.unique_id.len + h.ssl_cn.len, 0);
    assert_int_equal(parse(SPAN_LITERAL(v6), &h), PROXY_HEADER_WHOLE);
    is_endpoint(&h.peer, "2001:db8::7", 1);
    is_endpoint(&h.local_end, "::1", 65535);
}

/* LOCAL, an unspecified family, a UNIX socket: the block is skipped, whatever is in it. */
static void local_connections_have_no_address(void **state)
{
    static const struct span headers[] = {
        SPAN_LITERAL(SIGNATURE "\x20\x00\x00\x00"),
        SPAN_LITERAL(SIGNATURE "\x20\x11\x00\x0c" TCP4),
        SPAN_LITERAL(SIGNATURE "\x20\xff\x00\x03xyz"),
        SPAN_LITERAL(SIGNATURE "\x21\x00\x00\x00"),
        SPAN_LITERAL(SIGNATURE "\x21\x00\x00\x02xy"),
        SPAN_LITERAL(SIGNATURE "\x21\x31\x00\x01x"),
    };
    struct proxy_header h;

    (void)state;
    for (unsigned i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        assert_int_equal(parse(headers[i], &h), PROXY_HEADER_WHOLE);
        assert_true(h.local);
        assert_int_equal(h.bytes, headers[i].len);
    }
}

static void refuses_what_is_no_block(void **state)
{
    static const struct span headers[] = {
        SPAN_LITERAL(SIGNATURE "\x11\x11\x00\x0c" TCP4), /* version */
        SPAN_LITERAL(SIGNATURE "\x22\x11\x00\x0c" TCP4), /* command */
        SPAN_LITERAL(SIGNATURE "\x21\x12\x00\x0c" TCP4), /* datagrams */
        SPAN_LITERAL(SIGNATURE "\x21\x41\x00\x0c" TCP4), /* no such family */
        SPAN_LITERAL(SIGNATURE "\x21\x11\x00\x0b" TCP4), /* shorter than its addresses */
        SPAN_LITERAL(SIGNATURE "\x21\x21\x00\x0c" TCP4),
        SPAN_LITERAL(SIGNATURE "\x21\x11\x0f\xf1" TCP4), /* 4,097 bytes */
        SPAN_LITERAL(SIGNATURE "\x21\x11\xff\xff" TCP4),
        SPAN_LITERAL("\r\n\r\n\0\r\nQUIT\r"),
        SPAN_LITERAL("\r\nEHLO x\r\n"),
        SPAN_LITERAL(SIGNATURE "\x21\x11\x00\x0e" TCP4 "\x02\x00"),             /* half a head */
        SPAN_LITERAL(SIGNATURE "\x21\x11\x00\x10" TCP4 "\x02\x00\x02x"),        /* cut */
        SPAN_LITERAL(SIGNATURE "\x21\x11\x00\x13" TCP4 "\x20\x00\x04\1\0\0\0"), /* too short */
        SPAN_LITERAL(SIGNATURE "\x21\x11\x00\x18" TCP4 "\x20\x00\x09\1\0\0\0\0\x22\x00\x02x"),
        SPAN_LITERAL(SIGNATURE "\x21\x11\x00\x13" TCP4 "\x03\x00\x04\0\0\0\0"), /* checksum */
        SPAN_LITERAL(SIGNATURE "\x21\x11\x00\x11" TCP4 "\x03\x00\x02\0\0"),
    };
    struct proxy_header h;

    (void)state;
    for (unsigned i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        assert_int_equal(parse(headers[i], &h), PROXY_HEADER_BAD);
        assert_non_null(h.fault);
    }
}

/* A TLV of `len` bytes 'x' behind the addresses. */
static struct span with_tlv(uint8_t *to, uint8_t type, uint32_t len)
{
    static const char front[] = SIGNATURE "\x21\x11\x00\x00" TCP4 "\x00\x00\x00";

    memcpy(to, front, sizeof(front) - 1);
    store_be16(to + 14, (uint16_t)(12 + 3 + len));
    to[28] = type;
    store_be16(to + 29, (uint16_t)len);
    memset(to + 31, 'x', len);
    return span_of(to, 31 + len);
}

static void reads_tlvs(void **state)
{
    static const char all[] = SIGNATURE "\x21\x11\x00\x34" TCP4 "\x01\x00\x04smtp"
                                        "\x02\x00\x06m.test"
                                        "\x04\x00\x00"
                                        "\x05\x00\x02\x00\xff"
                                        "\x20\x00\x0a\1\0\0\0\0\x22\x00\x02me"
                                        "\xea\x00\x00";
    static uint8_t room[LIMIT_PROXY_V2_BYTES + 1];
    struct proxy_header h;

    (void)state;
    assert_int_equal(parse(SPAN_LITERAL(all), &h), PROXY_HEADER_WHOLE);
    assert_int_equal(h.bytes, sizeof(all) - 1);
    assert_true(span_equal(h.authority, SPAN_LITERAL("m.test")));
    assert_true(span_equal(h.unique_id, SPAN_LITERAL("\x00\xff")));
    assert_true(span_equal(h.ssl_cn, SPAN_LITERAL("me")));
    assert_int_equal(parse(with_tlv(room, 0x02, LIMIT_PROXY_NAME_BYTES), &h), PROXY_HEADER_WHOLE);
    assert_int_equal(parse(with_tlv(room, 0x02, LIMIT_PROXY_NAME_BYTES + 1), &h), PROXY_HEADER_BAD);
    assert_int_equal(parse(with_tlv(room, 0x05, LIMIT_PROXY_ID_BYTES), &h), PROXY_HEADER_WHOLE);
    assert_int_equal(parse(with_tlv(room, 0x05, LIMIT_PROXY_ID_BYTES + 1), &h), PROXY_HEADER_BAD);
    assert_int_equal(parse(with_tlv(room, 0xea, LIMIT_PROXY_V2_BYTES - 31), &h),
                     PROXY_HEADER_WHOLE);
    assert_int_equal(h.bytes, LIMIT_PROXY_V2_BYTES);
    assert_int_equal(parse(with_tlv(room, 0xea, LIMIT_PROXY_V2_BYTES - 30), &h), PROXY_HEADER_BAD);
}

static void checks_the_checksum(void **state)
{
    uint8_t bytes[] = SIGNATURE "\x21\x11\x00\x16" TCP4 "\x03\x00\x04\0\0\0\0"
                                "\x04\x00\x00";
    struct span all = span_of(bytes, sizeof(bytes) - 1);
    struct proxy_header h;

    (void)state;
    store_be32(bytes + 31, crc32c_update(0, bytes, all.len));
    assert_int_equal(parse(all, &h), PROXY_HEADER_WHOLE);
    bytes[16] ^= 1;
    assert_int_equal(parse(all, &h), PROXY_HEADER_BAD);
    assert_string_equal(h.fault, "PROXY checksum is wrong");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_version_1),
        cmocka_unit_test(refuses_what_is_no_line),
        cmocka_unit_test(a_line_is_bounded),
        cmocka_unit_test(every_prefix_wants_more),
        cmocka_unit_test(reads_version_2),
        cmocka_unit_test(local_connections_have_no_address),
        cmocka_unit_test(refuses_what_is_no_block),
        cmocka_unit_test(reads_tlvs),
        cmocka_unit_test(checks_the_checksum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
