/* Private to net/: what one core's network layer knows, and what its files call of each other. */
#ifndef POSTERN_NET_STATE_H
#define POSTERN_NET_STATE_H

#include "base/assert.h"
#include "base/limits.h"
#include "dataplane/net/net.h"
#include "dataplane/net/net_bucket.h"
#include "dataplane/net/net_frag.h"
#include "dataplane/net/net_wire.h"
#include "dataplane/net/net_wire6.h"

#define NET_NEIGHBOUR_WAYS \
    4 /* places for an address; sets go by its low bits, so a /24 fits without a clash */
#define NET_NEIGHBOUR_SETS (LIMIT_NET_NEIGHBOURS / NET_NEIGHBOUR_WAYS)

STATIC_ASSERT((NET_NEIGHBOUR_SETS & (NET_NEIGHBOUR_SETS - 1)) == 0,
              "the set is a mask of the address");

/* RFC 4861, 7.3.2; ARP knows no STALE and no DELAY. */
enum net_neighbour_state {
    NET_NEIGHBOUR_FREE,
    NET_NEIGHBOUR_INCOMPLETE, /* no answer yet: nothing can be sent */
    NET_NEIGHBOUR_REACHABLE,  /* it has answered, not long ago */
    NET_NEIGHBOUR_STALE,      /* it may have moved; not in use */
    NET_NEIGHBOUR_DELAY,      /* in use again, to be asked soon */
    NET_NEIGHBOUR_PROBE,      /* being asked, while packets still go to the old address */
};

struct net_neighbour {
    enum net_neighbour_state state;
    struct addr ip;
    uint8_t mac[6];
    uint8_t tries;         /* questions sent in this state */
    uint64_t asked_ns;     /* the last of them; DELAY: since when */
    uint64_t confirmed_ns; /* the last answer */
    uint64_t used_ns;      /* last packet for it; 0: never */
    struct seg *waiting;   /* INCOMPLETE: the newest packet for it, from the IP header on */
};

/* RFC 4862, 5.4. */
enum net_own6_state {
    NET_OWN6_NONE,
    NET_OWN6_TENTATIVE, /* being asked for: nothing is sent from it or taken for it */
    NET_OWN6_VALID,
    NET_OWN6_DUPLICATE, /* somebody else has it */
};

struct net_own6 {
    struct addr ip;
    enum net_own6_state state;
    uint8_t probes;
    uint64_t due_ns; /* TENTATIVE: the probe, or the end of the wait for an answer */
};

#define NET_OWN6_LINK 0 /* the link-local one */
#define NET_OWN6_SITE 1 /* the configured one; NONE when that is the link-local one */
#define NET_OWN6_MAX  2

struct net_router {
    struct addr ip;
    uint64_t until_ns; /* its advertised life; not after now: a free place */
};

struct net_ip6 {
    bool on;
    uint8_t prefix_length;
    struct addr gateway; /* none: advertised routers */
    struct net_own6 own[NET_OWN6_MAX];
    struct net_router routers[LIMIT_NET_ROUTERS];
    uint8_t turn;     /* which router is tried while none is known to answer */
    uint8_t solicits; /* router solicitations sent */
    uint8_t mld_left; /* reports yet to be sent */
    bool mld_news;    /* they tell of groups that are new, and answer no query */
    uint16_t mtu;     /* of the link, as advertised; 0: the device's */
};

struct net {
    struct net_env env;
    uint32_t address; /* IPv4, host order; 0: none */
    uint32_t mask;
    uint32_t gateway; /* 0: none */
    uint16_t vlan;    /* 0: frames have no tag */
    bool shared;      /* net_neighbour_frame */
    struct net_ip6 ip6;
    struct net_frag frag;
    struct net_bucket echo_bucket;
    struct net_bucket error_bucket;
    struct net_bucket ask_bucket;
    struct net_bucket given_bucket; /* of ICMP errors, to other cores */
    uint64_t link_due_ns;           /* when to look whether the wire is there; UINT64_MAX: it is */
    uint64_t neighbours_due_ns;     /* when net_neighbour_tick has something to look at */
    uint64_t own6_due_ns;           /* the same of net_own6_tick */
    uint64_t router_due_ns;         /* the same of net_router_tick */
    uint64_t mld_due_ns;            /* the same of net_mld_tick */
    uint64_t stalled_ns;            /* since when the device takes nothing; 0: it does */
    uint32_t out_first;
    uint32_t out_count;
    struct seg *out[LIMIT_NET_OUT_SEGS]; /* a ring: whole frames for the device */
    struct net_neighbour neighbours[NET_NEIGHBOUR_SETS][NET_NEIGHBOUR_WAYS];
};

