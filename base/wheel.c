/*
 * An entry stands on the level of the highest group of 8 bits in which its tick differs from now,
 * in the slot which that group names. So everything on a level comes before everything on the
 * levels above it, and the next event is the first used slot behind "now" on the lowest level that
 * has one: time can jump there at once. Reaching a slot of level 0 fires it; of a level above,
 * spreads it downward. The top level wraps around; what lies beyond its reach waits in its farthest
 * slot and is put again.
 *
 * The bit of a slot may outlive its last entry (a cancel does not know the slot): a visit clears
 * it.
 */
#include "base/wheel.h"

#include "base/assert.h"

#define SLOT_BITS 8
#define SLOT_MASK (WHEEL_SLOTS - 1)
#define TOP       (WHEEL_LEVELS - 1)

STATIC_ASSERT(WHEEL_SLOTS == 1 << SLOT_BITS, "a slot is a group of bits");

/* Where something happens next. */
struct event {
    uint64_t tick;
    unsigned level;
    unsigned slot;
};

void wheel_init(struct wheel *w, uint64_t now_ns)
{
    *w = (struct wheel){ .tick = now_ns / WHEEL_TICK_NS };
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&w->slots[level][slot]);
    }
    list_init(&w->fired);
}

void wheel_entry_init(struct wheel_entry *e)
{
    list_node_init(&e->link);
    e->due_ns = 0;
}

bool wheel_is_set(const struct wheel_entry *e)
{
    return list_linked(&e->link);
}

/* The first tick that is not before the deadline. */
static uint64_t due_tick(uint64_t due_ns)
{
    return due_ns / WHEEL_TICK_NS + (due_ns % WHEEL_TICK_NS != 0);
}

static unsigned level_of(uint64_t tick, uint64_t due)
{
    uint64_t differ = tick ^ due;
    unsigned level = 0;

    while (level < TOP && differ >> (SLOT_BITS * (level + 1)) != 0)
        level++;
    return level;
}

static void place(struct wheel *w, struct wheel_entry *e)
{
    uint64_t due = due_tick(e->due_ns);
    unsigned level = level_of(w->tick, due);
    unsigned shift = SLOT_BITS * level;
    uint64_t position;
    unsigned slot;

    if (due <= w->tick) {
        list_append(&w->fired, &e->link);
        return;
    }
    position = due >> shift;
    if (position - (w->tick >> shift) > SLOT_MASK)
        position = (w->tick >> shift) + SLOT_MASK;
    slot = (unsigned)(position & SLOT_MASK);
    list_append(&w->slots[level][slot], &e->link);
    w->used[level][slot / 64] |= 1ULL << (slot % 64);
}

void wheel_set(struct wheel *w, struct wheel_entry *e, uint64_t due_ns)
{
    wheel_cancel(w, e);
    e->due_ns = due_ns;
    w->count++;
    place(w, e);
}

void wheel_cancel(struct wheel *w, struct wheel_entry *e)
{
    if (!wheel_is_set(e))
        return;
    ASSERT(w->count > 0);
    list_remove(&e->link);
    w->count--;
}

/* The first used slot in [from, WHEEL_SLOTS), or WHEEL_SLOTS. */
static unsigned used_from(const struct wheel *w, unsigned level, unsigned from)
{
    for (unsigned word = from / 64; word < WHEEL_SLOTS / 64; word++) {
        uint64_t bits = w->used[level][word];

        if (word == from / 64)
            bits &= ~0ULL << (from % 64);
        if (bits != 0)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return WHEEL_SLOTS;
}

/* The next event after w->tick; false when no slot is marked as used. */
static bool find_event(const struct wheel *w, struct event *out)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        unsigned shift = SLOT_BITS * level;
        uint64_t position = w->tick >> shift;
        unsigned slot = WHEEL_SLOTS;
        uint64_t turn = position & ~(uint64_t)SLOT_MASK;

        if ((position & SLOT_MASK) < SLOT_MASK)
            slot = used_from(w, level, (unsigned)(position & SLOT_MASK) + 1);
        if (slot == WHEEL_SLOTS && level == TOP) {
            slot = used_from(w, level, 0);
            turn += WHEEL_SLOTS;
        }
        if (slot < WHEEL_SLOTS) {
            *out = (struct event){ .tick = (turn + slot) << shift, .level = level, .slot = slot };
            return true;
        }
    }
    return false;
}

/* Goes on to `target`, or to the first tick where something fires. */
static void advance(struct wheel *w, uint64_t target)
{
    while (list_empty(&w->fired) && w->tick < target) {
        struct event event;
        struct list_node *n;

        if (w->count == 0 || !find_event(w, &event) || event.tick > target) {
            w->tick = target;
            return;
        }
        ASSERT(event.tick > w->tick);
        w->tick = event.tick;
        w->used[event.level][event.slot / 64] &= ~(1ULL << (event.slot % 64));
        while ((n = list_pop(&w->slots[event.level][event.slot])) != NULL)
            place(w, LIST_ENTRY(n, struct wheel_entry, link));
    }
}

struct wheel_entry *wheel_pop(struct wheel *w, uint64_t now_ns)
{
    struct list_node *n;

    advance(w, now_ns / WHEEL_TICK_NS);
    n = list_pop(&w->fired);
    if (n == NULL)
        return NULL;
    ASSERT(w->count > 0);
    w->count--;
    return LIST_ENTRY(n, struct wheel_entry, link);
}

uint64_t wheel_next_ns(const struct wheel *w)
{
    struct event event;

    if (w->count == 0)
        return UINT64_MAX;
    if (!list_empty(&w->fired))
        return w->tick * WHEEL_TICK_NS;
    if (!find_event(w, &event) || event.tick > UINT64_MAX / WHEEL_TICK_NS)
        return UINT64_MAX;
    return event.tick * WHEEL_TICK_NS;
}
