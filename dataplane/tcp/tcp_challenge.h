/*
 * Challenge ACKs (RFC 5961): how many. A connection has a small number each second, a core a large
 * one. The core's is another in each second, and nobody can know it: who could count how many are
 * left, by making us send some on a connection of his own, would learn whether forged segments for
 * somebody else's had used any up (CVE-2016-5696). Pure: time comes in.
 */
#ifndef POSTERN_TCP_CHALLENGE_H
#define POSTERN_TCP_CHALLENGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

/* What is left of a second, whose number comes again after 18 hours: a budget that slept for so
 * long is short for that second. */
struct tcp_challenge_budget {
    uint16_t second;
    uint16_t left;
};

/* One of a connection's LIMIT_TCP_CHALLENGES a second. False: none is left. */
bool tcp_challenge_one(struct tcp_challenge_budget *b, uint64_t now_ns);
/* One of a core's LIMIT_TCP_CHALLENGES_ALL a second, that half to one and a half times as many. */
bool tcp_challenge_any(struct tcp_challenge_budget *b, const struct hash_key *secret,
                       uint64_t now_ns);

#endif
