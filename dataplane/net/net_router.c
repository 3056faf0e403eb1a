/*
 * The way off the link: the configured gateway, or routers that advertise themselves (RFC
 * 4861, 6.3).
 *
 * Happy path: with no gateway configured, routers are asked for as soon as we have an address; each
 * that answers is noted for the life that it tells; packets go to one that is known to answer.
 * Failure modes: no router (no route, and they may yet speak up); more than LIMIT_NET_ROUTERS (the
 * later ones are not noted); one that falls silent (net_neighbour forgets it, the next is tried).
 * Addresses and prefixes that routers tell are not taken: ours are configured.
 */
#include "dataplane/net/net_state.h"

static bool is_live(const struct net *n, const struct net_router *r)
{
    return r->until_ns > net_now(n);
}

/* The place of ip, or a free one; NULL: all are taken by others. */
static struct net_router *place_of(struct net *n, const struct addr *ip)
{
    struct net_router *at = NULL;

    for (unsigned i = 0; i < LIMIT_NET_ROUTERS; i++) {
        struct net_router *r = &n->ip6.routers[i];

        if (is_live(n, r) && addr_equal(&r->ip, ip))
            return r;
        if (!is_live(n, r) && at == NULL)
            at = r;
    }
    return at;
}

static void note(struct net *n, const struct addr *ip, uint16_t lifetime_s)
{
    struct net_router *r = place_of(n, ip);

    if (r == NULL)
        return;
    r->ip = *ip;
    r->until_ns = lifetime_s == 0 ? 0 : net_now(n) + lifetime_s * NS_PER_S;
    /* RFC 4861, 6.3.7: one "with a non-zero Router Lifetime" is enough to stop asking */
    if (lifetime_s != 0)
        n->router_due_ns = UINT64_MAX;
}

void net_router_advertised(struct net *n, struct seg *s, const struct net_wire_ip6 *ip)
{
    struct net_wire_nd_options options;
    uint32_t rest = s->len < NET_WIRE_ND_RA_LEN ? 0 : s->len - NET_WIRE_ND_RA_LEN;

    if (s->len < NET_WIRE_ND_RA_LEN || !addr_is_link_local(&ip->src) ||
        !net_wire_nd_options_read(span_of(s->data + NET_WIRE_ND_RA_LEN, rest), &options)) {
        net_drop(n, s, COUNTER_NET_IN_ND_INVALID);
        return;
    }
    if (addr_is_none(&n->ip6.gateway))
        note(n, &ip->src, load_be16(s->data + 6));
    if (options.source_mac != NULL)
        net_neighbour_heard(n, &ip->src, options.source_mac);
    if (options.mtu >= NET_WIRE_IP6_MTU && options.mtu <= n->env.nic->mtu)
        n->ip6.mtu = (uint16_t)options.mtu;
    seg_release(s);
}

static bool answers(struct net *n, const struct addr *ip)
{
    const struct net_neighbour *e = net_neighbour_find(n, ip);

    return e != NULL && e->state != NET_NEIGHBOUR_INCOMPLETE;
}

/* RFC 4861, 6.3.6: one that is known to answer, else one after the other. */
static const struct addr *choose(struct net *n)
{
    const struct addr *next = NULL;

    for (unsigned i = 0; i < LIMIT_NET_ROUTERS; i++) {
        const struct net_router *r = &n->ip6.routers[(n->ip6.turn + i) % LIMIT_NET_ROUTERS];

        if (is_live(n, r) && answers(n, &r->ip))
            return &r->ip;
        if (is_live(n, r) && next == NULL)
            next = &r->ip;
    }
    n->ip6.turn = (uint8_t)((n->ip6.turn + 1) % LIMIT_NET_ROUTERS);
    return next;
}

bool net_router_hop(struct net *n, const struct addr *dst, struct addr *hop)
{
    const struct addr *router = &n->ip6.gateway;

    if (net_on_link6(n, dst)) {
        *hop = *dst;
        return true;
    }
    if (addr_is_none(router) && !n->shared) /* there, none stands for whoever brings us the world */
        router = choose(n);
    if (router != NULL)
        *hop = *router;
    return router != NULL;
}

void net_router_begin(struct net *n)
{
    if (addr_is_none(&n->ip6.gateway))
        n->router_due_ns = net_now(n);
}

/* RFC 4861, 4.1; from the link-local address. */
static bool solicit(struct net *n)
{
    struct net_wire_ip6 ip = { .proto = NET_WIRE_PROTO_ICMP6,
                               .hop_limit = NET_WIRE_ND_HOPS,
                               .src = n->ip6.own[NET_OWN6_LINK].ip,
                               .dst = { { 0xff, 2, [15] = 2 } } };
    struct seg *s = seg_alloc(n->env.nic->pool);

    if (s == NULL)
        return false;
    memset(s->data, 0, 8);
    s->data[0] = NET_WIRE_ICMP6_RS;
    net_wire_nd_option_write(s->data + 8, 1, n->env.nic->mac);
    s->len = 8 + NET_WIRE_ND_OPT_LEN;
    net_icmp6_seal(s, &ip);
    counter_inc(n->env.counters, COUNTER_ICMP6_OUT_MSGS);
    net_ip6_send(n, s, &ip);
    return true;
}

void net_router_tick(struct net *n)
{
    if (net_now(n) < n->router_due_ns)
        return;
    n->ip6.solicits += solicit(n);
    n->router_due_ns = n->ip6.solicits < LIMIT_NET_ROUTER_SOLICITS
                           ? net_now(n) + LIMIT_NET_ROUTER_WAIT_MS * NS_PER_MS
                           : UINT64_MAX;
}
