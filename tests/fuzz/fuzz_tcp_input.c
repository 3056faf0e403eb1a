/*
 * A stranger on the wire, with a whole core behind it (net and tcp) and a live connection beside
 * his. The input is a byte of agreement and a list of steps, each a byte and its arguments:
 *
 *     0 length(2) bytes              a frame as it is; bit 7: with good checksums
 *     1 flags options seq(2) ack(2) window(2) sack(2) length(2)
 *                                    a segment of the stranger's connection, relative to what we
 *                                    told him last; bit 7: in memory that ends with it
 *     2 mtu(2) back(2)               an ICMP error "too big" that quotes him
 *     3 time(1)                      so many ms, or past 128 tenths of a second
 *     4 length(2)                    the owner of his stream writes
 *     5 what(1)                      the owner: shutdown, abort, close, or reads this much at once
 *     6 count(1)                     so many frames the device still takes
 *     7                              he begins another connection
 *
 * At the end the other connection's bytes must reach its owner, and no segment may be missing.
 */
#include "base/assert.h"
#include "base/byteorder.h"
#include "dataplane/net/net_csum.h"
#include "dataplane/net/net_wire.h"
#include "tcp_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct steps {
    const uint8_t *at;
    size_t left;
};

static uint32_t take(struct steps *s, uint32_t bytes)
{
    uint32_t value = 0;

    for (uint32_t i = 0; i < bytes && s->left > 0; i++, s->at++, s->left--)
        value |= (uint32_t)*s->at << 8 * i;
    return value;
}

static void step_segment(struct tcp_world *w, struct steps *s, bool exact)
{
    struct tcp_world_peer *p = &w->stranger;
    uint8_t flags = (uint8_t)take(s, 1), options = (uint8_t)take(s, 1);
    struct tcp_header h = { .flags = flags ^ TCP_ACK, .ts_val = 2 };
    uint32_t sack;

    h.seq = p->told_ack + (uint32_t)(int16_t)take(s, 2);
    h.ack = p->told_end + (uint32_t)(int16_t)take(s, 2);
    h.wnd = (uint16_t)take(s, 2);
    sack = take(s, 2);
    h.options = (p->options & TCP_HAS_TS) ^ (options & 1 ? TCP_HAS_TS : 0);
    h.ts_val += (uint32_t)(w->clock.now_ns / NS_PER_MS) - (options & 2 ? 100 : 0);
    h.ts_ecr = p->told_ts - (options & 4 ? 10 : 0);
    h.sack_count = options >> 3 & 3;
    for (unsigned i = 0; i < h.sack_count; i++) {
        h.sacks[i].start = h.ack + (sack & 0xff) * 64 * (i + 1);
        h.sacks[i].end = h.sacks[i].start + (sack >> 8) * 64;
    }
    tcp_world_send(w, p, &h, take(s, 2) % 1461, exact);
    tcp_world_turn(w);
}

/* Type 3, code 4 (RFC 1191, 4), with the IP header and 8 bytes of a segment of ours. */
static void step_icmp(struct tcp_world *w, struct steps *s)
{
    struct net_wire_ip4 ip = { .total_len = 1500,
                               .ttl = 60,
                               .proto = NET_WIRE_PROTO_TCP,
                               .src = TCP_WORLD_OURS,
                               .dst = TCP_WORLD_STRANGER };
    struct seg *seg = tcp_world_make(w, TCP_WORLD_ROOM);
    uint8_t *icmp;

    if (seg == NULL)
        return;
    icmp = seg->data + NET_WIRE_ETH_LEN + NET_WIRE_IP4_LEN;
    memset(icmp, 0, NET_WIRE_ICMP_LEN);
    icmp[0] = 3;
    icmp[1] = 4;
    store_be16(icmp + 6, (uint16_t)take(s, 2));
    net_wire_ip4_write(icmp + NET_WIRE_ICMP_LEN, &ip);
    store_be16(icmp + 28, TCP_WORLD_PORT);
    store_be16(icmp + 30, w->stranger.port);
    store_be32(icmp + 32, w->stranger.told_end - take(s, 2));
    net_csum_store(icmp + NET_WIRE_ICMP_CSUM_AT, net_csum_add(0, icmp, 36));
    tcp_world_receive_ip(w, seg, NET_WIRE_PROTO_ICMP, TCP_WORLD_STRANGER, 36);
    tcp_world_turn(w);
}

/* Nobody may speak for the friend: what his forged RST does is right, and no finding. */
static void step_frame(struct tcp_world *w, struct steps *s, bool good)
{
    uint32_t len = take(s, 2) % 1600;
    struct seg *seg;

    len = len < s->left ? len : (uint32_t)s->left;
    seg = tcp_world_make(w, len);
    if (seg != NULL) {
        memcpy(seg->data, s->at, len);
        seg->len = len;
        seg->flags = good ? SEG_RX_L3_CSUM_GOOD | SEG_RX_L4_CSUM_GOOD : 0;
        if (len >= 30 && load_be32(seg->data + 26) == TCP_WORLD_FRIEND)
            seg_release(seg);
        else
            tcp_world_receive(w, seg);
    }
    s->at += len;
    s->left -= len;
    tcp_world_turn(w);
}

