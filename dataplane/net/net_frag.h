/*
 * Fragments of IPv4 and IPv6 put together in bounded memory. Knows no header of either: pieces come
 * in as bytes with their place, whole payloads go out. Time comes in, segments come from a pool.
 */
#ifndef POSTERN_NET_FRAG_H
#define POSTERN_NET_FRAG_H

#include "base/addr.h"
#include "base/counter.h"
#include "base/limits.h"
#include "base/seg.h"

/* What the pieces of one packet have in common (RFC 791, 3.2; RFC 8200, 4.5). */
struct net_frag_key {
    struct addr src;
    struct addr dst;
    uint32_t id;
    uint32_t proto; /* IPv4's; 0 for IPv6, where the first piece alone says it */
};

struct net_frag_piece {
    uint32_t offset; /* bytes from the payload's begin */
    bool more;       /* it is not the last one */
    uint8_t proto;   /* what follows, as this piece has it */
    uint8_t tos;
    struct span bytes;
};

struct net_frag_whole {
    struct seg *s; /* the caller's; exactly the payload, with the headroom of its pool */
    uint8_t proto; /* of the first piece */
    uint8_t tos;   /* CE when a piece had it (RFC 3168, 5.3) */
};

struct net_frag_packet {
    struct net_frag_key key;
    uint64_t due_ns;   /* when its time is over; 0: a free place */
    struct seg *whole; /* NULL: spoiled, and what still comes of it is dropped */
    uint32_t have;     /* bytes */
    uint32_t total;    /* bytes; 0: the last piece has not come */
    uint8_t proto;
    uint8_t tos;
    uint8_t count;
    struct {
        uint16_t start, end;
    } pieces[LIMIT_NET_FRAG_PIECES];
};

struct net_frag {
    struct seg_pool *pool;
    struct counters *counters;
    uint64_t due_ns; /* when net_frag_tick has something to do; UINT64_MAX: nothing */
    struct net_frag_packet packets[LIMIT_NET_FRAG_PACKETS];
};

/* *f is zeroed memory. Keeps the pointers. */
void net_frag_init(struct net_frag *f, struct seg_pool *pool, struct counters *counters);
/* Copies the piece. True: the packet is whole, in *out. */
bool net_frag_add(struct net_frag *f, const struct net_frag_key *key,
                  const struct net_frag_piece *piece, uint64_t now_ns, struct net_frag_whole *out);
/* Drops packets that did not become whole in time. */
void net_frag_tick(struct net_frag *f, uint64_t now_ns);
/* Releases what is held. */
void net_frag_release(struct net_frag *f);

#endif
