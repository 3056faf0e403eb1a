/*
 * One core's TCP as a whole: all memory is taken here, at start. Blocks cost address space only
 * until they are used (base/pool.h), so the bounds may be generous.
 */
#include "dataplane/tcp/tcp_conn.h"

#include <string.h>

#include "base/assert.h"
#include "dataplane/tcp/tcp_half.h"
#include "dataplane/tcp/tcp_stall.h"
#include "dataplane/tcp/tcp_time_wait.h"

#define PORT_FIRST 49152U /* RFC 6335, 6: dynamic ports */
#define PORT_COUNT (65536U - PORT_FIRST)
#define PORT_TRIES 64U

/* The least shift that lets a 16-bit field tell the window (RFC 7323, 2.2). */
static uint8_t wscale_for(uint32_t window)
{
    uint8_t shift = 0;

    while (shift < TCP_WIRE_WSCALE_MAX && window >> shift > UINT16_MAX)
        shift++;
    return shift;
}

static void init_lists(struct tcp *t)
{
    list_init(&t->output);
    list_init(&t->starved);
    list_init(&t->gapped);
    list_init(&t->stalled);
    list_init(&t->accepts);
    list_init(&t->ended);
}

/* A pool of one object of `bytes`: memory mapped lazily, as for blocks. */
static struct pool *array(const char *name, size_t size, uint32_t count)
{
    return pool_create(name, 1, size * count);
}

static void release_array(struct pool *p, void *object)
{
    if (p == NULL)
        return;
    if (object != NULL)
        pool_put(p, object);
    pool_destroy(p);
}

static void release_memory(struct tcp *t)
{
    struct pool *self = t->self;

    tcp_memory_close(&t->memory);
    if (t->conns != NULL)
        pool_destroy(t->conns);
    if (t->flights != NULL)
        pool_destroy(t->flights);
    if (t->reasms != NULL)
        pool_destroy(t->reasms);
    if (t->ranges.pool != NULL)
        pool_destroy(t->ranges.pool);
    if (t->sents != NULL)
        pool_destroy(t->sents);
    release_array(t->slots_pool, t->table.slots);
    release_array(t->prefixes_pool, t->prefixes.slots);
    release_array(t->syns_pool, t->syns.entries);
    release_array(t->tws_pool, t->tws.slots);
    pool_put(self, t);
    pool_destroy(self);
}

/* As many as all connections may have, or as the core affords. */
static struct pool *create_ranges(const struct tcp_config *config)
{
    uint64_t count = (uint64_t)config->connections_max * LIMIT_TCP_REASM_RANGES;

    if (count > LIMIT_TCP_REASM_RANGES_ALL)
        count = LIMIT_TCP_REASM_RANGES_ALL;
    return pool_create("tcp_range", (uint32_t)count, sizeof(struct tcp_range));
}

static bool take_memory(struct tcp *t)
{
    const struct tcp_config *config = &t->config;
    uint32_t records = 4 * tcp_loss_records(config->send_bytes_max);
    uint32_t slots =
        tcp_table_slots_for(config->connections_max + config->syn_rcvd_max + config->time_wait_max);
    uint32_t prefixes = tcp_prefix_slots_for(config->connections_max);
    struct hash_key key = { t->env.secret.k1, t->env.secret.k0 };

    t->conns = pool_create("tcp_conn", config->connections_max, sizeof(struct tcp_conn));
    t->reasms = pool_create("tcp_reasm", config->connections_max, sizeof(struct tcp_reasm));
    t->ranges.pool = create_ranges(config);
    t->flights = pool_create("tcp_flight", config->connections_max, sizeof(struct tcp_flight));
    t->sents = pool_create("tcp_sent", config->connections_max * records, sizeof(struct tcp_sent));
    t->slots_pool = array("tcp_table", sizeof(struct tcp_table_entry), slots);
    t->prefixes_pool = array("tcp_prefix", sizeof(struct tcp_prefix_slot), prefixes);
    t->syns_pool = array("tcp_syn", sizeof(struct tcp_syn_entry), config->syn_rcvd_max);
    t->tws_pool = array("tcp_tw", sizeof(struct tcp_tw), config->time_wait_max);
    if (t->conns == NULL || t->flights == NULL || t->reasms == NULL || t->ranges.pool == NULL ||
        t->sents == NULL || t->slots_pool == NULL || t->prefixes_pool == NULL ||
        t->syns_pool == NULL || t->tws_pool == NULL)
        return false;
    rng_seed(&t->ranges.lot, hash_sip24(&key, "ranges", 6));
    tcp_table_init(&t->table, pool_get(t->slots_pool), slots);
    tcp_prefix_init(&t->prefixes, pool_get(t->prefixes_pool), prefixes, &key);
    tcp_syn_init(&t->syns, pool_get(t->syns_pool), config->syn_rcvd_max);
    tcp_tw_init(&t->tws, pool_get(t->tws_pool), config->time_wait_max);
    return true;
}

struct tcp *tcp_create(const struct tcp_config *config, const struct tcp_env *env)
{
    struct pool *self = pool_create("tcp", 1, sizeof(struct tcp));
    struct tcp *t;

