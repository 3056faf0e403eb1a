/* ARP: answering, asking, learning from the right ones only, forgetting, and bounded memory. */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "rig.h"

#define ARP_AT NET_WIRE_ETH_LEN

static const uint8_t nobody[6];

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

static void receive(struct rig *r, const uint8_t *frame, uint32_t len)
{
    struct seg *s;

    assert_int_equal(rig_receive(r, frame, len, &s), NET_SETTLED);
}

static void send_from_to(struct rig *r, uint32_t from, uint32_t to)
{
    struct addr src = addr_from_v4(from), dst = addr_from_v4(to);

    net_output_tcp(r->net, rig_segment(r, 10), &src, &dst);
    net_flush(r->net);
}

static void send_to(struct rig *r, uint32_t to)
{
    send_from_to(r, RIG_OURS, to);
}

/* The frame is an ARP request of ours for `target`. */
static void expect_request(const struct rig_frame *f, uint32_t target)
{
    struct net_wire_arp arp;

    assert_int_equal(f->len, NET_WIRE_ETH_LEN + NET_WIRE_ARP_LEN);
    assert_memory_equal(f->bytes, rig_broadcast, 6);
    assert_memory_equal(f->bytes + 6, rig_our_mac, 6);
    assert_int_equal(load_be16(f->bytes + 12), NET_WIRE_TYPE_ARP);
    assert_true(net_wire_arp_read(span_of(f->bytes + ARP_AT, NET_WIRE_ARP_LEN), &arp));
    assert_int_equal(arp.op, NET_WIRE_ARP_REQUEST);
    assert_memory_equal(arp.sender_mac, rig_our_mac, 6);
    assert_int_equal(arp.sender_ip, RIG_OURS);
    assert_memory_equal(arp.target_mac, nobody, 6);
    assert_int_equal(arp.target_ip, target);
}

static void expect_packet(const struct rig_frame *f, const uint8_t mac[6])
{
    assert_memory_equal(f->bytes, mac, 6);
    assert_memory_equal(f->bytes + 6, rig_our_mac, 6);
    assert_int_equal(load_be16(f->bytes + 12), NET_WIRE_TYPE_IP4);
}

static void announces_itself(void **state)
{
    struct rig *r = *state;
    struct net_config config = { .address = addr_from_v4(RIG_OURS), .prefix_length = 24 };
    struct net_env env = { .nic = &r->nic, .clock = &r->clock, .counters = &r->counters };
    struct net *n = net_create(&config, &env);

    net_flush(n);
    assert_int_equal(r->sent_count, 1);
    expect_request(&r->sent[0], RIG_OURS);
    net_destroy(n);
}

static void answers_the_wire(void **state)
{
    /* As Linux sends it: padded to 60 bytes. */
    static const uint8_t request[60] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,   0, 0, 0, 1, 8, 6, 0, 1, 8, 0,   6, 4, 0,
        1,    2,    0,    0,    0,    0,    1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2,
    };
    static const uint8_t reply[42] = {
        2, 0, 0, 0, 0, 1, 2, 0,   0, 0, 0, 2, 8, 6, 0, 1, 8, 0,   6, 4, 0,
        2, 2, 0, 0, 0, 0, 2, 192, 0, 2, 2, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1,
    };
    struct rig *r = *state;

    receive(r, request, sizeof(request));
    assert_int_equal(r->sent_count, 1);
    assert_int_equal(r->sent[0].len, sizeof(reply));
    assert_memory_equal(r->sent[0].bytes, reply, sizeof(reply));
    /* It learnt the asker's address from that. */
    send_to(r, RIG_PEER);
    assert_int_equal(r->sent_count, 2);
    expect_packet(&r->sent[1], rig_peer_mac);
}

static void answers_a_probe_and_learns_nothing(void **state)
{
    struct rig *r = *state;
    struct net_wire_arp probe = { .op = NET_WIRE_ARP_REQUEST, .target_ip = RIG_OURS };
    uint8_t frame[64];

    memcpy(probe.sender_mac, rig_peer_mac, 6);
    receive(r, frame, rig_arp(frame, &probe, rig_broadcast));
    assert_int_equal(r->sent_count, 1);
    assert_int_equal(load_be16(r->sent[0].bytes + ARP_AT + 6), NET_WIRE_ARP_REPLY);
}

