/*
 * SYN cookies: a handshake that costs no memory. What the peer's SYN said is folded into our
 * initial sequence number, and comes back with the peer's ACK, which nobody can make who has not
 * seen it:
 *
 *     31          8   7    6   4    3    2     0
 *     | MAC        | key | MSS | SACK | wscale |
 *
 * MSS and window scale are rounded down to one of eight values. A peer with timestamps sends back
 * ours too, and its low six bits keep SACK, ECN and the exact scale, as Linux has it; a peer
 * without them still gets SACK and a window above 64 KB.
 *
 * The MAC is SipHash under a 128-bit secret that changes every LIMIT_TCP_COOKIE_EPOCH_MS; the
 * secret before stays good, so a cookie lives for one to two of these. A blind guess is right once
 * in 2^24, and only while cookies are out at all. Pure: time comes in.
 */
#ifndef POSTERN_TCP_COOKIE_H
#define POSTERN_TCP_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

struct tcp_cookie_jar {
    struct hash_key master;
    struct hash_key secrets[2]; /* of the present epoch and the one before, by its lowest bit */
    uint64_t epoch;             /* the present one, counted from 1; 0: no secret is made yet */
    uint64_t good_until_ns;     /* when the last cookie given out is surely too old */
};

/* What a SYN said. */
struct tcp_cookie_syn {
    uint64_t tuple; /* a keyed hash of the four-tuple */
    uint32_t irs;
    uint16_t mss;    /* never 0 */
    uint8_t wscale;  /* with TCP_HAS_WSCALE */
    uint8_t options; /* of enum tcp_wire_option */
};

void tcp_cookie_init(struct tcp_cookie_jar *j, const struct hash_key *master);
/* Our initial sequence number for this SYN. */
uint32_t tcp_cookie_make(struct tcp_cookie_jar *j, const struct tcp_cookie_syn *syn,
                         uint64_t now_ns);
/* The SYN-ACK's TSval for this SYN: the latest one not after `now` that keeps its options. */
uint32_t tcp_cookie_stamp(const struct tcp_cookie_syn *syn, uint32_t now);
/* Some cookie may still come back. */
bool tcp_cookie_awaited(const struct tcp_cookie_jar *j, uint64_t now_ns);
/*
 * An ACK of `cookie` has come for syn->tuple and syn->irs; stamp is its TSecr, or NULL without
 * timestamps. True: the cookie is ours and young enough, and the rest of *syn is filled in.
 */
bool tcp_cookie_open(struct tcp_cookie_jar *j, uint32_t cookie, const uint32_t *stamp,
                     uint64_t now_ns, struct tcp_cookie_syn *syn);

#endif
