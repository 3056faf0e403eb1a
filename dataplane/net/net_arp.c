/*
 * Who has which Ethernet address (RFC 826): a bounded cache, asked when needed.
 *
 * Happy path: an address that is asked for once is known for as long as it is in use; after a
 * minute it is asked again while packets still go to the old one. Requests for our address are
 * answered. Failure modes: no answer after LIMIT_NET_ARP_TRIES requests (what waits is dropped);
 * more neighbours than places (the one not used longest goes); forged answers: we learn only from
 * an answer to a question still open, or from a request for our own address, and only about hosts
 * of our link.
 */
#include "dataplane/net/net_state.h"

static const struct net_bucket_rate request_rate = { LIMIT_NET_ARP_PER_S, LIMIT_NET_ARP_BURST };
static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static struct net_neighbour *find(struct net *n, uint32_t ip)
{
    struct net_neighbour *set = n->neighbours[ip & (NET_ARP_SETS - 1)];

    for (unsigned i = 0; i < NET_ARP_WAYS; i++)
        if (set[i].state != NET_NEIGHBOUR_FREE && set[i].ip == ip)
            return &set[i];
    return NULL;
}

/* The one writer of state. ASKING holds what waits, KNOWN never does. */
static void neighbour_set_state(struct net_neighbour *e, enum net_neighbour_state state)
{
    ASSERT(state == NET_NEIGHBOUR_ASKING || e->waiting == NULL);
    e->state = state;
    e->tries = 0;
    e->asked_ns = 0;
}

static void forget(struct net *n, struct net_neighbour *e)
{
    if (e->waiting != NULL)
        net_drop(n, e->waiting, COUNTER_NET_OUT_UNRESOLVED);
    e->waiting = NULL;
    e->used_ns = 0;
    neighbour_set_state(e, NET_NEIGHBOUR_FREE);
}

/*
 * A place for ip: a free one, else that of the neighbour not used longest. One that was never sent
 * to (used_ns 0) goes first, so that a flood of requests with invented senders pushes out nobody in
 * use.
 */
static struct net_neighbour *place(struct net *n, uint32_t ip)
{
    struct net_neighbour *set = n->neighbours[ip & (NET_ARP_SETS - 1)];
    struct net_neighbour *oldest = &set[0];

    for (unsigned i = 0; i < NET_ARP_WAYS; i++) {
        if (set[i].state == NET_NEIGHBOUR_FREE) {
            oldest = &set[i];
            break;
        }
        if (set[i].used_ns < oldest->used_ns)
            oldest = &set[i];
    }
    forget(n, oldest);
    oldest->ip = ip;
    return oldest;
}

/* A wait of 1 s, then 2 s, then 4 s (RFC 1122, 2.3.2.1: at most one request a second). */
static uint64_t patience_ns(const struct net_neighbour *e)
{
    return e->tries == 0 ? 0 : NS_PER_S << (e->tries - 1);
}

static void look_at(struct net *n, uint64_t due_ns)
{
    if (due_ns < n->arp_due_ns)
        n->arp_due_ns = due_ns;
}

/* One request or announcement. False: no segment, or too many of them lately. */
static bool send_request(struct net *n, uint32_t target)
{
    struct net_wire_arp arp = { .op = NET_WIRE_ARP_REQUEST,
                                .sender_ip = n->address,
                                .target_ip = target };
    struct seg *s;

    if (!net_bucket_take(&n->arp_bucket, &request_rate, net_now(n)))
        return false;
    s = seg_alloc(n->env.nic->pool);
    if (s == NULL)
        return false;
    memcpy(arp.sender_mac, n->env.nic->mac, sizeof(arp.sender_mac));
    net_wire_arp_write(s->data, &arp);
    s->len = NET_WIRE_ARP_LEN;
    net_link_send(n, s, broadcast, NET_WIRE_TYPE_ARP);
    counter_inc(n->env.counters, COUNTER_NET_OUT_ARP_REQUESTS);
    return true;
}

/* Asks for e when its last question is old enough, or gives it up after the last one. False:
 * forgotten. */
static bool ask(struct net *n, struct net_neighbour *e)
{
    uint64_t now = net_now(n);

    if (now < e->asked_ns + patience_ns(e))
        return true;
    if (e->tries >= LIMIT_NET_ARP_TRIES) {
        forget(n, e);
        return false;
    }
    if (send_request(n, e->ip)) {
        e->tries++;
        e->asked_ns = now;
    }
    return true;
}

