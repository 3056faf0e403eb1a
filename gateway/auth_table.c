/*
 * Buckets of chains by the key's first bytes, and one list from the newest to the oldest; links are
 * indices. There is no failure past creation.
 */
#include "gateway/auth_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define NONE UINT32_MAX

struct auth_table {
    struct auth_entry *entries;
    uint32_t *buckets;
    uint32_t mask;
    uint32_t size;
    uint32_t used; /* entries[0..used) hold something */
    uint32_t newest;
    uint32_t oldest;
};

struct auth_table *auth_table_create(uint32_t entries)
{
    struct auth_table *t = calloc(1, sizeof(*t));
    uint32_t buckets = 1;

    ASSERT(entries > 0 && entries <= 1U << 30);
    if (t == NULL)
        return NULL;
    while (buckets < entries)
        buckets *= 2;
    t->size = entries;
    t->mask = buckets - 1;
    t->entries = calloc(entries, sizeof(t->entries[0]));
    t->buckets = calloc(buckets, sizeof(t->buckets[0]));
    if (t->entries == NULL || t->buckets == NULL) {
        auth_table_destroy(t);
        return NULL;
    }
    auth_table_clear(t);
    return t;
}

void auth_table_destroy(struct auth_table *t)
{
    if (t == NULL)
        return;
    free(t->entries);
    free(t->buckets);
    free(t);
}

void auth_table_clear(struct auth_table *t)
{
    memset(t->buckets, 0xff, ((size_t)t->mask + 1) * sizeof(t->buckets[0]));
    explicit_bzero(t->entries, t->used * sizeof(t->entries[0]));
    t->used = 0;
    t->newest = NONE;
    t->oldest = NONE;
}

uint32_t auth_table_index(const struct auth_table *t, const struct auth_entry *e)
{
    return (uint32_t)(e - t->entries);
}

uint32_t auth_table_count(const struct auth_table *t)
{
    return t->used;
}

static uint32_t *bucket_of(struct auth_table *t, const uint8_t *key)
{
    uint32_t hash;

    memcpy(&hash, key, sizeof(hash));
    return &t->buckets[hash & t->mask];
}

static bool same_key(const uint8_t *a, const uint8_t *b)
{
    uint8_t different = 0;

    for (uint32_t i = 0; i < AUTH_KEY_BYTES; i++)
        different |= a[i] ^ b[i];
    return different == 0;
}

static uint32_t find(struct auth_table *t, const uint8_t *key)
{
    uint32_t i = *bucket_of(t, key);

    while (i != NONE && !same_key(t->entries[i].key, key))
        i = t->entries[i].next;
    return i;
}

static void leave_list(struct auth_table *t, uint32_t i)
{
    struct auth_entry *e = &t->entries[i];

    if (e->newer == NONE)
        t->newest = e->older;
    else
        t->entries[e->newer].older = e->older;
    if (e->older == NONE)
        t->oldest = e->newer;
    else
        t->entries[e->older].newer = e->newer;
}

static void join_list(struct auth_table *t, uint32_t i)
{
    struct auth_entry *e = &t->entries[i];

    e->newer = NONE;
    e->older = t->newest;
    if (t->newest == NONE)
        t->oldest = i;
    else
        t->entries[t->newest].newer = i;
    t->newest = i;
}

static void leave_bucket(struct auth_table *t, uint32_t i)
{
    uint32_t *link = bucket_of(t, t->entries[i].key);

    while (*link != i) {
        ASSERT(*link != NONE);
        link = &t->entries[*link].next;
    }
    *link = t->entries[i].next;
}

static uint32_t take_entry(struct auth_table *t)
{
    uint32_t i = t->oldest;

    if (t->used < t->size)
        return t->used++;
    leave_list(t, i);
    leave_bucket(t, i);
    return i;
}

struct auth_entry *auth_table_find(struct auth_table *t, const uint8_t key[AUTH_KEY_BYTES])
{
    uint32_t i = find(t, key);

    if (i == NONE)
        return NULL;
    leave_list(t, i);
    join_list(t, i);
    return &t->entries[i];
}

struct auth_entry *auth_table_put(struct auth_table *t, const uint8_t key[AUTH_KEY_BYTES])
{
    struct auth_entry *e = auth_table_find(t, key);
    uint32_t *bucket;
    uint32_t i;

    if (e != NULL)
        return e;
    i = take_entry(t);
    e = &t->entries[i];
    memset(e, 0, sizeof(*e));
    memcpy(e->key, key, AUTH_KEY_BYTES);
    bucket = bucket_of(t, key);
    e->next = *bucket;
    *bucket = i;
    join_list(t, i);
    return e;
}
