/*
 * A worker's set of connections: takes them in, and brings what others finished (spool, timers, the
 * next turn's budget of handshakes) to the right one.
 *
 * Failure mode: pool empty, or too many from one client: aborted at once and counted.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "gateway/conn_priv.h"

/* A client's own connection is counted at once, a proxy's when it has said whose it is. */
static bool is_own(const struct conn_listener *l, const struct stream *s)
{
    return l->proxy_count == 0 && !addr_nets_have(l->xclients, l->xclient_count, &s->peer.addr);
}

static bool may_come(struct conns *cs, const struct conn_listener *l, const struct stream *s)
{
    if (is_own(l, s))
        return conn_clients_enter(cs->clients, &s->peer.addr, cs->config.connections_per_client);
    if (l->proxy_count == 0 || addr_nets_have(l->proxies, l->proxy_count, &s->peer.addr))
        return true;
    conn_log_not_a_proxy(cs, l, &s->peer);
    return false;
}

static void accepted(struct core_handler *h, struct stream *s, void *cookie)
{
    struct conns *cs = LIST_ENTRY(h, struct conns, handler);
    const struct conn_listener *l = cookie;
    bool own = is_own(l, s);
    struct conn *c = NULL;

    if (!cs->draining && may_come(cs, l, s)) {
        c = pool_get(cs->pool);
        if (c == NULL && own)
            conn_clients_leave(cs->clients, &s->peer.addr);
    }
    if (c == NULL) {
        counter_inc(cs->env.counters, COUNTER_CONN_REFUSED);
        s->ops->abort(s);
        s->ops->close(s);
        return;
    }
    counter_inc(cs->env.counters, COUNTER_CONN_ACCEPTED);
    *c = (struct conn){ .set = cs, .lower = s, .io = s, .listener = l };
    c->peer = s->peer;
    c->local = s->local;
    c->counted = own;
    c->number = cs->next_number++;
    c->accepted_ns = cs->env.clock->now_ns;
    c->phase = l->proxy_count > 0 ? CONN_PROXY : CONN_HANDSHAKE;
    c->want = SMTP_WANT_INPUT;
    list_append(&cs->all, &c->all);
    list_node_init(&c->wait);
    wheel_entry_init(&c->timer);
    s->owner = c;
    conn_open(c);
}

static void ready(struct core_handler *h, struct stream *s)
{
    (void)h;
    conn_pump(s->owner);
}

struct conns *conns_create(const struct conn_config *config, const struct conn_env *env)
{
    struct conns *cs = calloc(1, sizeof(*cs));

    if (cs == NULL)
        return NULL;
    cs->config = *config;
    cs->env = *env;
    cs->handler = (struct core_handler){ .accepted = accepted, .ready = ready };
    list_init(&cs->all);
    cs->viewed = &cs->all.head;
    list_init(&cs->handshakes);
    list_init(&cs->rooms);
    wheel_init(&cs->wheel, env->clock->now_ns);
    cs->pool = pool_create("connections", config->connections_max, sizeof(struct conn));
    cs->inputs = pool_create("inputs", config->connections_max, LIMIT_CONN_INPUT_BYTES);
    cs->clients = conn_clients_create(config->connections_max, &env->secret);
    cs->texts = texts_create(2 * config->connections_max);
    cs->scratch = malloc(LIMIT_READ_BYTES);
    if (cs->pool == NULL || cs->inputs == NULL || cs->clients == NULL || cs->texts == NULL ||
        cs->scratch == NULL) {
        conns_destroy(cs);
        return NULL;
    }
    return cs;
}

void conns_destroy(struct conns *cs)
{
    if (cs == NULL)
        return;
    ASSERT(list_empty(&cs->all));
    if (cs->pool != NULL)
        pool_destroy(cs->pool);
    if (cs->inputs != NULL)
        pool_destroy(cs->inputs);
    conn_clients_destroy(cs->clients);
    texts_destroy(cs->texts);
    free(cs->scratch);
    free(cs);
}

struct core_handler *conns_handler(struct conns *cs)
{
    return &cs->handler;
}

static unsigned poll_timers(struct conns *cs)
{
    struct wheel_entry *e;
    unsigned n = 0;

    while (n < LIMIT_TIMERS_PER_TURN &&
           (e = wheel_pop(&cs->wheel, cs->env.clock->now_ns)) != NULL) {
        conn_timer(LIST_ENTRY(e, struct conn, timer));
        n++;
    }
    return n;
}

static unsigned poll_spool(struct conns *cs)
{
    struct spool_message *m;
    unsigned n = 0;

    while (n < LIMIT_PUMP_PER_TURN && (m = spool_port_poll(cs->env.spool)) != NULL) {
        struct conn *c = m->owner;

        n++;
        if (c == NULL) {
            spool_message_release(cs->env.spool, m);
            continue;
        }
        ASSERT(c->message == m && c->committing);
        conn_body_done(c);
        conn_pump(c);
    }
    return n;
}

/* Runs each that waits on the list now, once; those that must wait again are appended. */
static unsigned poll_waiting(struct list *waiting, unsigned most)
{
    struct list now;
    struct list_node *node;
    unsigned n = 0;

    list_init(&now);
    while (n < most && (node = list_pop(waiting)) != NULL) {
        list_append(&now, node);
        n++;
    }
    while ((node = list_pop(&now)) != NULL)
        conn_pump(LIST_ENTRY(node, struct conn, wait));
    return n;
}

unsigned conns_poll(struct conns *cs)
{
    unsigned n;

    cs->handshake_budget = cs->config.handshakes_per_turn;
    cs->hint_budget = cs->config.handshakes_per_turn * LIMIT_HINTS_PER_HANDSHAKE;
    n = poll_spool(cs) + poll_timers(cs);
    n += poll_waiting(&cs->handshakes, cs->handshake_budget);
    poll_waiting(&cs->rooms, LIMIT_PUMP_PER_TURN); /* no work until there is room */
    return n;
}

uint64_t conns_next_ns(const struct conns *cs)
{
    if (!list_empty(&cs->handshakes))
        return cs->env.clock->now_ns;
    return wheel_next_ns(&cs->wheel);
}

/* Calls `act`, which may free the connection, for each. */
static void for_each(struct conns *cs, void (*act)(struct conn *c))
{
    struct list now;
    struct list_node *node;

    list_init(&now);
    while ((node = list_pop(&cs->all)) != NULL)
        list_append(&now, node);
    while ((node = list_pop(&now)) != NULL) {
        list_append(&cs->all, node);
        act(LIST_ENTRY(node, struct conn, all));
    }
}

void conns_drain(struct conns *cs)
{
    cs->draining = true;
    for_each(cs, conn_end);
}

void conns_expire(struct conns *cs)
{
    for_each(cs, conn_expire);
}

void conns_abort_all(struct conns *cs)
{
    for_each(cs, conn_abort);
}

uint32_t conns_count(const struct conns *cs)
{
    return pool_used(cs->pool);
}
