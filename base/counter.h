/*
 * Counters, one shard for each thread, from one list: counter_list.h. A shard has one writer;
 * anybody may read it (relaxed atomics, no torn words). Names are those of RFC 4022 and `nstat`
 * where they exist.
 */
#ifndef POSTERN_BASE_COUNTER_H
#define POSTERN_BASE_COUNTER_H

#include <stdint.h>

#include "base/counter_list.h"

enum counter_id {
#define COUNTER_ENUM(id, name, help) COUNTER_##id,
    COUNTER_LIST(COUNTER_ENUM)
#undef COUNTER_ENUM
        COUNTER_COUNT
};

struct counters {
    uint64_t value[COUNTER_COUNT];
} __attribute__((aligned(64)));

/* A number of one writer that anybody may read. */
static inline void counter_raise(uint64_t *value, uint64_t n)
{
    uint64_t v = __atomic_load_n(value, __ATOMIC_RELAXED);
    __atomic_store_n(value, v + n, __ATOMIC_RELAXED);
}

static inline void counter_add(struct counters *c, enum counter_id id, uint64_t n)
{
    counter_raise(&c->value[id], n);
}

static inline void counter_inc(struct counters *c, enum counter_id id)
{
    counter_add(c, id, 1);
}

static inline uint64_t counter_get(const struct counters *c, enum counter_id id)
{
    return __atomic_load_n(&c->value[id], __ATOMIC_RELAXED);
}

/* "tcp_in_segs" and a line of help, for printing. */
const char *counter_name(enum counter_id id);
const char *counter_help(enum counter_id id);
/* As nstat(8) names it, "TcpInSegs"; NULL: there is no such name. */
const char *counter_standard_name(enum counter_id id);

#endif
