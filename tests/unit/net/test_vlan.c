/* VLAN tags (IEEE 802.1Q): whose frames are ours with one, and that what we send carries it. */
#include "lib/unit.h"

#include <string.h>

#include "rig6.h"

#define VLAN 7

static struct rig *rig_on(uint16_t vlan)
{
    struct net_config config = { .address = addr_from_v4(RIG_OURS),
                                 .prefix_length = 24,
                                 .address6 = rig6_ours,
                                 .prefix_length6 = 64,
                                 .gateway6 = rig6_gateway,
                                 .vlan = vlan };
    struct rig *r = rig_create(0);

    assert_non_null(r);
    net_destroy(r->net);
    r->net = net_create(
        &config, &(struct net_env){ .nic = &r->nic, .clock = &r->clock, .counters = &r->counters });
    rig_wait_ms(r, 0);
    rig_wait_ms(r, 1000);
    return r;
}

/* Puts a tag into a frame; returns its new length. */
static uint32_t tag(uint8_t *frame, uint32_t len, uint16_t tci)
{
    memmove(frame + 16, frame + 12, len - 12);
    store_be16(frame + 12, NET_WIRE_TYPE_VLAN);
    store_be16(frame + 14, tci);
    return len + 4;
}

static enum net_verdict receive_tcp(struct rig *r, const uint8_t *frame, uint32_t len)
{
    struct seg *s;
    enum net_verdict v = rig_receive(r, frame, len, &s);

    if (v == NET_TCP) {
        assert_int_equal(s->len, NET_WIRE_TCP_LEN + 20);
        seg_release(s);
    }
    return v;
}

static void whose_frames(void **state)
{
    static const struct {
        uint16_t vlan;
        int tci; /* -1: no tag */
        bool ours;
    } rows[] = {
        { 0, -1, true },
        { 0, 0, true },
        /* a priority alone */ { 0, 0xe000, true },
        { 0, VLAN, false },
        { VLAN, -1, false },
        { VLAN, 0, false },
        { VLAN, VLAN, true },
        { VLAN, 0xe000 | VLAN, true },
        { VLAN, VLAN + 1, false },
    };
    uint8_t frame[1600];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig *r = rig_on(rows[i].vlan);

        for (unsigned v6 = 0; v6 < 2; v6++) {
            uint32_t len = v6 ? rig6_tcp(frame, 20) : rig_tcp(frame, 20);

            if (rows[i].tci >= 0)
                len = tag(frame, len, (uint16_t)rows[i].tci);
            assert_int_equal(receive_tcp(r, frame, len), rows[i].ours ? NET_TCP : NET_SETTLED);
        }
        assert_int_equal(rig_count(r, COUNTER_NET_IN_NOT_OURS), rows[i].ours ? 0 : 2);
        rig_destroy(r);
    }
}

static void a_cut_tag(void **state)
{
    struct rig *r = rig_on(VLAN);
    uint8_t frame[1600];

    (void)state;
    tag(frame, rig_tcp(frame, 20), VLAN);
    for (uint32_t len = 0; len < 18; len++)
        assert_int_equal(receive_tcp(r, frame, len), NET_SETTLED);
    assert_int_equal(rig_count(r, COUNTER_NET_IN_MALFORMED), 18);
    rig_destroy(r);
}

static void what_leaves_has_it(void **state)
{
    struct addr src = addr_from_v4(RIG_OURS), dst = addr_from_v4(RIG_PEER);
    struct rig *r = rig_on(VLAN);
    uint8_t frame[1600];
    struct seg *s;
    uint32_t len;

    (void)state;
    for (unsigned i = 0; i < r->sent_count && i < 3; i++) /* the first words, by ARP and ND */
        assert_int_equal(load_be32(r->sent[i].bytes + 12), 0x81000000u | VLAN);
    rig_forget_sent(r);
    rig_two_queues(r);
    len = tag(frame, rig_arp_peer(frame, NET_WIRE_ARP_REQUEST), VLAN);
    rig_receive(r, frame, len, &s);
    assert_int_equal(r->given.len, len); /* other cores get it whole */
    net_output_tcp(r->net, rig_segment(r, 20), &src, &dst);
    net_flush(r->net);
    assert_int_equal(r->sent_count, 2);
    assert_int_equal(load_be16(r->sent[0].bytes + 16), NET_WIRE_TYPE_ARP);
    assert_int_equal(load_be32(r->sent[1].bytes + 12), 0x81000000u | VLAN);
    assert_int_equal(load_be16(r->sent[1].bytes + 16), NET_WIRE_TYPE_IP4);
    assert_int_equal(r->sent[1].bytes[18], 0x45);
    rig_destroy(r);
}

/* The device is told where the IP header is. */
static void the_header_is_longer(void **state)
{
    struct rig *r = rig_on(VLAN);
    struct seg *s = rig_segment(r, 20);
    uint8_t frame[1600];
    struct seg *unused;

    (void)state;
    rig_receive(r, frame, tag(frame, rig_arp_peer(frame, NET_WIRE_ARP_REQUEST), VLAN), &unused);
    r->nic.offloads = NIC_TX_L3_CSUM | NIC_TX_L4_CSUM;
    seg_ref(s);
    net_output_tcp(r->net, s, &(struct addr){ { [10] = 0xff, 0xff, 192, 0, 2, 2 } },
                   &(struct addr){ { [10] = 0xff, 0xff, 192, 0, 2, 1 } });
    net_flush(r->net);
    assert_int_equal(s->l2_len, 18);
    seg_release(s);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_frames),
        cmocka_unit_test(a_cut_tag),
        cmocka_unit_test(what_leaves_has_it),
        cmocka_unit_test(the_header_is_longer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
