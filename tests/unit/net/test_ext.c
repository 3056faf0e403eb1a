/* Extension headers: what is behind them, what is refused and where the pointer stands, and that no
 * byte past the packet is read. */
#include "lib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "dataplane/net/net_ext.h"
#include "dataplane/net/net_wire6.h"

#define HBH  0
#define RT   43
#define DEST 60
#define TCP  6

/* The headers after the IPv6 header, each of eight bytes: the next one, a length of 0, six more. */
struct row {
    const char *what;
    uint8_t first;
    uint8_t count;
    uint8_t bytes[3][8];
    enum net_ext_verdict verdict;
    uint8_t proto_or_code;
    uint16_t at;
};

static const struct row rows[] = {
    { "none", TCP, 0, { { 0 } }, NET_EXT_UPPER, TCP, 40 },
    { "nothing follows", 59, 0, { { 0 } }, NET_EXT_UPPER, 59, 40 },
    { "hop-by-hop, PadN", HBH, 1, { { TCP, 0, 1, 4 } }, NET_EXT_UPPER, TCP, 48 },
    { "six Pad1", DEST, 1, { { TCP, 0 } }, NET_EXT_UPPER, TCP, 48 },
    { "hop-by-hop and two more",
      HBH,
      3,
      { { DEST, 0, 1, 4 }, { RT, 0, 1, 4 }, { TCP, 0, 0, 0 } },
      NET_EXT_UPPER,
      TCP,
      64 },
    { "router alert", HBH, 1, { { 58, 0, 5, 2, 0, 0, 1, 0 } }, NET_EXT_UPPER, 58, 48 },
    { "a fragment", 44, 1, { { TCP, 0 } }, NET_EXT_FRAGMENT, 44, 40 },
    { "options, then a fragment",
      HBH,
      2,
      { { 44, 0, 1, 4 }, { TCP, 0 } },
      NET_EXT_FRAGMENT,
      44,
      48 },
    /* RFC 8200, 4: named where it stands, in the next header field of the one before. */
    { "hop-by-hop second",
      DEST,
      2,
      { { HBH, 0, 1, 4 }, { TCP, 0, 1, 4 } },
      NET_EXT_PROBLEM,
      1,
      40 },
    /* RFC 5095, 3, as for every type that we do not know. */
    { "type 0, used up", RT, 1, { { TCP, 0, 0, 0 } }, NET_EXT_UPPER, TCP, 48 },
    { "type 0, a segment left", RT, 1, { { TCP, 0, 0, 1 } }, NET_EXT_PROBLEM, 0, 42 },
    { "type 4, a segment left", RT, 1, { { TCP, 0, 4, 9 } }, NET_EXT_PROBLEM, 0, 42 },
    /* RFC 8200, 4.2: the two highest bits say what to do. */
    { "skip it", DEST, 1, { { TCP, 0, 0x3e, 4 } }, NET_EXT_UPPER, TCP, 48 },
    { "drop it", DEST, 1, { { TCP, 0, 0x7e, 4 } }, NET_EXT_DROP, 0, 0 },
    { "tell it", DEST, 1, { { TCP, 0, 0, 0xbe, 3 } }, NET_EXT_PROBLEM, 2, 43 },
    { "tell it unless to a group", HBH, 1, { { TCP, 0, 0xfe, 4 } }, NET_EXT_PROBLEM, 2, 42 },
    { "jumbo", HBH, 1, { { TCP, 0, 0xc2, 4, 0, 1, 0, 0 } }, NET_EXT_PROBLEM, 2, 42 },
    { "an option past its header", DEST, 1, { { TCP, 0, 1, 5 } }, NET_EXT_DROP, 0, 0 },
    { "an option without length", DEST, 1, { { TCP, 0, 1, 3, 0, 0, 0, 5 } }, NET_EXT_DROP, 0, 0 },
    { "a header past the packet", DEST, 1, { { TCP, 1, 1, 12 } }, NET_EXT_DROP, 0, 0 },
};

/* In memory that ends where the packet does. */
static enum net_ext_verdict walk(const uint8_t *packet, uint32_t len, struct net_ext *w)
{
    uint8_t *exact = malloc(len);
    enum net_ext_verdict v;

    assert_non_null(exact);
    memcpy(exact, packet, len);
    *w = (struct net_ext){ .proto = packet[6], .at = NET_WIRE_IP6_LEN, .from = 6 };
    v = net_ext_walk(span_of(exact, len), w);
    free(exact);
    return v;
}

static void each_header(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        uint8_t packet[40 + 24] = { 0x60 };
        struct net_ext w;

        packet[6] = row->first;
        memcpy(packet + 40, row->bytes, row->count * 8u);
        if (walk(packet, 40 + row->count * 8u, &w) != row->verdict)
            fail_msg("%s: another verdict", row->what);
        if (row->verdict == NET_EXT_DROP)
            continue;
        assert_int_equal(row->verdict == NET_EXT_PROBLEM ? w.code : w.proto, row->proto_or_code);
        assert_int_equal(w.at, row->at);
    }
}

static void cut_short(void **state)
{
    uint8_t packet[64] = { 0x60, [6] = HBH, [40] = DEST, [42] = 1, 4, [48] = TCP, 1, 1, 12 };
    struct net_ext w;

    (void)state;
    assert_int_equal(walk(packet, 64, &w), NET_EXT_UPPER);
    assert_int_equal(w.at, 64);
    for (uint32_t len = 40; len < 64; len++)
        assert_int_equal(walk(packet, len, &w), NET_EXT_DROP);
}

static void bounded_headers_and_options(void **state)
{
    uint8_t packet[40 + 8 * 32] = { 0x60, [6] = DEST };
    struct net_ext w;

    (void)state;
    for (unsigned count = 1; count <= 32; count++) {
        for (unsigned i = 0; i < count; i++)
            packet[40 + i * 8] = i + 1 == count ? TCP : DEST;
        assert_int_equal(walk(packet, 40 + 8 * count, &w),
                         count <= LIMIT_NET_EXT_HEADERS ? NET_EXT_UPPER : NET_EXT_DROP);
    }
    memset(packet + 40, 0, sizeof(packet) - 40);
    packet[40] = TCP;
    packet[41] = 2; /* 24 bytes: 22 of options, of which each has two */
    for (unsigned count = 1; count <= 11; count++) {
        packet[42 + 2 * (count - 1)] = 0x1e;
        assert_int_equal(walk(packet, 64, &w),
                         count <= LIMIT_NET_EXT_OPTIONS ? NET_EXT_UPPER : NET_EXT_DROP);
    }
}

/* Whatever a stranger writes, the place that is named lies in the packet. */
static void random_ones_stay_inside(void **state)
{
    static const uint8_t kinds[] = { HBH, RT, DEST, 44, TCP, 59, 58, 17 };
    uint8_t packet[200] = { 0x60 };
    uint32_t seed = 1;
    struct net_ext w;

    (void)state;
    for (unsigned round = 0; round < 50000; round++) {
        uint32_t len = 40 + round % 160;

        for (uint32_t i = 40; i < len; i++) {
            seed = seed * 1664525 + 1013904223;
            packet[i] = (seed >> 24) % 3 == 0 ? kinds[(seed >> 16) % 8] : (uint8_t)(seed >> 29);
        }
        packet[6] = kinds[seed % 8];
        walk(packet, len, &w);
        assert_true(w.at <= len && w.from <= w.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_header),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(bounded_headers_and_options),
        cmocka_unit_test(random_ones_stay_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
