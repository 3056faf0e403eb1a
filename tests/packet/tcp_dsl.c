/*
 * Runs scripts of tcp_dsl.h. Happy path: each statement is one verb with its words; output is taken
 * from a small queue that the fake lower layer fills, after a flush. At the end everything must be
 * home.
 */
#include "tcp_dsl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/stream_info.h"
#include "dataplane/tcp/tcp_conn.h"
#include "tcp_dsl_prelude.h"
#include "tcp_dsl_script.h"
#include "tcp_dsl_seg.h"

#define OUT_MAX  256
#define START_NS (1000 * NS_PER_S)

struct dsl {
    const char *statement; /* being run, for messages */
    char failure[256];
    struct tcp_lower lower;
    struct tcp *tcp;
    struct addr_net proxy; /* the client, if it is proxied */
    struct seg_pool *pool;
    struct clock clock;
    struct counters counters;
    struct list ready;
    struct stream *stream;
    struct tcp_dsl_base base;
    uint32_t written; /* bytes that our side committed */
    uint32_t read;
    uint32_t mtu;
    uint32_t segs;
    uint32_t proxied; /* 1: the client is a proxy that the listener knows */
    struct tcp_config config;
    struct list held;
    struct tcp_dsl_seg out[OUT_MAX];
    unsigned out_head;
    unsigned out_count;
};

static const struct endpoint server_at = {
    .addr = { { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2 } }, .port = 465
};
static const struct endpoint client_at = {
    .addr = { { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 } }, .port = 50000
};

__attribute__((format(printf, 2, 3))) static bool fail(struct dsl *d, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(d->failure, sizeof(d->failure), fmt, args);
    va_end(args);
    return false;
}

static void lower_send(struct tcp_lower *l, struct seg *s, const struct addr *src,
                       const struct addr *dst)
{
    struct dsl *d = LIST_ENTRY(l, struct dsl, lower);
    unsigned at = (d->out_head + d->out_count) % OUT_MAX;

    ASSERT(seg_headroom(s) >= 34);
    ASSERT(addr_equal(src, &server_at.addr) && addr_equal(dst, &client_at.addr));
    if (d->out_count < OUT_MAX && tcp_dsl_seg_record(&d->base, s, &d->out[at]))
        d->out_count++;
    seg_release(s);
}

static uint16_t lower_mtu(struct tcp_lower *l, const struct addr *dst)
{
    (void)dst;
    return (uint16_t)LIST_ENTRY(l, struct dsl, lower)->mtu;
}

static bool open_tcp(struct dsl *d)
{
    struct tcp_env env = {
        .lower = &d->lower,
        .clock = &d->clock,
        .counters = &d->counters,
        .ready = &d->ready,
        .secret = { 1, 2 },
    };

    if (d->tcp != NULL)
        return true;
    d->pool = seg_plain_create(d->segs, 128, 2048);
    env.pool = d->pool;
    d->proxy = (struct addr_net){ .addr = client_at.addr, .bits = 128 };
    d->tcp = tcp_create(&d->config, &env);
    return d->tcp != NULL && tcp_listen_proxied(d->tcp, &server_at, &d->proxy, d->proxied, d);
}

/* --- verbs: each returns false after fail() ------------------------------------------------------
 */

static bool verb_set(struct dsl *d, char **words, unsigned count)
{
    uint32_t value = count == 3 ? (uint32_t)strtoul(words[2], NULL, 0) : 0;
    struct {
        const char *name;
        uint32_t *where;
    } names[] = {
        { "rcv", &d->config.receive_bytes_max },
        { "snd", &d->config.send_bytes_max },
        { "mtu", &d->mtu },
        { "syns", &d->config.syn_rcvd_max },
        { "blocks", &d->config.connections_max },
        { "tws", &d->config.time_wait_max },
        { "hosts", &d->config.host_max },
        { "networks", &d->config.network_max },
        { "proxied", &d->proxied },
        { "segs", &d->segs },
        { "irs", &d->base.peer },
        { "uto", &d->config.user_timeout_ms },
        { "alive", &d->config.keepalive_ms },
        { "newreno", &d->config.congestion },
        { "ecn", &d->config.ecn },
        { "aside", &d->config.aside_max },
    };

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (count == 3 && strcmp(names[i].name, words[1]) == 0) {
            *names[i].where = value;
            return true;
        }
    }
    return fail(d, "set what?");
}

