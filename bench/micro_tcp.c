/*
 * TCP without a wire: two stacks whose segments are carried over by copying them, as a wire would.
 * What is timed: full segments sent (from the writer's bytes to tcp_lower), the same received (from
 * tcp_input to bytes that the reader has consumed), and the acknowledgments for them made and
 * taken.
 *
 * Happy path: a connection is opened once; every pass sends what window and congestion control let
 * out, carries it over, reads it, and carries the acknowledgments back. Failure: a pass that moves
 * nothing, which only a broken stack makes.
 */
#include <x86intrin.h>

#include "bench/micro.h"
#include "dataplane/tcp/tcp.h"

#define SEGS     8192
#define HEADROOM 128
#define MTU      1500
#define PASS     32 /* segments of a pass at most: a burst */
#define PASS_NS  (100 * NS_PER_US)
#define BATCH_US 500

enum phase { OUT, IN, ACK_OUT, ACK_IN, PHASES };

struct end {
    struct tcp_lower lower; /* first: lower_send finds its end by it */
    struct tcp *tcp;
    struct seg_pool *pool;
    struct counters counters;
    struct list ready;
    struct list sent;
    struct stream *stream;
    struct addr addr;
};

static struct end client, server;
static struct clock now = { .now_ns = NS_PER_S };
static struct tcp_config config = {
    .connections_max = 16,
    .syn_rcvd_max = 16,
    .time_wait_max = 16,
    .receive_bytes_max = 1024 * 1024,
    .send_bytes_max = 64 * 1024,
    .time_wait_ms = 1000,
};
static uint8_t text[PASS * MTU];
static enum phase phases[PHASES] = { OUT, IN, ACK_OUT, ACK_IN };

static void lower_send(struct tcp_lower *l, struct seg *s, const struct addr *src,
                       const struct addr *dst)
{
    struct end *e = (struct end *)l;

    (void)src;
    (void)dst;
    list_append(&e->sent, &s->link);
}

static uint16_t lower_mtu(struct tcp_lower *l, const struct addr *dst)
{
    (void)l;
    (void)dst;
    return MTU;
}

static bool open_end(struct end *e, uint32_t v4)
{
    struct tcp_env env = { .lower = &e->lower,
                           .clock = &now,
                           .counters = &e->counters,
                           .ready = &e->ready,
                           .secret = { v4, 1 } };

    e->lower = (struct tcp_lower){ lower_send, lower_mtu };
    e->addr = addr_from_v4(v4);
    list_init(&e->ready);
    list_init(&e->sent);
    e->pool = seg_plain_create(SEGS, HEADROOM, MTU);
    env.pool = e->pool;
    e->tcp = e->pool != NULL ? tcp_create(&config, &env) : NULL;
    return e->tcp != NULL;
}

/* The wire: what one end sent, in segments of the other's. */
static unsigned carry(struct end *from, struct end *to, struct seg **out, unsigned max)
{
    unsigned count = 0;

    while (count < max && !list_empty(&from->sent)) {
        struct seg *s = LIST_ENTRY(list_pop(&from->sent), struct seg, link);
        struct seg *copy = seg_alloc(to->pool);

        if (copy != NULL) {
            memcpy(copy->data, s->data, s->len);
            copy->len = s->len;
            out[count++] = copy;
        }
        seg_release(s);
    }
    return count;
}

static void take_in(struct end *from, struct end *to, struct seg **segs, unsigned count)
{
    struct tcp_packet burst[TCP_BURST];

    while (count > 0) {
        unsigned n = count < TCP_BURST ? count : TCP_BURST;

        for (unsigned i = 0; i < n; i++)
            burst[i] = (struct tcp_packet){ .s = segs[i], .src = from->addr, .dst = to->addr };
        tcp_input(to->tcp, burst, n);
        segs += n;
        count -= n;
    }
}

static void read_all(struct end *e)
{
    struct span runs[PASS];
    unsigned count;

    while ((count = e->stream->ops->peek(e->stream, runs, PASS)) > 0) {
        uint32_t len = 0;

        for (unsigned i = 0; i < count; i++)
            len += runs[i].len;
        e->stream->ops->consume(e->stream, len);
    }
}

