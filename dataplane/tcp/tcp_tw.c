/*
 * The ring of TIME-WAIT entries. Dead ones in the middle are stepped over once they are the oldest,
 * so the oldest is always live.
 */
#include "dataplane/tcp/tcp_tw.h"

#include <stddef.h>

#include "base/assert.h"

STATIC_ASSERT(sizeof(struct tcp_tw) == 32, "half a million of them are 16 MB");

void tcp_tw_init(struct tcp_tw_ring *r, struct tcp_tw *slots, uint32_t size)
{
    ASSERT(size > 0);
    *r = (struct tcp_tw_ring){ .slots = slots, .size = size };
}

struct tcp_tw *tcp_tw_at(struct tcp_tw_ring *r, uint32_t number)
{
    ASSERT(number < r->size);
    ASSERT(r->slots[number].live);
    return &r->slots[number];
}

static void skip_dead(struct tcp_tw_ring *r)
{
    while (r->used > 0 && !r->slots[r->head].live) {
        r->head = r->head + 1 == r->size ? 0 : r->head + 1;
        r->used--;
    }
}

bool tcp_tw_full(const struct tcp_tw_ring *r)
{
    return r->used == r->size;
}

uint32_t tcp_tw_add(struct tcp_tw_ring *r, const struct tcp_tw *e)
{
    uint32_t at = (r->head + r->used) % r->size;

    ASSERT(!tcp_tw_full(r));
    r->slots[at] = *e;
    r->slots[at].live = true;
    r->used++;
    return at;
}

struct tcp_tw *tcp_tw_oldest(const struct tcp_tw_ring *r)
{
    if (r->used == 0)
        return NULL;
    ASSERT(r->slots[r->head].live);
    return &r->slots[r->head];
}

void tcp_tw_kill(struct tcp_tw_ring *r, struct tcp_tw *e)
{
    ASSERT(e->live);
    e->live = false;
    skip_dead(r);
}
