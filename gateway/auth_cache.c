/*
 * Happy path: key, has. Failure modes: none past creation; a full table forgets its longest unused
 * pair.
 */
#include "gateway/auth_cache.h"

#include <nettle/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/pool.h"

/* What a back end said beside yes. Most say nothing, and these are never touched then. */
struct note {
    uint32_t login_len;
    uint32_t grant_len;
    uint8_t login[LIMIT_LOGIN_BYTES];
    uint8_t grant[LIMIT_GRANT_BYTES];
};

struct auth_cache {
    struct auth_table *table; /* NULL: keeps nothing */
    struct pool *notes;       /* a place for each entry, by its index; whose count is 1 has one */
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
    if (entries == 0)
        return c;
    c->table = auth_table_create(entries);
    c->notes = pool_create("auth_notes", entries, sizeof(struct note));
    if (c->table != NULL && c->notes != NULL)
        return c;
    auth_cache_destroy(c);
    return NULL;
}

void auth_cache_destroy(struct auth_cache *c)
{
    if (c == NULL)
        return;
    auth_table_destroy(c->table);
    pool_destroy(c->notes);
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

static struct note *note_of(const struct auth_cache *c, const struct auth_entry *e)
{
    return pool_at(c->notes, auth_table_index(c->table, e));
}

bool auth_cache_find(struct auth_cache *c, const uint8_t key[AUTH_KEY_BYTES], uint64_t now_ns,
                     struct auth_kept *out)
{
    struct auth_entry *e = c->table == NULL ? NULL : auth_table_find(c->table, key);
    const struct note *n;

    *out = (struct auth_kept){ { NULL, 0 }, { NULL, 0 } };
    if (e == NULL || now_ns >= e->until_ns)
        return false;
    if (e->count == 0)
        return true;
    n = note_of(c, e);
    out->login = span_of(n->login, n->login_len);
    out->grant = span_of(n->grant, n->grant_len);
    return true;
}

static uint32_t keep(struct span from, uint8_t *to)
{
    if (from.len > 0)
        memcpy(to, from.ptr, from.len);
    return from.len;
}

void auth_cache_put(struct auth_cache *c, const uint8_t key[AUTH_KEY_BYTES], uint64_t now_ns,
                    const struct auth_kept *kept)
{
    struct auth_entry *e;
    struct note *n;

    ASSERT(kept->login.len <= LIMIT_LOGIN_BYTES && kept->grant.len <= LIMIT_GRANT_BYTES);
    if (c->table == NULL)
        return;
    e = auth_table_put(c->table, key);
    e->until_ns = now_ns + c->lifetime_ns;
    e->count = kept->login.len > 0 || kept->grant.len > 0;
    if (e->count == 0)
        return;
    n = note_of(c, e);
    n->login_len = keep(kept->login, n->login);
    n->grant_len = keep(kept->grant, n->grant);
}

void auth_cache_clear(struct auth_cache *c)
{
    if (c->table != NULL)
        auth_table_clear(c->table);
}
