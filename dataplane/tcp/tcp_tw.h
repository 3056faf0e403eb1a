/*
 * TIME-WAIT in 32 bytes a connection: a ring in order of expiry, since all wait equally long. An
 * entry needs no addresses: it only ever answers a segment, and is found by the keyed 64-bit hash
 * of that segment's four-tuple. Pure: time comes in, and the owner keeps the table.
 */
#ifndef POSTERN_TCP_TW_H
#define POSTERN_TCP_TW_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_tw {
    uint64_t hash;
    uint32_t snd_nxt;
    uint32_t rcv_nxt;
    uint32_t ts_recent;
    uint32_t ts_offset;
    uint32_t due_ms; /* of the ring's clock; wraps */
    uint16_t wnd;    /* as it goes on the wire */
    bool live : 1;   /* false: left by reuse or moved to the end; waits to be stepped over */
    bool ts : 1;     /* timestamps are in use */
    bool answered : 1;
    uint8_t answered_tick; /* when a challenge was last answered, in half seconds; wraps */
};

struct tcp_tw_ring {
    struct tcp_tw *slots;
    uint32_t size;
    uint32_t head; /* the oldest, when used > 0 */
    uint32_t used; /* live or not */
};

void tcp_tw_init(struct tcp_tw_ring *r, struct tcp_tw *slots, uint32_t size);
/* The entry at a number that tcp_tw_add gave. */
struct tcp_tw *tcp_tw_at(struct tcp_tw_ring *r, uint32_t number);
/* True: tcp_tw_oldest must be removed before tcp_tw_add. */
bool tcp_tw_full(const struct tcp_tw_ring *r);
/* Appends a copy of *e, live; returns its number. Its due_ms is not before those added earlier. */
uint32_t tcp_tw_add(struct tcp_tw_ring *r, const struct tcp_tw *e);
/* The oldest live entry, or NULL. */
struct tcp_tw *tcp_tw_oldest(const struct tcp_tw_ring *r);
/* Ends an entry wherever it stands. */
void tcp_tw_kill(struct tcp_tw_ring *r, struct tcp_tw *e);

#endif
