/*
 * What net/ offers: Ethernet, IPv4 with ARP and IPv6 with Neighbour Discovery, and ICMP's echo for
 * one core's queue. A received frame is settled here, or named for TCP by the verdict; net/ never
 * calls tcp/.
 */
#ifndef POSTERN_NET_H
#define POSTERN_NET_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/nic.h"

struct net;

/* At least one address; "none" is all zero. */
struct net_config {
    struct addr address;    /* ours; IPv4, or none */
    uint8_t prefix_length;  /* of the link, bits; 1 to 32 */
    struct addr gateway;    /* next hop for all else; or none */
    struct addr address6;   /* ours; IPv6, or none: then no IPv6 at all */
    uint8_t prefix_length6; /* 1 to 128 */
    struct addr gateway6;   /* none: the routers that advertise themselves */
    bool shared;   /* the kernel has our addresses too: it alone speaks ARP and ND for them */
    uint16_t vlan; /* tag of all frames (IEEE 802.1Q); 0: they have none */
};

struct net_env {
    struct nic *nic;
    const struct clock *clock;
    struct counters *counters;
};

/* NULL when memory is short. net keeps env's pointers. */
struct net *net_create(const struct net_config *config, const struct net_env *env);
void net_destroy(struct net *n);

enum net_verdict {
    NET_SETTLED, /* answered, cached or dropped */
    NET_TCP,     /* rx->s is the caller's: exactly the TCP segment, its checksum is good */
    NET_ERROR,   /* rx->error is an ICMP error about a TCP segment of ours */
};

/* An ICMP error, and the segment that it quotes. Anybody may have invented it. */
struct net_error {
    struct endpoint local;
    struct endpoint peer;
    uint32_t seq;
    uint16_t mtu; /* of the path, bytes: the segment was too big; 0: another error */
};

struct net_rx {
    struct seg *s; /* the one that was received, or one that is whole by its last fragment */
    struct addr src;
    struct addr dst;
    uint8_t tos; /* with the ECN bits */
    uint8_t ttl;
    struct net_error error;
};

/* Takes s, a received frame. With NET_TCP and NET_ERROR fills its part of *rx. */
enum net_verdict net_input(struct net *n, struct seg *s, struct net_rx *rx);

/*
 * Sends a TCP segment: takes s, whose data begins with the TCP header (checksum field zero) and
 * which has NET_HEADROOM bytes of headroom. Puts IP and Ethernet before it, fills the checksums in
 * or leaves them to the device, finds the next hop (one segment waits per unknown neighbour; TCP
 * sends others again). src is the address of ours that the connection has. While somebody else
 * holds a reference, data has moved to the first header put before it.
 */
#define NET_HEADROOM 58 /* Ethernet with a tag, IPv6 */
void net_output_tcp(struct net *n, struct seg *s, const struct addr *src, const struct addr *dst);

/* Largest IP packet on the way to dst, bytes. */
uint16_t net_mtu(const struct net *n, const struct addr *dst);

/* Hands what has gathered to the device; what it does not take stays for the next flush. Returns
 * segments sent. */
unsigned net_flush(struct net *n);
/* Neighbours asked again and grown old, our addresses probed; call once a turn, it costs nothing
 * until something is due. */
void net_tick(struct net *n);
/* When net_tick or net_flush has something to do next, clock ns; UINT64_MAX: nothing. */
uint64_t net_next_ns(const struct net *n);

#endif