static bool verb_in(struct dsl *d, char **words, unsigned count)
{
    struct tcp_dsl_seg want;
    struct tcp_packet p = { .src = client_at.addr, .dst = server_at.addr };

    if (!tcp_dsl_seg_parse(words + 1, count - 1, &want))
        return fail(d, "no segment");
    if (want.broadcast)
        p.dst.octets[12] = 224;
    p.tos = want.tos;
    p.s = seg_alloc(d->pool);
    if (p.s == NULL)
        return fail(d, "the pool is empty: the wire can bring nothing");
    want.h.src_port = want.src_port != 0 ? want.src_port : client_at.port;
    want.h.dst_port = server_at.port;
    tcp_dsl_seg_build(&d->base, &want, p.s);
    tcp_input(d->tcp, &p, 1);
    return true;
}

static bool verb_out(struct dsl *d, char **words, unsigned count)
{
    struct tcp_dsl_seg want;
    char text[160];
    struct tcp_dsl_seg *got;

    tcp_flush(d->tcp);
    got = &d->out[d->out_head];
    if (count == 2 && strcmp(words[1], "-") == 0) {
        if (d->out_count == 0)
            return true;
        return fail(d, "sent %s", tcp_dsl_seg_text(got, text, sizeof(text)));
    }
    if (d->out_count == 0)
        return fail(d, "sent nothing");
    if (!tcp_dsl_seg_parse(words + 1, count - 1, &want))
        return fail(d, "no segment");
    if (!tcp_dsl_seg_matches(&want, got))
        return fail(d, "sent %s", tcp_dsl_seg_text(got, text, sizeof(text)));
    d->out_head = (d->out_head + 1) % OUT_MAX;
    d->out_count--;
    return true;
}

static bool verb_wait(struct dsl *d, char **words, unsigned count)
{
    char *unit = NULL;
    uint64_t n = count == 2 ? strtoull(words[1], &unit, 10) : 0;
    uint64_t until;

    if (unit == NULL || (strcmp(unit, "ms") != 0 && strcmp(unit, "s") != 0))
        return fail(d, "wait how long?");
    until = d->clock.now_ns + n * (unit[0] == 'm' ? NS_PER_MS : NS_PER_S);
    tcp_flush(d->tcp);
    for (;;) {
        uint64_t next = tcp_next_ns(d->tcp);

        if (next > until)
            break;
        d->clock.now_ns = next > d->clock.now_ns ? next : d->clock.now_ns + NS_PER_MS;
        tcp_timers(d->tcp);
        tcp_flush(d->tcp);
    }
    d->clock.now_ns = until > d->clock.now_ns ? until : d->clock.now_ns;
    tcp_timers(d->tcp);
    tcp_flush(d->tcp);
    return true;
}

static bool verb_state(struct dsl *d, char **words, unsigned count)
{
    static const char *const names[TCP_STATE_COUNT] = {
        "CLOSED",     "LISTEN",  "SYN_SENT", "SYN_RCVD",   "ESTABLISHED", "CLOSE_WAIT",
        "FIN_WAIT_1", "CLOSING", "LAST_ACK", "FIN_WAIT_2", "TIME_WAIT",
    };
    uint32_t ref = tcp_table_find(&d->tcp->table, tcp_conn_hash(d->tcp, &server_at, &client_at));
    const char *now = "CLOSED";
    const struct tcp_conn *c;

    if (TCP_REF_KIND(ref) == TCP_KIND_SYN)
        now = "SYN_RCVD";
    if (TCP_REF_KIND(ref) == TCP_KIND_TW)
        now = "TIME_WAIT";
    if (TCP_REF_KIND(ref) == TCP_KIND_CONN) {
        c = pool_at(d->tcp->conns, TCP_REF_NUMBER(ref));
        now = names[c->state];
    }
    if (count != 2)
        return fail(d, "which state?");
    /* With nothing in the table, it is the listener that counts. */
    if (ref == 0 && strcmp(words[1], "LISTEN") == 0)
        return d->tcp->listener_count > 0 ? true : fail(d, "nobody listens");
    return strcmp(words[1], now) == 0 ? true : fail(d, "state is %s", now);
}

