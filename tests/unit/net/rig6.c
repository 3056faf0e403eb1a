/* See rig6.h. */
#include "rig6.h"

#include "base/assert.h"

const struct addr rig6_nobody;
const struct addr rig6_ours = { { 0x20, 1, 0x0d, 0xb8, [15] = 2 } };
const struct addr rig6_local = { { 0xfe, 0x80, [11] = 0xff, 0xfe, 0, 0, 2 } };
const struct addr rig6_peer = { { 0x20, 1, 0x0d, 0xb8, [15] = 1 } };
const struct addr rig6_gateway = { { 0x20, 1, 0x0d, 0xb8, [15] = 0xfe } };
const struct addr rig6_router = { { 0xfe, 0x80, [15] = 1 } };
const struct addr rig6_far = { { 0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 1 } };
const struct addr rig6_all = { { 0xff, 2, [15] = 1 } };
const uint8_t rig6_group_mac[6] = { 0x33, 0x33, 0xff, 0, 0, 2 };

struct rig *rig6_create_new(const struct addr *gateway)
{
    struct net_config config = { .address = addr_from_v4(RIG_OURS),
                                 .prefix_length = 24,
                                 .gateway = addr_from_v4(RIG_GATEWAY),
                                 .address6 = rig6_ours,
                                 .prefix_length6 = 64,
                                 .gateway6 = *gateway };
    struct rig *r = rig_create(0);

    ASSERT(r != NULL);
    net_destroy(r->net);
    r->net = net_create(
        &config, &(struct net_env){ .nic = &r->nic, .clock = &r->clock, .counters = &r->counters });
    ASSERT(r->net != NULL);
    net_flush(r->net);
    rig_forget_sent(r);
    memset(&r->counters, 0, sizeof(r->counters));
    return r;
}

struct rig *rig6_create(uint32_t offloads)
{
    struct rig *r = rig6_create_new(&rig6_gateway);

    r->nic.offloads = offloads;
    rig_wait_ms(r, 0);
    rig_wait_ms(r, 1000);
    rig_forget_sent(r);
    memset(&r->counters, 0, sizeof(r->counters));
    return r;
}

uint32_t rig6_ip(uint8_t *to, const struct rig6_packet *p)
{
    struct net_wire_ip6 ip = { .proto = p->proto,
                               .hop_limit = p->hop_limit,
                               .payload_len = p->len,
                               .src = *p->src,
                               .dst = *p->dst };
    uint8_t mac[6];

    memcpy(mac, rig_our_mac, 6);
    if (addr_is_group(p->dst))
        net_wire_mac_of_group(p->dst, mac);
    net_wire_eth_write(to, mac, rig_peer_mac, NET_WIRE_TYPE_IP6);
    net_wire_ip6_write(to + NET_WIRE_ETH_LEN, &ip);
    memmove(to + RIG6_AT, p->payload, p->len);
    return RIG6_AT + p->len;
}

/* The slow model's sum over the pseudo header (RFC 8200, 8.1) and the message. */
static uint16_t slow_sum(const uint8_t *frame, uint32_t frame_len, uint16_t len, uint8_t proto)
{
    uint8_t pseudo[40] = { 0 };

    memcpy(pseudo, frame + NET_WIRE_ETH_LEN + 8, 32);
    store_be32(pseudo + 32, len);
    pseudo[39] = proto;
    return rig_slow_csum((uint16_t)~rig_slow_csum(0, pseudo, 40), frame + frame_len - len, len);
}

void rig6_fix(uint8_t *frame, uint32_t frame_len, uint16_t len, uint8_t proto, uint16_t at)
{
    store_be16(frame + frame_len - len + at, 0);
    store_be16(frame + frame_len - len + at, slow_sum(frame, frame_len, len, proto));
}

uint32_t rig6_icmp(uint8_t *to, const struct addr *src, const struct addr *dst, const void *message,
                   uint16_t len)
{
    struct rig6_packet p = { .src = src,
                             .dst = dst,
                             .proto = NET_WIRE_PROTO_ICMP6,
                             .hop_limit = 255,
                             .len = len,
                             .payload = message };
    uint32_t frame_len = rig6_ip(to, &p);

    rig6_fix(to, frame_len, len, NET_WIRE_PROTO_ICMP6, NET_WIRE_ICMP6_CSUM_AT);
    return frame_len;
}

uint32_t rig6_nd(uint8_t *to, const struct rig6_nd *nd)
{
    uint8_t message[32] = { nd->type, 0, 0, 0, nd->flags };

    memcpy(message + 8, nd->target->octets, 16);
    if (nd->mac != NULL)
        net_wire_nd_option_write(message + 24, nd->type == NET_WIRE_ICMP6_NS ? 1 : 2, nd->mac);
    return rig6_icmp(to, nd->src, nd->dst, message, nd->mac != NULL ? 32 : 24);
}

uint32_t rig6_tcp(uint8_t *to, uint16_t len)
{
    uint8_t frame[1600];
    uint32_t v4_len = rig_tcp(frame, len);
    struct rig6_packet p = { .src = &rig6_peer,
                             .dst = &rig6_ours,
                             .proto = NET_WIRE_PROTO_TCP,
                             .hop_limit = 61,
                             .len = (uint16_t)(NET_WIRE_TCP_LEN + len),
                             .payload = frame + v4_len - NET_WIRE_TCP_LEN - len };
    uint32_t frame_len = rig6_ip(to, &p);

    rig6_fix(to, frame_len, p.len, NET_WIRE_PROTO_TCP, NET_WIRE_TCP_CSUM_AT);
    return frame_len;
}

bool rig6_sealed(const struct rig_frame *f, uint8_t proto)
{
    return slow_sum(f->bytes, f->len, (uint16_t)(f->len - RIG6_AT), proto) == 0;
}
