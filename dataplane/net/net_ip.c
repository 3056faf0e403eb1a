/*
 * IPv4 output: header, checksums, next hop.
 *
 * Happy path: TCP's checksum and the header's are filled in or left to the device, the next hop is
 * on the link or is the gateway. We never fragment and never let routers do it: DF is always set
 * (RFC 1191). Failure modes: no route (counted, dropped).
 */
#include "dataplane/net/net_csum.h"
#include "dataplane/net/net_state.h"

#define TTL 64 /* RFC 1700's advice, and what everybody sends */

void net_ip_send(struct net *n, struct seg *s, uint8_t proto, uint32_t dst)
{
    uint32_t hop = net_on_link(n, dst) ? dst : n->gateway;
    struct net_wire_ip4 ip = { .total_len = (uint16_t)(s->len + NET_WIRE_IP4_LEN),
                               .frag = NET_WIRE_IP4_DF,
                               .ttl = TTL,
                               .proto = proto,
                               .src = n->address,
                               .dst = dst };
    uint8_t *header;

    if (hop == 0) {
        net_drop(n, s, COUNTER_NET_OUT_NO_ROUTE);
        return;
    }
    header = seg_push(s, NET_WIRE_IP4_LEN);
    net_wire_ip4_write(header, &ip);
    s->l2_len = NET_WIRE_ETH_LEN;
    s->l3_len = NET_WIRE_IP4_LEN;
    if ((n->env.nic->offloads & NIC_TX_L3_CSUM) != 0)
        s->flags |= SEG_TX_L3_CSUM;
    else
        net_csum_store(header + NET_WIRE_IP4_CSUM_AT, net_csum_add(0, header, NET_WIRE_IP4_LEN));
    net_arp_send(n, s, hop);
}

void net_output_tcp(struct net *n, struct seg *s, const struct addr *src, const struct addr *dst)
{
    uint8_t *field = s->data + NET_WIRE_TCP_CSUM_AT;
    uint64_t sum;
    uint16_t pseudo;

    ASSERT(s->len >= NET_WIRE_TCP_LEN && s->len + NET_WIRE_IP4_LEN <= n->env.nic->mtu);
    ASSERT(addr_is_v4(src) && addr_is_v4(dst) && addr_v4(src) == n->address);
    sum = net_csum_pseudo(n->address, addr_v4(dst), NET_WIRE_PROTO_TCP, s->len);
    s->flags = 0;
    s->l4_len = (uint8_t)(s->data[12] >> 4 << 2);
    if ((n->env.nic->offloads & NIC_TX_L4_CSUM) != 0) {
        s->flags |= SEG_TX_L4_CSUM;
        pseudo = net_csum_fold(sum);
        memcpy(field, &pseudo, sizeof(pseudo));
    } else {
        net_csum_store(field, net_csum_add(sum, s->data, s->len));
    }
    net_ip_send(n, s, NET_WIRE_PROTO_TCP, addr_v4(dst));
}

uint16_t net_mtu(const struct net *n, const struct addr *dst)
{
    (void)dst;
    return n->env.nic->mtu;
}
