/* See tcp_prefix.h: linear probing and deletion by shifting back (Knuth 6.4, algorithm R). */
#include "dataplane/tcp/tcp_prefix.h"

#include <string.h>

#include "base/assert.h"

enum level { HOST, NETWORK };

uint32_t tcp_prefix_slots_for(uint32_t connections)
{
    uint32_t slots = 16;

    ASSERT(connections < 1U << 28);
    while (slots / 4 < connections)
        slots *= 2;
    return slots;
}

void tcp_prefix_init(struct tcp_prefix_table *t, struct tcp_prefix_slot *slots, uint32_t count,
                     const struct hash_key *secret)
{
    ASSERT(count > 0 && (count & (count - 1)) == 0);
    memset(slots, 0, sizeof(*slots) * count);
    *t = (struct tcp_prefix_table){ .slots = slots, .mask = count - 1, .secret = *secret };
}

static uint32_t hash_of(const struct tcp_prefix_table *t, const struct addr *a, enum level level)
{
    static const uint32_t lengths[2][2] = { { 8, 6 }, { 16, 15 } }; /* bytes: IPv6, IPv4 */
    uint32_t len = lengths[addr_is_v4(a)][level];

    return (uint32_t)hash_sip24(&t->secret, a->octets, len);
}

/* The slot of the hash, or the free one where it would go. */
static struct tcp_prefix_slot *find(const struct tcp_prefix_table *t, uint32_t hash)
{
    uint32_t at = hash & t->mask;

    while (t->slots[at].count != 0 && t->slots[at].hash != hash)
        at = (at + 1) & t->mask;
    return &t->slots[at];
}

static void add(struct tcp_prefix_table *t, uint32_t hash)
{
    struct tcp_prefix_slot *s = find(t, hash);

    s->hash = hash;
    s->count++;
}

/* Slot `hole` has become free: whatever probed past it moves back. */
static void close_gap(struct tcp_prefix_table *t, uint32_t hole)
{
    uint32_t at = (hole + 1) & t->mask;

    for (; t->slots[at].count != 0; at = (at + 1) & t->mask) {
        uint32_t home = t->slots[at].hash & t->mask;

        if (((at - home) & t->mask) < ((at - hole) & t->mask))
            continue;
        t->slots[hole] = t->slots[at];
        t->slots[at].count = 0;
        hole = at;
    }
}

static void subtract(struct tcp_prefix_table *t, uint32_t hash)
{
    struct tcp_prefix_slot *s = find(t, hash);

    ASSERT(s->count > 0);
    s->count--;
    if (s->count == 0)
        close_gap(t, (uint32_t)(s - t->slots));
}

void tcp_prefix_enter(struct tcp_prefix_table *t, const struct addr *a)
{
    add(t, hash_of(t, a, HOST));
    add(t, hash_of(t, a, NETWORK));
}

void tcp_prefix_leave(struct tcp_prefix_table *t, const struct addr *a)
{
    subtract(t, hash_of(t, a, HOST));
    subtract(t, hash_of(t, a, NETWORK));
}

static bool is_below(const struct tcp_prefix_table *t, const struct addr *a, enum level level,
                     uint32_t max)
{
    return max == 0 || find(t, hash_of(t, a, level))->count < max;
}

bool tcp_prefix_has_room(const struct tcp_prefix_table *t, const struct addr *a, uint32_t host_max,
                         uint32_t network_max)
{
    return is_below(t, a, HOST, host_max) && is_below(t, a, NETWORK, network_max);
}
