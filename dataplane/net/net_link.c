/*
 * The bottom of net/: its life, and the queue of frames to the device.
 *
 * Happy path: packets get their Ethernet header and gather in a ring; net_flush hands them to the
 * device in bursts, once a turn. Failure modes: the device takes fewer than offered (they stay), or
 * nothing for LIMIT_NET_OUT_STALL_MS, as when an interface is down (all that waits is dropped); the
 * ring is full (the new frame is dropped). TCP sends again what it still needs.
 */
#include <stdlib.h>

#include "dataplane/net/net_state.h"

void net_link_begin(struct net *n)
{
    n->link_due_ns = UINT64_MAX;
    if (n->address != 0 && !n->shared)
        net_arp_ask(n, n->address);
    if (n->ip6.on)
        net_own6_begin(n);
}

/* What is said on a wire that is not there is lost: RFC 4862, 5.4 begins when an interface is up,
 * and so does RFC 5227, 2.1. */
static void look_at_wire(struct net *n)
{
    struct nic *nic = n->env.nic;

    if (net_now(n) < n->link_due_ns)
        return;
    if (nic->ops->up == NULL || nic->ops->up(nic))
        net_link_begin(n);
    else
        n->link_due_ns = net_now(n) + LIMIT_NET_LINK_LOOK_MS * NS_PER_MS;
}

struct net *net_create(const struct net_config *config, const struct net_env *env)
{
    struct net *n = calloc(1, sizeof(*n));

    if (n == NULL)
        return NULL;
    n->env = *env;
    n->vlan = config->vlan;
    n->shared = config->shared;
    n->neighbours_due_ns = UINT64_MAX;
    net_frag_init(&n->frag, env->nic->pool, env->counters);
    n->link_due_ns = net_now(n);
    n->own6_due_ns = UINT64_MAX;
    n->router_due_ns = UINT64_MAX;
    n->mld_due_ns = UINT64_MAX;
    if (addr_is_v4(&config->address)) {
        ASSERT(config->prefix_length > 0 && config->prefix_length <= 32);
        n->address = addr_v4(&config->address);
        n->mask = ~0U << (32 - config->prefix_length);
        n->gateway = addr_is_v4(&config->gateway) ? addr_v4(&config->gateway) : 0;
    }
    if (!addr_is_none(&config->address6))
        net_own6_init(n, config);
    look_at_wire(n);
    return n;
}

void net_destroy(struct net *n)
{
    net_neighbour_release(n);
    net_frag_release(&n->frag);
    for (; n->out_count > 0; n->out_count--) {
        seg_release(n->out[n->out_first]);
        n->out_first = (n->out_first + 1) % LIMIT_NET_OUT_SEGS;
    }
    free(n);
}

/* The header, and the tag when our frames have one. */
static void put_header(struct net *n, struct seg *s, const uint8_t mac[6], uint16_t type)
{
    uint8_t *tag;

    s->l2_len = NET_WIRE_ETH_LEN;
    if (n->vlan != 0) {
        tag = seg_push(s, NET_WIRE_VLAN_LEN);
        store_be16(tag, n->vlan);
        store_be16(tag + 2, type);
        s->l2_len += NET_WIRE_VLAN_LEN;
        type = NET_WIRE_TYPE_VLAN;
    }
    net_wire_eth_write(seg_push(s, NET_WIRE_ETH_LEN), mac, n->env.nic->mac, type);
}

void net_link_send(struct net *n, struct seg *s, const uint8_t mac[6], uint16_t type)
{
    put_header(n, s, mac, type);
    if (n->out_count == LIMIT_NET_OUT_SEGS)
        net_flush(n);
    if (n->out_count == LIMIT_NET_OUT_SEGS) {
        net_drop(n, s, COUNTER_NET_OUT_DROPPED);
        return;
    }
    n->out[(n->out_first + n->out_count) % LIMIT_NET_OUT_SEGS] = s;
    n->out_count++;
}

static void drop_stalled(struct net *n)
{
    uint64_t now = net_now(n);

    if (n->stalled_ns == 0)
        n->stalled_ns = now;
    if (now - n->stalled_ns < LIMIT_NET_OUT_STALL_MS * NS_PER_MS)
        return;
    for (; n->out_count > 0; n->out_count--) {
        net_drop(n, n->out[n->out_first], COUNTER_NET_OUT_DROPPED);
        n->out_first = (n->out_first + 1) % LIMIT_NET_OUT_SEGS;
    }
    n->stalled_ns = 0;
}

/* Hands over one burst that lies in one piece of the ring; returns how many the device took. */
static unsigned send_burst(struct net *n)
{
    struct nic *nic = n->env.nic;
    unsigned offered = n->out_count < NIC_BURST ? n->out_count : NIC_BURST;
    unsigned taken;

    if (offered > LIMIT_NET_OUT_SEGS - n->out_first)
        offered = LIMIT_NET_OUT_SEGS - n->out_first;
    taken = nic->ops->tx(nic, &n->out[n->out_first], offered);
    ASSERT(taken <= offered);
    n->out_first = (n->out_first + taken) % LIMIT_NET_OUT_SEGS;
    n->out_count -= taken;
    return taken;
}

unsigned net_flush(struct net *n)
{
    unsigned sent = 0, taken = 1;

    while (n->out_count > 0 && taken > 0) {
        taken = send_burst(n);
        sent += taken;
    }
    if (sent > 0) {
        n->stalled_ns = 0;
        counter_add(n->env.counters, COUNTER_NET_OUT_FRAMES, sent);
    } else if (n->out_count > 0) {
        drop_stalled(n);
    }
    return sent;
}

void net_tick(struct net *n)
{
    look_at_wire(n);
    net_mld_tick(n); /* before the probes: their answers come to the groups (RFC 4862, 5.4.2) */
    net_own6_tick(n);
    net_router_tick(n);
    net_neighbour_tick(n);
    net_frag_tick(&n->frag, net_now(n));
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t net_next_ns(const struct net *n)
{
    uint64_t own = earlier(n->own6_due_ns, n->mld_due_ns);
    uint64_t others = earlier(n->neighbours_due_ns, n->router_due_ns);
    uint64_t rest = earlier(n->frag.due_ns, n->link_due_ns);

    return n->out_count > 0 ? net_now(n) : earlier(earlier(own, others), rest);
}
