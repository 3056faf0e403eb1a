/* Linear probing at most half full; a multiplier spreads keys that differ in their low bits. */
#include "spool/spool_map.h"

#include <stdlib.h>

#include "base/assert.h"

#define SIZE_MIN 1024

void spool_map_destroy(struct spool_map *m)
{
    free(m->slots);
    *m = (struct spool_map){ 0 };
}

/* The slot of a key, or the free one where it would go. */
static struct spool_map_slot *slot_of(const struct spool_map *m, uint64_t key)
{
    uint64_t at = (key * 0x9e3779b97f4a7c15ULL) >> 16;

    ASSERT(m->count < m->size);
    for (;; at++) {
        struct spool_map_slot *slot = &m->slots[at & (m->size - 1)];

        if (slot->value_plus_1 == 0 || slot->key == key)
            return slot;
    }
}

bool spool_map_find(const struct spool_map *m, uint64_t key, uint32_t *value)
{
    const struct spool_map_slot *slot;

    if (m->size == 0)
        return false;
    slot = slot_of(m, key);
    if (slot->value_plus_1 == 0)
        return false;
    *value = slot->value_plus_1 - 1;
    return true;
}

static bool make_room(struct spool_map *m)
{
    struct spool_map bigger = { .size = m->size == 0 ? SIZE_MIN : m->size * 2, .count = m->count };

    if (m->count * 2 < m->size)
        return true;
    bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
    if (bigger.slots == NULL)
        return false;
    for (uint64_t i = 0; i < m->size; i++)
        if (m->slots[i].value_plus_1 != 0)
            *slot_of(&bigger, m->slots[i].key) = m->slots[i];
    free(m->slots);
    *m = bigger;
    return true;
}

bool spool_map_put(struct spool_map *m, uint64_t key, uint32_t value)
{
    struct spool_map_slot *slot;

    ASSERT(value < UINT32_MAX);
    if (!make_room(m))
        return false;
    slot = slot_of(m, key);
    ASSERT(slot->value_plus_1 == 0);
    *slot = (struct spool_map_slot){ key, value + 1 };
    m->count++;
    return true;
}
