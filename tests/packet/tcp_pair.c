/*
 * The pair. Happy path: the client connects, both write and read in turns of a loop as the
 * program's, the wire delivers frames when their time comes, and the clock jumps to whatever is
 * next.
 */
#include "tcp_pair.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "dataplane/tcp/tcp_wire.h"
#include "lib/fault.h"

#define LOWER_HEADERS 34
#define CE            3 /* RFC 3168, 5 */
#define GIVE_UP_NS    (3600 * NS_PER_S)

struct frame {
    struct list_node link;
    uint64_t due_ns;
    struct tcp_packet packet;
    uint32_t len;
    uint8_t bytes[];
};

struct app {
    struct stream *stream;
    uint64_t to_send;
    uint64_t sent;
    uint64_t received;
    uint64_t write_salt; /* of the pattern that it writes */
    uint64_t read_salt;
    bool shut;
    bool closed;
    bool broken;
};

struct end {
    struct tcp_lower lower;
    struct pair *pair;
    struct tcp *tcp;
    struct seg_pool *pool;
    struct fault_pool fault; /* before it, for what tcp itself allocates */
    struct counters counters;
    struct list ready;
    struct list wire; /* frames on their way to this end, by due_ns */
    uint64_t busy_ns; /* until then the wire sends what is queued from this end */
    struct app app;
    unsigned self;
};

struct pair {
    const struct tcp_pair_config *config;
    struct clock clock;
    struct rng rng;
    struct end ends[2];
    uint64_t frames;
    uint64_t received_ns; /* when the server's reader had everything */
    uint8_t wscale;       /* the server's */
    uint32_t window_max;
    uint32_t segment_max;
};

/* By IPv4 and by IPv6; the client's port is chosen for it. */
static const struct endpoint server_at[2] = {
    { .addr = { { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2 } }, .port = 465 },
    { .addr = { { 0xfd, [15] = 2 } }, .port = 465 },
};
static const struct endpoint client_at[2] = {
    { .addr = { { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 } } },
    { .addr = { { 0xfd, [15] = 1 } } },
};

struct tcp_pair_config tcp_pair_plain(uint64_t seed, uint64_t delay_ns)
{
    return (struct tcp_pair_config){
        .seed = seed,
        .delay_ns = delay_ns,
        .late_ns = 4 * delay_ns,
        .mtu = 1500,
        .segs = 4096,
        .receive_bytes = 1024 * 1024,
        .send_bytes = LIMIT_TCP_SEND_BYTES,
        .write_max = STREAM_RESERVE_MAX,
    };
}

static uint8_t pattern(uint64_t salt, uint64_t offset)
{
    return (uint8_t)((salt + offset) * 0x9e3779b97f4a7c15ULL >> 56);
}

static bool chance(struct pair *p, uint32_t ppm)
{
    return ppm > 0 && rng_below(&p->rng, 1000000) < ppm;
}

static void put_on_wire(struct end *to, const struct seg *s, const struct tcp_packet *packet,
                        uint64_t due_ns)
{
    struct frame *f = malloc(sizeof(*f) + s->len);
    struct list_node *at = to->wire.head.prev;

    ASSERT(f != NULL);
    f->due_ns = due_ns;
    f->packet = *packet;
    f->len = s->len;
    memcpy(f->bytes, s->data, s->len);
    while (at != &to->wire.head && LIST_ENTRY(at, struct frame, link)->due_ns > due_ns)
        at = at->prev;
    f->link.prev = at;
    f->link.next = at->next;
    at->next->prev = &f->link;
    at->next = &f->link;
}

/* The frame's turn on a wire with a rate; false: the queue before it is full. */
static bool take_turn(struct end *from, uint32_t len, uint64_t *due_ns)
{
    const struct tcp_pair_config *config = from->pair->config;
    uint64_t now = from->pair->clock.now_ns;

    *due_ns = now + config->delay_ns;
    if (config->rate == 0)
        return true;
    if (from->busy_ns < now)
        from->busy_ns = now;
    if ((from->busy_ns - now) * config->rate / NS_PER_S + len > config->queue_bytes)
        return false;
    from->busy_ns += len * NS_PER_S / config->rate;
    *due_ns = from->busy_ns + config->delay_ns;
    return true;
}

static void note_window(struct pair *p, const struct seg *s)
{
    struct tcp_header h;
    uint32_t window;

    ASSERT(tcp_wire_parse(s->data, s->len, &h));
    if (h.flags & TCP_SYN)
        p->wscale = h.wscale;
    window = h.flags & TCP_SYN ? h.wnd : (uint32_t)h.wnd << p->wscale;
    if (window > p->window_max)
        p->window_max = window;
}

/* RFC 3168, 5: a router that is about to be congested. */
static bool is_marked(const struct end *from, const struct seg *s)
{
    const struct tcp_pair_config *config = from->pair->config;
    uint64_t now = from->pair->clock.now_ns;

    return config->mark_bytes != 0 && (s->flags & SEG_TX_ECT) && from->busy_ns > now &&
           (from->busy_ns - now) * config->rate / NS_PER_S > config->mark_bytes;
}

