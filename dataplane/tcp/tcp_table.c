/*
 * The table of one core's connections. A lookup touches one cache line as a rule: at half full,
 * linear probing needs 1.5 looks for a hit. Removal moves later entries back, so probing stays
 * short for ever.
 */
#include "dataplane/tcp/tcp_table.h"

#include <string.h>

#include "base/assert.h"

uint32_t tcp_table_slots_for(uint32_t count)
{
    uint32_t slots = 16;

    ASSERT(count < 1U << 30);
    while (slots / 2 < count)
        slots *= 2;
    return slots;
}

void tcp_table_init(struct tcp_table *t, struct tcp_table_entry *slots, uint32_t count)
{
    ASSERT(count > 0 && (count & (count - 1)) == 0);
    memset(slots, 0, sizeof(*slots) * count);
    t->slots = slots;
    t->mask = count - 1;
    t->used = 0;
}

static bool is_of(const struct tcp_table_entry *e, uint64_t hash)
{
    return e->low == (uint32_t)hash && e->high == (uint32_t)(hash >> 32);
}

/* The slot of the hash, or the free one where it would go. */
static uint32_t probe(const struct tcp_table *t, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & t->mask;

    while (t->slots[at].ref != 0 && !is_of(&t->slots[at], hash))
        at = (at + 1) & t->mask;
    return at;
}

uint32_t tcp_table_find(const struct tcp_table *t, uint64_t hash)
{
    return t->slots[probe(t, hash)].ref;
}

bool tcp_table_insert(struct tcp_table *t, uint64_t hash, uint32_t ref)
{
    uint32_t at = probe(t, hash);

    ASSERT(ref != 0);
    if (t->slots[at].ref != 0)
        return false;
    ASSERT(t->used < (t->mask + 1) / 2 + 1);
    t->slots[at] = (struct tcp_table_entry){ .low = (uint32_t)hash,
                                             .high = (uint32_t)(hash >> 32),
                                             .ref = ref };
    t->used++;
    return true;
}

void tcp_table_replace(struct tcp_table *t, uint64_t hash, uint32_t ref)
{
    uint32_t at = probe(t, hash);

    ASSERT(ref != 0);
    ASSERT(t->slots[at].ref != 0);
    t->slots[at].ref = ref;
}

/* An entry may move back to `hole` when its home is not between the hole and itself. */
static bool may_fill(const struct tcp_table *t, uint32_t hole, uint32_t at)
{
    uint32_t home = t->slots[at].low & t->mask;

    return ((at - home) & t->mask) >= ((at - hole) & t->mask);
}

void tcp_table_remove(struct tcp_table *t, uint64_t hash)
{
    uint32_t hole = probe(t, hash);
    uint32_t at = hole;

    ASSERT(t->slots[hole].ref != 0);
    for (;;) {
        at = (at + 1) & t->mask;
        if (t->slots[at].ref == 0)
            break;
        if (!may_fill(t, hole, at))
            continue;
        t->slots[hole] = t->slots[at];
        hole = at;
    }
    t->slots[hole].ref = 0;
    t->used--;
}
