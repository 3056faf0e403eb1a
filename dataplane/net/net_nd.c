/*
 * Neighbour solicitations and advertisements (RFC 4861, 7): ARP's work for IPv6.
 *
 * Happy path: a question to the group that the target listens in, or straight to a neighbour that
 * may have moved; its answer is learnt. Questions for our addresses are answered, and their senders
 * learnt. Failure modes: messages that break the rules of 7.1 are ignored and counted; so is what
 * hosts off our link say.
 */
#include "dataplane/net/net_state.h"

#define TARGET_AT 8

/* Takes s, whose message is whole but for its checksum. `mac`: where to; NULL: by the address. */
static void send_message(struct net *n, struct seg *s, struct net_wire_ip6 *ip, const uint8_t *mac)
{
    ip->proto = NET_WIRE_PROTO_ICMP6;
    ip->hop_limit = NET_WIRE_ND_HOPS;
    net_icmp6_seal(s, ip);
    counter_inc(n->env.counters, COUNTER_ICMP6_OUT_MSGS);
    if (mac != NULL)
        net_ip6_send_to(n, s, ip, mac);
    else
        net_ip6_send(n, s, ip);
}

static void put_message(struct seg *s, uint8_t type, uint8_t flags, const struct addr *target)
{
    memset(s->data, 0, TARGET_AT);
    s->data[0] = type;
    s->data[4] = flags;
    memcpy(s->data + TARGET_AT, target->octets, sizeof(target->octets));
    s->len = NET_WIRE_ND_LEN;
}

static void put_mac(struct net *n, struct seg *s, uint8_t kind)
{
    net_wire_nd_option_write(s->data + s->len, kind, n->env.nic->mac);
    s->len += NET_WIRE_ND_OPT_LEN;
}

bool net_nd_ask(struct net *n, const struct net_neighbour *e)
{
    const struct addr *src = net_own6_source(n, &e->ip);
    bool known = e->state == NET_NEIGHBOUR_PROBE;
    struct net_wire_ip6 ip = { .dst = known ? e->ip : net_wire_solicited_group(&e->ip) };
    struct seg *s;

    if (src == NULL || !net_neighbour_may_ask(n))
        return false;
    s = seg_alloc(n->env.nic->pool);
    if (s == NULL)
        return false;
    ip.src = *src;
    put_message(s, NET_WIRE_ICMP6_NS, 0, &e->ip);
    put_mac(n, s, 1);
    send_message(n, s, &ip, known ? e->mac : NULL);
    return true;
}

bool net_nd_probe(struct net *n, const struct addr *target)
{
    struct net_wire_ip6 ip = { .dst = net_wire_solicited_group(target) };
    struct seg *s = seg_alloc(n->env.nic->pool);

    if (s == NULL)
        return false;
    put_message(s, NET_WIRE_ICMP6_NS, 0, target);
    send_message(n, s, &ip, NULL);
    return true;
}

/* Takes s, which held the question, and makes it the answer (RFC 4861, 7.2.4). */
static void answer(struct net *n, struct seg *s, const struct net_wire_ip6 *asked,
                   const struct addr *target)
{
    static const struct addr all_nodes = { { 0xff, 2, [15] = 1 } };
    bool nobody = addr_is_none(&asked->src); /* who asks for the address for itself */
    struct net_wire_ip6 ip = { .src = *target, .dst = nobody ? all_nodes : asked->src };
    uint8_t flags = NET_WIRE_ND_OVERRIDE | (nobody ? 0 : NET_WIRE_ND_SOLICITED);

    seg_push(s, NET_WIRE_ND_OPT_LEN); /* room for ours, where the IPv6 header was */
    put_message(s, NET_WIRE_ICMP6_NA, flags, target);
    put_mac(n, s, 2);
    send_message(n, s, &ip, NULL);
}