static bool is_swallowed(const struct pair *p, const struct seg *s)
{
    return p->config->hole_mtu != 0 && s->len + (p->config->ip6 ? 40 : 20) > p->config->hole_mtu;
}

static void wire_send(struct tcp_lower *l, struct seg *s, const struct addr *src,
                      const struct addr *dst)
{
    struct end *from = LIST_ENTRY(l, struct end, lower);
    struct pair *p = from->pair;
    struct end *to = &p->ends[1 - from->self];
    struct tcp_packet packet = { .src = *src, .dst = *dst };
    unsigned copies = chance(p, p->config->duplicate_ppm) ? 2 : 1;
    uint64_t due;

    ASSERT(seg_headroom(s) >= LOWER_HEADERS);
    ASSERT(s->len + (p->config->ip6 ? 40 : 20) <= p->config->mtu);
    if (s->len > p->segment_max)
        p->segment_max = s->len;
    p->frames++;
    if (from->self == 1)
        note_window(p, s);
    if (!take_turn(from, s->len + LOWER_HEADERS, &due) || chance(p, p->config->loss_ppm) ||
        chance(p, p->config->corrupt_tail_ppm) || is_swallowed(p, s))
        copies = 0;
    packet.tos = is_marked(from, s) ? CE : 0;
    while (copies-- > 0) {
        uint64_t late = 0;

        if (chance(p, p->config->reorder_ppm))
            late = rng_below(&p->rng, p->config->late_ns + 1);
        put_on_wire(to, s, &packet, due + late);
    }
    seg_release(s);
}

static uint16_t wire_mtu(struct tcp_lower *l, const struct addr *dst)
{
    (void)dst;
    return (uint16_t)LIST_ENTRY(l, struct end, lower)->pair->config->mtu;
}

static void deliver(struct end *e)
{
    while (!list_empty(&e->wire)) {
        struct frame *f = LIST_ENTRY(e->wire.head.next, struct frame, link);
        struct seg *s;

        if (f->due_ns > e->pair->clock.now_ns)
            return;
        list_remove(&f->link);
        s = seg_alloc(e->pool);
        if (s != NULL) {
            memcpy(s->data, f->bytes, f->len);
            s->len = f->len;
            f->packet.s = s;
            tcp_input(e->tcp, &f->packet, 1);
        }
        free(f);
    }
}

static void app_read(struct end *e)
{
    struct app *a = &e->app;
    uint32_t budget = e->pair->config->read_max;
    struct span runs[4];
    unsigned count;

    budget = budget == 0 ? UINT32_MAX : budget;
    while (budget > 0 && (count = a->stream->ops->peek(a->stream, runs, 4)) > 0) {
        uint32_t taken = 0;

        for (unsigned i = 0; i < count && budget > 0; i++) {
            struct span part = span_first(runs[i], budget);

            for (uint32_t k = 0; k < part.len; k++)
                a->broken |= part.ptr[k] != pattern(a->read_salt, a->received + k);
            a->received += part.len;
            taken += part.len;
            budget -= part.len;
        }
        a->stream->ops->consume(a->stream, taken);
    }
    if (e->self == 1 && e->pair->received_ns == 0 && a->received == e->pair->config->bytes[0])
        e->pair->received_ns = e->pair->clock.now_ns;
    if (a->stream->ready & STREAM_READABLE)
        stream_requeue(a->stream);
}

static void app_write(struct end *e)
{
    struct app *a = &e->app;

    while (a->sent < a->to_send) {
        uint64_t left = a->to_send - a->sent;
        uint32_t len = 1 + (uint32_t)rng_below(&e->pair->rng, e->pair->config->write_max);
        struct seg *s;

        len = left < len ? (uint32_t)left : len;
        s = a->stream->ops->reserve(a->stream, len);
        if (s == NULL)
            return;
        for (uint32_t i = 0; i < len; i++)
            s->data[i] = pattern(a->write_salt, a->sent + i);
        s->len = len;
        a->sent += len;
        a->stream->ops->commit(a->stream, s);
    }
    if (!a->shut)
        a->stream->ops->shutdown(a->stream);
    a->shut = true;
}

static void app_run(struct end *e)
{
    struct app *a = &e->app;

    if (a->stream->ready & STREAM_FAILED) {
        a->broken = true;
    } else {
        app_read(e);
        if (a->stream->ready & (STREAM_WRITABLE | STREAM_ENDED) || a->sent == a->to_send)
            app_write(e);
        if (!a->shut || a->stream->ready & STREAM_READABLE)
            return;
        if (~a->stream->ready & (STREAM_ENDED | STREAM_DRAINED))
            return;
    }
    a->stream->ops->close(a->stream);
    a->stream = NULL;
    a->closed = true;
}

static void turn(struct end *e)
{
    struct list_node *n;
    void *cookie = NULL;
    struct stream *s;
    unsigned budget = 64;

    deliver(e);
    tcp_timers(e->tcp);
    s = tcp_accept(e->tcp, &cookie);
    if (s != NULL) {
        ASSERT(e->app.stream == NULL && cookie == e);
        e->app.stream = s;
    }
    while (budget-- > 0 && (n = list_pop(&e->ready)) != NULL)
        app_run(e);
    tcp_flush(e->tcp);
}

