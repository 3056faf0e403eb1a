/*
 * Bounded tables: one for each kind of block, and one of the pairs that came in. Keys are keyed
 * hashes of what they stand for; what a block stands for in words is kept beside, for the last
 * LIMIT_THROTTLE_BLOCKS that began. Failure modes: none past creation; a guesser with more
 * addresses than entries makes the oldest forgotten, and then the records of his networks and of
 * the login are what stops him.
 */
#include "gateway/auth_throttle.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "gateway/auth_table.h"

#define STRIKES_MAX 4 /* doublings of a block */

/* How one kind is blocked. */
struct rule {
    struct auth_table *table;
    uint32_t most;     /* wrong guesses in a window: the last one blocks */
    uint64_t first_ns; /* of blocks that follow each other */
    uint64_t longest_ns;
    bool each; /* once blocked, each further wrong guess blocks */
};

/* What a block is of. It stands while its entry says the same end. */
struct label {
    struct auth_block block;
    uint8_t key[AUTH_KEY_BYTES];
};

struct auth_throttle {
    struct rule rules[AUTH_BLOCK_KINDS];
    struct auth_table *known; /* pairs that came in */
    struct hash_key key;
    uint64_t window_ns;
    uint32_t next_label;
    struct label labels[LIMIT_THROTTLE_BLOCKS];
};

static uint32_t share_of(uint32_t limit, uint32_t workers)
{
    uint32_t share = (limit + workers - 1) / workers;
    uint32_t least = limit < LIMIT_GUESSES_SHARE_LEAST ? limit : LIMIT_GUESSES_SHARE_LEAST;

    return share > least ? share : least;
}

void auth_throttle_share(struct config_auth *config, uint32_t workers)
{
    ASSERT(workers > 0);
    config->guesses_per_client = share_of(config->guesses_per_client, workers);
    config->guesses_per_network = share_of(config->guesses_per_network, workers);
    config->guesses_per_login = share_of(config->guesses_per_login, workers);
    config->guesses_per_pair = share_of(config->guesses_per_pair, workers);
}

static void set_rules(struct auth_throttle *t, const struct config_auth *config)
{
    uint64_t block_ns = config->block_time_s * NS_PER_S;
    uint64_t delay_ns = config->guess_delay_s * NS_PER_S;
    const uint32_t most[AUTH_BLOCK_KINDS] = {
        [AUTH_BLOCK_CLIENT] = config->guesses_per_client,
        [AUTH_BLOCK_NETWORK] = config->guesses_per_network,
        [AUTH_BLOCK_LOGIN] = config->guesses_per_login,
        [AUTH_BLOCK_PAIR] = config->guesses_per_pair,
    };

    for (unsigned i = 0; i < AUTH_BLOCK_KINDS; i++)
        t->rules[i] = (struct rule){ .table = auth_table_create(LIMIT_THROTTLE_ENTRIES),
                                     .most = most[i],
                                     .first_ns = block_ns,
                                     .longest_ns = block_ns << STRIKES_MAX };
    t->rules[AUTH_BLOCK_PAIR].first_ns = delay_ns < block_ns ? delay_ns : block_ns;
    t->rules[AUTH_BLOCK_PAIR].longest_ns = block_ns;
    t->rules[AUTH_BLOCK_PAIR].each = true;
}

struct auth_throttle *auth_throttle_create(const struct config_auth *config,
                                           const struct hash_key *key)
{
    struct auth_throttle *t = calloc(1, sizeof(*t));
    bool whole;

    if (t == NULL)
        return NULL;
    t->key = *key;
    t->window_ns = config->guess_window_s * NS_PER_S;
    t->known = auth_table_create(LIMIT_THROTTLE_ENTRIES);
    set_rules(t, config);
    whole = t->known != NULL;
    for (unsigned i = 0; i < AUTH_BLOCK_KINDS; i++)
        whole = whole && t->rules[i].table != NULL;
    if (whole)
        return t;
    auth_throttle_destroy(t);
    return NULL;
}

