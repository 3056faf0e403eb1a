/*
 * A TCP segment of ours on its way out: its checksum, then the IP that its addresses are of.
 * Failure modes: those of net_ip4 and net_ip6.
 */
#include "dataplane/net/net_csum.h"
#include "dataplane/net/net_state.h"

/* Fills in TCP's checksum, or leaves it to the device. */
static void seal(const struct net *n, struct seg *s, uint64_t pseudo, uint16_t version_flag)
{
    uint8_t *field = s->data + NET_WIRE_TCP_CSUM_AT;
    uint16_t folded = net_csum_fold(pseudo);

    s->flags &= SEG_TX_ECT;
    s->l4_len = (uint8_t)(s->data[12] >> 4 << 2);
    if ((n->env.nic->offloads & NIC_TX_L4_CSUM) != 0) {
        s->flags |= SEG_TX_L4_CSUM | version_flag;
        memcpy(field, &folded, sizeof(folded));
    } else {
        net_csum_store(field, net_csum_add(pseudo, s->data, s->len));
    }
}

void net_output_tcp(struct net *n, struct seg *s, const struct addr *src, const struct addr *dst)
{
    bool v4 = addr_is_v4(dst);
    uint32_t header_len = v4 ? NET_WIRE_IP4_LEN : NET_WIRE_IP6_LEN;

    ASSERT(addr_is_v4(src) == v4);
    ASSERT(s->len >= NET_WIRE_TCP_LEN && s->len + header_len <= n->env.nic->mtu);
    if (v4) {
        ASSERT(addr_v4(src) == n->address);
        seal(n, s, net_csum_pseudo(n->address, addr_v4(dst), NET_WIRE_PROTO_TCP, s->len), 0);
        net_ip4_send(n, s, NET_WIRE_PROTO_TCP, addr_v4(dst));
        return;
    }
    seal(n, s, net_csum_pseudo6(src, dst, NET_WIRE_PROTO_TCP, s->len), SEG_TX_IP6);
    net_ip6_send(n, s,
                 &(struct net_wire_ip6){ .tos = net_tos_of(s),
                                         .proto = NET_WIRE_PROTO_TCP,
                                         .hop_limit = NET_WIRE_IP6_HOPS,
                                         .src = *src,
                                         .dst = *dst });
}

uint16_t net_mtu(const struct net *n, const struct addr *dst)
{
    return addr_is_v4(dst) ? n->env.nic->mtu : net_ip6_mtu(n);
}
