/*
 * Happy path: key, has. Failure modes: none past creation; a full table forgets its longest unused
 * pair.
 */
#include "gateway/auth_cache.h"

#include <nettle/hmac.h>
#include <stdlib.h>
#include <string.h>

struct auth_cache {
    struct auth_table *table; /* NULL: keeps nothing */
    uint64_t lifetime_ns;
    struct hmac_sha256_ctx keyed;
};

struct auth_cache *auth_cache_create(uint32_t entries, uint64_t lifetime_ns,
                                     const uint8_t secret[AUTH_SECRET_BYTES])
{
    struct auth_cache *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->lifetime_ns = lifetime_ns;
    hmac_sha256_set_key(&c->keyed, AUTH_SECRET_BYTES, secret);
    c->table = entries == 0 ? NULL : auth_table_create(entries);
    if (entries > 0 && c->table == NULL) {
        auth_cache_destroy(c);
        return NULL;
    }
    return c;
}

void auth_cache_destroy(struct auth_cache *c)
{
    if (c == NULL)
        return;
    auth_table_destroy(c->table);
    explicit_bzero(c, sizeof(*c));
    free(c);
}

void auth_cache_key(const struct auth_cache *c, struct span login, struct span password,
                    uint8_t key[AUTH_KEY_BYTES])
{
    struct hmac_sha256_ctx mac = c->keyed;
    uint8_t len[4];

    /* The length first, so that no two pairs are the same bytes. */
    memcpy(len, &login.len, sizeof(len));
    hmac_sha256_update(&mac, sizeof(len), len);
    hmac_sha256_update(&mac, login.len, login.ptr);
    hmac_sha256_update(&mac, password.len, password.ptr);
    hmac_sha256_digest(&mac, AUTH_KEY_BYTES, key);
    explicit_bzero(&mac, sizeof(mac));
}

bool auth_cache_has(struct auth_cache *c, const uint8_t key[AUTH_KEY_BYTES], uint64_t now_ns)
{
    struct auth_entry *e = c->table == NULL ? NULL : auth_table_find(c->table, key);

    return e != NULL && now_ns < e->until_ns;
}

void auth_cache_put(struct auth_cache *c, const uint8_t key[AUTH_KEY_BYTES], uint64_t now_ns)
{
    if (c->table != NULL)
        auth_table_put(c->table, key)->until_ns = now_ns + c->lifetime_ns;
}

void auth_cache_clear(struct auth_cache *c)
{
    if (c->table != NULL)
        auth_table_clear(c->table);
}