    ASSERT(config->receive_bytes_max > 0 && config->receive_bytes_max < 1U << 30);
    ASSERT(config->connections_max > 0 && config->syn_rcvd_max > 0 && config->time_wait_max > 0);
    ASSERT(env->pool->headroom + env->pool->room >=
           TCP_WIRE_HEADER_MAX + STREAM_RESERVE_MAX + STREAM_FRAME_BYTES);
    if (self == NULL)
        return NULL;
    t = pool_get(self);
    memset(t, 0, sizeof(*t));
    t->self = self;
    t->env = *env;
    t->config = *config;
    if (t->config.user_timeout_ms == 0)
        t->config.user_timeout_ms = LIMIT_TCP_R2_MS;
    t->cc = config->congestion == TCP_CONGESTION_NEWRENO ? &tcp_cc_newreno : &tcp_cc_cubic;
    t->born_ns = env->clock->now_ns;
    t->rcv_wscale = wscale_for(config->receive_bytes_max);
    init_lists(t);
    tcp_flight_init(&t->idle);
    tcp_cookie_init(&t->cookies,
                    &(struct hash_key){ env->secret.k0 ^ 0x434f4f4b4945, ~env->secret.k1 });
    wheel_init(&t->wheel, t->born_ns);
    if (!tcp_memory_open(&t->memory, env->pool, config->aside_max) || !take_memory(t)) {
        release_memory(t);
        return NULL;
    }
    t->windows_free = (uint64_t)t->memory.segs * env->pool->room;
    return t;
}

static void drop_conn(struct tcp *t, struct tcp_conn *c)
{
    tcp_timer_stop(c);
    tcp_conn_drop_gaps(c);
    tcp_flight_drop(c);
    tcp_recvq_clear(&c->recvq);
    list_remove(&c->stream.ready_link);
    list_remove(&c->output_link);
    pool_put(t->conns, c);
}

void tcp_destroy(struct tcp *t)
{
    for (uint32_t i = 0; i <= t->table.mask; i++) {
        uint32_t ref = t->table.slots[i].ref;

        if (TCP_REF_KIND(ref) == TCP_KIND_CONN)
            drop_conn(t, pool_at(t->conns, TCP_REF_NUMBER(ref)));
    }
    while (!list_empty(&t->ended))
        drop_conn(t, LIST_ENTRY(t->ended.head.next, struct tcp_conn, output_link));
    release_memory(t);
}

uint32_t tcp_connections(const struct tcp *t)
{
    uint32_t count = t->syns.used;

    for (unsigned s = 0; s < TCP_STATE_COUNT; s++)
        count += tcp_fsm_is_live(s) ? t->state_count[s] : 0;
    return count;
}

/* A port whose four-tuple is free, from a place that others cannot foresee (RFC 6056, 3.3.3). 0:
 * none found. Many may be wanted before the clock moves, so each look is at another port. */
static uint16_t choose_port(struct tcp *t, struct endpoint *local, const struct endpoint *peer)
{
    uint32_t offset;
    uint32_t start = tcp_conn_choose_iss(t, local, peer, tcp_now_ns(t), &offset);

    for (uint32_t i = 0; i < PORT_TRIES; i++) {
        local->port = (uint16_t)(PORT_FIRST + (start + t->ports_tried++) % PORT_COUNT);
        if (tcp_table_find(&t->table, tcp_conn_hash(t, local, peer)) == 0)
            return local->port;
    }
    return 0;
}

struct stream *tcp_connect(struct tcp *t, const struct endpoint *local, const struct endpoint *peer)
{
    struct endpoint from = *local;
    struct tcp_conn *c;
    uint32_t iss;

    if (from.port == 0 && choose_port(t, &from, peer) == 0)
        return NULL;
    c = tcp_conn_create(t, &from, peer, tcp_conn_hash(t, &from, peer));
    if (c == NULL)
        return NULL;
    c->flags |= TCP_CONN_ACCEPTED;
    iss = tcp_conn_choose_iss(t, &from, peer, tcp_now_ns(t), &c->ts_offset);
    tcp_conn_start_send(c, iss);
    tcp_conn_set_state(c, TCP_SYN_SENT);
    tcp_count(t, COUNTER_TCP_ACTIVE_OPENS);
    tcp_output_want(c);
    return &c->stream;
}

unsigned tcp_timers(struct tcp *t)
{
    unsigned fired = tcp_half_timers(t) + tcp_time_wait_timers(t) + tcp_stall_timers(t);
    struct wheel_entry *e;

    while ((e = wheel_pop(&t->wheel, tcp_now_ns(t))) != NULL) {
        tcp_timer_fired(LIST_ENTRY(e, struct tcp_conn, wheel));
        fired++;
    }
    return fired;
}

uint64_t tcp_next_ns(const struct tcp *t)
{
    uint64_t next = wheel_next_ns(&t->wheel);
    uint64_t syn = tcp_syn_next_ns(&t->syns);
    uint64_t tw = tcp_time_wait_next_ns(t);
    uint64_t stall = tcp_stall_next_ns(t);

    next = syn < next ? syn : next;
    next = tw < next ? tw : next;
    next = stall < next ? stall : next;
    if (!list_empty(&t->starved) && next > tcp_now_ns(t) + NS_PER_MS)
        next = tcp_now_ns(t) + NS_PER_MS;
    return next;
}