static void cut_and_wrong_ones(void **state)
{
    struct rig *r = *state;
    uint8_t good[64], frame[64];
    uint32_t len = rig_arp_peer(good, NET_WIRE_ARP_REQUEST);

    for (uint32_t cut = 0; cut < len; cut++)
        receive(r, good, cut);
    assert_int_equal(rig_count(r, COUNTER_NET_IN_MALFORMED), len);
    for (uint32_t i = ARP_AT; i < ARP_AT + 6; i++) { /* hardware, protocol and their lengths */
        memcpy(frame, good, len);
        frame[i] ^= 1;
        receive(r, frame, len);
    }
    memcpy(frame, good, len);
    frame[ARP_AT + 8] |= 1; /* a group as a sender */
    receive(r, frame, len);
    assert_int_equal(rig_count(r, COUNTER_NET_IN_MALFORMED), len + 7);
    assert_int_equal(r->sent_count, 0);
}

static void asks_and_sends_what_waited(void **state)
{
    struct rig *r = *state;
    uint8_t frame[64];

    send_to(r, RIG_PEER);
    assert_int_equal(r->sent_count, 1);
    expect_request(&r->sent[0], RIG_PEER);
    receive(r, frame, rig_arp_peer(frame, NET_WIRE_ARP_REPLY));
    assert_int_equal(r->sent_count, 2);
    expect_packet(&r->sent[1], rig_peer_mac);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_UNRESOLVED), 0);
}

static void the_latest_waits(void **state)
{
    struct rig *r = *state;
    struct addr src = addr_from_v4(RIG_OURS), dst = addr_from_v4(RIG_PEER);
    uint8_t frame[64];

    for (uint16_t len = 1; len <= 5; len++)
        net_output_tcp(r->net, rig_segment(r, len), &src, &dst);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_UNRESOLVED), 4);
    receive(r, frame, rig_arp_peer(frame, NET_WIRE_ARP_REPLY));
    assert_int_equal(r->sent_count, 2); /* one request, one packet */
    assert_int_equal(r->sent[1].len, NET_WIRE_ETH_LEN + NET_WIRE_IP4_LEN + NET_WIRE_TCP_LEN + 5);
}

static void far_ones_go_to_the_gateway(void **state)
{
    struct rig *r = *state;

    send_to(r, RIG_FAR);
    expect_request(&r->sent[0], RIG_GATEWAY);
    send_to(r, 0x01020304);
    assert_int_equal(r->sent_count, 1); /* the same neighbour: asked once */
}

static void backs_off_and_gives_up(void **state)
{
    struct rig *r = *state;
    unsigned at_s[8] = { 0 };
    unsigned seen = 1;

    send_to(r, RIG_PEER);
    for (unsigned ms = 100; ms <= 20000; ms += 100) {
        rig_wait_ms(r, 100);
        if (r->sent_count > seen && seen < 8)
            at_s[seen++] = ms / 1000;
    }
    assert_int_equal(r->sent_count, LIMIT_NET_NEIGHBOUR_TRIES);
    assert_int_equal(at_s[1], 1);
    assert_int_equal(at_s[2], 3);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_UNRESOLVED), 1);
    assert_int_equal(r->plain->ops->available(r->plain), RIG_SEGS); /* what waited went home */
    assert_true(net_next_ns(r->net) == UINT64_MAX);
    send_to(r, RIG_PEER); /* asking begins anew */
    assert_int_equal(r->sent_count, LIMIT_NET_NEIGHBOUR_TRIES + 1);
}

static void asks_again_while_in_use(void **state)
{
    static const uint8_t moved[6] = { 2, 0, 0, 0, 0, 0x99 };
    struct rig *r = *state;
    struct net_wire_arp reply = { .op = NET_WIRE_ARP_REPLY,
                                  .sender_ip = RIG_PEER,
                                  .target_ip = RIG_OURS };
    uint8_t frame[64];

    receive(r, frame, rig_arp_peer(frame, NET_WIRE_ARP_REQUEST));
    rig_forget_sent(r);
    rig_wait_ms(r, LIMIT_NET_ARP_FRESH_MS - 1);
    send_to(r, RIG_PEER);
    assert_int_equal(r->sent_count, 1);
    rig_wait_ms(r, 2);
    send_to(r, RIG_PEER); /* still to the old address, and a request beside it */
    assert_int_equal(r->sent_count, 3);
    expect_request(&r->sent[1], RIG_PEER);
    expect_packet(&r->sent[2], rig_peer_mac);
    memcpy(reply.sender_mac, moved, 6);
    receive(r, frame, rig_arp(frame, &reply, rig_our_mac));
    send_to(r, RIG_PEER);
    expect_packet(&r->sent[3], moved);
}

