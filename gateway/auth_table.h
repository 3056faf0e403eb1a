/*
 * A bounded table of things remembered for a while: the cache of verdicts and the records of wrong
 * guesses. All memory is taken at creation; when it is full, the entry that was not looked at for
 * longest makes room. One thread.
 */
#ifndef POSTERN_AUTH_TABLE_H
#define POSTERN_AUTH_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define AUTH_KEY_BYTES 32

struct auth_table;

struct auth_entry {
    uint8_t
        key[AUTH_KEY_BYTES]; /* made with a secret, so a stranger can choose none that collide */
    /* The owner's, zero in a new entry. */
    uint64_t since_ns;
    uint64_t until_ns;
    uint32_t count;
    uint32_t strikes;
    /* The table's. */
    uint32_t next; /* in the bucket */
    uint32_t older;
    uint32_t newer;
};

/* NULL: memory is short. */
struct auth_table *auth_table_create(uint32_t entries);
void auth_table_destroy(struct auth_table *t);
/* The entry, now the newest, or NULL. Keys are compared in constant time. It lives until the next
 * put. */
struct auth_entry *auth_table_find(struct auth_table *t, const uint8_t key[AUTH_KEY_BYTES]);
/* The entry, or a new one. */
struct auth_entry *auth_table_put(struct auth_table *t, const uint8_t key[AUTH_KEY_BYTES]);
/* A number below `entries`, its own for as long as it lives. */
uint32_t auth_table_index(const struct auth_table *t, const struct auth_entry *e);
/* Forgets all. */
void auth_table_clear(struct auth_table *t);
uint32_t auth_table_count(const struct auth_table *t);

#endif
