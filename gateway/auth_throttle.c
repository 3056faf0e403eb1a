/*
 * Three bounded tables: clients, logins, and pairs of both that came in. Keys are keyed hashes of
 * what they stand for. Failure modes: none past creation; a guesser with more addresses than
 * entries makes the oldest forgotten, and then the login's record is what stops him.
 */
#include "gateway/auth_throttle.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "gateway/auth_table.h"

#define STRIKES_MAX 4 /* doublings of a block */

struct auth_throttle {
    struct auth_table *clients;
    struct auth_table *logins;
    struct auth_table *pairs;
    struct hash_key key;
    uint64_t window_ns;
    uint64_t block_ns;
    uint32_t client_max;
    uint32_t login_max;
};

struct auth_throttle *auth_throttle_create(const struct config_auth *config,
                                           const struct hash_key *key)
{
    struct auth_throttle *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    t->key = *key;
    t->window_ns = config->guess_window_s * NS_PER_S;
    t->block_ns = config->block_time_s * NS_PER_S;
    t->client_max = config->guesses_per_client;
    t->login_max = config->guesses_per_login;
    t->clients = auth_table_create(LIMIT_THROTTLE_ENTRIES);
    t->logins = auth_table_create(LIMIT_THROTTLE_ENTRIES);
    t->pairs = auth_table_create(LIMIT_THROTTLE_ENTRIES);
    if (t->clients == NULL || t->logins == NULL || t->pairs == NULL) {
        auth_throttle_destroy(t);
        return NULL;
    }
    return t;
}

void auth_throttle_destroy(struct auth_throttle *t)
{
    if (t == NULL)
        return;
    auth_table_destroy(t->clients);
    auth_table_destroy(t->logins);
    auth_table_destroy(t->pairs);
    free(t);
}

/* NULL for the client or an empty login: the key is of the other alone. */
static void make_key(const struct auth_throttle *t, const struct addr *client, struct span login,
                     uint8_t key[AUTH_KEY_BYTES])
{
    uint8_t text[16 + LIMIT_LOGIN_BYTES] = { 0 };
    uint64_t hash;

    ASSERT(login.len <= LIMIT_LOGIN_BYTES);
    if (client != NULL)
        memcpy(text, client->octets, addr_is_v4(client) ? 16 : 8);
    if (login.len > 0)
        memcpy(text + 16, login.ptr, login.len);
    hash = hash_sip24(&t->key, text, 16 + login.len);
    memset(key, 0, AUTH_KEY_BYTES);
    memcpy(key, &hash, sizeof(hash));
}

static bool is_blocked(struct auth_table *table, const uint8_t *key, uint64_t now_ns)
{
    const struct auth_entry *e = auth_table_find(table, key);

    return e != NULL && now_ns < e->until_ns;
}

bool auth_throttle_blocks_client(struct auth_throttle *t, const struct addr *client,
                                 uint64_t now_ns)
{
    uint8_t key[AUTH_KEY_BYTES];

    make_key(t, client, span_of(NULL, 0), key);
    return is_blocked(t->clients, key, now_ns);
}

bool auth_throttle_blocks_login(struct auth_throttle *t, const struct addr *client,
                                struct span login, uint64_t now_ns)
{
    uint8_t key[AUTH_KEY_BYTES];

    make_key(t, NULL, login, key);
    if (!is_blocked(t->logins, key, now_ns))
        return false;
    make_key(t, client, login, key);
    return auth_table_find(t->pairs, key) == NULL;
}

static void count_wrong(const struct auth_throttle *t, struct auth_entry *e, uint32_t most,
                        uint64_t now_ns)
{
    /* A guess that was under way when the block began. */
    if (now_ns < e->until_ns)
        return;
    if (now_ns - e->since_ns >= t->window_ns) {
        e->since_ns = now_ns;
        e->count = 0;
    }
    if (now_ns - e->until_ns >= (t->block_ns << STRIKES_MAX))
        e->strikes = 0;
    if (++e->count < most)
        return;
    e->until_ns = now_ns + (t->block_ns << e->strikes);
    e->strikes += e->strikes < STRIKES_MAX;
    e->count = 0;
}

void auth_throttle_wrong(struct auth_throttle *t, const struct addr *client, struct span login,
                         uint64_t now_ns)
{
    uint8_t key[AUTH_KEY_BYTES];

    make_key(t, client, span_of(NULL, 0), key);
    count_wrong(t, auth_table_put(t->clients, key), t->client_max, now_ns);
    make_key(t, NULL, login, key);
    count_wrong(t, auth_table_put(t->logins, key), t->login_max, now_ns);
}

void auth_throttle_right(struct auth_throttle *t, const struct addr *client, struct span login,
                         uint64_t now_ns)
{
    uint8_t key[AUTH_KEY_BYTES];

    make_key(t, client, login, key);
    auth_table_put(t->pairs, key)->since_ns = now_ns;
}
