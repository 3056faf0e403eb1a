/* ICMP errors: whose segment they quote, and what size they tell; wrong ones name nobody. */
#include "lib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/net/net_quote.h"
#include "rig6.h"

#define IP_AT NET_WIRE_ETH_LEN

/* A segment of ours to the peer, as it is quoted: the IP header and `tcp` bytes of what follows. */
static uint16_t quote4(uint8_t *message, uint8_t type, uint8_t code, uint16_t tcp)
{
    struct net_wire_ip4 ip = { .total_len = 1500,
                               .frag = NET_WIRE_IP4_DF,
                               .ttl = 50,
                               .proto = NET_WIRE_PROTO_TCP,
                               .src = RIG_OURS,
                               .dst = RIG_FAR };

    memset(message, 0, 8);
    message[0] = type;
    message[1] = code;
    store_be16(message + 6, 1400);
    net_wire_ip4_write(message + 8, &ip);
    store_be16(message + 28, 465);
    store_be16(message + 30, 40000);
    store_be32(message + 32, 0x12345678);
    return (uint16_t)(28 + tcp);
}

static uint16_t quote6(uint8_t *message, uint8_t type, uint32_t mtu)
{
    struct net_wire_ip6 ip = {
        .proto = NET_WIRE_PROTO_TCP, .payload_len = 1460, .src = rig6_ours, .dst = rig6_far
    };

    memset(message, 0, 8);
    message[0] = type;
    store_be32(message + 4, mtu);
    net_wire_ip6_write(message + 8, &ip);
    store_be16(message + 48, 465);
    store_be16(message + 50, 40000);
    store_be32(message + 52, 0x12345678);
    return 56;
}

/* In memory that ends where the message does. */
static bool read_exactly(const uint8_t *message, uint32_t len, bool v4, struct net_error *out)
{
    uint8_t *exact = malloc(len);
    bool ok;

    assert_non_null(exact);
    memcpy(exact, message, len);
    ok = v4 ? net_quote_read4(span_of(exact, len), out) : net_quote_read6(span_of(exact, len), out);
    free(exact);
    return ok;
}

static void expect_ours(const struct net_error *e, bool v4, uint16_t mtu)
{
    struct addr ours = v4 ? addr_from_v4(RIG_OURS) : rig6_ours;
    struct addr far = v4 ? addr_from_v4(RIG_FAR) : rig6_far;

    assert_true(addr_equal(&e->local.addr, &ours) && addr_equal(&e->peer.addr, &far));
    assert_int_equal(e->local.port, 465);
    assert_int_equal(e->peer.port, 40000);
    assert_int_equal(e->seq, 0x12345678);
    assert_int_equal(e->mtu, mtu);
}

static void each_type_of_ip4(void **state)
{
    uint8_t message[64];
    struct net_error e;

    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        bool error = type == 3 || type == 11 || type == 12;

        assert_int_equal(read_exactly(message, quote4(message, (uint8_t)type, 4, 8), true, &e),
                         error);
        if (error)
            expect_ours(&e, true, type == 3 ? 1400 : 0);
    }
    for (unsigned code = 0; code < 16; code++) {
        assert_true(read_exactly(message, quote4(message, 3, (uint8_t)code, 8), true, &e));
        expect_ours(&e, true, code == 4 ? 1400 : 0);
    }
}

/* RFC 1191, 7. */
static void old_routers_tell_no_mtu(void **state)
{
    static const uint16_t rows[][2] = { { 9000, 4352 }, { 1500, 1492 }, { 1492, 1006 },
                                        { 1006, 576 },  { 576, 576 },   { 100, 576 } };
    uint8_t message[64];
    struct net_error e;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint16_t len = quote4(message, 3, 4, 8);

        store_be16(message + 6, 0);
        store_be16(message + 10, rows[i][0]);
        assert_true(read_exactly(message, len, true, &e));
        expect_ours(&e, true, rows[i][1]);
    }
}