void auth_throttle_destroy(struct auth_throttle *t)
{
    if (t == NULL)
        return;
    for (unsigned i = 0; i < AUTH_BLOCK_KINDS; i++)
        auth_table_destroy(t->rules[i].table);
    auth_table_destroy(t->known);
    free(t);
}

/* --- what is counted ------------------------------------------------------------------------- */

static struct addr_net net_of(const struct addr *client, uint32_t bits4, uint32_t bits6)
{
    struct addr_net net = { .bits = addr_is_v4(client) ? 96 + bits4 : bits6 };

    ASSERT(net.bits % 8 == 0);
    memcpy(net.addr.octets, client->octets, net.bits / 8);
    return net;
}

/* The block that `kind` would be for this guess. */
static void name_block(struct auth_block *b, enum auth_block_kind kind, const struct addr *client,
                       struct span login)
{
    *b = (struct auth_block){ .kind = kind };
    ASSERT(login.len <= LIMIT_LOGIN_BYTES);
    if (kind == AUTH_BLOCK_NETWORK)
        b->where = net_of(client, 24, 48);
    else if (kind != AUTH_BLOCK_LOGIN)
        b->where = net_of(client, 32, 64);
    if (kind != AUTH_BLOCK_LOGIN && kind != AUTH_BLOCK_PAIR)
        return;
    b->login_len = login.len;
    if (login.len > 0)
        memcpy(b->login, login.ptr, login.len);
}

static void make_key(const struct auth_throttle *t, const struct auth_block *b,
                     uint8_t key[AUTH_KEY_BYTES])
{
    uint8_t text[16 + LIMIT_LOGIN_BYTES];
    uint64_t hash;

    memcpy(text, b->where.addr.octets, 16);
    memcpy(text + 16, b->login, b->login_len);
    hash = hash_sip24(&t->key, text, 16 + b->login_len);
    memset(key, 0, AUTH_KEY_BYTES);
    memcpy(key, &hash, sizeof(hash));
}

static bool is_blocked(struct auth_throttle *t, enum auth_block_kind kind,
                       const struct addr *client, struct span login, uint64_t now_ns)
{
    uint8_t key[AUTH_KEY_BYTES];
    const struct auth_entry *e;
    struct auth_block b;

    name_block(&b, kind, client, login);
    make_key(t, &b, key);
    e = auth_table_find(t->rules[kind].table, key);
    return e != NULL && now_ns < e->until_ns;
}

static bool came_in_before(struct auth_throttle *t, const struct addr *client, struct span login)
{
    uint8_t key[AUTH_KEY_BYTES];
    struct auth_block pair;

    name_block(&pair, AUTH_BLOCK_PAIR, client, login);
    make_key(t, &pair, key);
    return auth_table_find(t->known, key) != NULL;
}

bool auth_throttle_blocks_client(struct auth_throttle *t, const struct addr *client,
                                 uint64_t now_ns)
{
    return is_blocked(t, AUTH_BLOCK_CLIENT, client, span_of(NULL, 0), now_ns);
}

bool auth_throttle_blocks_login(struct auth_throttle *t, const struct addr *client,
                                struct span login, uint64_t now_ns)
{
    if (is_blocked(t, AUTH_BLOCK_PAIR, client, login, now_ns))
        return true;
    return (is_blocked(t, AUTH_BLOCK_LOGIN, client, login, now_ns) ||
            is_blocked(t, AUTH_BLOCK_NETWORK, client, login, now_ns)) &&
           !came_in_before(t, client, login);
}

/* --- guesses --------------------------------------------------------------------------------- */

