/* The kernel has our addresses too: it speaks ARP and ND, we learn from the frames that come. */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "rig6.h"

static const uint8_t other_mac[6] = { 2, 0, 0, 0, 0, 9 };

static int setup(void **state)
{
    struct net_config config = { .address = addr_from_v4(RIG_OURS),
                                 .prefix_length = 24,
                                 .address6 = rig6_ours,
                                 .prefix_length6 = 64,
                                 .shared = true };
    struct rig *r = rig_create(0);

    *state = r;
    if (r == NULL)
        return 1;
    net_destroy(r->net);
    r->keep_reports = true;
    r->net = net_create(
        &config, &(struct net_env){ .nic = &r->nic, .clock = &r->clock, .counters = &r->counters });
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

static void send_to(struct rig *r, const struct addr *to)
{
    struct addr v4 = addr_from_v4(RIG_OURS);

    rig_forget_sent(r);
    net_output_tcp(r->net, rig_segment(r, 10), addr_is_v4(to) ? &v4 : &rig6_ours, to);
    net_flush(r->net);
}

/* What is sent to `to` goes to mac; NULL: nowhere. */
static void expect_way(struct rig *r, const struct addr *to, const uint8_t *mac)
{
    send_to(r, to);
    assert_int_equal(r->sent_count, mac != NULL);
    if (mac != NULL)
        assert_memory_equal(r->sent[0].bytes, mac, 6);
}

static void receive4(struct rig *r, uint32_t from, const uint8_t mac[6])
{
    uint8_t tcp[NET_WIRE_TCP_LEN] = { 0x9c, 0x40, 1, 0xd1, [12] = 0x50, [13] = 2 };
    struct rig_packet p = { .src = from,
                            .dst = RIG_OURS,
                            .proto = NET_WIRE_PROTO_TCP,
                            .payload = tcp,
                            .payload_len = sizeof(tcp) };
    uint8_t frame[128], pseudo[12] = { 0 };
    uint32_t sum = 0;

    store_be32(pseudo, from);
    store_be32(pseudo + 4, RIG_OURS);
    pseudo[9] = NET_WIRE_PROTO_TCP;
    pseudo[11] = sizeof(tcp);
    for (unsigned i = 0; i < sizeof(pseudo); i += 2)
        sum += load_be16(pseudo + i);
    store_be16(tcp + NET_WIRE_TCP_CSUM_AT, rig_slow_csum(sum, tcp, sizeof(tcp)));
    rig_ip4(frame, &p);
    memcpy(frame + 6, mac, 6);
    assert_int_equal(rig_receive_flags(r, frame, NET_WIRE_ETH_LEN + 40, 0), NET_TCP);
}

static void says_nothing_by_itself(void **state)
{
    struct rig *r = *state;

    for (unsigned i = 0; i < 100; i++)
        rig_wait_ms(r, 1000);
    assert_int_equal(r->sent_count, 0);
    assert_true(net_next_ns(r->net) == UINT64_MAX);
}

static void answers_go_where_frames_came_from(void **state)
{
    struct rig *r = *state;
    struct addr peer = addr_from_v4(RIG_PEER), far = addr_from_v4(RIG_FAR);
    uint8_t frame[128];
    uint32_t len;

    expect_way(r, &peer, NULL);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_UNRESOLVED), 1);
    receive4(r, RIG_PEER, rig_peer_mac);
    expect_way(r, &peer, rig_peer_mac);
    expect_way(r, &far, NULL); /* no far host was heard of */
    receive4(r, RIG_FAR, other_mac);
    expect_way(r, &far, other_mac);
    expect_way(r, &peer, rig_peer_mac);
    receive4(r, RIG_PEER, other_mac); /* it has moved */
    expect_way(r, &peer, other_mac);

    expect_way(r, &rig6_peer, NULL);
    len = rig6_tcp(frame, 0); /* at once: the address was the kernel's to ask for */
    assert_int_equal(rig_receive_flags(r, frame, len, 0), NET_TCP);
    expect_way(r, &rig6_peer, rig_peer_mac);
    expect_way(r, &rig6_far, NULL);
}

/* Never asked again, and known for as long as it speaks or is spoken to. */
static void lasts_while_in_use(void **state)
{
    struct rig *r = *state;
    struct addr peer = addr_from_v4(RIG_PEER);

    receive4(r, RIG_PEER, rig_peer_mac);
    for (unsigned minute = 0; minute < 30; minute += 5) {
        rig_wait_ms(r, 300 * 1000);
        expect_way(r, &peer, rig_peer_mac);
    }
    rig_wait_ms(r, LIMIT_NET_NEIGHBOUR_IDLE_MS + 1);
    expect_way(r, &peer, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_nothing_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_go_where_frames_came_from, setup, teardown),
        cmocka_unit_test_setup_teardown(lasts_while_in_use, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
