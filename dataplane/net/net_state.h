/* Private to net/: what one core's network layer knows, and what its files call of each other. */
#ifndef POSTERN_NET_STATE_H
#define POSTERN_NET_STATE_H

#include "base/assert.h"
#include "base/limits.h"
#include "dataplane/net/net.h"
#include "dataplane/net/net_bucket.h"
#include "dataplane/net/net_wire.h"

#define NET_ARP_WAYS \
    4 /* places for an address; sets go by its low bits, so a /24 fits without a clash */
#define NET_ARP_SETS (LIMIT_NET_NEIGHBOURS / NET_ARP_WAYS)

STATIC_ASSERT((NET_ARP_SETS & (NET_ARP_SETS - 1)) == 0, "the set is a mask of the address");

enum net_neighbour_state {
    NET_NEIGHBOUR_FREE,
    NET_NEIGHBOUR_ASKING, /* no answer yet: nothing can be sent */
    NET_NEIGHBOUR_KNOWN,
};

struct net_neighbour {
    enum net_neighbour_state state;
    uint32_t ip; /* host order */
    uint8_t mac[6];
    uint8_t tries;         /* requests sent since the last answer */
    uint64_t asked_ns;     /* the last of them */
    uint64_t confirmed_ns; /* KNOWN: the last answer */
    uint64_t used_ns;      /* last packet for it */
    struct seg *waiting;   /* ASKING: the newest packet for it, from the IP header on */
};

struct net {
    struct net_env env;
    uint32_t address; /* host order */
    uint32_t mask;
    uint32_t gateway; /* 0: none */
    struct net_bucket echo_bucket;
    struct net_bucket arp_bucket;
    uint64_t arp_due_ns; /* when net_arp_tick has something to look at */
    uint64_t stalled_ns; /* since when the device takes nothing; 0: it does */
    uint32_t out_first;
    uint32_t out_count;
    struct seg *out[LIMIT_NET_OUT_SEGS]; /* a ring: whole frames for the device */
    struct net_neighbour neighbours[NET_ARP_SETS][NET_ARP_WAYS];
};

static inline uint64_t net_now(const struct net *n)
{
    return n->env.clock->now_ns;
}

static inline bool net_on_link(const struct net *n, uint32_t ip)
{
    return ((ip ^ n->address) & n->mask) == 0;
}

/* Takes s, drops it, counts why. */
static inline void net_drop(struct net *n, struct seg *s, enum counter_id why)
{
    counter_inc(n->env.counters, why);
    seg_release(s);
}

/* net_link.c */
/* Takes s, a packet without an Ethernet header, and queues it for mac. */
void net_link_send(struct net *n, struct seg *s, const uint8_t mac[6], uint16_t type);

/* net_arp.c; each takes s */
void net_arp_input(struct net *n, struct seg *s);
/* Sends an IPv4 packet to a neighbour as soon as its address is known. */
void net_arp_send(struct net *n, struct seg *s, uint32_t neighbour);
/* Tells the link where we are (RFC 5227, 3). */
void net_arp_announce(struct net *n);
void net_arp_tick(struct net *n);
void net_arp_release(struct net *n);

/* net_ip.c; takes s, what goes after the header. tos 0, DF, TTL 64 */
void net_ip_send(struct net *n, struct seg *s, uint8_t proto, uint32_t dst);

/* net_icmp.c; takes s, exactly the ICMP message */
void net_icmp_input(struct net *n, struct seg *s, const struct net_wire_ip4 *ip);

#endif
