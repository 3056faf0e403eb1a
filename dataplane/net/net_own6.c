/*
 * Our IPv6 addresses: the link-local one, made from the Ethernet address (RFC 4291, appendix A),
 * and the configured one, each asked for before it is used (RFC 4862, 5.4).
 *
 * Happy path: a probe, a second without an answer, and the address is valid. Failure modes: an
 * answer, or somebody else's probe for the same address: it is never used, and counted. The random
 * wait before the first probe is left out: it is for many hosts that wake up by the same event.
 */
#include "dataplane/net/net_state.h"

/* The one writer of state. */
static void own6_set_state(struct net_own6 *own, enum net_own6_state state)
{
    ASSERT(own->state != NET_OWN6_DUPLICATE);
    own->state = state;
}

static struct addr link_local_of(const uint8_t mac[6])
{
    struct addr a = { { 0xfe, 0x80 } };

    memcpy(a.octets + 8, mac, 3);
    a.octets[8] ^= 2;
    a.octets[11] = 0xff;
    a.octets[12] = 0xfe;
    memcpy(a.octets + 13, mac + 3, 3);
    return a;
}

static void begin(struct net *n, unsigned which, const struct addr *ip)
{
    struct net_own6 *own = &n->ip6.own[which];

    own->ip = *ip;
    own->due_ns = net_now(n);
    own6_set_state(own, NET_OWN6_TENTATIVE);
}

void net_own6_init(struct net *n, const struct net_config *config)
{
    struct addr local = link_local_of(n->env.nic->mac);
    bool site = !addr_is_link_local(&config->address6);

    ASSERT(!addr_is_v4(&config->address6) && !addr_is_group(&config->address6));
    ASSERT(config->prefix_length6 > 0 && config->prefix_length6 <= 128);
    n->ip6.on = true;
    n->ip6.prefix_length = config->prefix_length6;
    n->ip6.gateway = config->gateway6;
    begin(n, NET_OWN6_LINK, site ? &local : &config->address6);
    if (site)
        begin(n, NET_OWN6_SITE, &config->address6);
}

/* The kernel tells who has the addresses, and has its own link-local one. */
static void share(struct net *n)
{
    struct net_own6 *site = &n->ip6.own[NET_OWN6_SITE];
    struct net_own6 *link = &n->ip6.own[NET_OWN6_LINK];

    own6_set_state(site->state != NET_OWN6_NONE ? site : link, NET_OWN6_VALID);
    if (site->state != NET_OWN6_NONE)
        own6_set_state(link, NET_OWN6_NONE);
}

void net_own6_begin(struct net *n)
{
    if (n->shared) {
        share(n);
        return;
    }
    n->own6_due_ns = net_now(n);
    net_mld_begin(n);
}

struct net_own6 *net_own6_find(struct net *n, const struct addr *ip)
{
    for (unsigned i = 0; i < NET_OWN6_MAX; i++)
        if (n->ip6.own[i].state != NET_OWN6_NONE && addr_equal(&n->ip6.own[i].ip, ip))
            return &n->ip6.own[i];
    return NULL;
}

bool net_own6_in_group(const struct net *n, const struct addr *group)
{
    static const struct addr all_nodes = { { 0xff, 2, [15] = 1 } };
    struct addr mine;

    for (unsigned i = 0; i < NET_OWN6_MAX; i++) {
        mine = net_wire_solicited_group(&n->ip6.own[i].ip);
        if (n->ip6.own[i].state != NET_OWN6_NONE && addr_equal(&mine, group))
            return true;
    }
    return addr_equal(group, &all_nodes);
}

const struct addr *net_own6_source(const struct net *n, const struct addr *dst)
{
    const struct net_own6 *local = &n->ip6.own[NET_OWN6_LINK];
    const struct net_own6 *site = &n->ip6.own[NET_OWN6_SITE];

    if (!addr_is_link_local(dst) && site->state == NET_OWN6_VALID)
        return &site->ip;
    return local->state == NET_OWN6_VALID ? &local->ip : NULL;
}

void net_own6_conflict(struct net *n, struct net_own6 *own)
{
    counter_inc(n->env.counters, COUNTER_NET_IN_ND_CONFLICTS);
    if (own->state == NET_OWN6_TENTATIVE)
        own6_set_state(own, NET_OWN6_DUPLICATE);
}

/* Returns when there is more to do. */
static uint64_t probe(struct net *n, struct net_own6 *own)
{
    uint64_t now = net_now(n);

    if (now < own->due_ns)
        return own->due_ns;
    if (own->probes == 0) {
        own->probes = net_nd_probe(n, &own->ip);
        own->due_ns = now + (own->probes != 0 ? LIMIT_NET_OWN6_WAIT_MS : 10) * NS_PER_MS;
        return own->due_ns;
    }
    own6_set_state(own, NET_OWN6_VALID);
    if (own == &n->ip6.own[NET_OWN6_LINK]) {
        net_mld_begin(n);
        net_router_begin(n);
    }
    return UINT64_MAX;
}

void net_own6_tick(struct net *n)
{
    uint64_t due;

    if (net_now(n) < n->own6_due_ns)
        return;
    n->own6_due_ns = UINT64_MAX;
    for (unsigned i = 0; i < NET_OWN6_MAX; i++) {
        if (n->ip6.own[i].state != NET_OWN6_TENTATIVE)
            continue;
        due = probe(n, &n->ip6.own[i]);
        if (due < n->own6_due_ns)
            n->own6_due_ns = due;
    }
}