/* The friend says each second that he is there, so that no keep-alive finds him silent, not even
 * when the device takes none of them. */
static void hear_of_friend(struct tcp_world *w)
{
    struct tcp_world_peer *p = &w->friend;
    struct tcp_header h = { .seq = p->told_ack, .ack = p->told_end, .flags = TCP_ACK };

    if (w->clock.now_ns - p->spoke_ns < NS_PER_S)
        return;
    h.wnd = 65535;
    p->spoke_ns = w->clock.now_ns;
    tcp_world_send(w, p, &h, 0, false);
    tcp_world_turn(w);
}

/* Up to `ms`, stopping where the core has something to do. */
static void pass_time(struct tcp_world *w, uint64_t ms)
{
    uint64_t until = w->clock.now_ns + ms * NS_PER_MS;

    for (unsigned i = 0; i < 64 && w->clock.now_ns < until; i++) {
        uint64_t next = core_next_ns(&w->core);

        if (next <= w->clock.now_ns)
            next = w->clock.now_ns + NS_PER_MS;
        w->clock.now_ns = next < until && i < 63 ? next : until;
        tcp_world_turn(w);
        hear_of_friend(w);
    }
}

static void step_write(struct tcp_world *w, uint32_t len)
{
    static const uint8_t text[STREAM_RESERVE_MAX];
    struct stream *s = w->stranger.stream;

    if (s != NULL && (s->ready & STREAM_WRITABLE))
        (void)stream_write(s, span_of(text, len % (sizeof(text) + 1)));
    tcp_world_turn(w);
}

static void let_go(struct tcp_world_peer *p)
{
    p->stream->ops->close(p->stream);
    p->stream = NULL;
}

static void step_owner(struct tcp_world *w, uint8_t what)
{
    struct tcp_world_peer *p = &w->stranger;

    p->appetite = what * 64u;
    if (p->stream == NULL)
        return;
    if (what == 1)
        p->stream->ops->shutdown(p->stream);
    else if (what == 2)
        p->stream->ops->abort(p->stream);
    else if (what == 3)
        let_go(p);
    else
        tcp_world_read(p);
    tcp_world_turn(w);
}

static void begin_another(struct tcp_world *w)
{
    struct tcp_world_peer *p = &w->stranger;

    if (p->stream != NULL && w->stream_count == TCP_WORLD_STREAMS)
        let_go(p);
    else if (p->stream != NULL)
        w->streams[w->stream_count++] = p->stream;
    p->stream = NULL;
    p->port++;
    tcp_world_connect(w, p);
}

static void step(struct tcp_world *w, struct steps *s)
{
    uint8_t op = (uint8_t)take(s, 1);
    uint8_t arg;

    switch (op & 7) {
    case 0: step_frame(w, s, op & 0x80); break;
    case 1: step_segment(w, s, op & 0x80); break;
    case 2: step_icmp(w, s); break;
    case 3:
        arg = (uint8_t)take(s, 1);
        pass_time(w, arg < 128 ? arg : (arg - 127u) * 100);
        break;
    case 4: step_write(w, take(s, 2)); break;
    case 5: step_owner(w, (uint8_t)take(s, 1)); break;
    case 6: w->tx_budget = take(s, 1); break;
    default: begin_another(w); break;
    }
}

/* Whatever happened: the friend's bytes are taken, at the latest when he has sent them some times.
 */
static void hear_friend(struct tcp_world *w)
{
    struct tcp_header h = { .seq = TCP_WORLD_FRIEND_AT + 1,
                            .flags = TCP_ACK | TCP_PSH,
                            .wnd = 65535 };

    w->tx_budget = UINT32_MAX;
    w->stranger.appetite = UINT32_MAX;
    if (w->stranger.stream != NULL)
        tcp_world_read(&w->stranger);
    for (unsigned i = 0; i < 8 && w->friend.told_ack != TCP_WORLD_FRIEND_AT + 101; i++) {
        h.ack = w->friend.told_end;
        tcp_world_send(w, &w->friend, &h, 100, false);
        tcp_world_turn(w);
        pass_time(w, 1000);
    }
    ASSERT(w->friend.got == 100);
    ASSERT(w->friend.told_ack == TCP_WORLD_FRIEND_AT + 101);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tcp_world w;
    struct steps s = { data, size };

    tcp_world_open(&w, (uint8_t)take(&s, 1));
    for (unsigned i = 0; i < 256 && s.left > 0; i++)
        step(&w, &s);
    hear_friend(&w);
    tcp_world_close(&w);
    return 0;
}
