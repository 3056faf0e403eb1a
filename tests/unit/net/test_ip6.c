/* IPv6: what goes to TCP, what is dropped, what is told, what is never answered, and what leaves.
 */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "rig6.h"

#define IP_AT NET_WIRE_ETH_LEN

static int setup(void **state)
{
    *state = rig6_create(0);
    return *state == NULL;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

/* The peer is known, so that answers leave at once. */
static void introduce(struct rig *r)
{
    struct rig6_nd ask = { .type = NET_WIRE_ICMP6_NS,
                           .src = &rig6_peer,
                           .dst = &rig6_ours,
                           .target = &rig6_ours,
                           .mac = rig_peer_mac };
    uint8_t frame[128];
    struct seg *s;

    rig_receive(r, frame, rig6_nd(frame, &ask), &s);
    rig_forget_sent(r);
    memset(&r->counters, 0, sizeof(r->counters));
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
    counter_add(&expected, COUNTER_IP6_IN_RECEIVES, reach >= TO_IP);
    counter_add(&expected, COUNTER_IP6_IN_DELIVERS, reach >= TO_TCP);
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
    seg_release(s);
}

static void tcp_is_named(void **state)
{
    struct rig *r = *state;
    struct seg *s = seg_alloc(r->plain);
    struct net_rx rx = { 0 };
    uint8_t frame[1600];
    uint32_t len = rig6_tcp(frame, 100);

    store_be16(frame + IP_AT, 0x62e5); /* some traffic class with ECN, and a flow label */
    memcpy(s->data, frame, len);
    s->len = len;
    assert_int_equal(net_input(r->net, s, &rx), NET_TCP);
    assert_int_equal(s->len, NET_WIRE_TCP_LEN + 100);
    assert_memory_equal(s->data, frame + RIG6_AT, s->len);
    assert_true(addr_equal(&rx.src, &rig6_peer) && addr_equal(&rx.dst, &rig6_ours));
    assert_int_equal(rx.tos, 0x2e);
    assert_int_equal(rx.ttl, 61);
    seg_release(s);
}

static void every_size_goes_through(void **state)
{
    uint8_t frame[1700];

    for (uint16_t len = 0; len <= 1440; len++)
        expect_tcp(*state, frame, rig6_tcp(frame, len), NET_WIRE_TCP_LEN + len);
}

static void padding_is_cut(void **state)
{
    uint8_t frame[1700];
    uint32_t len = rig6_tcp(frame, 3);

    memset(frame + len, 0xa5, 40);
    for (uint32_t padded = len; padded < len + 40; padded++)
        expect_tcp(*state, frame, padded, NET_WIRE_TCP_LEN + 3);
}

static void cut_at_every_length(void **state)
{
    uint8_t frame[1600];
    uint32_t len = rig6_tcp(frame, 20);

    for (uint32_t cut = 0; cut < len; cut++)
        expect_drop(*state, frame, cut, COUNTER_NET_IN_MALFORMED, cut < IP_AT ? TO_LINK : TO_IP);
    store_be16(frame + IP_AT + 4, NET_WIRE_TCP_LEN - 1);
    expect_drop(*state, frame, len, COUNTER_NET_IN_MALFORMED, TO_TCP);
}

static void wrong_checksums(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig6_tcp(frame, 8);

    for (uint32_t bit = RIG6_AT * 8; bit < len * 8; bit++) {
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_drop(r, frame, len, COUNTER_NET_IN_CSUM_ERRORS, TO_TCP);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    frame[IP_AT + 8 + 15] ^= 4; /* another sender: the pseudo header is summed */
    expect_drop(r, frame, len, COUNTER_NET_IN_CSUM_ERRORS, TO_TCP);
    assert_int_equal(rig_receive_flags(r, frame, len, SEG_RX_L4_CSUM_GOOD), NET_TCP);
}

static void not_for_us(void **state)
{
    static const struct addr others[] = {
        { { 0x20, 1, 0x0d, 0xb8, [15] = 3 } },
        { { [15] = 1 } },
        { { 0xff, 2, [15] = 2 } },
        { { 0xff, 1, [15] = 1 } },
        { { [10] = 0xff, 0xff, 192, 0, 2, 2 } },
    };
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig6_tcp(frame, 8);

    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        memcpy(frame + IP_AT + 24, others[i].octets, 16);
        expect_drop(r, frame, len, COUNTER_NET_IN_NOT_OURS, TO_IP);
    }
    len = rig6_tcp(frame, 8);
    memcpy(frame, rig6_group_mac, 6); /* one host's packet by a group's frame */
    expect_drop(r, frame, len, COUNTER_NET_IN_NOT_OURS, TO_IP);
    len = rig6_tcp(frame, 8);
    memcpy(frame, rig6_group_mac, 6); /* TCP to our group */
    memcpy(frame + IP_AT + 24, net_wire_solicited_group(&rig6_ours).octets, 16);
    expect_drop(r, frame, len, COUNTER_NET_IN_NOT_OURS, TO_TCP);
    len = rig6_tcp(frame, 8);
    memcpy(frame + 6, rig_our_mac, 6); /* our own frame, come back */
    expect_drop(r, frame, len, COUNTER_NET_IN_NOT_OURS, TO_LINK);
}

static void martians_are_dropped(void **state)
{
    static const struct addr sources[] = {
        { { 0xff, 2, [15] = 1 } },
        { { [15] = 1 } },
        { { [12] = 192, 0, 2, 1 } },
        { { [10] = 0xff, 0xff, 192, 0, 2, 1 } },
        { { 0x20, 1, 0x0d, 0xb8, [15] = 2 } },          /* ours: LAND */
        { { 0xfe, 0x80, [11] = 0xff, 0xfe, 0, 0, 2 } }, /* ours too */
    };
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig6_tcp(frame, 8);

    for (unsigned i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        memcpy(frame + IP_AT + 8, sources[i].octets, 16);
        rig6_fix(frame, len, NET_WIRE_TCP_LEN + 8, NET_WIRE_PROTO_TCP, NET_WIRE_TCP_CSUM_AT);
        expect_drop(r, frame, len, COUNTER_NET_IN_MARTIANS, TO_IP);
    }
    memset(frame + IP_AT + 8, 0, 16); /* nobody */
    rig6_fix(frame, len, NET_WIRE_TCP_LEN + 8, NET_WIRE_PROTO_TCP, NET_WIRE_TCP_CSUM_AT);
    expect_drop(r, frame, len, COUNTER_NET_IN_NOT_OURS, TO_TCP);
}

/* The peer's TCP behind a destination options header with one option of this type. */
static uint32_t with_option(uint8_t *to, const struct addr *dst, uint8_t type)
{
    uint8_t frame[1600], payload[1600] = { NET_WIRE_PROTO_TCP, 0, type, 4 };
    uint32_t len = rig6_tcp(frame, 8);
    struct rig6_packet p = { .src = &rig6_peer,
                             .dst = dst,
                             .proto = 60,
                             .hop_limit = 61,
                             .len = (uint16_t)(8 + len - RIG6_AT),
                             .payload = payload };

    memcpy(payload + 8, frame + RIG6_AT, len - RIG6_AT);
    return rig6_ip(to, &p);
}

static void options_are_walked(void **state)
{
    uint8_t frame[1600];

    expect_tcp(*state, frame, with_option(frame, &rig6_ours, 1), NET_WIRE_TCP_LEN + 8);
    expect_drop(*state, frame, with_option(frame, &rig6_ours, 0x40), COUNTER_IP6_IN_HDR_ERRORS,
                TO_IP);
}

static void problems_are_told(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = with_option(frame, &rig6_ours, 0x80);
    const uint8_t *f = r->sent[0].bytes;
    struct seg *s;

    introduce(r);
    rig_receive(r, frame, len, &s);
    assert_int_equal(r->sent_count, 1);
    assert_int_equal(r->sent[0].len, len + NET_WIRE_IP6_LEN + NET_WIRE_ICMP6_LEN);
    assert_memory_equal(f, rig_peer_mac, 6);
    assert_memory_equal(f + IP_AT + 8, rig6_ours.octets, 16);
    assert_memory_equal(f + IP_AT + 24, rig6_peer.octets, 16);
    assert_int_equal(f[RIG6_AT], 4);
    assert_int_equal(f[RIG6_AT + 1], 2);
    assert_int_equal(load_be32(f + RIG6_AT + 4), 42);
    assert_memory_equal(f + RIG6_AT + 8, frame + IP_AT, len - IP_AT);
    assert_true(rig6_sealed(&r->sent[0], NET_WIRE_PROTO_ICMP6));
}

static void no_problem_is_larger_than_every_link_takes(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig6_tcp(frame, 1400);
    struct seg *s;

    introduce(r);
    frame[IP_AT + 6] = 132; /* SCTP */
    rig_receive(r, frame, len, &s);
    assert_int_equal(r->sent_count, 1);
    assert_int_equal(r->sent[0].len, NET_WIRE_ETH_LEN + 1280);
    assert_int_equal(r->sent[0].bytes[RIG6_AT + 1], 1);
    assert_int_equal(load_be32(r->sent[0].bytes + RIG6_AT + 4), 6);
    assert_true(rig6_sealed(&r->sent[0], NET_WIRE_PROTO_ICMP6));
    assert_int_equal(rig_count(r, COUNTER_IP6_IN_UNKNOWN_PROTOS), 1);
}

static void groups_and_nobody_get_no_problem(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len;

    expect_drop(r, frame, with_option(frame, &rig6_all, 0x80), COUNTER_IP6_IN_HDR_ERRORS, TO_IP);
    len = with_option(frame, &rig6_ours, 0x80);
    memset(frame + IP_AT + 8, 0, 16);
    expect_drop(r, frame, len, COUNTER_IP6_IN_HDR_ERRORS, TO_IP);
    len = rig6_tcp(frame, 8);
    frame[IP_AT + 6] = 17; /* UDP is known, but nobody is there */
    expect_drop(r, frame, len, COUNTER_NET_IN_NOT_OURS, TO_IP);
}

static void problems_have_a_rate(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = with_option(frame, &rig6_ours, 0x80);
    struct seg *s;

    introduce(r);
    for (unsigned i = 0; i < 1000; i++)
        rig_receive(r, frame, len, &s);
    assert_int_equal(r->sent_count, LIMIT_NET_ICMP_ERRORS_BURST);
}

static uint32_t echo(uint8_t *to, const struct addr *dst, uint16_t len)
{
    uint8_t message[1600] = { NET_WIRE_ICMP6_ECHO, 0, 0, 0, 0x12, 0x34, 0, 1 };

    for (uint32_t i = 0; i < len; i++)
        message[8 + i] = (uint8_t)(i * 7);
    return rig6_icmp(to, &rig6_peer, dst, message, (uint16_t)(8 + len));
}

static void echo_is_the_request_turned_round(void **state)
{
    struct rig *r = *state;
    const uint8_t *f = r->sent[0].bytes;
    uint8_t frame[1600];
    struct seg *s;

    introduce(r);
    for (uint16_t data = 0; data <= 1452; data += 44) {
        uint32_t len = echo(frame, &rig6_local, data);

        rig_forget_sent(r);
        rig_receive(r, frame, len, &s);
        assert_int_equal(r->sent_count, 1);
        assert_int_equal(r->sent[0].len, len);
        assert_memory_equal(f, rig_peer_mac, 6);
        assert_int_equal(f[IP_AT + 7], 64);
        assert_memory_equal(f + IP_AT + 8, rig6_local.octets, 16);
        assert_memory_equal(f + IP_AT + 24, rig6_peer.octets, 16);
        assert_int_equal(f[RIG6_AT], NET_WIRE_ICMP6_ECHO_REPLY);
        assert_memory_equal(f + RIG6_AT + 4, frame + RIG6_AT + 4, 4u + data);
        assert_true(rig6_sealed(&r->sent[0], NET_WIRE_PROTO_ICMP6));
    }
}

static void bad_echos_get_nothing(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = echo(frame, &rig6_all, 8);
    struct seg *s;

    introduce(r);
    rig_receive(r, frame, len, &s);
    len = echo(frame, &rig6_ours, 8);
    for (uint32_t bit = RIG6_AT * 8; bit < len * 8; bit++) {
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        rig_receive(r, frame, len, &s);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(r->sent_count, 0);
}

static void output(struct rig *r, uint16_t len, const struct addr *dst)
{
    net_output_tcp(r->net, rig_segment(r, len), &rig6_ours, dst);
    net_flush(r->net);
}

/* RFC 3168, 5, in the traffic class. */
static void capable_of_congestion_marks(void **state)
{
    struct rig *r = *state;
    struct seg *s = rig_segment(r, 10);

    introduce(r);
    rig_forget_sent(r);
    s->flags |= SEG_TX_ECT;
    net_output_tcp(r->net, s, &rig6_ours, &rig6_peer);
    output(r, 10, &rig6_peer);
    assert_int_equal(r->sent_count, 2);
    assert_int_equal(load_be32(r->sent[0].bytes + IP_AT), 0x60000000 | NET_WIRE_ECT0 << 20);
    assert_int_equal(load_be32(r->sent[1].bytes + IP_AT), 0x60000000);
}

static void what_leaves(void **state)
{
    struct rig *r = *state;
    const uint8_t *f = r->sent[0].bytes;

    introduce(r);
    for (uint16_t len = 0; len <= 1440; len += 9) {
        rig_forget_sent(r);
        output(r, len, &rig6_peer);
        assert_int_equal(r->sent_count, 1);
        assert_int_equal(r->sent[0].len, RIG6_AT + NET_WIRE_TCP_LEN + len);
        assert_memory_equal(f, rig_peer_mac, 6);
        assert_int_equal(load_be16(f + 12), NET_WIRE_TYPE_IP6);
        assert_int_equal(load_be32(f + IP_AT), 0x60000000);
        assert_int_equal(load_be16(f + IP_AT + 4), NET_WIRE_TCP_LEN + len);
        assert_int_equal(f[IP_AT + 6], NET_WIRE_PROTO_TCP);
        assert_int_equal(f[IP_AT + 7], 64);
        assert_memory_equal(f + IP_AT + 8, rig6_ours.octets, 16);
        assert_memory_equal(f + IP_AT + 24, rig6_peer.octets, 16);
        assert_true(rig6_sealed(&r->sent[0], NET_WIRE_PROTO_TCP));
        assert_int_equal(r->sent[0].flags, 0);
    }
    assert_int_equal(net_mtu(r->net, &rig6_peer), 1500);
}

static void device_does_checksums(void **state)
{
    struct rig *r = rig6_create(NIC_TX_L3_CSUM | NIC_TX_L4_CSUM);
    uint8_t field[2];

    (void)state;
    introduce(r);
    output(r, 100, &rig6_peer);
    assert_int_equal(r->sent[0].flags, SEG_TX_L4_CSUM | SEG_TX_IP6);
    /* The sum of the pseudo header, not complemented: what is missing is the segment's own. */
    memcpy(field, r->sent[0].bytes + RIG6_AT + NET_WIRE_TCP_CSUM_AT, 2);
    memset(r->sent[0].bytes + RIG6_AT, 0, NET_WIRE_TCP_LEN + 100);
    rig6_fix(r->sent[0].bytes, r->sent[0].len, NET_WIRE_TCP_LEN + 100, NET_WIRE_PROTO_TCP, 16);
    assert_int_equal(load_be16(field),
                     0xffff ^ load_be16(r->sent[0].bytes + RIG6_AT + NET_WIRE_TCP_CSUM_AT));
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tcp_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(every_size_goes_through, setup, teardown),
        cmocka_unit_test_setup_teardown(padding_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_at_every_length, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_checksums, setup, teardown),
        cmocka_unit_test_setup_teardown(not_for_us, setup, teardown),
        cmocka_unit_test_setup_teardown(martians_are_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(options_are_walked, setup, teardown),
        cmocka_unit_test_setup_teardown(problems_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(no_problem_is_larger_than_every_link_takes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(groups_and_nobody_get_no_problem, setup, teardown),
        cmocka_unit_test_setup_teardown(problems_have_a_rate, setup, teardown),
        cmocka_unit_test_setup_teardown(echo_is_the_request_turned_round, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_echos_get_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(capable_of_congestion_marks, setup, teardown),
        cmocka_unit_test_setup_teardown(what_leaves, setup, teardown),
        cmocka_unit_test(device_does_checksums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
