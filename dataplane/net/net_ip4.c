/*
 * IPv4, in and out.
 *
 * Happy path: a packet to our address, all lengths and checksums right, is cut to its TCP segment
 * and handed back; ICMP is settled here. What we send gets its header and next hop. We never
 * fragment and never let routers do it: DF is always set (RFC 1191). Failure modes: what is wrong,
 * from nobody or for somebody else is dropped and counted; so is what has no route.
 */
#include "dataplane/net/net_csum.h"
#include "dataplane/net/net_state.h"

#define TTL 64 /* RFC 1700's advice, and what everybody sends */

/* RFC 1122, 3.2.1.3 and RFC 6890: addresses that are never a sender's; our own is a LAND attack. */
static bool martian(const struct net *n, uint32_t src)
{
    return src >> 24 == 0 || src >> 24 == 127 || src >> 28 >= 14 || src == n->address ||
           net_is_link_broadcast(n, src);
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
    *rx = (struct net_rx){ .s = s,
                           .src = addr_from_v4(ip->src),
                           .dst = addr_from_v4(ip->dst),
                           .tos = ip->tos,
                           .ttl = ip->ttl };
    return net_steer_tcp(n, rx, ip->header_len);
}

/* s is exactly what is behind the header. */
static enum net_verdict upper_input(struct net *n, struct seg *s, const struct net_wire_ip4 *ip,
                                    struct net_rx *rx)
{
    if (ip->proto == NET_WIRE_PROTO_TCP || ip->proto == NET_WIRE_PROTO_ICMP)
        net_count_in(n, s, COUNTER_IP_IN_DELIVERS);
    if (ip->proto == NET_WIRE_PROTO_TCP)
        return tcp_verdict(n, s, ip, rx);
    if (ip->proto == NET_WIRE_PROTO_ICMP)
        return net_icmp_input(n, s, ip, rx);
    net_drop(n, s, COUNTER_NET_IN_NOT_OURS);
    return NET_SETTLED;
}

/* What the fragments made, the last of which is s: its own header before it. */
static struct seg *whole_of(const struct net_frag_whole *whole, const struct seg *last,
                            struct net_wire_ip4 *ip)
{
    uint8_t *header = seg_push(whole->s, NET_WIRE_IP4_LEN);

    net_steer_dress(whole->s, last, ip->header_len);
    ip->header_len = NET_WIRE_IP4_LEN;
    ip->total_len = (uint16_t)whole->s->len;
    ip->frag = 0;
    ip->tos = whole->tos;
    net_wire_ip4_write(header, ip);
    net_csum_store(header + NET_WIRE_IP4_CSUM_AT, net_csum_add(0, header, NET_WIRE_IP4_LEN));
    seg_pull(whole->s, NET_WIRE_IP4_LEN);
    return whole->s;
}

/* The same of a fragment. */
static enum net_verdict fragment_input(struct net *n, struct seg *s, struct net_wire_ip4 *ip,
                                       struct net_rx *rx)
{
    struct net_frag_key key = {
        .src = addr_from_v4(ip->src), .dst = addr_from_v4(ip->dst), .id = ip->id, .proto = ip->proto
    };
    struct net_frag_piece piece = { .offset = (ip->frag & NET_WIRE_IP4_FRAG_MASK) * 8U,
                                    .more = (ip->frag & NET_WIRE_IP4_MF) != 0,
                                    .proto = ip->proto,
                                    .tos = ip->tos,
                                    .bytes = seg_span(s) };
    struct net_frag_whole whole;
    struct seg *packet = NULL;

    if (net_frag_add(&n->frag, &key, &piece, net_now(n), &whole))
        packet = whole_of(&whole, s, ip);
    seg_release(s);
    return packet != NULL ? upper_input(n, packet, ip, rx) : NET_SETTLED;
}

enum net_verdict net_ip4_input(struct net *n, struct seg *s, struct net_rx *rx)
{
    struct net_wire_ip4 ip;
    enum counter_id why = COUNTER_NET_IN_MALFORMED;

    net_count_in(n, s, COUNTER_IP_IN_RECEIVES);
    if (net_wire_ip4_read(seg_span(s), &ip))
        why = refusal(n, s, &ip);
    if (why != COUNTER_COUNT) {
        net_drop(n, s, why);
        return NET_SETTLED;
    }
    seg_trim(s, ip.total_len); /* what is after it is Ethernet's padding */
    seg_pull(s, ip.header_len);
    if ((ip.frag & (NET_WIRE_IP4_MF | NET_WIRE_IP4_FRAG_MASK)) != 0)
        return fragment_input(n, s, &ip, rx);
    return upper_input(n, s, &ip, rx);
}

void net_ip4_send(struct net *n, struct seg *s, uint8_t proto, uint32_t dst)
{
    uint32_t next = net_on_link(n, dst) ? dst : n->gateway;
    struct addr hop = addr_from_v4(next);
    struct net_wire_ip4 ip = { .tos = net_tos_of(s),
                               .total_len = (uint16_t)(s->len + NET_WIRE_IP4_LEN),
                               .frag = NET_WIRE_IP4_DF,
                               .ttl = TTL,
                               .proto = proto,
                               .src = n->address,
                               .dst = dst };
    uint8_t *header;

    counter_inc(n->env.counters, COUNTER_IP_OUT_REQUESTS);
    if (next == 0 && !n->shared) {
        net_drop(n, s, COUNTER_NET_OUT_NO_ROUTE);
        return;
    }
    header = seg_push(s, NET_WIRE_IP4_LEN);
    net_wire_ip4_write(header, &ip);
    s->l3_len = NET_WIRE_IP4_LEN;
    if ((n->env.nic->offloads & NIC_TX_L3_CSUM) != 0)
        s->flags |= SEG_TX_L3_CSUM;
    else
        net_csum_store(header + NET_WIRE_IP4_CSUM_AT, net_csum_add(0, header, NET_WIRE_IP4_LEN));
    net_neighbour_send(n, s, &hop);
}
