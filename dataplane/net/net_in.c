/*
 * One received frame: which of Ethernet's protocols it is for.
 *
 * Happy path: a frame to our address with the tag that our frames have goes to net_ip4 or net_ip6,
 * which settle it or name it for TCP; ARP and what is for IPv6 groups comes by group addresses too.
 * Failure modes: everything else is dropped with one counter each; nothing is answered that could
 * make us a reflector.
 */
#include "dataplane/net/net_state.h"

/* Reads the header and the tag behind it (IEEE 802.1Q, 9.6), and pulls both off. A tag of VLAN 0
 * says a priority alone. */
static enum counter_id read_link(struct net *n, struct seg *s, struct net_wire_eth *eth)
{
    uint16_t vlan = 0;

    if (!net_wire_eth_read(seg_span(s), eth) || net_wire_mac_group(eth->src))
        return COUNTER_NET_IN_MALFORMED;
    s->l2_len = NET_WIRE_ETH_LEN;
    if (eth->type == NET_WIRE_TYPE_VLAN) {
        s->l2_len += NET_WIRE_VLAN_LEN;
        if (s->len < s->l2_len)
            return COUNTER_NET_IN_MALFORMED;
        vlan = load_be16(s->data + NET_WIRE_ETH_LEN) & NET_WIRE_VLAN_ID;
        eth->type = load_be16(s->data + NET_WIRE_ETH_LEN + 2);
    }
    /* Our own words, come back by a loop of the link, are no neighbour's (RFC 4862, 5.4.3). */
    if (vlan != n->vlan || memcmp(eth->src, n->env.nic->mac, sizeof(eth->src)) == 0)
        return COUNTER_NET_IN_NOT_OURS;
    seg_pull(s, s->l2_len);
    return COUNTER_COUNT;
}

/* s begins behind the Ethernet header. */
static enum net_verdict packet_input(struct net *n, struct seg *s, const struct net_wire_eth *eth,
                                     struct net_rx *rx)
{
    bool ours = memcmp(eth->dst, n->env.nic->mac, sizeof(eth->dst)) == 0;
    bool group = net_wire_mac_group(eth->dst);

    /* RFC 1122, 3.3.6: what came by a link broadcast may not be answered, so it is not looked at.
     */
    if (ours && eth->type == NET_WIRE_TYPE_IP4 && n->address != 0)
        return net_ip4_input(n, s, rx);
    if ((ours || group) && eth->type == NET_WIRE_TYPE_IP6 && n->ip6.on)
        return net_ip6_input(n, s, group, rx);
    if ((ours || group) && eth->type == NET_WIRE_TYPE_ARP && n->address != 0)
        net_arp_input(n, s);
    else
        net_drop(n, s, COUNTER_NET_IN_NOT_OURS);
    return NET_SETTLED;
}

enum net_verdict net_input(struct net *n, struct seg *s, struct net_rx *rx)
{
    enum net_verdict verdict;
    struct net_wire_eth eth;
    enum counter_id why;

    counter_inc(n->env.counters, COUNTER_NET_IN_FRAMES);
    if (n->link_due_ns != UINT64_MAX)
        net_link_begin(n); /* whatever the device says: the wire is there */
    why = read_link(n, s, &eth);
    if (why != COUNTER_COUNT) {
        net_drop(n, s, why);
        return NET_SETTLED;
    }
    verdict = packet_input(n, s, &eth, rx);
    if (n->shared && verdict == NET_TCP)
        net_neighbour_frame(n, &rx->src, eth.src);
    return verdict;
}
