/*
 * Connections opened, and ended badly: resets, silence, half a close, bytes that nobody reads.
 *
 *     test_tcp_churn COUNT
 *
 * At the end nothing may be left: no block, segment, timer or entry of a table. Each is counted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/rng.h"
#include "dataplane/tcp/tcp_conn.h"
#include "tcp_rig.h"

#define SEGS      8192
#define BLOCKS    4096
#define SYNS      256
#define TIMEWAITS 1024
#define STEP_NS   (10 * NS_PER_MS) /* a hundred new connections a second */
#define AFTER_NS  (400 * NS_PER_S) /* the longest patience of all: a closed window's */

/* A peer whose handshake is through; its next byte is 1001. */
struct peer {
    struct tcp_rig *rig;
    struct stream *stream;
    uint32_t ack; /* of ours: the first byte that we may send */
};

static void say(const struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    if (!tcp_rig_input(p->rig, flags, seq, ack, len))
        return; /* the wire loses it */
    tcp_flush(p->rig->tcp);
}

static void write_some(const struct peer *p)
{
    struct seg *s = p->stream->ops->reserve(p->stream, 100);

    if (s == NULL)
        return;
    for (s->len = 0; s->len < 100; s->len++)
        s->data[s->len] = 'y';
    p->stream->ops->commit(p->stream, s);
    tcp_flush(p->rig->tcp);
}

static void let_go(const struct peer *p)
{
    p->stream->ops->close(p->stream);
    tcp_flush(p->rig->tcp);
}

static void shut(const struct peer *p)
{
    p->stream->ops->shutdown(p->stream);
    tcp_flush(p->rig->tcp);
}

/* --- how it ends: each leaves the stream closed, and the peer perhaps not ------------------------
 */

static void peer_resets(const struct peer *p)
{
    say(p, TCP_RST, 1001, 0, 0);
    let_go(p);
}

static void peer_resets_with_gaps(const struct peer *p)
{
    say(p, TCP_ACK, 1101, p->ack, 500);
    say(p, TCP_ACK, 2101, p->ack, 500);
    say(p, TCP_RST, 1001, 0, 0);
    let_go(p);
}

static void we_close_with_bytes_unread(const struct peer *p)
{
    say(p, TCP_ACK, 1001, p->ack, 500);
    say(p, TCP_ACK, 2101, p->ack, 500);
    let_go(p);
}

static void peer_ends_and_is_silent(const struct peer *p)
{
    say(p, TCP_ACK | TCP_FIN, 1001, p->ack, 0);
    write_some(p);
    shut(p);
    let_go(p);
}

static void we_end_and_the_peer_is_silent(const struct peer *p)
{
    write_some(p);
    shut(p);
    let_go(p);
}

static void we_end_and_the_peer_only_acknowledges(const struct peer *p)
{
    shut(p);
    say(p, TCP_ACK, 1001, p->ack + 1, 0);
    let_go(p);
}

static void both_end(const struct peer *p)
{
    shut(p);
    say(p, TCP_ACK | TCP_FIN, 1001, p->ack + 1, 0);
    let_go(p);
}

static void both_end_at_once(const struct peer *p)
{
    shut(p);
    say(p, TCP_ACK | TCP_FIN, 1001, p->ack, 0);
    say(p, TCP_ACK, 1002, p->ack + 1, 0);
    let_go(p);
}

static void both_end_and_it_begins_anew(const struct peer *p)
{
    both_end(p);
    say(p, TCP_SYN, 900000, 0, 0);
}

static void peer_closes_its_window(const struct peer *p)
{
    p->rig->peer_wnd = 0;
    say(p, TCP_ACK, 1001, p->ack, 0);
    p->rig->peer_wnd = 60000;
    write_some(p);
    shut(p);
    let_go(p);
}

static void we_abort(const struct peer *p)
{
    write_some(p);
    say(p, TCP_ACK | TCP_FIN, 1501, p->ack, 10);
    p->stream->ops->abort(p->stream);
    let_go(p);
}

static void (*const endings[])(const struct peer *p) = {
    peer_resets,
    peer_resets_with_gaps,
    we_close_with_bytes_unread,
    peer_ends_and_is_silent,
    we_end_and_the_peer_is_silent,
    we_end_and_the_peer_only_acknowledges,
    both_end,
    both_end_at_once,
    both_end_and_it_begins_anew,
    peer_closes_its_window,
    we_abort,
};

