/* Received frames: what goes to TCP, what is dropped, and which counter says so. */
#include "lib/unit.h"

#include <string.h>

#include "rig.h"

#define IP_AT  NET_WIRE_ETH_LEN
#define TCP_AT (NET_WIRE_ETH_LEN + NET_WIRE_IP4_LEN)

static int setup(void **state)
{
    *state = rig_create(0);
    return *state == NULL;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

/* How far a frame comes: each layer that it reaches counts it. */
enum reach { TO_LINK, TO_IP, TO_TCP };

/* Dropped there, nothing sent, counted by `why` once more, on its way, and by nothing else. */
static void expect_drop(struct rig *r, const uint8_t *frame, uint32_t len, enum counter_id why,
                        enum reach reach)
{
    struct counters expected = r->counters;
    struct seg *s;

    counter_inc(&expected, COUNTER_NET_IN_FRAMES);
    counter_add(&expected, COUNTER_IP_IN_RECEIVES, reach >= TO_IP);
    counter_add(&expected, COUNTER_IP_IN_DELIVERS, reach >= TO_TCP);
    counter_inc(&expected, why);
    assert_int_equal(rig_receive(r, frame, len, &s), NET_SETTLED);
    assert_int_equal(r->sent_count, 0);
    for (int i = 0; i < COUNTER_COUNT; i++)
        assert_int_equal(r->counters.value[i], expected.value[i]);
}

static void expect_tcp(struct rig *r, const uint8_t *frame, uint32_t len, uint32_t tcp_len)
{
    struct seg *s;

    assert_int_equal(rig_receive(r, frame, len, &s), NET_TCP);
    assert_int_equal(s->len, tcp_len);
    assert_memory_equal(s->data, frame + len - tcp_len, tcp_len);
    seg_release(s);
}

static void tcp_is_named(void **state)
{
    struct rig *r = *state;
    struct net_rx rx = { 0 };
    struct seg *s = seg_alloc(r->plain);
    uint8_t frame[1600];
    struct addr peer = addr_from_v4(RIG_PEER), ours = addr_from_v4(RIG_OURS);
    uint32_t len = rig_tcp(frame, 100);

    frame[IP_AT + 1] = 0x2e; /* some DSCP, and ECT(0) */
    rig_fix_ip4(frame);
    memcpy(s->data, frame, len);
    s->len = len;
    assert_int_equal(net_input(r->net, s, &rx), NET_TCP);
    assert_int_equal(s->len, NET_WIRE_TCP_LEN + 100);
    assert_memory_equal(s->data, frame + TCP_AT, s->len);
    assert_true(addr_equal(&rx.src, &peer) && addr_equal(&rx.dst, &ours));
    assert_int_equal(rx.tos, 0x2e);
    assert_int_equal(rx.ttl, 63);
    seg_release(s);
}

static void every_size_goes_through(void **state)
{
    uint8_t frame[1600];

    for (uint16_t len = 0; len <= 1460; len++)
        expect_tcp(*state, frame, rig_tcp(frame, len), NET_WIRE_TCP_LEN + len);
}

static void padding_is_cut(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig_tcp(frame, 3);
    struct seg *s;

    memset(frame + len, 0xa5, 40);
    for (uint32_t padded = len; padded < len + 40; padded++) {
        assert_int_equal(rig_receive(r, frame, padded, &s), NET_TCP);
        assert_int_equal(s->len, NET_WIRE_TCP_LEN + 3);
        assert_memory_equal(s->data, frame + TCP_AT, s->len);
        seg_release(s);
    }
}

static void cut_at_every_length(void **state)
{
    uint8_t frame[1600];
    uint32_t len = rig_tcp(frame, 20);

    for (uint32_t cut = 0; cut < len; cut++)
        expect_drop(*state, frame, cut, COUNTER_NET_IN_MALFORMED, cut < IP_AT ? TO_LINK : TO_IP);
}

static void wrong_lengths(void **state)
{
    uint8_t good[1600], frame[1600];
    uint32_t len = rig_tcp(good, 20);
    uint16_t total = (uint16_t)(len - NET_WIRE_ETH_LEN);

    /* Every total length but the right one: too long; too short for a TCP header; a wrong TCP
     * checksum. */
    for (uint32_t t = 0; t <= 0xffff; t += t < 100 ? 1 : 997) {
        memcpy(frame, good, len);
        store_be16(frame + IP_AT + 2, (uint16_t)t);
        rig_fix_ip4(frame);
        if (t == total)
            expect_tcp(*state, frame, len, NET_WIRE_TCP_LEN + 20);
        else if (t > total || t < NET_WIRE_IP4_LEN + NET_WIRE_TCP_LEN)
            expect_drop(*state, frame, len, COUNTER_NET_IN_MALFORMED,
                        t < NET_WIRE_IP4_LEN || t > total ? TO_IP : TO_TCP);
        else
            expect_drop(*state, frame, len, COUNTER_NET_IN_CSUM_ERRORS, TO_TCP);
    }
    /* Every header length and version but 5 and 4. */
    for (unsigned first = 0; first <= 0xff; first++) {
        memcpy(frame, good, len);
        frame[IP_AT] = (uint8_t)first;
        if (first >> 4 != 4 || (first & 15) < 5 || (first & 15u) * 4 > total)
            expect_drop(*state, frame, len, COUNTER_NET_IN_MALFORMED, TO_IP);
    }
}

static void wrong_checksums(void **state)
{
    struct rig *r = *state;
    uint8_t good[1600], frame[1600];
    uint32_t len = rig_tcp(good, 8);
    struct seg *s;

    /* Any bit of the IP packet that is wrong keeps it from TCP, whatever the counter. */
    for (uint32_t bit = IP_AT * 8; bit < len * 8; bit++) {
        memcpy(frame, good, len);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(rig_receive(r, frame, len, &s), NET_SETTLED);
    }
    memcpy(frame, good, len);
    frame[IP_AT + 8]++; /* TTL */
    expect_drop(r, frame, len, COUNTER_NET_IN_CSUM_ERRORS, TO_IP);
    memcpy(frame, good, len);
    frame[len - 1]++;
    expect_drop(r, frame, len, COUNTER_NET_IN_CSUM_ERRORS, TO_TCP);
}

/* What the device has verified is not verified again; what it has not, is. */
static void device_may_vouch(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig_tcp(frame, 8);

    frame[len - 1]++;
    assert_int_equal(rig_receive_flags(r, frame, len, SEG_RX_L3_CSUM_GOOD), NET_SETTLED);
    assert_int_equal(rig_receive_flags(r, frame, len, SEG_RX_L4_CSUM_GOOD), NET_TCP);
    len = rig_tcp(frame, 8);
    frame[IP_AT + 8]++;
    assert_int_equal(rig_receive_flags(r, frame, len, SEG_RX_L4_CSUM_GOOD), NET_SETTLED);
    assert_int_equal(rig_receive_flags(r, frame, len, SEG_RX_L3_CSUM_GOOD), NET_TCP);
}

static void options_are_skipped(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600], tcp[1600];
    struct rig_packet p = {
        .src = RIG_PEER, .dst = RIG_OURS, .proto = NET_WIRE_PROTO_TCP, .payload = tcp
    };

    p.payload_len = (uint16_t)(rig_tcp(frame, 30) - TCP_AT);
    memcpy(tcp, frame + TCP_AT, p.payload_len);
    for (p.option_words = 0; p.option_words <= 10; p.option_words++)
        expect_tcp(r, frame, rig_ip4(frame, &p), p.payload_len);
}

