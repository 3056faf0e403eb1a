/*
 * Who has which Ethernet address: one bounded table for IPv4 and IPv6, asked by ARP (RFC 826) or by
 * Neighbour Discovery (RFC 4861), whose states it keeps.
 *
 * Happy path: an address that is asked for once is known for as long as it is in use; after a while
 * it is asked again while packets still go to the old one: at once by ARP (RFC 1122, 2.3.2.1), some
 * seconds later by ND. Failure modes: no answer after LIMIT_NET_NEIGHBOUR_TRIES questions (what
 * waits is dropped); more neighbours than places (one of whom no answer came goes first, then the
 * one not used longest). Who may be learnt from is the protocols' to say.
 */
#include "dataplane/net/net_state.h"

static const struct net_bucket_rate ask_rate = { LIMIT_NET_ASK_PER_S, LIMIT_NET_ASK_BURST };

static struct net_neighbour *set_of(struct net *n, const struct addr *ip)
{
    return n->neighbours[ip->octets[15] & (NET_NEIGHBOUR_SETS - 1)];
}

STATIC_ASSERT(NET_NEIGHBOUR_SETS <= 256, "one octet says which set");

struct net_neighbour *net_neighbour_find(struct net *n, const struct addr *ip)
{
    struct net_neighbour *set = set_of(n, ip);

    for (unsigned i = 0; i < NET_NEIGHBOUR_WAYS; i++)
        if (set[i].state != NET_NEIGHBOUR_FREE && addr_equal(&set[i].ip, ip))
            return &set[i];
    return NULL;
}

bool net_neighbour_may_ask(struct net *n)
{
    return net_bucket_take(&n->ask_bucket, &ask_rate, net_now(n));
}

