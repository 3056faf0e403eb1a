/*
 * Pairs of login and password that were found right lately, so that a mail program that comes every
 * minute costs one hash, not one each time. Kept is HMAC-SHA256 over the pair under a key made at
 * start, never the password: what leaks from memory after the process ended is worth nothing. Only
 * right pairs are kept. One thread.
 */
#ifndef POSTERN_AUTH_CACHE_H
#define POSTERN_AUTH_CACHE_H

#include "base/span.h"
#include "gateway/auth.h"
#include "gateway/auth_table.h"

struct auth_cache;

/* What is kept of a verdict, in the entry's own memory: until the next put or clear. */
struct auth_kept {
    struct span login; /* who it is by the back end's word; empty: as he said */
    struct span grant;
};

/* `entries` 0: keeps nothing, and auth_cache_key still works. NULL: memory is short. */
struct auth_cache *auth_cache_create(uint32_t entries, uint64_t lifetime_ns,
                                     const uint8_t secret[AUTH_SECRET_BYTES]);
void auth_cache_destroy(struct auth_cache *c);
void auth_cache_key(const struct auth_cache *c, struct span login, struct span password,
                    uint8_t key[AUTH_KEY_BYTES]);
/* True: the pair was put in not longer than lifetime ago. */
bool auth_cache_find(struct auth_cache *c, const uint8_t key[AUTH_KEY_BYTES], uint64_t now_ns,
                     struct auth_kept *out);
/* `kept`: copied, LIMIT_LOGIN_BYTES and LIMIT_GRANT_BYTES at most. */
void auth_cache_put(struct auth_cache *c, const uint8_t key[AUTH_KEY_BYTES], uint64_t now_ns,
                    const struct auth_kept *kept);
void auth_cache_clear(struct auth_cache *c);

#endif
