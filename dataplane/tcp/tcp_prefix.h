/*
 * How many connections each host and each network has: an IPv4 address and its /24, an IPv6 /64 and
 * its /48, which is what one customer gets. Only those whose handshake is through count, or whose
 * SYN takes the place of a TIME-WAIT entry, so nobody can fill another's share with forged SYNs.
 *
 * Prefixes stand by a keyed 32-bit hash alone: two of them share a count, and a limit, once in four
 * billion. Pure.
 */
#ifndef POSTERN_TCP_PREFIX_H
#define POSTERN_TCP_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"

struct tcp_prefix_slot {
    uint32_t hash;
    uint32_t count; /* 0: free */
};

struct tcp_prefix_table {
    struct tcp_prefix_slot *slots;
    uint32_t mask;
    struct hash_key secret;
};

/* Slots for so many connections, two prefixes each, at most half full; a power of two. */
uint32_t tcp_prefix_slots_for(uint32_t connections);
/* Uses `slots`, `count` of them, which it clears. */
void tcp_prefix_init(struct tcp_prefix_table *t, struct tcp_prefix_slot *slots, uint32_t count,
                     const struct hash_key *secret);
void tcp_prefix_enter(struct tcp_prefix_table *t, const struct addr *a);
/* The address has entered before. */
void tcp_prefix_leave(struct tcp_prefix_table *t, const struct addr *a);
/* One more is within both limits; 0 is no limit. */
bool tcp_prefix_has_room(const struct tcp_prefix_table *t, const struct addr *a, uint32_t host_max,
                         uint32_t network_max);

#endif