static void each_type_of_ip6(void **state)
{
    uint8_t message[64];
    struct net_error e;

    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        bool error = type >= 1 && type <= 4;

        assert_int_equal(read_exactly(message, quote6(message, (uint8_t)type, 1400), false, &e),
                         error);
        if (error)
            expect_ours(&e, false, type == 2 ? 1400 : 0);
    }
    assert_true(read_exactly(message, quote6(message, 2, 0x10000), false, &e));
    assert_int_equal(e.mtu, 65535);
    assert_false(read_exactly(message, quote6(message, 2, 0), false, &e));
}

static void quotes_of_no_segment(void **state)
{
    uint8_t message[64];
    struct net_error e;
    uint16_t len;

    (void)state;
    for (uint16_t cut = 8; cut < 36; cut++) {
        quote4(message, 3, 4, 8);
        assert_false(read_exactly(message, cut, true, &e));
    }
    for (uint16_t cut = 8; cut < 56; cut++) {
        quote6(message, 2, 1400);
        assert_false(read_exactly(message, cut, false, &e));
    }
    len = quote4(message, 3, 4, 8);
    message[17] = 17; /* UDP */
    assert_false(read_exactly(message, len, true, &e));
    len = quote4(message, 3, 4, 8);
    store_be16(message + 14, 1); /* a later fragment */
    assert_false(read_exactly(message, len, true, &e));
    for (unsigned first = 0; first < 256; first++) {
        len = quote4(message, 3, 4, 8);
        message[8] = (uint8_t)first; /* version and length */
        assert_int_equal(read_exactly(message, len, true, &e), first == 0x45);
        len = quote6(message, 2, 1400);
        message[8] = (uint8_t)first;
        assert_int_equal(read_exactly(message, len, false, &e), first >> 4 == 6);
    }
}

/* --- as they come by the wire --- */

static void the_wire_hands_them_on(void **state)
{
    struct rig *r = rig6_create(0);
    uint8_t message[64], frame[256];
    struct rig_packet p = {
        .src = RIG_GATEWAY, .dst = RIG_OURS, .proto = NET_WIRE_PROTO_ICMP, .payload = message
    };
    struct net_rx rx;
    uint32_t len;

    (void)state;
    for (unsigned wrong = 0; wrong < 3; wrong++) {
        enum net_verdict want = wrong == 0 ? NET_ERROR : NET_SETTLED;

        p.payload_len = quote4(message, 3, 4, 8);
        if (wrong == 1)
            store_be32(message + 20, RIG_PEER); /* not from us */
        store_be16(message + 2, rig_slow_csum(0, message, p.payload_len));
        message[7] ^= wrong == 2; /* a checksum error */
        len = rig_ip4(frame, &p);
        assert_int_equal(rig_receive_rx(r, frame, len, &rx), want);
        if (wrong == 0)
            expect_ours(&rx.error, true, 1400);

        len = quote6(message, 2, 1300);
        if (wrong == 1)
            memcpy(message + 16, rig6_peer.octets, 16);
        len = rig6_icmp(frame, &rig6_gateway, &rig6_ours, message, (uint16_t)len);
        frame[len - 1] ^= wrong == 2;
        assert_int_equal(rig_receive_rx(r, frame, len, &rx), want);
        if (wrong == 0)
            expect_ours(&rx.error, false, 1300);
    }
    assert_int_equal(rig_count(r, COUNTER_NET_IN_ICMP_ERRORS), 2);
    assert_int_equal(rig_count(r, COUNTER_NET_IN_ICMP_OTHER), 2);
    assert_int_equal(rig_count(r, COUNTER_NET_IN_CSUM_ERRORS), 2);
    assert_int_equal(r->sent_count, 0);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_of_ip4),       cmocka_unit_test(old_routers_tell_no_mtu),
        cmocka_unit_test(each_type_of_ip6),       cmocka_unit_test(quotes_of_no_segment),
        cmocka_unit_test(the_wire_hands_them_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