/* The target, and the options behind it; false: RFC 4861, 7.1 bids us ignore it. */
static bool read_message(const struct seg *s, struct addr *target,
                         struct net_wire_nd_options *options)
{
    if (s->len < NET_WIRE_ND_LEN)
        return false;
    memcpy(target->octets, s->data + TARGET_AT, sizeof(target->octets));
    return !addr_is_group(target) &&
           net_wire_nd_options_read(span_of(s->data + NET_WIRE_ND_LEN, s->len - NET_WIRE_ND_LEN),
                                    options);
}

/* RFC 4861, 7.1.1: nobody asks the target's group alone, and tells no address. */
static bool may_ask(const struct net_wire_ip6 *ip, const struct addr *target,
                    const struct net_wire_nd_options *options)
{
    struct addr group = net_wire_solicited_group(target);

    return !addr_is_none(&ip->src) || (addr_equal(&ip->dst, &group) && options->source_mac == NULL);
}

void net_nd_solicited(struct net *n, struct seg *s, const struct net_wire_ip6 *ip)
{
    struct net_wire_nd_options options;
    struct net_own6 *own;
    struct addr target;

    if (!read_message(s, &target, &options) || !may_ask(ip, &target, &options)) {
        net_drop(n, s, COUNTER_NET_IN_ND_INVALID);
        return;
    }
    own = net_own6_find(n, &target);
    if (own == NULL || own->state != NET_OWN6_VALID) {
        /* RFC 4862, 5.4.3: another one that asks for the address for itself. */
        if (own != NULL && addr_is_none(&ip->src))
            net_own6_conflict(n, own);
        net_drop(n, s, COUNTER_NET_IN_NOT_OURS);
        return;
    }
    if (options.source_mac != NULL && net_on_link6(n, &ip->src))
        net_neighbour_heard(n, &ip->src, options.source_mac);
    if ((s->flags & SEG_RX_SHARED) == 0)
        answer(n, s, ip, &own->ip);
    else
        seg_release(s);
}

/* RFC 4861, 7.2.5, for a neighbour whose address is known. */
static void advertised_known(struct net *n, struct net_neighbour *e, uint8_t flags,
                             const uint8_t *mac)
{
    bool moved = mac != NULL && memcmp(mac, e->mac, sizeof(e->mac)) != 0;

    if (moved && (flags & NET_WIRE_ND_OVERRIDE) == 0) {
        if (e->state == NET_NEIGHBOUR_REACHABLE)
            net_neighbour_suspect(n, e, e->mac);
    } else if ((flags & NET_WIRE_ND_SOLICITED) != 0) {
        net_neighbour_confirm(n, e, moved ? mac : e->mac);
    } else if (moved) {
        net_neighbour_suspect(n, e, mac);
    }
}

static void learn(struct net *n, const struct addr *target, uint8_t flags, const uint8_t *mac)
{
    struct net_neighbour *e = net_neighbour_find(n, target);

    if (e == NULL)
        return;
    if (e->state != NET_NEIGHBOUR_INCOMPLETE)
        advertised_known(n, e, flags, mac);
    else if (mac != NULL && (flags & NET_WIRE_ND_SOLICITED) != 0)
        net_neighbour_confirm(n, e, mac);
    else if (mac != NULL)
        net_neighbour_suspect(n, e, mac);
}

void net_nd_advertised(struct net *n, struct seg *s, const struct net_wire_ip6 *ip)
{
    struct net_wire_nd_options options;
    struct net_own6 *own;
    struct addr target;
    uint8_t flags = s->data[4];
    bool to_all = addr_is_group(&ip->dst) && (flags & NET_WIRE_ND_SOLICITED) != 0;

    if (to_all || !read_message(s, &target, &options)) {
        net_drop(n, s, COUNTER_NET_IN_ND_INVALID);
        return;
    }
    own = net_own6_find(n, &target);
    if (own != NULL)
        net_own6_conflict(n, own);
    else
        learn(n, &target, flags, options.target_mac);
    seg_release(s);
}
