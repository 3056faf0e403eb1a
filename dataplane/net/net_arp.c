/*
 * ARP (RFC 826): questions for IPv4 neighbours, and answers to those who ask for us.
 *
 * Happy path: a request goes to all; the answer is learnt by net_neighbour. Requests for our
 * address are answered, and their senders learnt. Failure modes: forged answers: we learn only from
 * an answer to a question still open, or from a request for our own address, and only about hosts
 * of our link.
 */
#include "dataplane/net/net_state.h"

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

bool net_arp_ask(struct net *n, uint32_t target)
{
    struct net_wire_arp arp = { .op = NET_WIRE_ARP_REQUEST,
                                .sender_ip = n->address,
                                .target_ip = target };
    struct seg *s = net_neighbour_may_ask(n) ? seg_alloc(n->env.nic->pool) : NULL;

    if (s == NULL)
        return false;
    memcpy(arp.sender_mac, n->env.nic->mac, sizeof(arp.sender_mac));
    net_wire_arp_write(s->data, &arp);
    s->len = NET_WIRE_ARP_LEN;
    net_link_send(n, s, broadcast, NET_WIRE_TYPE_ARP);
    counter_inc(n->env.counters, COUNTER_NET_OUT_ARP_REQUESTS);
    return true;
}

/* Takes s and makes it the reply to the request that it held. */
static void reply(struct net *n, struct seg *s, const struct net_wire_arp *request)
{
    struct net_wire_arp arp = { .op = NET_WIRE_ARP_REPLY,
                                .sender_ip = n->address,
                                .target_ip = request->sender_ip };

    memcpy(arp.sender_mac, n->env.nic->mac, sizeof(arp.sender_mac));
    memcpy(arp.target_mac, request->sender_mac, sizeof(arp.target_mac));
    net_wire_arp_write(s->data, &arp);
    seg_trim(s, NET_WIRE_ARP_LEN);
    s->flags = 0;
    net_link_send(n, s, request->sender_mac, NET_WIRE_TYPE_ARP);
}

/* Hosts of the link, by an address of one host. A probe (RFC 5227, 2.1.1) has none and is answered,
 * not learnt. */
static bool may_learn(const struct net *n, const struct net_wire_arp *arp)
{
    return net_on_link(n, arp->sender_ip) && !net_is_link_broadcast(n, arp->sender_ip);
}

static void learn(struct net *n, const struct net_wire_arp *arp)
{
    struct addr sender = addr_from_v4(arp->sender_ip);
    struct net_neighbour *e;

    if (arp->op == NET_WIRE_ARP_REQUEST && may_learn(n, arp)) {
        net_neighbour_heard(n, &sender, arp->sender_mac);
    } else if (arp->op == NET_WIRE_ARP_REPLY) {
        e = net_neighbour_find(n, &sender);
        if (e != NULL && e->tries > 0)
            net_neighbour_confirm(n, e, arp->sender_mac);
    }
}

void net_arp_input(struct net *n, struct seg *s)
{
    struct net_wire_arp arp;
    bool for_us, conflict;

    if (!net_wire_arp_read(seg_span(s), &arp) || net_wire_mac_group(arp.sender_mac)) {
        net_drop(n, s, COUNTER_NET_IN_MALFORMED);
        return;
    }
    if (arp.sender_ip == n->address) {
        conflict = memcmp(arp.sender_mac, n->env.nic->mac, sizeof(arp.sender_mac)) != 0;
        net_drop(n, s, conflict ? COUNTER_NET_IN_ARP_CONFLICTS : COUNTER_NET_IN_NOT_OURS);
        return;
    }
    for_us = arp.target_ip == n->address;
    if (for_us) {
        net_steer_share(n, s, 0);
        learn(n, &arp);
    }
    if (for_us && arp.op == NET_WIRE_ARP_REQUEST && (s->flags & SEG_RX_SHARED) == 0)
        reply(n, s, &arp);
    else
        seg_release(s);
}