static uint64_t next_event(const struct pair *p)
{
    uint64_t next = UINT64_MAX;

    for (unsigned i = 0; i < 2; i++) {
        const struct end *e = &p->ends[i];
        uint64_t at = tcp_next_ns(e->tcp);

        next = at < next ? at : next;
        if (!list_empty(&e->ready))
            next = p->clock.now_ns + NS_PER_MS < next ? p->clock.now_ns + NS_PER_MS : next;
        if (!list_empty(&e->wire)) {
            at = LIST_ENTRY(e->wire.head.next, struct frame, link)->due_ns;
            next = at < next ? at : next;
        }
    }
    return next;
}

static void open_end(struct pair *p, unsigned i)
{
    struct end *e = &p->ends[i];
    struct tcp_config config = {
        .connections_max = 4,
        .syn_rcvd_max = 4,
        .time_wait_max = 4,
        .receive_bytes_max = p->config->receive_bytes,
        .send_bytes_max = p->config->send_bytes,
        .time_wait_ms = 60000,
        .congestion = p->config->congestion,
        .ecn = p->config->ecn,
    };
    struct tcp_env env = {
        .lower = &e->lower,
        .clock = &p->clock,
        .counters = &e->counters,
        .ready = &e->ready,
        .secret = { p->config->seed * 7 + i, 42 },
    };

    e->self = i;
    e->pair = p;
    e->lower = (struct tcp_lower){ .send = wire_send, .mtu = wire_mtu };
    list_init(&e->ready);
    list_init(&e->wire);
    e->pool = seg_plain_create(p->config->segs, 128, 2048);
    ASSERT(e->pool != NULL);
    fault_pool_init(&e->fault, e->pool);
    if (p->config->fault_end == i)
        fault_set(&e->fault.fault, p->config->fault_first, p->config->fault_count);
    env.pool = &e->fault.pool;
    e->tcp = tcp_create(&config, &env);
    ASSERT(e->tcp != NULL);
    e->app.to_send = p->config->bytes[i];
    e->app.write_salt = i;
    e->app.read_salt = 1 - i;
}

static void close_end(struct end *e)
{
    while (!list_empty(&e->wire)) {
        struct frame *f = LIST_ENTRY(list_pop(&e->wire), struct frame, link);

        free(f);
    }
    tcp_destroy(e->tcp);
    seg_plain_destroy(e->pool);
}

static void fill_result(const struct pair *p, struct tcp_pair_result *r)
{
    r->frames = p->frames;
    r->time_ns = p->clock.now_ns;
    r->transfer_ns = p->received_ns - p->config->seed * NS_PER_S;
    r->window_max = p->window_max;
    r->segment_max = p->segment_max;
    r->intact = true;
    r->done = true;
    for (unsigned i = 0; i < 2; i++) {
        const struct end *e = &p->ends[i];

        r->received[i] = e->app.received;
        r->intact &= !e->app.broken && e->app.received == p->config->bytes[1 - i];
        r->done &= e->app.closed && tcp_connections(e->tcp) == 0;
        r->retransmitted += counter_get(&e->counters, COUNTER_TCP_RETRANS_SEGS);
        r->fast_retransmits += counter_get(&e->counters, COUNTER_TCP_FAST_RETRANS);
        r->fault_hit |= e->fault.fault.hit;
        r->timeouts += counter_get(&e->counters, COUNTER_TCP_TIMEOUTS);
        r->spurious += counter_get(&e->counters, COUNTER_TCP_SPURIOUS);
    }
}

struct tcp_pair_result tcp_pair_run(const struct tcp_pair_config *config)
{
    struct pair *p = calloc(1, sizeof(*p));
    struct tcp_pair_result result = { 0 };
    uint64_t next;

    ASSERT(p != NULL);
    p->config = config;
    p->clock.now_ns = 1 + config->seed * NS_PER_S;
    rng_seed(&p->rng, config->seed);
    open_end(p, 0);
    open_end(p, 1);
    ASSERT(tcp_listen(p->ends[1].tcp, &server_at[config->ip6], &p->ends[1]));
    p->ends[0].app.stream =
        tcp_connect(p->ends[0].tcp, &client_at[config->ip6], &server_at[config->ip6]);
    ASSERT(p->ends[0].app.stream != NULL);
    do {
        turn(&p->ends[0]);
        turn(&p->ends[1]);
        next = next_event(p);
        if (next > p->clock.now_ns && next != UINT64_MAX)
            p->clock.now_ns = next;
    } while (next != UINT64_MAX && p->clock.now_ns < config->seed * NS_PER_S + GIVE_UP_NS);
    fill_result(p, &result);
    result.time_ns -= config->seed * NS_PER_S;
    close_end(&p->ends[0]);
    close_end(&p->ends[1]);
    free(p);
    return result;
}
