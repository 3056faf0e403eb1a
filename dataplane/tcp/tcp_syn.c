/*
 * See tcp_syn.h. Free entries are a list through the table; the sweep looks at each entry that was
 * ever used, so it costs what a flood once made of the table: 4,096 entries are 128 KB, read
 * fifteen times a second.
 */
#include "dataplane/tcp/tcp_syn.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/clock.h"
#include "dataplane/tcp/tcp_wire.h"

#define SWEEP_NS (1ULL << 26)

STATIC_ASSERT(sizeof(struct tcp_syn_entry) == 32, "two of them are a cache line");
STATIC_ASSERT(LIMIT_TCP_LOCALS <= 256, "an entry has 8 bits for its local endpoint");
STATIC_ASSERT(TCP_HAS_MSS == 1 && TCP_HAS_WSCALE == 2 && TCP_HAS_ECN == 16,
              "the two lowest options are those that an entry does not hold");

void tcp_syn_init(struct tcp_syn_table *t, struct tcp_syn_entry *entries, uint32_t size)
{
    ASSERT(size > 0);
    *t = (struct tcp_syn_table){ .entries = entries, .size = size, .free = TCP_SYN_NONE };
}

static bool is_live(const struct tcp_syn_entry *e)
{
    return e->peer_port != 0;
}

static struct tcp_syn_entry *entry_at(const struct tcp_syn_table *t, uint32_t number)
{
    ASSERT(number < t->touched);
    ASSERT(is_live(&t->entries[number]));
    return &t->entries[number];
}

/* The number of a local endpoint, or TCP_SYN_NONE. */
static uint32_t local_number(struct tcp_syn_table *t, const struct tcp_syn *syn)
{
    const struct endpoint *at = &syn->local;
    uint32_t i;

    for (i = 0; i < t->local_count; i++) {
        const struct tcp_syn_local *l = &t->locals[i];

        if (endpoint_equal(&l->at, at) && l->listener == syn->listener)
            return i;
    }
    if (i == LIMIT_TCP_LOCALS)
        return TCP_SYN_NONE;
    t->locals[t->local_count++] = (struct tcp_syn_local){ .at = *at, .listener = syn->listener };
    return i;
}

static uint32_t take_place(struct tcp_syn_table *t)
{
    uint32_t number = t->free;

    if (number != TCP_SYN_NONE)
        t->free = t->entries[number].irs;
    else if (t->touched < t->size)
        number = t->touched++;
    return number;
}

static uint16_t tick_of(uint64_t ns)
{
    return (uint16_t)(ns / TCP_SYN_TICK_NS);
}

uint32_t tcp_syn_add(struct tcp_syn_table *t, const struct tcp_syn *syn, uint64_t now_ns)
{
    uint32_t local = local_number(t, syn);
    uint32_t number = local == TCP_SYN_NONE ? TCP_SYN_NONE : take_place(t);

    ASSERT(syn->peer.port != 0);
    if (number == TCP_SYN_NONE)
        return number;
    if (t->used++ == 0)
        t->sweep_ns = now_ns + SWEEP_NS;
    t->entries[number] = (struct tcp_syn_entry){
        .peer = syn->peer.addr,
        .peer_port = syn->peer.port,
        .irs = syn->irs,
        .ts_recent = syn->ts_recent,
        .created = tick_of(now_ns),
        .mss = (syn->mss < TCP_SYN_MSS_MAX ? syn->mss : TCP_SYN_MSS_MAX) & TCP_SYN_MSS_MAX,
        .wscale = (syn->options & TCP_HAS_WSCALE ? syn->wscale : TCP_SYN_NO_SCALE) & 0xfU,
        .options = (syn->options >> 2) & 7U,
        .local = local & 0xffU,
    };
    return number;
}

/* How long the entry has been there; right for all that live less than 2^16 ticks. */
static uint16_t age_of(const struct tcp_syn_entry *e, uint64_t now_ns)
{
    return (uint16_t)(tick_of(now_ns) - e->created);
}

void tcp_syn_get(const struct tcp_syn_table *t, uint32_t number, uint64_t now_ns,
                 struct tcp_syn *out)
{
    const struct tcp_syn_entry *e = entry_at(t, number);
    const struct tcp_syn_local *local = &t->locals[e->local];
    bool scales = e->wscale != TCP_SYN_NO_SCALE;

    *out = (struct tcp_syn){
        .local = local->at,
        .peer = { .addr = e->peer, .port = e->peer_port },
        .created_ns = (now_ns / TCP_SYN_TICK_NS - age_of(e, now_ns)) * TCP_SYN_TICK_NS,
        .irs = e->irs,
        .ts_recent = e->ts_recent,
        .mss = e->mss,
        .wscale = scales ? e->wscale : 0,
        .options = (uint8_t)(e->options << 2 | (scales ? TCP_HAS_WSCALE : 0) | TCP_HAS_MSS),
        .listener = local->listener,
        .retries = e->retries,
    };
}

void tcp_syn_remove(struct tcp_syn_table *t, uint32_t number)
{
    struct tcp_syn_entry *e = entry_at(t, number);

    e->peer_port = 0;
    e->irs = t->free;
    t->free = number;
    t->used--;
}

uint32_t tcp_syn_next(const struct tcp_syn_table *t, uint32_t from)
{
    for (uint32_t i = from; t->used > 0 && i < t->touched; i++) {
        if (is_live(&t->entries[i]))
            return i;
    }
    return TCP_SYN_NONE;
}

/* Not early: 1, 3, 7, 15, 31, 63 s and up to two ticks. */
static bool is_due(const struct tcp_syn_entry *e, uint64_t now_ns)
{
    uint64_t wait_s = (2ULL << e->retries) - 1;

    return age_of(e, now_ns) > wait_s * NS_PER_S / TCP_SYN_TICK_NS + 1;
}

uint32_t tcp_syn_due(struct tcp_syn_table *t, uint64_t now_ns)
{
    if (t->used == 0 || now_ns < t->sweep_ns)
        return TCP_SYN_NONE;
    while (t->cursor < t->touched) {
        const struct tcp_syn_entry *e = &t->entries[t->cursor++];

        if (is_live(e) && is_due(e, now_ns))
            return t->cursor - 1;
    }
    t->cursor = 0;
    t->sweep_ns = now_ns + SWEEP_NS;
    return TCP_SYN_NONE;
}

bool tcp_syn_retry(struct tcp_syn_table *t, uint32_t number)
{
    struct tcp_syn_entry *e = entry_at(t, number);

    if (e->retries == TCP_SYN_RETRIES)
        return false;
    e->retries++;
    return true;
}

uint64_t tcp_syn_next_ns(const struct tcp_syn_table *t)
{
    return t->used == 0 ? UINT64_MAX : t->sweep_ns;
}