#define ENDINGS (sizeof(endings) / sizeof(endings[0]))

/* One connection, or a part of one. True: its handshake went through. */
static bool live_and_die(struct tcp_rig *r, struct rng *rng)
{
    uint64_t how = rng_below(rng, ENDINGS + 2);
    struct peer p = { .rig = r };

    tcp_rig_be(r, 0x0b000000 + (uint32_t)rng_below(rng, 1U << 22),
               (uint16_t)(1024 + rng_below(rng, 60000)));
    r->last.flags = 0;
    say(&p, TCP_SYN, 1000, 0, 0);
    if (r->last.flags != (TCP_SYN | TCP_ACK) || how == ENDINGS)
        return false; /* refused, or silent for ever */
    p.ack = r->last.seq + 1;
    if (how == ENDINGS + 1) {
        say(&p, TCP_RST, 1001, 0, 0);
        return false;
    }
    say(&p, TCP_ACK, 1001, p.ack, 0);
    p.stream = tcp_accept(r->tcp, NULL);
    if (p.stream == NULL)
        return false;
    endings[how](&p);
    return true;
}

static unsigned expect_none(const char *what, uint64_t count)
{
    if (count != 0)
        fprintf(stderr, "%s: %" PRIu64 " left\n", what, count);
    return count != 0;
}

static uint64_t prefixes_in_use(const struct tcp *t)
{
    uint64_t used = 0;

    for (uint32_t i = 0; i <= t->prefixes.mask; i++)
        used += t->prefixes.slots[i].count;
    return used;
}

/* windows: what all may grow by, when there is no connection */
static unsigned count_holders(const struct tcp_rig *r, uint64_t windows)
{
    const struct tcp *t = r->tcp;
    unsigned leaks = expect_none("segments", tcp_rig_held(r));

    leaks += expect_none("blocks", pool_used(t->conns));
    leaks += expect_none("reassemblies", pool_used(t->reasms));
    leaks += expect_none("ranges out of order", pool_used(t->ranges.pool));
    leaks += expect_none("half-open entries", t->syns.used);
    leaks += expect_none("TIME-WAIT entries", t->tws.used);
    leaks += expect_none("four-tuples in the table", t->table.used);
    leaks += expect_none("prefixes in the table", prefixes_in_use(t));
    leaks += expect_none("timers", t->wheel.count);
    leaks += expect_none("bytes of windows", windows - t->windows_free);
    leaks += expect_none("connections", tcp_connections(t));
    leaks += expect_none("connections with something to send", !list_empty(&t->output));
    leaks += expect_none("connections out of segments", !list_empty(&t->starved));
    leaks += expect_none("connections with gaps", !list_empty(&t->gapped));
    leaks += expect_none("stalled connections", !list_empty(&t->stalled));
    leaks += expect_none("connections to accept", !list_empty(&t->accepts));
    leaks += expect_none("ready streams", !list_empty(&r->ready));
    return leaks;
}

int main(int argc, char **argv)
{
    uint64_t count = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
    struct tcp_config config = { .connections_max = BLOCKS,
                                 .syn_rcvd_max = SYNS,
                                 .time_wait_max = TIMEWAITS,
                                 .receive_bytes_max = 1024 * 1024,
                                 .send_bytes_max = 65536,
                                 .time_wait_ms = 60000,
                                 .host_max = 128,
                                 .network_max = 1024 };
    static struct tcp_rig rig;
    uint64_t established = 0;
    uint64_t windows;
    struct rng rng;
    unsigned leaks;

    if (count == 0) {
        fprintf(stderr, "usage: test_tcp_churn COUNT\n");
        return EXIT_FAILURE;
    }
    ASSERT(tcp_rig_open(&rig, &config, SEGS));
    windows = rig.tcp->windows_free;
    rng_seed(&rng, count);
    for (uint64_t i = 0; i < count; i++) {
        established += live_and_die(&rig, &rng);
        tcp_rig_wait(&rig, STEP_NS);
    }
    tcp_rig_wait(&rig, AFTER_NS);
    leaks = count_holders(&rig, windows);
    printf("%" PRIu64 " connections, %" PRIu64 " established, %u kinds of leak\n", count,
           established, leaks);
    if (leaks == 0)
        tcp_rig_close(&rig);
    return leaks == 0 && established > count / 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}