static void forget_ready(struct end *e)
{
    while (list_pop(&e->ready) != NULL)
        ;
}

/* One pass; adds the cycles of each phase, and returns the segments that went. */
static unsigned pass(uint64_t cycles[PHASES])
{
    struct seg *segs[2 * PASS];
    unsigned count, acks;
    uint64_t t[PHASES + 1];

    now.now_ns += PASS_NS;
    t[0] = __rdtsc();
    (void)stream_write(client.stream, span_of(text, sizeof(text)));
    tcp_flush(client.tcp);
    cycles[OUT] += __rdtsc() - t[0];
    count = carry(&client, &server, segs, 2 * PASS);
    t[0] = __rdtsc();
    take_in(&client, &server, segs, count);
    read_all(&server);
    t[1] = __rdtsc();
    tcp_flush(server.tcp);
    t[2] = __rdtsc();
    cycles[IN] += t[1] - t[0];
    cycles[ACK_OUT] += t[2] - t[1];
    acks = carry(&server, &client, segs, 2 * PASS);
    t[0] = __rdtsc();
    take_in(&server, &client, segs, acks);
    cycles[ACK_IN] += __rdtsc() - t[0];
    (void)tcp_timers(client.tcp);
    (void)tcp_timers(server.tcp);
    forget_ready(&client);
    forget_ready(&server);
    return count;
}

/* Cycles of one phase for `count` segments, from as many whole passes as that takes. */
static uint64_t run_phase(void *arg, uint64_t count)
{
    enum phase phase = *(const enum phase *)arg;
    uint64_t cycles[PHASES] = { 0 };
    uint64_t went = 0;

    for (unsigned idle = 0; went < count; idle = went == 0 ? idle + 1 : 0) {
        went += pass(cycles);
        if (idle > 1000)
            return 0;
    }
    return cycles[phase] * count / went;
}

static bool connect_ends(void)
{
    struct endpoint at = { server.addr, 465 };
    struct endpoint from = { client.addr, 0 };
    struct seg *segs[PASS];
    void *cookie;

    if (!tcp_listen(server.tcp, &at, NULL))
        return false;
    client.stream = tcp_connect(client.tcp, &from, &at);
    for (unsigned i = 0; client.stream != NULL && i < 8; i++) {
        now.now_ns += PASS_NS;
        tcp_flush(client.tcp);
        take_in(&client, &server, segs, carry(&client, &server, segs, PASS));
        tcp_flush(server.tcp);
        take_in(&server, &client, segs, carry(&server, &client, segs, PASS));
    }
    server.stream = tcp_accept(server.tcp, &cookie);
    return server.stream != NULL;
}

bool micro_tcp_open(struct timing *t, const char *directory, struct buf *why)
{
    static const char *const names[PHASES] = { "tcp/segment-out", "tcp/segment-in", "tcp/ack-out",
                                               "tcp/ack-in" };

    (void)directory;
    if (!open_end(&client, 0x0a000001) || !open_end(&server, 0x0a000002)) {
        buf_printf(why, "memory is short");
        return false;
    }
    if (!connect_ends()) {
        buf_printf(why, "the two ends do not connect");
        return false;
    }
    for (unsigned i = 0; i < PHASES; i++) {
        struct timing_task task = { .run = run_phase, .arg = &phases[i], .batch_us = BATCH_US };

        snprintf(task.name, sizeof(task.name), "%s", names[i]);
        timing_add(t, &task);
    }
    return true;
}

static void close_end(struct end *e)
{
    if (e->pool == NULL)
        return;
    while (!list_empty(&e->sent))
        seg_release(LIST_ENTRY(list_pop(&e->sent), struct seg, link));
    if (e->tcp != NULL)
        tcp_destroy(e->tcp);
    seg_plain_destroy(e->pool);
}

void micro_tcp_close(void)
{
    close_end(&client);
    close_end(&server);
}
