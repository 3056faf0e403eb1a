/*
 * One received frame: settled here, or named for TCP.
 *
 * Happy path: Ethernet to our address, IPv4 to our address, all lengths and checksums right: the
 * segment is cut to the TCP segment and handed back. ARP and ICMP echo are answered here. Failure
 * modes: everything else is dropped with one counter each; nothing is answered that could make us a
 * reflector.
 */
#include "dataplane/net/net_csum.h"
#include "dataplane/net/net_state.h"

/* RFC 1122, 3.2.1.3 and RFC 6890: addresses that are never a sender's; our own is a LAND attack. */
static bool martian(const struct net *n, uint32_t src)
{
    bool link_broadcast = net_on_link(n, src) && n->mask < 0xfffffffe &&
                          ((src & ~n->mask) == 0 || (src | n->mask) == 0xffffffff);

    return src >> 24 == 0 || src >> 24 == 127 || src >> 28 >= 14 || src == n->address ||
           link_broadcast;
}

/* Why an IPv4 packet is not for the layers above; COUNTER_COUNT: it is. */
static enum counter_id refusal(const struct net *n, const struct seg *s,
                               const struct net_wire_ip4 *ip)
{
    if ((s->flags & SEG_RX_L3_CSUM_GOOD) == 0 &&
        net_csum_fold(net_csum_add(0, s->data, ip->header_len)) != NET_CSUM_GOOD)
        return COUNTER_NET_IN_CSUM_ERRORS;
    if (ip->dst != n->address)
        return COUNTER_NET_IN_NOT_OURS;
    if (martian(n, ip->src))
        return COUNTER_NET_IN_MARTIANS;
    if ((ip->frag & (NET_WIRE_IP4_MF | NET_WIRE_IP4_FRAG_MASK)) != 0)
        return COUNTER_NET_IN_FRAGMENTS;
    return COUNTER_COUNT;
}

/* s is exactly the TCP segment. */
static enum net_verdict tcp_verdict(struct net *n, struct seg *s, const struct net_wire_ip4 *ip,
                                    struct net_rx *rx)
{
    uint64_t sum;

    if (s->len < NET_WIRE_TCP_LEN) {
        net_drop(n, s, COUNTER_NET_IN_MALFORMED);
        return NET_SETTLED;
    }
    if ((s->flags & SEG_RX_L4_CSUM_GOOD) == 0) {
        sum = net_csum_pseudo(ip->src, ip->dst, NET_WIRE_PROTO_TCP, s->len);
        if (net_csum_fold(net_csum_add(sum, s->data, s->len)) != NET_CSUM_GOOD) {
            net_drop(n, s, COUNTER_NET_IN_CSUM_ERRORS);
            return NET_SETTLED;
        }
    }
    *rx = (struct net_rx){
        .src = addr_from_v4(ip->src), .dst = addr_from_v4(ip->dst), .tos = ip->tos, .ttl = ip->ttl
    };
    return NET_TCP;
}

/* s begins with the IP header. */
static enum net_verdict ip4_input(struct net *n, struct seg *s, struct net_rx *rx)
{
    struct net_wire_ip4 ip;
    enum counter_id why = COUNTER_NET_IN_MALFORMED;

    if (net_wire_ip4_read(seg_span(s), &ip))
        why = refusal(n, s, &ip);
    if (why != COUNTER_COUNT) {
        net_drop(n, s, why);
        return NET_SETTLED;
    }
    seg_trim(s, ip.total_len); /* what is after it is Ethernet's padding */
    seg_pull(s, ip.header_len);
    if (ip.proto == NET_WIRE_PROTO_TCP)
        return tcp_verdict(n, s, &ip, rx);
    if (ip.proto == NET_WIRE_PROTO_ICMP)
        net_icmp_input(n, s, &ip);
    else
        net_drop(n, s, COUNTER_NET_IN_NOT_OURS);
    return NET_SETTLED;
}

enum net_verdict net_input(struct net *n, struct seg *s, struct net_rx *rx)
{
    struct net_wire_eth eth;
    bool ours;

    counter_inc(n->env.counters, COUNTER_NET_IN_FRAMES);
    if (!net_wire_eth_read(seg_span(s), &eth) || net_wire_mac_group(eth.src)) {
        net_drop(n, s, COUNTER_NET_IN_MALFORMED);
        return NET_SETTLED;
    }
    ours = memcmp(eth.dst, n->env.nic->mac, sizeof(eth.dst)) == 0;
    seg_pull(s, NET_WIRE_ETH_LEN);
    /* RFC 1122, 3.3.6: what came by a link broadcast may not be answered, so it is not looked at.
     */
    if (ours && eth.type == NET_WIRE_TYPE_IP4)
        return ip4_input(n, s, rx);
    if ((ours || net_wire_mac_group(eth.dst)) && eth.type == NET_WIRE_TYPE_ARP)
        net_arp_input(n, s);
    else
        net_drop(n, s, COUNTER_NET_IN_NOT_OURS);
    return NET_SETTLED;
}