static void gone_while_in_use(void **state)
{
    struct rig *r = *state;
    uint8_t frame[64];

    receive(r, frame, rig_arp_peer(frame, NET_WIRE_ARP_REQUEST));
    rig_wait_ms(r, LIMIT_NET_ARP_FRESH_MS);
    for (unsigned s = 0; s <= 7; s++) {
        send_to(r, RIG_PEER);
        rig_wait_ms(r, 1000);
    }
    rig_forget_sent(r);
    send_to(r, RIG_PEER); /* nothing goes to the old address any more */
    for (unsigned i = 0; i < r->sent_count; i++)
        expect_request(&r->sent[i], RIG_PEER);
}

static void idle_ones_are_forgotten(void **state)
{
    struct rig *r = *state;
    uint8_t frame[64];

    receive(r, frame, rig_arp_peer(frame, NET_WIRE_ARP_REQUEST));
    rig_wait_ms(r, LIMIT_NET_NEIGHBOUR_IDLE_MS + 1);
    assert_true(net_next_ns(r->net) == UINT64_MAX);
    rig_forget_sent(r);
    send_to(r, RIG_PEER);
    expect_request(&r->sent[0], RIG_PEER);
}

static void learns_from_no_stranger(void **state)
{
    struct rig *r = *state;
    struct net_wire_arp arp = { .sender_ip = RIG_PEER, .sender_mac = { 2, 6, 6, 6, 6, 6 } };
    uint8_t frame[64];

    /* An answer to no question; gossip between others; an announcement. */
    arp.op = NET_WIRE_ARP_REPLY;
    arp.target_ip = RIG_OURS;
    receive(r, frame, rig_arp(frame, &arp, rig_our_mac));
    arp.target_ip = RIG_GATEWAY;
    receive(r, frame, rig_arp(frame, &arp, rig_broadcast));
    arp.op = NET_WIRE_ARP_REQUEST;
    receive(r, frame, rig_arp(frame, &arp, rig_broadcast));
    arp.target_ip = RIG_PEER;
    receive(r, frame, rig_arp(frame, &arp, rig_broadcast));
    assert_int_equal(r->sent_count, 0);
    send_to(r, RIG_PEER);
    expect_request(&r->sent[0], RIG_PEER);

    /* A known one is not overwritten by an answer that nobody asked for. */
    receive(r, frame, rig_arp_peer(frame, NET_WIRE_ARP_REPLY));
    arp.op = NET_WIRE_ARP_REPLY;
    arp.target_ip = RIG_OURS;
    receive(r, frame, rig_arp(frame, &arp, rig_our_mac));
    rig_forget_sent(r);
    send_to(r, RIG_PEER);
    expect_packet(&r->sent[0], rig_peer_mac);
}

static void learns_of_no_far_host(void **state)
{
    struct rig *r = *state;
    static const uint32_t senders[] = { RIG_FAR, 0xc0000200, 0xc00002ff };
    struct net_wire_arp arp = { .op = NET_WIRE_ARP_REQUEST,
                                .sender_mac = { 2, 6, 6, 6, 6, 6 },
                                .target_ip = RIG_OURS };
    uint8_t frame[64];

    for (unsigned i = 0; i < 3; i++) {
        arp.sender_ip = senders[i];
        receive(r, frame, rig_arp(frame, &arp, rig_broadcast));
    }
    assert_true(net_next_ns(r->net) == UINT64_MAX); /* the cache is empty */
}

