/*
 * Buckets of four entries, a cache line each; a name may be in either of two. An entry is a pair of
 * words that changes by one compare-and-swap of 16 bytes: so there is no lock that a sleeping
 * thread could hold, and no entry is ever half of one name and half of another.
 *
 * Of a rate the value is the time at which all is paid for, and the entry is free past it; of a
 * count it is the count, and the entry is free at 0. The key's lowest bit says which.
 */
#include "gateway/quota.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/limits.h"

#define WAYS  4
#define PLACE 2    /* buckets that a name may be in */
#define COUNT 1ULL /* in a key: the value is a count */
/* One message may be more than a whole window's bytes: who sent it waits for two at most. */
#define DEBT_WINDOWS 2ULL

union entry {
    struct {
        uint64_t key; /* 0: never used */
        uint64_t value;
    };
    __extension__ unsigned __int128 both;
};

struct bucket {
    _Alignas(64) union entry entries[WAYS];
};

struct quota {
    struct hash_key key;
    uint64_t mask;
    struct bucket *buckets;
};

struct quota *quota_create(uint32_t entries, const struct hash_key *key)
{
    struct quota *q = calloc(1, sizeof(*q));
    uint64_t buckets = 2;

    if (q == NULL)
        return NULL;
    while (buckets * WAYS < entries)
        buckets *= 2;
    q->key = *key;
    q->mask = buckets - 1;
    q->buckets = aligned_alloc(64, buckets * sizeof(struct bucket));
    if (q->buckets == NULL) {
        free(q);
        return NULL;
    }
    memset(q->buckets, 0, buckets * sizeof(struct bucket));
    return q;
}

void quota_destroy(struct quota *q)
{
    if (q == NULL)
        return;
    free(q->buckets);
    explicit_bzero(q, sizeof(*q));
    free(q);
}

struct quota_key quota_key_of(const struct quota *q, uint8_t what, struct span name)
{
    uint8_t text[1 + LIMIT_LOGIN_BYTES];

    ASSERT(name.len <= LIMIT_LOGIN_BYTES);
    text[0] = what;
    if (name.len > 0)
        memcpy(text + 1, name.ptr, name.len);
    return (struct quota_key){ hash_sip24(&q->key, text, 1 + name.len) | 2 };
}

/* The halves may be of different moments; who acts on them finds out by the swap. */
static union entry load(const union entry *e)
{
    return (union entry){ { __atomic_load_n(&e->key, __ATOMIC_ACQUIRE),
                            __atomic_load_n(&e->value, __ATOMIC_ACQUIRE) } };
}

static bool swap(union entry *e, union entry from, union entry to)
{
    return __sync_bool_compare_and_swap(&e->both, from.both, to.both);
}

/* Two threads that enter a name at once may take an entry each; who leaves finds the one that is
 * still held. */
static bool is_empty(union entry e)
{
    return e.key == 0 || ((e.key & COUNT) && e.value == 0);
}

static bool is_free(union entry e, uint64_t now_ns)
{
    return is_empty(e) || (!(e.key & COUNT) && e.value <= now_ns);
}

static union entry *bucket_of(const struct quota *q, uint64_t key, unsigned place)
{
    return q->buckets[(place == 0 ? key >> 2 : key >> 33) & q->mask].entries;
}

/* The entry of this key; else, with `now_ns`, one that is free; else NULL. *seen: what is in it. */
static union entry *find(const struct quota *q, uint64_t key, const uint64_t *now_ns,
                         union entry *seen)
{
    union entry *spare = NULL;

    for (unsigned i = 0; i < PLACE * WAYS; i++) {
        union entry *e = &bucket_of(q, key, i / WAYS)[i % WAYS];
        union entry have = load(e);

        if (have.key == key && !is_empty(have)) {
            *seen = have;
            return e;
        }
        if (spare == NULL && now_ns != NULL && is_free(have, *now_ns)) {
            spare = e;
            *seen = have;
        }
    }
    return spare;
}

/* How long it takes until `amount` is paid for. */
static uint64_t price_ns(struct quota_rate rate, uint64_t amount)
{
    __extension__ unsigned __int128 ns = amount;

    ns = ns * rate.window_s * NS_PER_S / rate.amount;
    return ns < INT64_MAX ? (uint64_t)ns : INT64_MAX;
}

static uint64_t later_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t earlier_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

bool quota_has_room(const struct quota *q, struct quota_key key, struct quota_rate rate,
                    uint64_t amount, uint64_t now_ns)
{
    union entry seen;
    uint64_t paid_ns = now_ns;

    if (rate.amount == 0)
        return true;
    if (find(q, key.hash & ~COUNT, NULL, &seen) != NULL)
        paid_ns = later_of(seen.value, now_ns);
    return paid_ns + price_ns(rate, amount) - now_ns <= rate.window_s * NS_PER_S;
}

bool quota_charge(struct quota *q, struct quota_key key, struct quota_rate rate, uint64_t amount,
                  uint64_t now_ns)
{
    uint64_t hash = key.hash & ~COUNT;
    union entry seen;
    union entry next;
    union entry *e;

    if (rate.amount == 0)
        return true;
    do {
        e = find(q, hash, &now_ns, &seen);
        if (e == NULL)
            return false;
        next.key = hash;
        next.value = seen.key == hash ? later_of(seen.value, now_ns) : now_ns;
        next.value = earlier_of(next.value + price_ns(rate, amount),
                                now_ns + DEBT_WINDOWS * rate.window_s * NS_PER_S);
    } while (!swap(e, seen, next));
    return true;
}

enum quota_entry quota_enter(struct quota *q, struct quota_key key, uint32_t most, uint64_t now_ns)
{
    uint64_t hash = key.hash | COUNT;
    union entry seen;
    union entry next;
    union entry *e;

    ASSERT(most > 0);
    do {
        e = find(q, hash, &now_ns, &seen);
        if (e == NULL)
            return QUOTA_UNCOUNTED;
        next.key = hash;
        next.value = seen.key == hash && seen.value > 0 ? seen.value + 1 : 1;
        if (next.value > most)
            return QUOTA_CROWDED;
    } while (!swap(e, seen, next));
    return QUOTA_ENTERED;
}

void quota_leave(struct quota *q, struct quota_key key)
{
    uint64_t hash = key.hash | COUNT;
    union entry seen;
    union entry next;
    union entry *e;

    do {
        e = find(q, hash, NULL, &seen);
        if (e == NULL)
            return; /* cannot be, unless it was never entered */
        next = seen;
        next.value--;
    } while (!swap(e, seen, next));
}
