/*
 * Numbers to numbers: tickets and queue ids to their place in an array. Open addressing, grows as
 * it fills; for recovery and readers, not for loops. Keys are random or made by us, so a stranger
 * cannot choose collisions.
 */
#ifndef POSTERN_SPOOL_MAP_H
#define POSTERN_SPOOL_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct spool_map_slot {
    uint64_t key;
    uint32_t value_plus_1; /* 0: free */
};

struct spool_map {
    struct spool_map_slot *slots;
    uint64_t size; /* a power of two, or 0 */
    uint64_t count;
};

void spool_map_destroy(struct spool_map *m);
bool spool_map_find(const struct spool_map *m, uint64_t key, uint32_t *value);
/* The key must not be there yet. value < UINT32_MAX. False: memory is short. */
bool spool_map_put(struct spool_map *m, uint64_t key, uint32_t value);

#endif
