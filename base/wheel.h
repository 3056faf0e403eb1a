/*
 * Hierarchical timing wheel (Varghese, Lauck 1987), one for each core. An entry is embedded in its
 * owner, which keeps one: the earliest of its deadlines. Pure: time comes in as an argument.
 *
 * An entry never fires early; it fires late by less than one tick. Firing unlinks first, so a
 * handler may set, cancel or free its owner. Setting again moves the entry.
 */
#ifndef POSTERN_BASE_WHEEL_H
#define POSTERN_BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define WHEEL_TICK_NS                                                           \
    1000000ULL /* 1 ms: delayed ACKs (40 ms) and RTOs (200 ms up) need no finer \
                */
#define WHEEL_SLOTS  256
#define WHEEL_LEVELS 4 /* 2^32 ticks, 49 days; later deadlines wait in the last slot */

struct wheel_entry {
    struct list_node link;
    uint64_t due_ns;
};

struct wheel {
    uint64_t tick; /* all ticks up to this one have fired */
    uint32_t count;
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
    uint64_t used[WHEEL_LEVELS][WHEEL_SLOTS / 64]; /* a bit for each slot that may hold something */
    struct list fired;                             /* due, not yet handed out */
};

void wheel_init(struct wheel *w, uint64_t now_ns);
void wheel_entry_init(struct wheel_entry *e);
void wheel_set(struct wheel *w, struct wheel_entry *e, uint64_t due_ns);
void wheel_cancel(struct wheel *w, struct wheel_entry *e);
bool wheel_is_set(const struct wheel_entry *e);
/* The next entry due at or before now, unlinked, or NULL. Call until NULL (or a budget is used up).
 */
struct wheel_entry *wheel_pop(struct wheel *w, uint64_t now_ns);
/* A time at or before the next firing, for sleeping loops; UINT64_MAX when nothing is set. */
uint64_t wheel_next_ns(const struct wheel *w);

#endif