static inline uint64_t net_now(const struct net *n)
{
    return n->env.clock->now_ns;
}

/* IPv4. */
static inline bool net_on_link(const struct net *n, uint32_t ip)
{
    return ((ip ^ n->address) & n->mask) == 0;
}

/* An address of our link that is nobody's: of all its hosts, or of none. A link of two has neither
 * (RFC 3021). */
static inline bool net_is_link_broadcast(const struct net *n, uint32_t ip)
{
    return net_on_link(n, ip) && n->mask < 0xfffffffe &&
           ((ip & ~n->mask) == 0 || (ip | n->mask) == 0xffffffff);
}

/* A packet that came, on the core to which the device gave it alone: it may be handed on. */
static inline void net_count_in(struct net *n, const struct seg *s, enum counter_id id)
{
    if ((s->flags & SEG_RX_SHARED) == 0)
        counter_inc(n->env.counters, id);
}

/* Takes s, drops it, counts why. */
static inline void net_drop(struct net *n, struct seg *s, enum counter_id why)
{
    counter_inc(n->env.counters, why);
    seg_release(s);
}

/* --- net_link.c ------------------------------------------------------------------------------ */

/* Takes s, a packet without an Ethernet header, and queues it for mac. */
void net_link_send(struct net *n, struct seg *s, const uint8_t mac[6], uint16_t type);
/* The wire is there: tells the link where we are, and asks whether it may. */
void net_link_begin(struct net *n);

/* --- net_steer.c ----------------------------------------------------------------------------- */

/* `pulled`: bytes that were cut off the packet's front since the Ethernet header, and are still
 * there. */

/* Gives a received packet to the other cores too: the device gave it to one, and all must know. */
void net_steer_share(struct net *n, struct seg *s, uint32_t pulled);
/* A whole TCP segment, rx->s: NET_TCP, or it was another core's and went there: NET_SETTLED. */
enum net_verdict net_steer_tcp(struct net *n, struct net_rx *rx, uint32_t pulled);
/* Takes s, an ICMP error that quotes a segment of ours, rx->error; the same with NET_ERROR. */
enum net_verdict net_steer_error(struct net *n, struct seg *s, const struct net_rx *rx,
                                 uint32_t pulled);
/* Puts the Ethernet header of `last`, which is `pulled` bytes before its data, before the packet
 * that came in fragments, of which `last` was the last: as if it had come whole. */
void net_steer_dress(struct seg *whole, const struct seg *last, uint32_t pulled);

/* --- net_neighbour.c ------------------------------------------------------------------------- */

/* Takes s, an IP packet, and sends it to the neighbour as soon as its address is known. */
void net_neighbour_send(struct net *n, struct seg *s, const struct addr *ip);
/* NULL: not in the table. */
struct net_neighbour *net_neighbour_find(struct net *n, const struct addr *ip);
/* It asked for us from this address, or says unasked that it has it. */
void net_neighbour_heard(struct net *n, const struct addr *ip, const uint8_t mac[6]);
/* It answered a question: e is REACHABLE at mac. */
void net_neighbour_confirm(struct net *n, struct net_neighbour *e, const uint8_t mac[6]);
/* It may have moved to mac: e is STALE. */
void net_neighbour_suspect(struct net *n, struct net_neighbour *e, const uint8_t mac[6]);
/* Shared with the kernel: a packet came from ip in a frame from mac. That is all we learn. */
void net_neighbour_frame(struct net *n, const struct addr *ip, const uint8_t mac[6]);
/* One question more may be sent just now. */
bool net_neighbour_may_ask(struct net *n);
void net_neighbour_tick(struct net *n);
void net_neighbour_release(struct net *n);

/* --- net_arp.c ------------------------------------------------------------------------------- */

/* Takes s. */
void net_arp_input(struct net *n, struct seg *s);
/* Asks for an IPv4 address; for our own: tells the link where we are (RFC 5227, 3). False: not now.
 */
bool net_arp_ask(struct net *n, uint32_t target);

/* What the IP header of a segment of ours says: ECT(0) or nothing (RFC 3168, 5). */
static inline uint8_t net_tos_of(const struct seg *s)
{
    return s->flags & SEG_TX_ECT ? NET_WIRE_ECT0 : 0;
}

/* --- net_ip4.c, net_icmp.c ------------------------------------------------------------------- */

