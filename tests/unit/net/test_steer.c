/* What belongs to another core: TCP segments, fragments that became one, ICMP errors; each as the
 * whole frame that its owner can take for its own. */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "rig6.h"

#define IP_AT NET_WIRE_ETH_LEN
#define DATA  200

static int setup(void **state)
{
    struct rig *r = rig6_create(0);

    *state = r;
    if (r == NULL)
        return 1;
    rig_two_queues(r);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

/* All connections are of this queue. */
static void all_are_of(struct rig *r, uint8_t queue)
{
    memset(r->spread.queue, queue, sizeof(r->spread.queue));
}

static void expect_given(struct rig *r, unsigned count, const uint8_t *frame, uint32_t len)
{
    assert_int_equal(r->shared, count);
    assert_int_equal(rig_count(r, COUNTER_NET_STRAYS_GIVEN), count);
    assert_int_equal(r->given_to, 1);
    assert_int_equal(r->given.len, len);
    assert_memory_equal(r->given.bytes, frame, len);
}

static void our_own_stay(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];

    all_are_of(r, 0);
    assert_int_equal(rig_receive_flags(r, frame, rig_tcp(frame, DATA), 0), NET_TCP);
    assert_int_equal(rig_receive_flags(r, frame, rig6_tcp(frame, DATA), 0), NET_TCP);
    assert_int_equal(r->shared, 0);
}

static void strays_go_to_their_core(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig_tcp(frame, DATA);

    all_are_of(r, 1);
    assert_int_equal(rig_receive_flags(r, frame, len, 0), NET_SETTLED);
    expect_given(r, 1, frame, len);
    assert_int_equal(r->given.flags, SEG_RX_L3_CSUM_GOOD | SEG_RX_L4_CSUM_GOOD);
    len = rig6_tcp(frame, DATA);
    assert_int_equal(rig_receive_flags(r, frame, len, 0), NET_SETTLED);
    expect_given(r, 2, frame, len);
    /* There it is taken, whatever that core thinks. */
    assert_int_equal(rig_receive_flags(r, frame, len, SEG_RX_SHARED), NET_TCP);
    assert_int_equal(r->shared, 2);
    assert_int_equal(rig_count(r, COUNTER_NET_STRAYS_TAKEN), 1);
    /* Of two cores the one that had them of the device counts them. */
    assert_int_equal(rig_count(r, COUNTER_IP_IN_RECEIVES), 1);
    assert_int_equal(rig_count(r, COUNTER_IP_IN_DELIVERS), 1);
    assert_int_equal(rig_count(r, COUNTER_IP6_IN_RECEIVES), 1);
    assert_int_equal(rig_count(r, COUNTER_IP6_IN_DELIVERS), 1);
}

static void no_room_there(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];

    all_are_of(r, 1);
    r->give_budget = 0;
    assert_int_equal(rig_receive_flags(r, frame, rig_tcp(frame, DATA), 0), NET_SETTLED);
    assert_int_equal(rig_count(r, COUNTER_NET_STRAYS_GIVEN), 0);
    assert_int_equal(rig_count(r, COUNTER_NET_STRAYS_LOST), 1);
}

static void broken_ones_go_nowhere(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig_tcp(frame, DATA);

    all_are_of(r, 1);
    frame[len - 1] ^= 1;
    assert_int_equal(rig_receive_flags(r, frame, len, 0), NET_SETTLED);
    assert_int_equal(r->shared, 0);
    assert_int_equal(rig_count(r, COUNTER_NET_IN_CSUM_ERRORS), 1);
}

/* What was given is a frame that the other core can input: its segment is that of `whole`. */
static void expect_segment_given(struct rig *r, const uint8_t *segment)
{
    struct rig_frame given = r->given;
    struct net_rx rx;
    struct seg *s;

    assert_int_equal(r->shared, 1);
    all_are_of(r, 0);
    assert_int_equal(rig_receive_rx(r, given.bytes, given.len, &rx), NET_TCP);
    s = rx.s;
    assert_int_equal(s->len, NET_WIRE_TCP_LEN + DATA);
    assert_memory_equal(s->data, segment, s->len);
    assert_int_equal(rx.tos, 0x03);
    seg_release(s);
}

