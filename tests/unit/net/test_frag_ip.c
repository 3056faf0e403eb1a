/* Fragments as IPv4 and IPv6 carry them: TCP gets the segment whole, or nothing. */
#include "lib/unit.h"

#include <string.h>

#include "rig6.h"

#define IP_AT NET_WIRE_ETH_LEN
#define DATA  200

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

static void expect_nothing(struct rig *r, const uint8_t *frame, uint32_t len)
{
    struct seg *s;

    assert_int_equal(rig_receive(r, frame, len, &s), NET_SETTLED);
    assert_int_equal(r->sent_count, 0);
}

/* The segment of `whole`, a frame that was never sent. */
static void expect_segment(struct rig *r, const uint8_t *frame, uint32_t len, const uint8_t *whole)
{
    struct seg *s;

    assert_int_equal(rig_receive(r, frame, len, &s), NET_TCP);
    assert_int_equal(s->len, NET_WIRE_TCP_LEN + DATA);
    assert_memory_equal(s->data, whole, s->len);
    seg_release(s);
}

/* Bytes `start` to `end` of the segment as a fragment; `end` is the last when it is the segment's.
 */
static uint32_t part4(uint8_t *to, const uint8_t *segment, uint16_t start, uint16_t end)
{
    struct rig_packet p = { .src = RIG_PEER,
                            .dst = RIG_OURS,
                            .proto = NET_WIRE_PROTO_TCP,
                            .option_words = start == 0 ? 2 : 0,
                            .payload = segment + start,
                            .payload_len = (uint16_t)(end - start) };
    uint32_t len = rig_ip4(to, &p);

    store_be16(to + IP_AT + 4, 77);
    store_be16(to + IP_AT + 6,
               (uint16_t)(start / 8 | (end == NET_WIRE_TCP_LEN + DATA ? 0 : NET_WIRE_IP4_MF)));
    rig_fix_ip4(to);
    return len;
}

static void ip4_in_both_orders(void **state)
{
    struct rig *r = *state;
    uint8_t whole[1600], frame[1600];
    const uint8_t *segment = whole + IP_AT + NET_WIRE_IP4_LEN;

    rig_tcp(whole, DATA);
    expect_nothing(r, frame, part4(frame, segment, 0, 104));
    expect_segment(r, frame, part4(frame, segment, 104, 220), segment);
    expect_nothing(r, frame, part4(frame, segment, 104, 220));
    expect_nothing(r, frame, part4(frame, segment, 0, 16)); /* the TCP header cut in two */
    expect_segment(r, frame, part4(frame, segment, 16, 104), segment);
    assert_int_equal(rig_count(r, COUNTER_IP_REASM_REQDS), 5);
    assert_int_equal(rig_count(r, COUNTER_IP_REASM_OKS), 2);
}

/* The checksum is over all: a device has seen parts alone, whatever it says. */
static void a_wrong_checksum_is_found(void **state)
{
    struct rig *r = *state;
    uint8_t whole[1600], frame[1600];
    uint8_t *segment = whole + IP_AT + NET_WIRE_IP4_LEN;
    uint32_t len;

    rig_tcp(whole, DATA);
    segment[150] ^= 1;
    expect_nothing(r, frame, part4(frame, segment, 0, 104));
    len = part4(frame, segment, 104, 220);
    assert_int_equal(rig_receive_flags(r, frame, len, SEG_RX_L4_CSUM_GOOD), NET_SETTLED);
    assert_int_equal(rig_count(r, COUNTER_NET_IN_CSUM_ERRORS), 1);
}

/* A part of the segment behind a fragment header, which stands behind `options` (of eight bytes).
 */
static uint32_t part6(uint8_t *to, const uint8_t *segment, uint16_t start, uint16_t end)
{
    uint8_t payload[1600] = { NET_WIRE_PROTO_TCP, [7] = 42 };
    struct rig6_packet p = { .src = &rig6_peer,
                             .dst = &rig6_ours,
                             .proto = 44,
                             .hop_limit = 61,
                             .len = (uint16_t)(8 + end - start),
                             .payload = payload };

    store_be16(payload + 2, start | (end == NET_WIRE_TCP_LEN + DATA ? 0 : 1));
    memcpy(payload + 8, segment + start, end - start);
    return rig6_ip(to, &p);
}

static void ip6_in_both_orders(void **state)
{
    struct rig *r = *state;
    uint8_t whole[1600], frame[1600];
    const uint8_t *segment = whole + RIG6_AT;

    rig6_tcp(whole, DATA);
    expect_nothing(r, frame, part6(frame, segment, 0, 104));
    expect_segment(r, frame, part6(frame, segment, 104, 220), segment);
    expect_nothing(r, frame, part6(frame, segment, 8, 220));
    expect_segment(r, frame, part6(frame, segment, 0, 8), segment);
    assert_int_equal(rig_count(r, COUNTER_IP_REASM_OKS), 2);
}