static bool verb_ready(struct dsl *d, char **words, unsigned count)
{
    static const char letters[] = "RWEFD";
    char now[8] = { 0 };
    unsigned n = 0;

    if (d->stream == NULL || count != 2)
        return fail(d, "no stream");
    for (unsigned i = 0; i < 5; i++) {
        if (d->stream->ready & 1U << i)
            now[n++] = letters[i];
    }
    if (n == 0)
        now[n++] = '-';
    if (strcmp(now, words[1]) == 0)
        return true;
    return fail(d, "ready is %s", now);
}

static bool verb_write(struct dsl *d, uint32_t n)
{
    while (n > 0) {
        uint32_t len = n < STREAM_RESERVE_MAX ? n : STREAM_RESERVE_MAX;
        struct seg *s = d->stream->ops->reserve(d->stream, len);

        if (s == NULL)
            return fail(d, "no room for %u more", n);
        for (uint32_t i = 0; i < len; i++)
            s->data[i] = tcp_dsl_pattern(d->written + i);
        s->len = len;
        d->written += len;
        n -= len;
        d->stream->ops->commit(d->stream, s);
    }
    return true;
}

static bool verb_read(struct dsl *d, uint32_t n)
{
    uint8_t bytes[65536];

    while (n > 0) {
        uint32_t cap = n < sizeof(bytes) ? n : (uint32_t)sizeof(bytes);
        uint32_t got = d->stream->ops->read(d->stream, bytes, cap);

        if (got == 0)
            return fail(d, "%u bytes are missing", n);
        for (uint32_t i = 0; i < got; i++) {
            if (bytes[i] != tcp_dsl_pattern(d->read + i))
                return fail(d, "byte %u is wrong", d->read + i);
        }
        d->read += got;
        n -= got;
    }
    return true;
}

static bool verb_noread(struct dsl *d)
{
    uint8_t byte;

    return d->stream->ops->read(d->stream, &byte, 1) == 0 ? true : fail(d, "there is more to read");
}

static bool verb_count(struct dsl *d, char **words, unsigned count)
{
    for (unsigned i = 0; count == 3 && i < COUNTER_COUNT; i++) {
        if (strcmp(counter_name(i), words[1]) == 0) {
            uint64_t now = counter_get(&d->counters, i);

            return now == strtoull(words[2], NULL, 10) ? true : fail(d, "count is %" PRIu64, now);
        }
    }
    return fail(d, "count what?");
}

static bool verb_segs(struct dsl *d, uint32_t n)
{
    uint32_t out = d->segs - d->pool->ops->available(d->pool);

    return out == n ? true : fail(d, "%u segments are out", out);
}

static bool verb_again(struct dsl *d, uint32_t n)
{
    struct stream_info info;

    d->stream->ops->info(d->stream, &info);
    return info.retrans == n ? true : fail(d, "%u were sent again", info.retrans);
}

static void verb_hold(struct dsl *d, uint32_t leave)
{
    while (d->pool->ops->available(d->pool) > leave)
        list_append(&d->held, &seg_alloc(d->pool)->link);
}

static bool verb_connect(struct dsl *d)
{
    d->stream = tcp_connect(d->tcp, &server_at, &client_at);
    return d->stream != NULL ? true : fail(d, "no block");
}

static bool verb_accept(struct dsl *d)
{
    void *cookie = NULL;

    d->stream = tcp_accept(d->tcp, &cookie);
    if (d->stream == NULL)
        return fail(d, "nothing to accept");
    return cookie == d ? true : fail(d, "another listener's");
}

/* An error that quotes a segment of ours: its sequence number, and an MTU or 0. */
static bool verb_icmp(struct dsl *d, char **words, unsigned count)
{
    struct tcp_icmp e = { .local = server_at, .peer = client_at };

    if (count != 3)
        return fail(d, "about what?");
    e.seq = d->base.ours + (uint32_t)strtoul(words[1], NULL, 0);
    e.mtu = (uint16_t)strtoul(words[2], NULL, 0);
    tcp_icmp_error(d->tcp, &e);
    return true;
}

