/* Routers that advertise themselves: asked for, believed for as long as they say, left when they
 * fall silent (RFC 4861, 6). */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "rig6.h"

#define IP_AT NET_WIRE_ETH_LEN

static void receive(struct rig *r, const uint8_t *frame, uint32_t len)
{
    struct seg *s;

    assert_int_equal(rig_receive(r, frame, len, &s), NET_SETTLED);
}

static void send_to(struct rig *r, const struct addr *to)
{
    net_output_tcp(r->net, rig_segment(r, 10), &rig6_ours, to);
    net_flush(r->net);
}

static void advertise(struct rig *r, const struct addr *router, uint16_t life_s, uint32_t mtu)
{
    uint8_t message[32] = { NET_WIRE_ICMP6_RA, 0, 0, 0, 64, 0, [16] = 1, 1, [24] = 5, 1 };
    uint8_t frame[128];

    store_be16(message + 6, life_s);
    memcpy(message + 18, rig_peer_mac, 6);
    message[23] = router->octets[15];
    store_be32(message + 28, mtu);
    receive(r, frame, rig6_icmp(frame, router, &rig6_all, message, 32));
}

static struct rig *rig_without_gateway(void)
{
    struct rig *r = rig6_create_new(&rig6_nobody);

    rig_wait_ms(r, 0);
    rig_forget_sent(r);
    rig_wait_ms(r, 1000);
    return r;
}

static void asks_for_routers(void **state)
{
    struct rig *r = rig_without_gateway();
    const uint8_t *f = r->sent[0].bytes;

    (void)state;
    rig_wait_ms(r, 0);
    assert_int_equal(r->sent_count, 1);
    assert_memory_equal(f + IP_AT + 8, rig6_local.octets, 16);
    assert_memory_equal(f + IP_AT + 24, ((struct addr){ { 0xff, 2, [15] = 2 } }).octets, 16);
    assert_int_equal(f[IP_AT + 7], 255);
    assert_int_equal(f[RIG6_AT], NET_WIRE_ICMP6_RS);
    assert_true(rig6_sealed(&r->sent[0], NET_WIRE_PROTO_ICMP6));
    for (unsigned i = 0; i < 100; i++)
        rig_wait_ms(r, 1000);
    assert_int_equal(r->sent_count, LIMIT_NET_ROUTER_SOLICITS);
    send_to(r, &rig6_far);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_NO_ROUTE), 1);
    assert_true(rig_count(r, COUNTER_IP6_OUT_REQUESTS) > 0); /* with that one */
    rig_destroy(r);
}

/* RFC 4861, 6.3.7: only an advertisement "with a non-zero Router Lifetime" ends the asking. */
static void who_is_no_router_does_not_end_the_asking(void **state)
{
    struct rig *r = rig_without_gateway();

    (void)state;
    rig_wait_ms(r, 0);
    assert_int_equal(r->sent_count, 1);
    advertise(r, &rig6_router, 0, 0);
    for (unsigned i = 0; i < 100; i++)
        rig_wait_ms(r, 1000);
    assert_int_equal(r->sent_count, LIMIT_NET_ROUTER_SOLICITS);
    rig_destroy(r);
}

static void a_router_lives_as_long_as_it_says(void **state)
{
    struct rig *r = rig_without_gateway();

    (void)state;
    advertise(r, &rig6_router, 20, 0);
    rig_forget_sent(r);
    send_to(r, &rig6_far);
    assert_int_equal(r->sent_count, 1);
    assert_int_equal(r->sent[0].bytes[5], 1);
    rig_wait_ms(r, 19999);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_NO_ROUTE), 0);
    rig_wait_ms(r, 1);
    send_to(r, &rig6_far);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_NO_ROUTE), 1);
    advertise(r, &rig6_router, 20, 0);
    advertise(r, &rig6_router, 0, 0); /* it says good-bye */
    send_to(r, &rig6_far);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_NO_ROUTE), 2);
    advertise(r, &rig6_peer, 20, 0); /* not from a link-local address */
    send_to(r, &rig6_far);
    assert_int_equal(rig_count(r, COUNTER_NET_OUT_NO_ROUTE), 3);
    rig_destroy(r);
}

/* RFC 4861, 6.3.6: from a router that has fallen silent to the one that answers. */
static void the_next_router_is_tried(void **state)
{
    struct addr other = { { 0xfe, 0x80, [15] = 7 } };
    struct rig *r = rig_without_gateway();
    unsigned to_other = 0;

    (void)state;
    advertise(r, &rig6_router, 1800, 0);
    advertise(r, &other, 1800, 0);
    rig_forget_sent(r);
    send_to(r, &rig6_far);
    assert_int_equal(r->sent[0].bytes[5], 1);
    for (unsigned i = 0; i < 200; i++)
        rig_wait_ms(r, 100);
    rig_forget_sent(r);
    send_to(r, &rig6_far);
    for (unsigned i = 0; i < r->sent_count; i++)
        to_other += r->sent[i].bytes[5] == 7 && r->sent[i].bytes[IP_AT + 6] == NET_WIRE_PROTO_TCP;
    assert_int_equal(to_other, 1);
    rig_destroy(r);
}

static void the_link_may_be_narrower(void **state)
{
    static const struct {
        uint32_t told;
        uint16_t used;
    } rows[] = { { 1279, 1500 }, { 1501, 1500 }, { 1280, 1280 }, { 1492, 1492 } };
    struct rig *r = rig_without_gateway();

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        advertise(r, &rig6_router, 20, rows[i].told);
        assert_int_equal(net_mtu(r->net, &rig6_far), rows[i].used);
    }
    assert_int_equal(net_mtu(r->net, &(struct addr){ { [10] = 0xff, 0xff, 1 } }), 1500);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_routers),
        cmocka_unit_test(who_is_no_router_does_not_end_the_asking),
        cmocka_unit_test(a_router_lives_as_long_as_it_says),
        cmocka_unit_test(the_next_router_is_tried),
        cmocka_unit_test(the_link_may_be_narrower),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