static void martians_are_dropped(void **state)
{
    static const uint32_t sources[] = {
        0x00000000,
        0x00010203,
        0x7f000001,
        0x7fffffff,
        0xe0000001,
        0xefffffff,
        0xf0000000,
        0xffffffff,
        RIG_OURS,
        0xc0000200,
        /* the link's */ 0xc00002ff,
    };
    static const uint32_t fine[] = { RIG_PEER,   RIG_GATEWAY, RIG_FAR,
                                     0x0a0000ff, 0x01000000,  0xdfffffff };
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig_tcp(frame, 20);

    for (unsigned i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        store_be32(frame + IP_AT + 12, sources[i]);
        rig_fix_ip4(frame);
        expect_drop(r, frame, len, COUNTER_NET_IN_MARTIANS, TO_IP);
    }
    for (unsigned i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        store_be32(frame + IP_AT + 12, fine[i]);
        rig_fix_ip4(frame);
        assert_int_equal(rig_receive_flags(r, frame, len, SEG_RX_L4_CSUM_GOOD), NET_TCP);
    }
}

static void others_are_not_ours(void **state)
{
    static const uint32_t addresses[] = { RIG_PEER, 0xffffffff, 0xe0000001, 0xc00002ff,
                                          0x7f000001 };
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig_tcp(frame, 20);

    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        store_be32(frame + IP_AT + 16, addresses[i]);
        rig_fix_ip4(frame);
        expect_drop(r, frame, len, COUNTER_NET_IN_NOT_OURS, TO_IP);
    }
    len = rig_tcp(frame, 20);
    for (unsigned proto = 0; proto <= 0xff; proto++) {
        frame[IP_AT + 9] = (uint8_t)proto;
        rig_fix_ip4(frame);
        if (proto != NET_WIRE_PROTO_TCP && proto != NET_WIRE_PROTO_ICMP)
            expect_drop(r, frame, len, COUNTER_NET_IN_NOT_OURS, TO_IP);
    }
}

static void ethernet_is_looked_at(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig_tcp(frame, 20);

    memcpy(frame, rig_broadcast, 6); /* IP by a link broadcast: RFC 1122, 3.3.6 */
    expect_drop(r, frame, len, COUNTER_NET_IN_NOT_OURS, TO_LINK);
    memcpy(frame, rig_our_mac, 6);
    frame[5]++; /* somebody else's, on a promiscuous device */
    expect_drop(r, frame, len, COUNTER_NET_IN_NOT_OURS, TO_LINK);
    len = rig_tcp(frame, 20);
    frame[6] |= 1; /* from a group */
    expect_drop(r, frame, len, COUNTER_NET_IN_MALFORMED, TO_LINK);
    len = rig_tcp(frame, 20);
    store_be16(frame + 12, 0x86dd);
    expect_drop(r, frame, len, COUNTER_NET_IN_NOT_OURS, TO_LINK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tcp_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(every_size_goes_through, setup, teardown),
        cmocka_unit_test_setup_teardown(padding_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_at_every_length, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_lengths, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_checksums, setup, teardown),
        cmocka_unit_test_setup_teardown(device_may_vouch, setup, teardown),
        cmocka_unit_test_setup_teardown(options_are_skipped, setup, teardown),
        cmocka_unit_test_setup_teardown(martians_are_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(others_are_not_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(ethernet_is_looked_at, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
