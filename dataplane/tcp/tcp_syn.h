/*
 * Half-open connections: 32 bytes each, a fixed number of them. What an entry does not hold is made
 * again when it is needed: the sequence number and the timestamps' offset from the four-tuple and
 * the time of creation (RFC 6528), our address and port from a short list, since a core has few.
 *
 * SYN-ACKs are sent again after 1, 2, 4, 8 and 16 seconds, and 32 seconds later the entry goes. A
 * sweep over the table finds what is due, every 67 ms at most. Pure: time comes in, and the owner
 * keeps the table of four-tuples and sends.
 */
#ifndef POSTERN_TCP_SYN_H
#define POSTERN_TCP_SYN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/limits.h"

#define TCP_SYN_RETRIES  5 /* 63 s in all, as others do; RFC 1122, 4.2.3.5 */
#define TCP_SYN_NONE     UINT32_MAX
#define TCP_SYN_MSS_MAX  0x3fffU /* what an entry can hold: more than any segment of ours */
#define TCP_SYN_NO_SCALE 15U     /* not among those that there are, 0 to 14 */
/* Entries know their time of creation in these: 16 bits of them are four lives of an entry. */
#define TCP_SYN_TICK_NS (1ULL << 22)

/* What a SYN said, and how we answer it. */
struct tcp_syn {
    struct endpoint local;
    struct endpoint peer;
    uint64_t hash;       /* of the four-tuple */
    uint64_t created_ns; /* a multiple of TCP_SYN_TICK_NS */
    uint32_t irs;
    uint32_t iss;
    uint32_t ts_recent;
    uint32_t ts_offset;
    uint16_t mss;     /* what the peer can take, bytes of payload and options */
    uint8_t wscale;   /* the peer's */
    uint8_t options;  /* enum tcp_wire_option, agreed; TCP_HAS_MSS always */
    uint8_t listener; /* its number */
    uint8_t retries;  /* SYN-ACKs sent after the first */
};

/* One half-open connection, or a free place: then peer_port is 0, and irs the next free one. */
struct tcp_syn_entry {
    struct addr peer;
    uint32_t irs;
    uint32_t ts_recent;
    uint16_t peer_port;
    uint16_t created; /* in TCP_SYN_TICK_NS; wraps */
    uint32_t mss : 14;
    uint32_t wscale : 4;  /* TCP_SYN_NO_SCALE: no TCP_HAS_WSCALE */
    uint32_t options : 3; /* without TCP_HAS_MSS and TCP_HAS_WSCALE */
    uint32_t retries : 3;
    uint32_t local : 8; /* its number */
};

struct tcp_syn_local {
    struct endpoint at;
    uint8_t listener;
};

struct tcp_syn_table {
    struct tcp_syn_entry *entries;
    uint32_t size;
    uint32_t used;
    uint32_t touched; /* entries from here on were never used, and their memory not touched */
    uint32_t free;    /* the first of those that are free again, or TCP_SYN_NONE */
    uint32_t cursor;  /* of the sweep under way */
    uint32_t local_count;
    uint64_t sweep_ns; /* when the next sweep begins */
    struct tcp_syn_local locals[LIMIT_TCP_LOCALS];
};

/* `entries` has room for size > 0 of them, and stays the caller's. */
void tcp_syn_init(struct tcp_syn_table *t, struct tcp_syn_entry *entries, uint32_t size);
/* Takes local, peer, irs, ts_recent, mss, wscale, options and listener of *syn as of now. The
 * entry's number, or TCP_SYN_NONE: no entry is free, or there are too many local endpoints. */
uint32_t tcp_syn_add(struct tcp_syn_table *t, const struct tcp_syn *syn, uint64_t now_ns);
/* All of a live entry but hash, iss and ts_offset. */
void tcp_syn_get(const struct tcp_syn_table *t, uint32_t number, uint64_t now_ns,
                 struct tcp_syn *out);
void tcp_syn_remove(struct tcp_syn_table *t, uint32_t number);
/* The live entry with the lowest number from `from` on, or TCP_SYN_NONE. */
uint32_t tcp_syn_next(const struct tcp_syn_table *t, uint32_t from);
/* An entry whose time is up, or TCP_SYN_NONE. Then tcp_syn_retry or tcp_syn_remove. */
uint32_t tcp_syn_due(struct tcp_syn_table *t, uint64_t now_ns);
/* Counts one retry and waits twice as long; false: there were TCP_SYN_RETRIES, remove it. */
bool tcp_syn_retry(struct tcp_syn_table *t, uint32_t number);
/* When tcp_syn_due must look again; UINT64_MAX: there is no entry. */
uint64_t tcp_syn_next_ns(const struct tcp_syn_table *t);

#endif
