/* Output: headers and checksums of a TCP segment, and the queue to a device that takes little or
 * nothing. */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "rig6.h"

#define IP_AT  NET_WIRE_ETH_LEN
#define TCP_AT (NET_WIRE_ETH_LEN + NET_WIRE_IP4_LEN)

static struct rig *rig_with_peer(uint32_t offloads)
{
    struct rig *r = rig_create(offloads);
    uint8_t frame[64];
    struct seg *s;

    assert_non_null(r);
    rig_receive(r, frame, rig_arp_peer(frame, NET_WIRE_ARP_REQUEST), &s);
    rig_forget_sent(r);
    return r;
}

static void output(struct rig *r, struct seg *s, uint32_t to)
{
    struct addr src = addr_from_v4(RIG_OURS), dst = addr_from_v4(to);

    net_output_tcp(r->net, s, &src, &dst);
}

static uint16_t pseudo_complement(uint16_t tcp_len)
{
    uint8_t pseudo[12] = { 0 };

    store_be32(pseudo, RIG_OURS);
    store_be32(pseudo + 4, RIG_PEER);
    pseudo[9] = NET_WIRE_PROTO_TCP;
    store_be16(pseudo + 10, tcp_len);
    return rig_slow_csum(0, pseudo, 12);
}

static void headers_and_checksums(void **state)
{
    struct rig *r = rig_with_peer(0);
    const uint8_t *f = r->sent[0].bytes;

    (void)state;
    for (uint16_t len = 0; len <= 1460; len++) {
        uint16_t tcp_len = (uint16_t)(NET_WIRE_TCP_LEN + len);

        rig_forget_sent(r);
        output(r, rig_segment(r, len), RIG_PEER);
        assert_int_equal(net_flush(r->net), 1);
        assert_int_equal(r->sent[0].len, TCP_AT + tcp_len);
        assert_memory_equal(f, rig_peer_mac, 6);
        assert_memory_equal(f + 6, rig_our_mac, 6);
        assert_int_equal(load_be16(f + 12), NET_WIRE_TYPE_IP4);
        assert_int_equal(f[IP_AT], 0x45);
        assert_int_equal(load_be16(f + IP_AT + 2), NET_WIRE_IP4_LEN + tcp_len);
        assert_int_equal(load_be16(f + IP_AT + 6), NET_WIRE_IP4_DF);
        assert_int_equal(f[IP_AT + 8], 64);
        assert_int_equal(f[IP_AT + 9], NET_WIRE_PROTO_TCP);
        assert_int_equal(load_be32(f + IP_AT + 12), RIG_OURS);
        assert_int_equal(load_be32(f + IP_AT + 16), RIG_PEER);
        /* A sum over all with its checksum is zero. */
        assert_int_equal(rig_slow_csum(0, f + IP_AT, NET_WIRE_IP4_LEN), 0);
        assert_int_equal(rig_slow_csum((uint16_t)~pseudo_complement(tcp_len), f + TCP_AT, tcp_len),
                         0);
        assert_int_equal(r->sent[0].flags, 0);
    }
    rig_destroy(r);
}

/* RFC 3168, 5: what TCP marks as capable says so in its IP header, and nothing else does. */
static void capable_of_congestion_marks(void **state)
{
    struct rig *r = rig_with_peer(0);
    struct seg *s = rig_segment(r, 10);

    (void)state;
    s->flags |= SEG_TX_ECT;
    output(r, s, RIG_PEER);
    output(r, rig_segment(r, 10), RIG_PEER);
    assert_int_equal(net_flush(r->net), 2);
    assert_int_equal(r->sent[0].bytes[IP_AT + 1], NET_WIRE_ECT0);
    assert_int_equal(r->sent[1].bytes[IP_AT + 1], 0);
    rig_destroy(r);
}

static void device_does_checksums(void **state)
{
    struct rig *r = rig_with_peer(NIC_TX_L3_CSUM | NIC_TX_L4_CSUM);
    struct seg *s = rig_segment(r, 100);

    (void)state;
    seg_ref(s); /* to look at it after */
    output(r, s, RIG_PEER);
    net_flush(r->net);
    assert_int_equal(r->sent[0].flags, SEG_TX_L3_CSUM | SEG_TX_L4_CSUM);
    assert_int_equal(load_be16(r->sent[0].bytes + IP_AT + 10), 0);
    /* The sum of the pseudo header, not complemented. */
    assert_int_equal(load_be16(r->sent[0].bytes + TCP_AT + 16),
                     0xffff ^ pseudo_complement(NET_WIRE_TCP_LEN + 100));
    assert_int_equal(s->l2_len, 14);
    assert_int_equal(s->l3_len, 20);
    assert_int_equal(s->l4_len, 20);
    assert_int_equal(s->ref, 1);
    seg_release(s);
    rig_destroy(r);
}

static void no_gateway_no_route(void **state)
{
    struct rig *r = rig_with_peer(0);
    struct net_config config = { .address = addr_from_v4(RIG_OURS), .prefix_length = 24 };
    struct net_env env = { .nic = &r->nic, .clock = &r->clock, .counters = &r->counters };
    struct net *n = net_create(&config, &env);
    struct addr src = addr_from_v4(RIG_OURS), dst = addr_from_v4(RIG_FAR);

    (void)state;
    net_output_tcp(n, rig_segment(r, 1), &src, &dst);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_NO_ROUTE), 1);
    assert_true(rig_count(r, COUNTER_IP_OUT_REQUESTS) > 0); /* with that one */
    net_destroy(n);
    rig_destroy(r);
}