static uint64_t due_ns(const struct net *n, const struct net_neighbour *e)
{
    uint64_t due = e->asked_ns + patience_ns(e);

    if (e->state == NET_NEIGHBOUR_KNOWN)
        return LIMIT_NET_ARP_IDLE_MS * NS_PER_MS +
               (e->used_ns > e->confirmed_ns ? e->used_ns : e->confirmed_ns);
    /* A request that could not be sent just now: soon, not at once. */
    return due > net_now(n) ? due : net_now(n) + 10 * NS_PER_MS;
}

void net_arp_tick(struct net *n)
{
    uint64_t now = net_now(n);
    struct net_neighbour *e = &n->neighbours[0][0];

    if (now < n->arp_due_ns)
        return;
    n->arp_due_ns = UINT64_MAX;
    for (unsigned i = 0; i < LIMIT_NET_NEIGHBOURS; i++, e++) {
        if (e->state == NET_NEIGHBOUR_KNOWN && now >= due_ns(n, e))
            forget(n, e);
        if (e->state == NET_NEIGHBOUR_ASKING)
            ask(n, e);
        if (e->state != NET_NEIGHBOUR_FREE)
            look_at(n, due_ns(n, e));
    }
}

void net_arp_send(struct net *n, struct seg *s, uint32_t neighbour)
{
    struct net_neighbour *e = find(n, neighbour);
    uint64_t now = net_now(n);

    if (e == NULL)
        e = place(n, neighbour);
    if (e->state == NET_NEIGHBOUR_KNOWN &&
        (now - e->confirmed_ns < LIMIT_NET_ARP_FRESH_MS * NS_PER_MS || ask(n, e))) {
        e->used_ns = now;
        net_link_send(n, s, e->mac, NET_WIRE_TYPE_IP4);
        return;
    }
    if (e->state == NET_NEIGHBOUR_FREE)
        neighbour_set_state(e, NET_NEIGHBOUR_ASKING);
    /* RFC 1122, 2.3.2.2: the latest packet is the one to save. */
    if (e->waiting != NULL)
        net_drop(n, e->waiting, COUNTER_NET_OUT_UNRESOLVED);
    e->used_ns = now;
    e->waiting = s;
    ask(n, e);
    look_at(n, due_ns(n, e));
}

static void learn(struct net *n, struct net_neighbour *e, const struct net_wire_arp *arp)
{
    struct seg *s = e->waiting;

    e->waiting = NULL;
    neighbour_set_state(e, NET_NEIGHBOUR_KNOWN);
    memcpy(e->mac, arp->sender_mac, sizeof(e->mac));
    e->confirmed_ns = net_now(n);
    if (s != NULL)
        net_link_send(n, s, e->mac, NET_WIRE_TYPE_IP4);
    look_at(n, due_ns(n, e));
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
    return net_on_link(n, arp->sender_ip) && (arp->sender_ip & ~n->mask) != 0 &&
           (arp->sender_ip | n->mask) != 0xffffffff;
}

/* The device gives an answer to one core; the others asked, or will ask, the same. */
static void share(struct net *n, struct seg *s)
{
    struct nic *nic = n->env.nic;

    if (nic->ops->share == NULL || (s->flags & SEG_RX_SHARED) != 0)
        return;
    seg_push(s, NET_WIRE_ETH_LEN); /* it is still there */
    nic->ops->share(nic, s);
    seg_pull(s, NET_WIRE_ETH_LEN);
}

void net_arp_input(struct net *n, struct seg *s)
{
    struct net_neighbour *e;
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
    if (for_us)
        share(n, s);
    e = find(n, arp.sender_ip);
    if (for_us && arp.op == NET_WIRE_ARP_REQUEST && may_learn(n, &arp)) {
        if (e == NULL)
            e = place(n, arp.sender_ip);
        learn(n, e, &arp);
    } else if (for_us && arp.op == NET_WIRE_ARP_REPLY && e != NULL && e->tries > 0) {
        learn(n, e, &arp);
    }
    if (for_us && arp.op == NET_WIRE_ARP_REQUEST && (s->flags & SEG_RX_SHARED) == 0)
        reply(n, s, &arp);
    else
        seg_release(s);
}

void net_arp_announce(struct net *n)
{
    send_request(n, n->address);
}

void net_arp_release(struct net *n)
{
    struct net_neighbour *e = &n->neighbours[0][0];

    for (unsigned i = 0; i < LIMIT_NET_NEIGHBOURS; i++, e++)
        if (e->waiting != NULL)
            seg_release(e->waiting);
}