/* The one writer of state. INCOMPLETE holds what waits, no other does. */
static void neighbour_set_state(struct net_neighbour *e, enum net_neighbour_state state)
{
    ASSERT(state == NET_NEIGHBOUR_INCOMPLETE || e->waiting == NULL);
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

/* It has answered once, and we send to it. */
static bool is_firm(const struct net_neighbour *e)
{
    return e->used_ns != 0 && e->state != NET_NEIGHBOUR_INCOMPLETE;
}

static bool goes_before(const struct net_neighbour *a, const struct net_neighbour *b)
{
    if (is_firm(a) != is_firm(b))
        return is_firm(b);
    return a->used_ns < b->used_ns;
}

/*
 * A place for ip: a free one, else that of the neighbour to be missed least. Neither a flood of
 * questions with invented senders nor one of packets that make us ask for nobody (RFC 6583) pushes
 * out a neighbour in use.
 */
static struct net_neighbour *place(struct net *n, const struct addr *ip)
{
    struct net_neighbour *set = set_of(n, ip);
    struct net_neighbour *least = &set[0];

    for (unsigned i = 0; i < NET_NEIGHBOUR_WAYS; i++) {
        if (set[i].state == NET_NEIGHBOUR_FREE) {
            least = &set[i];
            break;
        }
        if (goes_before(&set[i], least))
            least = &set[i];
    }
    forget(n, least);
    least->ip = *ip;
    least->confirmed_ns = 0;
    return least;
}

/* The time from a question to the next: by ARP 1 s, then 2 s, then 4 s (RFC 1122, 2.3.2.1: at most
 * one a second); by ND RETRANS_TIMER (RFC 4861, 10). */
static uint64_t patience_ns(const struct net_neighbour *e)
{
    if (e->state == NET_NEIGHBOUR_DELAY)
        return LIMIT_NET_ND_DELAY_MS * NS_PER_MS;
    if (e->tries == 0)
        return 0;
    return addr_is_v4(&e->ip) ? NS_PER_S << (e->tries - 1) : NS_PER_S;
}

static uint64_t due_ns(const struct net *n, const struct net_neighbour *e)
{
    uint64_t due = e->asked_ns + patience_ns(e);

    if (e->state == NET_NEIGHBOUR_REACHABLE || e->state == NET_NEIGHBOUR_STALE)
        return LIMIT_NET_NEIGHBOUR_IDLE_MS * NS_PER_MS +
               (e->used_ns > e->confirmed_ns ? e->used_ns : e->confirmed_ns);
    /* A question that could not be sent just now: soon, not at once. */
    return due > net_now(n) ? due : net_now(n) + 10 * NS_PER_MS;
}

static void look_at(struct net *n, const struct net_neighbour *e)
{
    uint64_t due = due_ns(n, e);

    if (due < n->neighbours_due_ns)
        n->neighbours_due_ns = due;
}

/* Asks for e when its last question is old enough, or gives it up after the last one. False:
 * forgotten. */
static bool ask(struct net *n, struct net_neighbour *e)
{
    uint64_t now = net_now(n);
    bool sent;

    if (now < e->asked_ns + patience_ns(e))
        return true;
    if (e->tries >= LIMIT_NET_NEIGHBOUR_TRIES) {
        forget(n, e);
        return false;
    }
    sent = addr_is_v4(&e->ip) ? net_arp_ask(n, addr_v4(&e->ip)) : net_nd_ask(n, e);
    if (sent) {
        e->tries++;
        e->asked_ns = now;
    }
    return true;
}

static void look_after(struct net *n, struct net_neighbour *e)
{
    bool over = net_now(n) >= e->asked_ns + patience_ns(e);

    switch (e->state) {
    case NET_NEIGHBOUR_FREE: return;
    case NET_NEIGHBOUR_REACHABLE:
    case NET_NEIGHBOUR_STALE:
        if (net_now(n) >= due_ns(n, e))
            forget(n, e);
        break;
    case NET_NEIGHBOUR_DELAY:
        if (!over)
            break;
        neighbour_set_state(e, NET_NEIGHBOUR_PROBE);
        /* fall through */
    case NET_NEIGHBOUR_INCOMPLETE:
    case NET_NEIGHBOUR_PROBE: ask(n, e); break;
    }
    if (e->state != NET_NEIGHBOUR_FREE)
        look_at(n, e);
}

void net_neighbour_tick(struct net *n)
{
    struct net_neighbour *e = &n->neighbours[0][0];

    if (net_now(n) < n->neighbours_due_ns)
        return;
    n->neighbours_due_ns = UINT64_MAX;
    for (unsigned i = 0; i < LIMIT_NET_NEIGHBOURS; i++, e++)
        look_after(n, e);
}

/* What a packet to e changes: an answer grows old, and what is in use is asked again. */
static void use(struct net *n, struct net_neighbour *e)
{
    bool v4 = addr_is_v4(&e->ip);
    uint64_t fresh_ms = v4 ? LIMIT_NET_ARP_FRESH_MS : LIMIT_NET_ND_FRESH_MS;
    uint64_t now = net_now(n);

    e->used_ns = now;
    if (e->state == NET_NEIGHBOUR_REACHABLE && now - e->confirmed_ns >= fresh_ms * NS_PER_MS)
        neighbour_set_state(e, v4 ? NET_NEIGHBOUR_PROBE : NET_NEIGHBOUR_STALE);
    if (e->state == NET_NEIGHBOUR_STALE) {
        neighbour_set_state(e, NET_NEIGHBOUR_DELAY);
        e->asked_ns = now;
    }
    if (e->state == NET_NEIGHBOUR_PROBE)
        ask(n, e);
}

/*
 * Where the kernel speaks ARP and ND, answers come to it alone: we learn from the frames that bring
 * us segments, and each connection began with one. A far host's is its router's, kept as the next
 * hop's, whatever that is called. A stranger on the link could forge frames; but he could forge
 * ARP.
 */
void net_neighbour_frame(struct net *n, const struct addr *ip, const uint8_t mac[6])
{
    struct addr hop = *ip;
    struct net_neighbour *e;

    if (!addr_is_v4(ip) && !net_on_link6(n, ip))
        hop = n->ip6.gateway;
    else if (addr_is_v4(ip) && !net_on_link(n, addr_v4(ip)))
        hop = addr_from_v4(n->gateway);
    e = net_neighbour_find(n, &hop);
    if (e == NULL)
        e = place(n, &hop);
    if (e->state != NET_NEIGHBOUR_REACHABLE || memcmp(e->mac, mac, sizeof(e->mac)) != 0)
        net_neighbour_confirm(n, e, mac);
    e->confirmed_ns = net_now(n);
}

static void send_known(struct net *n, struct seg *s, const struct addr *ip)
{
    struct net_neighbour *e = net_neighbour_find(n, ip);

    if (e == NULL) {
        net_drop(n, s, COUNTER_NET_OUT_UNRESOLVED);
        return;
    }
    e->used_ns = net_now(n);
    net_link_send(n, s, e->mac, addr_is_v4(ip) ? NET_WIRE_TYPE_IP4 : NET_WIRE_TYPE_IP6);
}

void net_neighbour_send(struct net *n, struct seg *s, const struct addr *ip)
{
    struct net_neighbour *e = net_neighbour_find(n, ip);

    if (n->shared) {
        send_known(n, s, ip);
        return;
    }
    if (e == NULL)
        e = place(n, ip);
    use(n, e);
    if (e->state == NET_NEIGHBOUR_FREE)
        neighbour_set_state(e, NET_NEIGHBOUR_INCOMPLETE);
    if (e->state != NET_NEIGHBOUR_INCOMPLETE) {
        net_link_send(n, s, e->mac, addr_is_v4(ip) ? NET_WIRE_TYPE_IP4 : NET_WIRE_TYPE_IP6);
        look_at(n, e);
        return;
    }
    /* RFC 1122, 2.3.2.2: the latest packet is the one to save. */
    if (e->waiting != NULL)
        net_drop(n, e->waiting, COUNTER_NET_OUT_UNRESOLVED);
    e->used_ns = net_now(n);
    e->waiting = s;
    ask(n, e);
    look_at(n, e);
}

static void learn(struct net *n, struct net_neighbour *e, const uint8_t mac[6],
                  enum net_neighbour_state state)
{
    struct seg *s = e->waiting;

    e->waiting = NULL;
    neighbour_set_state(e, state);
    memcpy(e->mac, mac, sizeof(e->mac));
    if (state == NET_NEIGHBOUR_REACHABLE || e->confirmed_ns == 0)
        e->confirmed_ns = net_now(n);
    if (s != NULL)
        net_neighbour_send(n, s, &e->ip);
    look_at(n, e);
}

void net_neighbour_confirm(struct net *n, struct net_neighbour *e, const uint8_t mac[6])
{
    learn(n, e, mac, NET_NEIGHBOUR_REACHABLE);
}

void net_neighbour_suspect(struct net *n, struct net_neighbour *e, const uint8_t mac[6])
{
    learn(n, e, mac, NET_NEIGHBOUR_STALE);
}

void net_neighbour_heard(struct net *n, const struct addr *ip, const uint8_t mac[6])
{
    struct net_neighbour *e = net_neighbour_find(n, ip);
    bool known = e != NULL && e->state != NET_NEIGHBOUR_INCOMPLETE;

    if (e == NULL)
        e = place(n, ip);
    if (addr_is_v4(ip))
        net_neighbour_confirm(n, e, mac);
    else if (!known || memcmp(e->mac, mac, sizeof(e->mac)) != 0) /* RFC 4861, 7.2.3 */
        net_neighbour_suspect(n, e, mac);
}

void net_neighbour_release(struct net *n)
{
    struct net_neighbour *e = &n->neighbours[0][0];

    for (unsigned i = 0; i < LIMIT_NET_NEIGHBOURS; i++, e++)
        if (e->waiting != NULL)
            seg_release(e->waiting);
}