/* Whatever the device takes at a time, all comes, once, in order. */
static void order_is_kept(void **state)
{
    struct rig *r = rig_with_peer(0);
    uint16_t queued = 0;
    unsigned sent = 0;

    (void)state;
    for (unsigned take = 0; sent < 1000; take = (take + 7) % 61) {
        for (unsigned i = 0; i < 40 && queued < 1000 && queued - sent < LIMIT_NET_OUT_SEGS; i++)
            output(r, rig_segment(r, queued++), RIG_PEER);
        r->tx_budget = take;
        sent += net_flush(r->net);
        assert_int_equal(r->sent_count, sent);
    }
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(r->sent[i].len, TCP_AT + NET_WIRE_TCP_LEN + i);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_FRAMES), 1001); /* with the ARP reply */
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_DROPPED), 0);
    rig_destroy(r);
}

static void full_queue_drops_the_new(void **state)
{
    struct rig *r = rig_with_peer(0);

    (void)state;
    r->tx_budget = 0;
    for (uint16_t i = 0; i < LIMIT_NET_OUT_SEGS + 10; i++)
        output(r, rig_segment(r, i), RIG_PEER);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_DROPPED), 10);
    r->tx_budget = UINT32_MAX;
    assert_int_equal(net_flush(r->net), LIMIT_NET_OUT_SEGS);
    assert_int_equal(r->sent[LIMIT_NET_OUT_SEGS - 1].len,
                     TCP_AT + NET_WIRE_TCP_LEN + LIMIT_NET_OUT_SEGS - 1);
    rig_destroy(r);
}

static void dead_device_is_given_up(void **state)
{
    struct rig *r = rig_with_peer(0);

    (void)state;
    r->tx_budget = 0;
    for (uint16_t i = 0; i < 10; i++)
        output(r, rig_segment(r, i), RIG_PEER);
    net_flush(r->net);
    rig_wait_ms(r, LIMIT_NET_OUT_STALL_MS - 1);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_DROPPED), 0);
    rig_wait_ms(r, 1);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_DROPPED), 10);
    assert_int_equal(r->plain->ops->available(r->plain), RIG_SEGS);
    r->tx_budget = UINT32_MAX; /* and it may come back */
    output(r, rig_segment(r, 1), RIG_PEER);
    assert_int_equal(net_flush(r->net), 1);
    rig_destroy(r);
}

/* A net with both families on a wire that is not there yet. */
static struct rig *rig_down(void)
{
    struct net_config config = { .address = addr_from_v4(RIG_OURS),
                                 .prefix_length = 24,
                                 .address6 = rig6_ours,
                                 .prefix_length6 = 64 };
    struct rig *r = rig_create(0);

    assert_non_null(r);
    net_destroy(r->net);
    r->down = true;
    r->keep_reports = true;
    r->net = net_create(
        &config, &(struct net_env){ .nic = &r->nic, .clock = &r->clock, .counters = &r->counters });
    for (unsigned i = 0; i < 100; i++)
        rig_wait_ms(r, 100);
    assert_int_equal(r->sent_count, 0);
    return r;
}

/* ARP's announcement, a report of groups, and a probe for each of the two addresses. */
static void expect_first_words(struct rig *r)
{
    unsigned arp = 0, probes = 0;

    for (unsigned i = 0; i < r->sent_count; i++) {
        arp += load_be16(r->sent[i].bytes + 12) == NET_WIRE_TYPE_ARP;
        probes += r->sent[i].bytes[RIG6_AT] == NET_WIRE_ICMP6_NS;
    }
    assert_int_equal(arp, 1);
    assert_int_equal(probes, 2);
    assert_int_equal(r->sent_count, 4);
}

/* RFC 4862, 5.4; RFC 5227, 2.1: the first words are for a wire that is there. */
static void waits_for_the_wire(void **state)
{
    struct rig *r = rig_down();
    uint8_t frame[128];
    uint32_t len;

    (void)state;
    r->down = false;
    rig_wait_ms(r, LIMIT_NET_LINK_LOOK_MS);
    expect_first_words(r);
    rig_destroy(r);
    /* A device that never says so, and frames that come all the same. */
    r = rig_down();
    len = rig_arp_peer(frame, NET_WIRE_ARP_REPLY);
    rig_receive_flags(r, frame, len, 0);
    rig_wait_ms(r, 0);
    expect_first_words(r);
    rig_destroy(r);
}

static void queued_ones_go_home_at_the_end(void **state)
{
    struct rig *r = rig_with_peer(0);

    (void)state;
    r->tx_budget = 0;
    for (uint16_t i = 0; i < 10; i++)
        output(r, rig_segment(r, i), RIG_PEER);
    output(r, rig_segment(r, 1), RIG_FAR); /* waits for the gateway's address */
    rig_destroy(r);                        /* asserts it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_and_checksums),
        cmocka_unit_test(capable_of_congestion_marks),
        cmocka_unit_test(device_does_checksums),
        cmocka_unit_test(no_gateway_no_route),
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(full_queue_drops_the_new),
        cmocka_unit_test(dead_device_is_given_up),
        cmocka_unit_test(waits_for_the_wire),
        cmocka_unit_test(queued_ones_go_home_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
