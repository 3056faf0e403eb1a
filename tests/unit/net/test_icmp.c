/* Echo: the reply byte for byte, its rate, and who gets none. */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "rig.h"

#define IP_AT   NET_WIRE_ETH_LEN
#define ICMP_AT (NET_WIRE_ETH_LEN + NET_WIRE_IP4_LEN)

/* With the peer's address known, so that replies leave at once. */
static int setup(void **state)
{
    struct rig *r = rig_create(0);
    uint8_t frame[64];
    struct seg *s;

    *state = r;
    if (r == NULL)
        return 1;
    rig_receive(r, frame, rig_arp_peer(frame, NET_WIRE_ARP_REQUEST), &s);
    rig_forget_sent(r);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

static void reply_is_the_request_turned_round(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600], want[1600];
    struct seg *s;

    for (uint16_t data = 0; data <= 1472; data += 46) {
        uint32_t len = rig_echo(frame, RIG_PEER, data);

        /* From the wire's own words: echo reply, the addresses swapped, DF, TTL 64, checksums anew.
         */
        memcpy(want, frame, len);
        memcpy(want, rig_peer_mac, 6);
        memcpy(want + 6, rig_our_mac, 6);
        store_be16(want + IP_AT + 6, NET_WIRE_IP4_DF);
        want[IP_AT + 8] = 64;
        store_be32(want + IP_AT + 12, RIG_OURS);
        store_be32(want + IP_AT + 16, RIG_PEER);
        rig_fix_ip4(want);
        want[ICMP_AT] = 0;
        store_be16(want + ICMP_AT + 2, 0);
        store_be16(want + ICMP_AT + 2, rig_slow_csum(0, want + ICMP_AT, len - ICMP_AT));

        rig_forget_sent(r);
        rig_wait_ms(r, 10);
        rig_receive(r, frame, len, &s);
        assert_int_equal(r->sent_count, 1);
        assert_int_equal(r->sent[0].len, len);
        assert_memory_equal(r->sent[0].bytes, want, len);
    }
}

static void options_do_not_come_back(void **state)
{
    struct rig *r = *state;
    uint8_t plain[1600], frame[1600];
    uint32_t plain_len = rig_echo(plain, RIG_PEER, 10);
    struct rig_packet p = { .src = RIG_PEER,
                            .dst = RIG_OURS,
                            .proto = NET_WIRE_PROTO_ICMP,
                            .option_words = 10,
                            .payload = plain + ICMP_AT,
                            .payload_len = (uint16_t)(plain_len - ICMP_AT) };
    struct seg *s;

    rig_receive(r, frame, rig_ip4(frame, &p), &s);
    assert_int_equal(r->sent_count, 1);
    assert_int_equal(r->sent[0].len, plain_len);
    assert_int_equal(r->sent[0].bytes[IP_AT], 0x45);
}

static void device_fills_the_header_checksum(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    struct seg *s;

    r->nic.offloads = NIC_TX_L3_CSUM | NIC_TX_L4_CSUM;
    rig_receive(r, frame, rig_echo(frame, RIG_PEER, 10), &s);
    assert_int_equal(r->sent_count, 1);
    assert_int_equal(r->sent[0].flags, SEG_TX_L3_CSUM);
    assert_int_equal(load_be16(r->sent[0].bytes + IP_AT + 10), 0);
}

static void rate_is_bounded(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig_echo(frame, RIG_PEER, 10);
    struct seg *s;

    for (unsigned i = 0; i < 1000; i++)
        rig_receive(r, frame, len, &s);
    assert_int_equal(r->sent_count, LIMIT_NET_ECHO_BURST);
    assert_int_equal(rig_count(r, COUNTER_NET_IN_ECHOS), 1000);
    assert_int_equal(rig_count(r, COUNTER_NET_IN_ECHOS_LIMITED), 1000 - LIMIT_NET_ECHO_BURST);
    rig_wait_ms(r, 10);
    for (unsigned i = 0; i < 1000; i++)
        rig_receive(r, frame, len, &s);
    assert_int_equal(r->sent_count, LIMIT_NET_ECHO_BURST + LIMIT_NET_ECHO_PER_S / 100);
}

static void expect_silence(struct rig *r, const uint8_t *frame, uint32_t len, enum counter_id why)
{
    uint64_t before = rig_count(r, why);
    struct seg *s;

    assert_int_equal(rig_receive(r, frame, len, &s), NET_SETTLED);
    assert_int_equal(r->sent_count, 0);
    assert_int_equal(rig_count(r, why), before + 1);
}

static void bad_ones_get_nothing(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig_echo(frame, RIG_PEER, 10);

    for (uint32_t bit = ICMP_AT * 8; bit < len * 8; bit++) {
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_silence(r, frame, len, COUNTER_NET_IN_CSUM_ERRORS);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (uint16_t icmp = 0; icmp < NET_WIRE_ICMP_LEN; icmp++) {
        struct rig_packet p = { .src = RIG_PEER,
                                .dst = RIG_OURS,
                                .proto = NET_WIRE_PROTO_ICMP,
                                .payload = frame + ICMP_AT,
                                .payload_len = icmp };
        uint8_t cut[1600];

        expect_silence(r, cut, rig_ip4(cut, &p), COUNTER_NET_IN_MALFORMED);
    }
    expect_silence(r, frame, rig_echo(frame, 0xffffffff, 10), COUNTER_NET_IN_MARTIANS);
    expect_silence(r, frame, rig_echo(frame, 0xe0000001, 10), COUNTER_NET_IN_MARTIANS);
    expect_silence(r, frame, rig_echo(frame, 0xc00002ff, 10), COUNTER_NET_IN_MARTIANS);
}

static void other_messages_get_nothing(void **state)
{
    struct rig *r = *state;
    uint8_t frame[1600];
    uint32_t len = rig_echo(frame, RIG_PEER, 10);

    for (unsigned type = 0; type <= 0xff; type++) {
        frame[ICMP_AT] = (uint8_t)type;
        frame[ICMP_AT + 1] = type == 8 ? 1 : 0; /* an echo request has no other code */
        store_be16(frame + ICMP_AT + 2, 0);
        store_be16(frame + ICMP_AT + 2, rig_slow_csum(0, frame + ICMP_AT, len - ICMP_AT));
        expect_silence(r, frame, len, COUNTER_NET_IN_ICMP_OTHER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reply_is_the_request_turned_round, setup, teardown),
        cmocka_unit_test_setup_teardown(options_do_not_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(device_fills_the_header_checksum, setup, teardown),
        cmocka_unit_test_setup_teardown(rate_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_ones_get_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(other_messages_get_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
