/*
 * What the device gave to this core and another must have. A device spreads connections over its
 * queues by a hash, and where its hash is not known, or is but one queue, its choice is not ours:
 * so each segment's owner is looked up, whatever the device may have thought.
 *
 * Happy path: the owner is this core, and nothing happens. A stray goes to its owner as the whole
 * frame that it was, with its checksums known to be good, and is input there. So do ICMP errors,
 * which devices spread by the addresses of routers, by the segment that they quote; and segments
 * that came in fragments, by the ports that only the first one has. Failure modes: the owner has no
 * room (dropped and counted; TCP sends again), or errors come faster than real ones do (dropped).
 */
#include "dataplane/net/net_state.h"

static const struct net_bucket_rate given_rate = { LIMIT_NET_ICMP_GIVEN_PER_S,
                                                   LIMIT_NET_ICMP_GIVEN_BURST };

/* A frame from another core is here because it belongs here. */
static uint16_t owner(const struct net *n, const struct seg *s, const struct endpoint *local,
                      const struct endpoint *peer)
{
    const struct nic *nic = n->env.nic;

    if (nic->spread == NULL || (s->flags & SEG_RX_SHARED) != 0)
        return nic->queue;
    return spread_queue(nic->spread, peer, local);
}

/* Takes s. */
static void give_away(struct net *n, struct seg *s, uint32_t pulled, uint16_t to)
{
    struct nic *nic = n->env.nic;
    bool given;

    seg_push(s, s->l2_len + pulled); /* they are still there */
    given = nic->ops->give(nic, to, s);
    counter_inc(n->env.counters, given ? COUNTER_NET_STRAYS_GIVEN : COUNTER_NET_STRAYS_LOST);
    seg_release(s);
}

void net_steer_share(struct net *n, struct seg *s, uint32_t pulled)
{
    struct nic *nic = n->env.nic;

    if (nic->spread == NULL || (s->flags & SEG_RX_SHARED) != 0)
        return;
    seg_push(s, s->l2_len + pulled);
    for (uint16_t to = 0; to < nic->spread->queues; to++)
        if (to != nic->queue && !nic->ops->give(nic, to, s))
            counter_inc(n->env.counters, COUNTER_NET_STRAYS_LOST);
    seg_pull(s, s->l2_len + pulled);
}

enum net_verdict net_steer_tcp(struct net *n, struct net_rx *rx, uint32_t pulled)
{
    struct seg *s = rx->s;
    struct endpoint peer = { rx->src, load_be16(s->data) };
    struct endpoint local = { rx->dst, load_be16(s->data + 2) };
    uint16_t to = owner(n, s, &local, &peer);

    if ((s->flags & SEG_RX_SHARED) != 0)
        counter_inc(n->env.counters, COUNTER_NET_STRAYS_TAKEN);
    if (to == n->env.nic->queue)
        return NET_TCP;
    s->flags |= SEG_RX_L3_CSUM_GOOD | SEG_RX_L4_CSUM_GOOD;
    give_away(n, s, pulled, to);
    return NET_SETTLED;
}

enum net_verdict net_steer_error(struct net *n, struct seg *s, const struct net_rx *rx,
                                 uint32_t pulled)
{
    uint16_t to = owner(n, s, &rx->error.local, &rx->error.peer);

    if (to == n->env.nic->queue) {
        net_drop(n, s, COUNTER_NET_IN_ICMP_ERRORS);
        return NET_ERROR;
    }
    if (net_bucket_take(&n->given_bucket, &given_rate, net_now(n)))
        give_away(n, s, pulled, to);
    else
        net_drop(n, s, COUNTER_NET_STRAYS_LOST);
    return NET_SETTLED;
}

void net_steer_dress(struct seg *whole, const struct seg *last, uint32_t pulled)
{
    whole->l2_len = last->l2_len;
    memcpy(seg_push(whole, last->l2_len), last->data - pulled - last->l2_len, last->l2_len);
    seg_pull(whole, last->l2_len);
}
