/*
 * One core's connections by the keyed 64-bit hash of their four-tuple: open addressing, linear
 * probing, no tombstones. Pure: it stores numbers, not pointers. The hash is SipHash under a
 * secret, so nobody can aim at one slot; who finds an entry compares the tuple itself where it has
 * one.
 */
#ifndef POSTERN_TCP_TABLE_H
#define POSTERN_TCP_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_table_entry {
    uint32_t low; /* of the hash; in halves, so that an entry takes 12 bytes */
    uint32_t high;
    uint32_t ref; /* 0: the slot is free */
};

struct tcp_table {
    struct tcp_table_entry *slots;
    uint32_t mask;
    uint32_t used;
};

/* What a ref in the table points to: kind in the upper bits, number below. */
enum tcp_kind { TCP_KIND_NONE, TCP_KIND_CONN, TCP_KIND_SYN, TCP_KIND_TW };
#define TCP_REF(kind, number) ((uint32_t)(kind) << 30 | (number))
#define TCP_REF_KIND(ref)     ((enum tcp_kind)((ref) >> 30))
#define TCP_REF_NUMBER(ref)   ((ref)&0x3fffffffU)

/* Slots for `count` entries at most half full, a power of two. */
uint32_t tcp_table_slots_for(uint32_t count);
/* Uses `slots` (a power of two of them), which it clears. */
void tcp_table_init(struct tcp_table *t, struct tcp_table_entry *slots, uint32_t count);
/* The ref stored for the hash; 0: none. */
uint32_t tcp_table_find(const struct tcp_table *t, uint64_t hash);
/* The entry of the hash will be asked for soon. */
static inline void tcp_table_expect(const struct tcp_table *t, uint64_t hash)
{
    const struct tcp_table_entry *e = &t->slots[(uint32_t)hash & t->mask];

    __builtin_prefetch(&e->low);
    __builtin_prefetch(&e->ref);
}
/* ref is not 0. False when the hash is there already; more than half full is a fault of ours. */
bool tcp_table_insert(struct tcp_table *t, uint64_t hash, uint32_t ref);
/* Changes the ref of a hash that is there. */
void tcp_table_replace(struct tcp_table *t, uint64_t hash, uint32_t ref);
/* The hash must be there. */
void tcp_table_remove(struct tcp_table *t, uint64_t hash);

#endif
