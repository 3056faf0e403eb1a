/*
 * Keyed SipHash-2-4 (Aumasson, Bernstein 2012) for every table whose keys a stranger chooses, and
 * for initial sequence numbers (RFC 6528).
 */
#ifndef POSTERN_BASE_HASH_H
#define POSTERN_BASE_HASH_H

#include <stdint.h>

struct hash_key {
    uint64_t k0;
    uint64_t k1;
};

uint64_t hash_sip24(const struct hash_key *key, const void *data, uint32_t len);

#endif