/* True: a block begins. */
static bool count_wrong(const struct rule *rule, struct auth_entry *e, uint64_t window_ns,
                        uint64_t now_ns)
{
    uint64_t block_ns;

    /* A guess that was under way when the block began. */
    if (now_ns < e->until_ns)
        return false;
    if (now_ns - e->since_ns >= window_ns) {
        e->since_ns = now_ns;
        e->count = 0;
    }
    if (now_ns - e->until_ns >= rule->longest_ns)
        e->strikes = 0;
    if (++e->count < rule->most && !(rule->each && e->strikes > 0))
        return false;
    block_ns = rule->first_ns << e->strikes;
    e->strikes += block_ns < rule->longest_ns;
    e->until_ns = now_ns + (block_ns < rule->longest_ns ? block_ns : rule->longest_ns);
    e->count = 0;
    return true;
}

static void keep_label(struct auth_throttle *t, const struct auth_block *b, const uint8_t *key,
                       uint64_t until_ns)
{
    struct label *l = &t->labels[t->next_label];

    l->block = *b;
    l->block.until_ns = until_ns;
    memcpy(l->key, key, AUTH_KEY_BYTES);
    t->next_label = (t->next_label + 1) % LIMIT_THROTTLE_BLOCKS;
}

void auth_throttle_wrong(struct auth_throttle *t, const struct addr *client, struct span login,
                         uint64_t now_ns)
{
    for (enum auth_block_kind kind = 0; kind < AUTH_BLOCK_KINDS; kind++) {
        const struct rule *rule = &t->rules[kind];
        uint8_t key[AUTH_KEY_BYTES];
        struct auth_entry *e;
        struct auth_block b;

        name_block(&b, kind, client, login);
        make_key(t, &b, key);
        e = auth_table_put(rule->table, key);
        if (count_wrong(rule, e, t->window_ns, now_ns))
            keep_label(t, &b, key, e->until_ns);
    }
}

static bool forget(struct auth_throttle *t, const struct auth_block *b, uint64_t now_ns)
{
    uint8_t key[AUTH_KEY_BYTES];
    struct auth_entry *e;
    bool blocked;

    make_key(t, b, key);
    e = auth_table_find(t->rules[b->kind].table, key);
    blocked = e != NULL && now_ns < e->until_ns;
    if (e != NULL) {
        e->until_ns = 0;
        e->count = e->strikes = 0;
    }
    return blocked;
}

void auth_throttle_right(struct auth_throttle *t, const struct addr *client, struct span login,
                         uint64_t now_ns)
{
    uint8_t key[AUTH_KEY_BYTES];
    struct auth_block pair;

    name_block(&pair, AUTH_BLOCK_PAIR, client, login);
    make_key(t, &pair, key);
    auth_table_put(t->known, key)->since_ns = now_ns;
    forget(t, &pair, now_ns);
}

/* --- for people ------------------------------------------------------------------------------ */

bool auth_throttle_block_at(struct auth_throttle *t, uint32_t index, uint64_t now_ns,
                            struct auth_block *out)
{
    const struct label *l = &t->labels[index];
    const struct auth_entry *e;

    ASSERT(index < LIMIT_THROTTLE_BLOCKS);
    if (now_ns >= l->block.until_ns)
        return false;
    e = auth_table_find(t->rules[l->block.kind].table, l->key);
    *out = l->block;
    return e != NULL && e->until_ns == l->block.until_ns;
}

bool auth_throttle_unblock(struct auth_throttle *t, const struct addr_net *where, struct span login,
                           uint64_t now_ns)
{
    struct auth_block b;
    enum auth_block_kind kind = AUTH_BLOCK_LOGIN;

    if (where != NULL) {
        kind = login.len > 0 ? AUTH_BLOCK_PAIR : AUTH_BLOCK_CLIENT;
        if (where->bits < (addr_is_v4(&where->addr) ? 128 : 64))
            kind = AUTH_BLOCK_NETWORK;
    }
    name_block(&b, kind, where != NULL ? &where->addr : NULL, login);
    return forget(t, &b, now_ns);
}