/* RFC 3021: a link of two has neither a broadcast nor a "this network": both hosts are hosts. */
static void both_hosts_of_a_link_of_two(void **state)
{
    struct rig *r = *state;
    struct net_config config = { .address = addr_from_v4(RIG_OURS), .prefix_length = 31 };
    struct net_env env = { .nic = &r->nic, .clock = &r->clock, .counters = &r->counters };
    struct net *usual = r->net;
    struct net_wire_arp arp = { .op = NET_WIRE_ARP_REQUEST,
                                .sender_ip = RIG_OURS ^ 1,
                                .sender_mac = { 2, 0, 0, 0, 0, 7 },
                                .target_ip = RIG_OURS };
    uint8_t frame[64];

    for (unsigned host = 0; host < 2; host++) { /* ours is the even one, then the odd one */
        config.address = addr_from_v4(arp.target_ip);
        r->net = net_create(&config, &env);
        rig_forget_sent(r);
        receive(r, frame, rig_arp(frame, &arp, rig_broadcast));
        assert_int_equal(r->sent_count, 2); /* the announcement of the start, and the answer */
        assert_int_equal(load_be16(r->sent[1].bytes + ARP_AT + 6), NET_WIRE_ARP_REPLY);
        assert_memory_equal(r->sent[1].bytes, arp.sender_mac, 6);
        send_from_to(r, arp.target_ip, arp.sender_ip);
        assert_int_equal(r->sent_count, 3);
        expect_packet(&r->sent[2], arp.sender_mac); /* it was learnt */
        net_destroy(r->net);
        arp.target_ip ^= 1;
        arp.sender_ip ^= 1;
    }
    r->net = usual;
}

/* What other cores must know is given to them, whole; what comes from them is learnt, not answered.
 */
static void shared_with_other_cores(void **state)
{
    struct rig *r = *state;
    struct net_wire_arp gossip = { .op = NET_WIRE_ARP_REQUEST,
                                   .sender_ip = RIG_PEER,
                                   .target_ip = RIG_GATEWAY };
    uint8_t frame[64];
    uint32_t len = rig_arp_peer(frame, NET_WIRE_ARP_REQUEST);

    rig_two_queues(r);
    receive(r, frame, len);
    assert_int_equal(r->shared, 1);
    assert_int_equal(r->given.len, len);
    receive(r, frame, rig_arp_peer(frame, NET_WIRE_ARP_REPLY));
    assert_int_equal(r->shared, 2);
    memcpy(gossip.sender_mac, rig_peer_mac, 6);
    receive(r, frame, rig_arp(frame, &gossip, rig_broadcast));
    assert_int_equal(r->shared, 2);
}

static void shared_by_other_cores(void **state)
{
    struct rig *r = *state;
    uint8_t frame[64];
    uint32_t len = rig_arp_peer(frame, NET_WIRE_ARP_REQUEST);

    rig_two_queues(r);
    rig_receive_flags(r, frame, len, SEG_RX_SHARED);
    assert_int_equal(r->sent_count, 0); /* the core that received it answers */
    assert_int_equal(r->shared, 0);
    send_to(r, RIG_PEER);
    expect_packet(&r->sent[0], rig_peer_mac);
}

static void our_address_elsewhere_is_counted(void **state)
{
    struct rig *r = *state;
    struct net_wire_arp arp = { .op = NET_WIRE_ARP_REQUEST,
                                .sender_mac = { 2, 6, 6, 6, 6, 6 },
                                .sender_ip = RIG_OURS,
                                .target_ip = RIG_OURS };
    uint8_t frame[64];

    receive(r, frame, rig_arp(frame, &arp, rig_broadcast));
    assert_int_equal(rig_count(r, COUNTER_NET_IN_ARP_CONFLICTS), 1);
    memcpy(arp.sender_mac, rig_our_mac, 6); /* our own words, come back */
    receive(r, frame, rig_arp(frame, &arp, rig_broadcast));
    assert_int_equal(rig_count(r, COUNTER_NET_IN_ARP_CONFLICTS), 1);
    assert_int_equal(r->sent_count, 0);
}

/* Invented senders by the thousand, more than there are places, push out nobody that we send to. */
static void request_flood(void **state)
{
    struct rig *r = *state;
    struct net_wire_arp arp = { .op = NET_WIRE_ARP_REQUEST, .target_ip = RIG_OURS };
    struct net_config config = { .address = addr_from_v4(RIG_OURS), .prefix_length = 8 };
    struct net_env env = { .nic = &r->nic, .clock = &r->clock, .counters = &r->counters };
    struct net *narrow = r->net;
    uint8_t frame[64];

    r->net = net_create(&config, &env);
    receive(r, frame, rig_arp_peer(frame, NET_WIRE_ARP_REQUEST));
    send_to(r, RIG_PEER);
    for (uint32_t i = 0; i < 100000; i++) {
        if (i % 1000 == 0)
            rig_wait_ms(r, 1);
        arp.sender_ip = 0xc0100000 + i;
        memcpy(arp.sender_mac, &(uint8_t[6]){ 2, 6, 6, (uint8_t)i, (uint8_t)(i >> 8) }, 6);
        receive(r, frame, rig_arp(frame, &arp, rig_broadcast));
    }
    assert_int_equal(r->plain->ops->available(r->plain), RIG_SEGS);
    rig_forget_sent(r);
    send_to(r, RIG_PEER);
    expect_packet(&r->sent[0], rig_peer_mac);
    net_destroy(r->net);
    r->net = narrow;
}