static void fragments_by_the_ports_of_the_first(void **state)
{
    struct rig *r = *state;
    uint8_t whole[1600], frame[1600];
    const uint8_t *segment = whole + IP_AT + NET_WIRE_IP4_LEN;
    struct rig_packet p = { .src = RIG_PEER, .dst = RIG_OURS, .proto = NET_WIRE_PROTO_TCP };
    static const uint16_t cuts[] = { 104, NET_WIRE_TCP_LEN + DATA, 0, 104 }; /* the last first */

    all_are_of(r, 1);
    rig_tcp(whole, DATA);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t len;

        p.payload = segment + cuts[2 * i];
        p.payload_len = (uint16_t)(cuts[2 * i + 1] - cuts[2 * i]);
        p.option_words = (uint8_t)(2 * i);
        len = rig_ip4(frame, &p);
        frame[IP_AT + 1] = 0x03; /* congestion experienced */
        store_be16(frame + IP_AT + 6, (uint16_t)(cuts[2 * i] / 8 | (i == 0 ? 0 : NET_WIRE_IP4_MF)));
        rig_fix_ip4(frame);
        assert_int_equal(rig_receive_flags(r, frame, len, 0), NET_SETTLED);
    }
    expect_segment_given(r, segment);
}

static void fragments6_by_the_ports_of_the_first(void **state)
{
    struct rig *r = *state;
    uint8_t whole[1600], frame[1600], part[1600] = { NET_WIRE_PROTO_TCP, 0, 0, 0, 1, 2, 3, 4 };
    struct rig6_packet p = {
        .src = &rig6_peer, .dst = &rig6_ours, .proto = 44, .hop_limit = 61, .payload = part
    };
    static const uint16_t cuts[] = { 0, 104, NET_WIRE_TCP_LEN + DATA };

    all_are_of(r, 1);
    rig6_tcp(whole, DATA);
    for (unsigned i = 0; i < 2; i++) {
        uint16_t bytes = (uint16_t)(cuts[i + 1] - cuts[i]);
        uint32_t len;

        store_be16(part + 2, (uint16_t)(cuts[i] | (i == 0)));
        memcpy(part + 8, whole + RIG6_AT + cuts[i], bytes);
        p.len = (uint16_t)(8 + bytes);
        len = rig6_ip(frame, &p);
        frame[IP_AT + 1] |= 0x30;
        assert_int_equal(rig_receive_flags(r, frame, len, 0), NET_SETTLED);
    }
    expect_segment_given(r, whole + RIG6_AT);
}

/* "Too big" about a segment of ours to the far host. */
static uint32_t too_big(uint8_t *frame)
{
    uint8_t m[36] = { 3, 4 };
    struct net_wire_ip4 quoted = { .total_len = 1500,
                                   .frag = NET_WIRE_IP4_DF,
                                   .proto = NET_WIRE_PROTO_TCP,
                                   .src = RIG_OURS,
                                   .dst = RIG_FAR };
    struct rig_packet p = { .src = RIG_GATEWAY,
                            .dst = RIG_OURS,
                            .proto = NET_WIRE_PROTO_ICMP,
                            .payload = m,
                            .payload_len = sizeof(m) };

    store_be16(m + 6, 1400);
    net_wire_ip4_write(m + 8, &quoted);
    store_be16(m + 28, 465);
    store_be16(m + 30, 40000);
    store_be16(m + 2, rig_slow_csum(0, m, sizeof(m)));
    return rig_ip4(frame, &p);
}

static void errors_go_by_what_they_quote(void **state)
{
    struct rig *r = *state;
    struct endpoint local = { addr_from_v4(RIG_OURS), 465 },
                    peer = { addr_from_v4(RIG_FAR), 40000 };
    uint8_t frame[128];
    uint32_t len = too_big(frame);

    all_are_of(r, 0);
    assert_int_equal(rig_receive_flags(r, frame, len, 0), NET_ERROR);
    r->spread.queue[spread_hash(&r->spread, &peer, &local) & (r->spread.entries - 1)] = 1;
    assert_int_equal(rig_receive_flags(r, frame, len, 0), NET_SETTLED);
    expect_given(r, 1, frame, len);
    assert_int_equal(rig_receive_flags(r, frame, len, SEG_RX_SHARED), NET_ERROR);
    assert_int_equal(r->shared, 1);
}

static void a_flood_of_errors_is_not_handed_on(void **state)
{
    struct rig *r = *state;
    uint8_t frame[128];
    uint32_t len = too_big(frame);

    all_are_of(r, 1);
    for (unsigned i = 0; i < 10 * LIMIT_NET_ICMP_GIVEN_BURST; i++)
        assert_int_equal(rig_receive_flags(r, frame, len, 0), NET_SETTLED);
    assert_int_equal(r->shared, LIMIT_NET_ICMP_GIVEN_BURST);
    assert_int_equal(rig_count(r, COUNTER_NET_STRAYS_LOST), 9 * LIMIT_NET_ICMP_GIVEN_BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(our_own_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(strays_go_to_their_core, setup, teardown),
        cmocka_unit_test_setup_teardown(no_room_there, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_ones_go_nowhere, setup, teardown),
        cmocka_unit_test_setup_teardown(fragments_by_the_ports_of_the_first, setup, teardown),
        cmocka_unit_test_setup_teardown(fragments6_by_the_ports_of_the_first, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_go_by_what_they_quote, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood_of_errors_is_not_handed_on, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