/* s begins with the IPv4 header; as net_input. */
enum net_verdict net_ip4_input(struct net *n, struct seg *s, struct net_rx *rx);
/* Takes s, what goes after the header. DF, TTL 64. */
void net_ip4_send(struct net *n, struct seg *s, uint8_t proto, uint32_t dst);
/* Takes s, exactly the ICMP message; as net_input. */
enum net_verdict net_icmp_input(struct net *n, struct seg *s, const struct net_wire_ip4 *ip,
                                struct net_rx *rx);

/* --- net_ip6.c, net_icmp6.c ------------------------------------------------------------------ */

/* s begins with the IPv6 header, and came to a group's Ethernet address or to ours; as net_input.
 */
enum net_verdict net_ip6_input(struct net *n, struct seg *s, bool to_group, struct net_rx *rx);
/* Takes s, what goes after the header; payload_len is filled in. */
void net_ip6_send(struct net *n, struct seg *s, const struct net_wire_ip6 *ip);
/* The same, straight to an Ethernet address. */
void net_ip6_send_to(struct net *n, struct seg *s, const struct net_wire_ip6 *ip,
                     const uint8_t mac[6]);
/* Largest packet on the link, bytes. */
uint16_t net_ip6_mtu(const struct net *n);
/* Takes s, exactly the ICMPv6 message; as net_input. */
enum net_verdict net_icmp6_input(struct net *n, struct seg *s, const struct net_wire_ip6 *ip,
                                 struct net_rx *rx);
/* Fills in the checksum of an ICMPv6 message from ip->src to ip->dst. */
void net_icmp6_seal(struct seg *s, const struct net_wire_ip6 *ip);
/* Takes s, a packet from its IPv6 header on, and answers it with a parameter problem: `code` (RFC
 * 4443, 3.4) at byte `pointer`. Not to groups, and not past a rate. */
void net_icmp6_problem(struct net *n, struct seg *s, uint8_t code, uint32_t pointer);

/* --- net_own6.c ------------------------------------------------------------------------------ */

void net_own6_init(struct net *n, const struct net_config *config);
/* The wire is there: asks for them; or they are the kernel's too, which has asked. */
void net_own6_begin(struct net *n);
/* The address of ours that this is, in any state, or NULL. */
struct net_own6 *net_own6_find(struct net *n, const struct addr *ip);
/* All nodes, or the group of one of our addresses (RFC 4291, 2.8). */
bool net_own6_in_group(const struct net *n, const struct addr *group);
/* Our address to speak to dst from; NULL: none is valid yet. */
const struct addr *net_own6_source(const struct net *n, const struct addr *dst);
/* Somebody else has this address of ours. */
void net_own6_conflict(struct net *n, struct net_own6 *own);
/* Sends probes, ends waits. */
void net_own6_tick(struct net *n);

/* --- net_nd.c, net_router.c ------------------------------------------------------------------ */

/* Take s, exactly the message, whose checksum is good. */
void net_nd_solicited(struct net *n, struct seg *s, const struct net_wire_ip6 *ip);
void net_nd_advertised(struct net *n, struct seg *s, const struct net_wire_ip6 *ip);
void net_router_advertised(struct net *n, struct seg *s, const struct net_wire_ip6 *ip);
/* Asks for a neighbour. False: not now. */
bool net_nd_ask(struct net *n, const struct net_neighbour *e);
/* Asks whether anybody has this address. False: no segment to be had. */
bool net_nd_probe(struct net *n, const struct addr *target);
/* Where a packet for dst goes next. False: there is no way. */
bool net_router_hop(struct net *n, const struct addr *dst, struct addr *hop);
/* We have an address to ask for routers from. */
void net_router_begin(struct net *n);
/* Asks for routers. */
void net_router_tick(struct net *n);

/* --- net_mld.c ------------------------------------------------------------------------------- */

/* Tells what groups we listen in: they are new, or there is a new address to tell it from. */
void net_mld_begin(struct net *n);
/* Takes s, exactly the message, whose checksum is good. */
void net_mld_queried(struct net *n, struct seg *s, const struct net_wire_ip6 *ip);
void net_mld_tick(struct net *n);

/* On the link, by address or by configuration. */
static inline bool net_on_link6(const struct net *n, const struct addr *ip)
{
    const struct net_own6 *site = &n->ip6.own[NET_OWN6_SITE];

    return addr_is_link_local(ip) ||
           (site->state != NET_OWN6_NONE && addr_same_network(ip, &site->ip, n->ip6.prefix_length));
}

#endif