/* More neighbours than places, none of which answers: bounded segments, bounded requests. */
static void unknown_flood(void **state)
{
    struct rig *r = *state;
    struct net_config config = { .address = addr_from_v4(RIG_OURS), .prefix_length = 8 };
    struct net_env env = { .nic = &r->nic, .clock = &r->clock, .counters = &r->counters };
    struct net *wide = net_create(&config, &env);
    struct addr src = addr_from_v4(RIG_OURS), dst;

    for (uint32_t i = 0; i < 20000; i++) {
        dst = addr_from_v4(0xc0100000 + i);
        net_output_tcp(wide, rig_segment(r, 10), &src, &dst);
        net_flush(wide);
        assert_true(r->plain->ops->available(r->plain) >= RIG_SEGS - LIMIT_NET_NEIGHBOURS);
    }
    assert_int_equal(r->sent_count, LIMIT_NET_ASK_BURST);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_UNRESOLVED), 20000 - LIMIT_NET_NEIGHBOURS);
    net_destroy(wide);
    assert_int_equal(r->plain->ops->available(r->plain), RIG_SEGS);
}

/* RFC 6583: packets that make us ask for nobody cost no neighbour that answers its place. */
static void unknown_ones_push_out_no_known_one(void **state)
{
    struct rig *r = *state;
    struct net_config config = { .address = addr_from_v4(RIG_OURS), .prefix_length = 8 };
    struct net_env env = { .nic = &r->nic, .clock = &r->clock, .counters = &r->counters };
    struct net *narrow = r->net;
    uint8_t frame[64];

    r->net = net_create(&config, &env);
    receive(r, frame, rig_arp_peer(frame, NET_WIRE_ARP_REQUEST));
    send_to(r, RIG_PEER);
    rig_wait_ms(r, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        send_to(r, 0xc0100000 + i);
    rig_forget_sent(r);
    send_to(r, RIG_PEER);
    expect_packet(&r->sent[0], rig_peer_mac);
    net_destroy(r->net);
    r->net = narrow;
}

/* No segment for a request: nothing breaks, and it is sent as soon as there is one. */
static void no_segments(void **state)
{
    struct rig *r = *state;

    fault_set(&r->pool.fault, 1, 2);
    send_to(r, RIG_PEER);
    assert_int_equal(r->sent_count, 0);
    rig_wait_ms(r, 10);
    assert_int_equal(r->sent_count, 0);
    rig_wait_ms(r, 10);
    assert_int_equal(r->sent_count, 1);
    expect_request(&r->sent[0], RIG_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(announces_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_the_wire, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_a_probe_and_learns_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_and_wrong_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(asks_and_sends_what_waited, setup, teardown),
        cmocka_unit_test_setup_teardown(the_latest_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(far_ones_go_to_the_gateway, setup, teardown),
        cmocka_unit_test_setup_teardown(backs_off_and_gives_up, setup, teardown),
        cmocka_unit_test_setup_teardown(asks_again_while_in_use, setup, teardown),
        cmocka_unit_test_setup_teardown(gone_while_in_use, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_ones_are_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(learns_from_no_stranger, setup, teardown),
        cmocka_unit_test_setup_teardown(learns_of_no_far_host, setup, teardown),
        cmocka_unit_test_setup_teardown(both_hosts_of_a_link_of_two, setup, teardown),
        cmocka_unit_test_setup_teardown(shared_with_other_cores, setup, teardown),
        cmocka_unit_test_setup_teardown(shared_by_other_cores, setup, teardown),
        cmocka_unit_test_setup_teardown(our_address_elsewhere_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(request_flood, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_flood, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_ones_push_out_no_known_one, setup, teardown),
        cmocka_unit_test_setup_teardown(no_segments, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