/* RFC 6946, 4: whole in itself, whatever else is under way with its identification. */
static void atomic_ones_stand_alone(void **state)
{
    struct rig *r = *state;
    uint8_t whole[1600], frame[1600];
    const uint8_t *segment = whole + RIG6_AT;

    rig6_tcp(whole, DATA);
    expect_nothing(r, frame, part6(frame, segment, 0, 104));
    expect_segment(r, frame, part6(frame, segment, 0, 220), segment);
    expect_segment(r, frame, part6(frame, segment, 104, 220), segment);
    assert_int_equal(rig_count(r, COUNTER_IP_REASM_FAILS), 0);
}

static void overlaps_are_dropped(void **state)
{
    struct rig *r = *state;
    uint8_t whole[1600], frame[1600];

    rig6_tcp(whole, DATA);
    expect_nothing(r, frame, part6(frame, whole + RIG6_AT, 0, 104));
    expect_nothing(r, frame, part6(frame, whole + RIG6_AT, 96, 220));
    expect_nothing(r, frame, part6(frame, whole + RIG6_AT, 104, 220));
    rig_tcp(whole, DATA);
    expect_nothing(r, frame, part4(frame, whole + IP_AT + NET_WIRE_IP4_LEN, 0, 104));
    expect_nothing(r, frame, part4(frame, whole + IP_AT + NET_WIRE_IP4_LEN, 96, 220));
    expect_nothing(r, frame, part4(frame, whole + IP_AT + NET_WIRE_IP4_LEN, 104, 220));
    assert_int_equal(rig_count(r, COUNTER_IP_REASM_FAILS), 2);
}

static void bad_headers(void **state)
{
    struct rig *r = *state;
    uint8_t whole[1600], frame[1600];
    uint32_t len;

    rig6_tcp(whole, DATA);
    len = part6(frame, whole + RIG6_AT, 0, 104);
    for (uint16_t cut = 0; cut < 8; cut++) { /* the fragment header itself */
        store_be16(frame + IP_AT + 4, cut);
        expect_nothing(r, frame, len);
    }
    assert_int_equal(rig_count(r, COUNTER_IP6_IN_HDR_ERRORS), 8);
    len = part6(frame, whole + RIG6_AT, 0, 220);
    frame[RIG6_AT] = 44; /* one behind the other */
    frame[RIG6_AT + 8] = NET_WIRE_PROTO_TCP;
    expect_nothing(r, frame, len);
    assert_int_equal(rig_count(r, COUNTER_IP6_IN_HDR_ERRORS), 9);
    /* RFC 8200, 4.5: no whole eights is told, by a question first: we do not know the peer yet. */
    expect_nothing(r, frame, 0);
    assert_int_equal(rig_receive_flags(r, frame, part6(frame, whole + RIG6_AT, 0, 100), 0),
                     NET_SETTLED);
    assert_int_equal(rig_count(r, COUNTER_IP6_IN_HDR_ERRORS), 10);
    assert_int_equal(r->sent_count, 1);
    assert_int_equal(r->sent[0].bytes[RIG6_AT], NET_WIRE_ICMP6_NS);
}

/* RFC 6980, 5. */
static void nobody_is_discovered_in_fragments(void **state)
{
    struct rig *r = *state;
    struct rig6_nd ask = { .type = NET_WIRE_ICMP6_NS,
                           .src = &rig6_peer,
                           .dst = &rig6_ours,
                           .target = &rig6_ours,
                           .mac = rig_peer_mac };
    uint8_t frame[128], payload[64] = { NET_WIRE_PROTO_ICMP6 };
    uint32_t len = rig6_nd(frame, &ask);
    struct rig6_packet p = { .src = &rig6_peer,
                             .dst = &rig6_ours,
                             .proto = 44,
                             .hop_limit = 255,
                             .len = 8 + 32,
                             .payload = payload };

    rig_two_queues(r);
    memcpy(payload + 8, frame + RIG6_AT, len - RIG6_AT);
    expect_nothing(r, frame, rig6_ip(frame, &p));
    assert_int_equal(rig_count(r, COUNTER_NET_IN_ND_INVALID), 1);
    assert_int_equal(r->shared, 0);
}

/* No answer that would have to leave in fragments. */
static void a_large_echo(void **state)
{
    struct rig *r = *state;
    uint8_t frame[2100], icmp[1800] = { 8 };
    struct rig_packet p = { .src = RIG_PEER, .dst = RIG_OURS, .proto = NET_WIRE_PROTO_ICMP };

    store_be16(icmp + 2, rig_slow_csum(0, icmp, sizeof(icmp)));
    for (uint16_t at = 0; at < sizeof(icmp); at = (uint16_t)(at + p.payload_len)) {
        uint32_t len;

        p.payload = icmp + at;
        p.payload_len = at == 0 ? 1400 : sizeof(icmp) - 1400;
        len = rig_ip4(frame, &p);
        store_be16(frame + IP_AT + 6, at == 0 ? NET_WIRE_IP4_MF : at / 8);
        rig_fix_ip4(frame);
        expect_nothing(r, frame, len);
    }
    assert_int_equal(rig_count(r, COUNTER_IP_REASM_OKS), 1);
    assert_int_equal(rig_count(r, COUNTER_NET_IN_ECHOS_LIMITED), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ip4_in_both_orders, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_checksum_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(ip6_in_both_orders, setup, teardown),
        cmocka_unit_test_setup_teardown(atomic_ones_stand_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(overlaps_are_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_discovered_in_fragments, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_echo, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