/* Verbs of a stream. */
static bool run_on_stream(struct dsl *d, char **words, unsigned count)
{
    uint32_t n = count == 2 ? (uint32_t)strtoul(words[1], NULL, 0) : 0;

    if (d->stream == NULL)
        return fail(d, "no stream for %s", words[0]);
    if (strcmp(words[0], "write") == 0)
        return verb_write(d, n);
    if (strcmp(words[0], "read") == 0)
        return verb_read(d, n);
    if (strcmp(words[0], "noread") == 0)
        return verb_noread(d);
    if (strcmp(words[0], "ready") == 0)
        return verb_ready(d, words, count);
    if (strcmp(words[0], "shutdown") == 0) {
        d->stream->ops->shutdown(d->stream);
        return true;
    }
    if (strcmp(words[0], "abort") == 0) {
        d->stream->ops->abort(d->stream);
        return true;
    }
    if (strcmp(words[0], "close") == 0) {
        d->stream->ops->close(d->stream);
        d->stream = NULL;
        return true;
    }
    return fail(d, "unknown verb %s", words[0]);
}

static bool run_script(struct dsl *d, const char *script);

static bool verb_prelude(struct dsl *d, const char *state)
{
    const char *script = tcp_dsl_prelude(state);

    return script != NULL ? run_script(d, script) : fail(d, "no such state: %s", state);
}

static bool run_words(void *context, char **words, unsigned count)
{
    struct dsl *d = context;
    uint32_t n = count == 2 ? (uint32_t)strtoul(words[1], NULL, 0) : 0;

    if (strcmp(words[0], "set") == 0)
        return verb_set(d, words, count);
    if (!open_tcp(d))
        return fail(d, "no memory");
    if (strcmp(words[0], "in") == 0 && count == 2)
        return verb_prelude(d, words[1]);
    if (strcmp(words[0], "<") == 0)
        return verb_in(d, words, count);
    if (strcmp(words[0], ">") == 0)
        return verb_out(d, words, count);
    if (strcmp(words[0], "wait") == 0)
        return verb_wait(d, words, count);
    if (strcmp(words[0], "state") == 0)
        return verb_state(d, words, count);
    if (strcmp(words[0], "count") == 0)
        return verb_count(d, words, count);
    if (strcmp(words[0], "segs") == 0)
        return verb_segs(d, n);
    if (strcmp(words[0], "again") == 0)
        return verb_again(d, n);
    if (strcmp(words[0], "icmp") == 0)
        return verb_icmp(d, words, count);
    if (strcmp(words[0], "connect") == 0)
        return verb_connect(d);
    if (strcmp(words[0], "accept") == 0)
        return verb_accept(d);
    if (strcmp(words[0], "unlisten") == 0)
        tcp_listen_stop(d->tcp);
    else if (strcmp(words[0], "hold") == 0)
        verb_hold(d, n);
    else if (strcmp(words[0], "drop") == 0)
        seg_release_all(&d->held);
    else if (strcmp(words[0], "flush") == 0)
        tcp_flush(d->tcp);
    else
        return run_on_stream(d, words, count);
    return true;
}

static bool run_script(struct dsl *d, const char *script)
{
    return tcp_dsl_script(script, run_words, d, &d->statement);
}

static bool close_tcp(struct dsl *d)
{
    bool home;

    if (d->stream != NULL)
        d->stream->ops->close(d->stream);
    seg_release_all(&d->held);
    tcp_destroy(d->tcp);
    home = d->pool->ops->available(d->pool) == d->segs;
    if (home)
        seg_plain_destroy(d->pool);
    return home;
}

int tcp_dsl_run(const struct tcp_dsl_case *c)
{
    struct dsl *d = calloc(1, sizeof(*d));
    bool good;

    ASSERT(d != NULL);
    d->mtu = 1500;
    d->segs = 1024;
    d->config = (struct tcp_config){ .connections_max = 64,
                                     .syn_rcvd_max = 64,
                                     .time_wait_max = 64,
                                     .receive_bytes_max = 65535,
                                     .send_bytes_max = 65536,
                                     .time_wait_ms = 60000 };
    d->base.peer = 7000;
    d->clock.now_ns = START_NS;
    d->lower = (struct tcp_lower){ .send = lower_send, .mtu = lower_mtu };
    list_init(&d->ready);
    list_init(&d->held);
    good = run_script(d, c->script);
    if (!good)
        fprintf(stderr, "%s x %s (%s): %s\n    at: %.*s\n", c->state, c->event, c->rfc, d->failure,
                (int)strcspn(d->statement, ";\n"), d->statement);
    if (d->tcp != NULL && !close_tcp(d)) {
        fprintf(stderr, "%s x %s (%s): segments are not home\n", c->state, c->event, c->rfc);
        good = false;
    }
    free(d);
    return good ? 0 : 1;
}
