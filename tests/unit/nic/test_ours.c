/* What is Postern's of the frames that come, and what the kernel's. */
#include "lib/unit.h"

#include <string.h>

#include "base/byteorder.h"
#include "dataplane/nic/nic_ours.h"

#define OURS   "192.0.2.1"
#define OURS6  "2001:db8::1"
#define OTHER  "192.0.2.2"
#define OTHER6 "2001:db8::2"
#define VLAN   100

static struct nic_ours ours;
static struct nic_ours_fragments fragments;
static uint8_t frame[128];
static uint32_t len;

static int setup(void **state)
{
    (void)state;
    memset(&fragments, 0, sizeof(fragments));
    ours = (struct nic_ours){ .port_count = 2, .ports = { 465, 4650 } };
    addr_parse(OURS, &ours.address);
    addr_parse(OURS6, &ours.address6);
    return 0;
}

static void put_be16(uint16_t value)
{
    store_be16(frame + len, value);
    len += 2;
}

static void put_ethernet(uint16_t vlan, uint16_t type)
{
    memset(frame, 0, sizeof(frame));
    len = 12;
    if (vlan != 0) {
        put_be16(0x8100);
        put_be16(vlan);
    }
    put_be16(type);
}

static void put_ip4(uint8_t proto, const char *from, const char *to, uint16_t id, uint16_t fragment)
{
    struct addr src, dst;
    uint8_t *p = frame + len;

    addr_parse(from, &src);
    addr_parse(to, &dst);
    p[0] = 0x45;
    store_be16(p + 4, id);
    store_be16(p + 6, fragment);
    p[9] = proto;
    memcpy(p + 12, src.octets + 12, 4);
    memcpy(p + 16, dst.octets + 12, 4);
    len += 20;
}

static void put_ip6(uint8_t proto, const char *from, const char *to)
{
    struct addr src, dst;
    uint8_t *p = frame + len;

    addr_parse(from, &src);
    addr_parse(to, &dst);
    p[0] = 0x60;
    p[6] = proto;
    memcpy(p + 8, src.octets, 16);
    memcpy(p + 24, dst.octets, 16);
    len += 40;
}

static void put_ports(uint16_t from, uint16_t to)
{
    put_be16(from);
    put_be16(to);
    len += 16;
}

static bool is_ours(void)
{
    return nic_ours_has(&ours, &fragments, span_of(frame, len));
}

static bool tcp4(const char *to, uint16_t port)
{
    put_ethernet(ours.vlan, 0x0800);
    put_ip4(6, OTHER, to, 1, 0);
    put_ports(9999, port);
    return is_ours();
}

static bool tcp6(const char *to, uint16_t port)
{
    put_ethernet(ours.vlan, 0x86dd);
    put_ip6(6, OTHER6, to);
    put_ports(9999, port);
    return is_ours();
}

static void our_ports_on_our_addresses(void **state)
{
    (void)state;
    for (ours.vlan = 0; ours.vlan <= VLAN; ours.vlan += VLAN) {
        assert_true(tcp4(OURS, 465) && tcp4(OURS, 4650));
        assert_true(tcp6(OURS6, 465) && tcp6(OURS6, 4650));
        assert_false(tcp4(OURS, 22) || tcp4(OURS, 587) || tcp6(OURS6, 22));
        assert_false(tcp4(OTHER, 465) || tcp6(OTHER6, 465) || tcp6("fe80::1", 465));
    }
    ours.address = ours.address6 = (struct addr){ { 0 } }; /* "none" is nobody's */
    assert_false(tcp6("::", 465) || tcp4(OURS, 465));
}

static void other_tags_and_protocols(void **state)
{
    (void)state;
    ours.vlan = VLAN;
    put_ethernet(0, 0x0800);
    put_ip4(6, OTHER, OURS, 1, 0);
    put_ports(9999, 465);
    assert_false(is_ours());
    ours.vlan = 0;
    assert_true(is_ours());
    frame[14 + 9] = 17; /* UDP */
    assert_false(is_ours());
    put_ethernet(0, 0x0806); /* ARP */
    len = 60;
    assert_false(is_ours());
    put_ethernet(0, 0x86dd);
    put_ip6(58, OTHER6, OURS6);
    frame[len] = 135; /* a neighbour's solicitation */
    len += 24;
    assert_false(is_ours());
}

static bool fragment4(const char *from, uint16_t id, uint16_t word, uint16_t port)
{
    put_ethernet(0, 0x0800);
    put_ip4(6, from, OURS, id, word);
    put_ports(9999, port);
    return is_ours();
}

static void fragments_follow_their_first(void **state)
{
    (void)state;
    assert_false(fragment4(OTHER, 7, 0x2001, 465)); /* before it: nobody can tell */
    assert_false(fragment4(OTHER, 7, 0x2000, 22));
    assert_false(fragment4(OTHER, 7, 0x0001, 465));
    assert_true(fragment4(OTHER, 7, 0x2000, 465));
    assert_true(fragment4(OTHER, 7, 0x2001, 22)); /* what stands there is no port */
    assert_true(fragment4(OTHER, 7, 0x0002, 22));
    assert_false(fragment4(OTHER, 8, 0x0002, 465));
    assert_false(fragment4("192.0.2.3", 7, 0x0002, 465));
    put_ethernet(0, 0x86dd);
    put_ip6(44, OTHER6, OURS6);
    frame[len] = 6;
    store_be16(frame + len + 2, 1);
    store_be32(frame + len + 4, 0x12345678);
    len += 8;
    put_ports(9999, 465);
    assert_true(is_ours());
    store_be16(frame + 14 + 40 + 2, 16);
    assert_true(is_ours());
    frame[14 + 40 + 7] ^= 1;
    assert_false(is_ours());
}

/* However many there are, one more is remembered. */
static void fragments_are_forgotten(void **state)
{
    (void)state;
    for (unsigned id = 0; id < 4 * LIMIT_NIC_FRAGMENTS; id++) {
        assert_true(fragment4(OTHER, (uint16_t)id, 0x2000, 465));
        assert_true(fragment4(OTHER, (uint16_t)id, 0x0002, 465));
    }
}

static bool error4(uint8_t type, const char *quoted_from, uint16_t quoted_port)
{
    put_ethernet(0, 0x0800);
    put_ip4(1, OTHER, OURS, 1, 0);
    frame[len] = type;
    len += 8;
    put_ip4(6, quoted_from, OTHER, 2, 0);
    put_ports(quoted_port, 9999);
    return is_ours();
}

static void errors_about_our_segments(void **state)
{
    (void)state;
    assert_true(error4(3, OURS, 465) && error4(11, OURS, 4650) && error4(12, OURS, 465));
    assert_false(error4(3, OURS, 22)); /* the kernel's connection */
    assert_false(error4(3, OTHER, 465));
    assert_false(error4(8, OURS, 465)); /* an echo request that looks like one */
    put_ethernet(0, 0x86dd);
    put_ip6(58, OTHER6, OURS6);
    frame[len] = 2;
    len += 8;
    put_ip6(6, OURS6, OTHER6);
    put_ports(465, 9999);
    assert_true(is_ours());
    store_be16(frame + 14 + 40 + 8 + 40, 22);
    assert_false(is_ours());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(our_ports_on_our_addresses, setup),
        cmocka_unit_test_setup(other_tags_and_protocols, setup),
        cmocka_unit_test_setup(fragments_follow_their_first, setup),
        cmocka_unit_test_setup(fragments_are_forgotten, setup),
        cmocka_unit_test_setup(errors_about_our_segments, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
