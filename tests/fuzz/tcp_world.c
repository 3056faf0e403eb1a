/* See tcp_world.h. */
#include "tcp_world.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/byteorder.h"
#include "dataplane/net/net_wire.h"
#include "dataplane/tcp/tcp_seq.h"

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 2 };
static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 1 };

/* --- segments: each in memory of its own -------------------------------------------------------
 */

static struct tcp_world *world_of(const struct seg_pool *pool)
{
    return (struct tcp_world *)(void *)((char *)(uintptr_t)pool - offsetof(struct tcp_world, pool));
}

struct seg *tcp_world_make(struct tcp_world *w, uint32_t room)
{
    struct seg *s = w->out < TCP_WORLD_SEGS ? calloc(1, sizeof(*s)) : NULL;

    if (s == NULL)
        return NULL;
    *s = (struct seg){ .pool = &w->pool, .cap = TCP_WORLD_HEADROOM + room, .ref = 1 };
    list_node_init(&s->link);
    s->head = malloc(s->cap);
    ASSERT(s->head != NULL);
    s->data = s->head + TCP_WORLD_HEADROOM;
    w->out++;
    return s;
}

static struct seg *pool_alloc(struct seg_pool *pool)
{
    return tcp_world_make(world_of(pool), TCP_WORLD_ROOM);
}

static void pool_free(struct seg_pool *pool, struct seg *s)
{
    ASSERT(world_of(pool)->out > 0);
    world_of(pool)->out--;
    free(s->head);
    free(s);
}

static uint32_t pool_available(const struct seg_pool *pool)
{
    return TCP_WORLD_SEGS - world_of(pool)->out;
}

static bool pool_busy(const struct seg *s)
{
    (void)s;
    return false;
}

static const struct seg_pool_ops pool_ops = { pool_alloc, pool_free, pool_available, pool_busy };

/* --- the device --------------------------------------------------------------------------------
 */

void tcp_world_receive(struct tcp_world *w, struct seg *s)
{
    if (s == NULL)
        return; /* a device without a buffer */
    if (w->incoming_count == TCP_WORLD_INCOMING)
        seg_release(s);
    else
        w->incoming[w->incoming_count++] = s;
}

static unsigned nic_rx(struct nic *n, struct seg **out, unsigned max)
{
    struct tcp_world *w = LIST_ENTRY(n, struct tcp_world, nic);
    unsigned count = w->incoming_count < max ? w->incoming_count : max;

    memcpy(out, w->incoming, count * sizeof(struct seg *));
    w->incoming_count -= count;
    memmove(w->incoming, w->incoming + count, w->incoming_count * sizeof(struct seg *));
    return count;
}

/* Who asks for anybody's address gets the same answer. */
static void answer_arp(struct tcp_world *w, const uint8_t *ask)
{
    struct net_wire_arp arp = { .op = NET_WIRE_ARP_REPLY,
                                .sender_ip = load_be32(ask + NET_WIRE_ETH_LEN + 24),
                                .target_ip = TCP_WORLD_OURS };
    struct seg *s = tcp_world_make(w, TCP_WORLD_ROOM);

    if (s == NULL)
        return;
    memcpy(arp.sender_mac, peer_mac, 6);
    memcpy(arp.target_mac, our_mac, 6);
    net_wire_eth_write(s->data, our_mac, peer_mac, NET_WIRE_TYPE_ARP);
    net_wire_arp_write(s->data + NET_WIRE_ETH_LEN, &arp);
    s->len = NET_WIRE_ETH_LEN + NET_WIRE_ARP_LEN;
    tcp_world_receive(w, s);
}

static void hear(struct tcp_world_peer *p, const struct tcp_header *h, uint32_t len)
{
    uint32_t end = h->seq + len + ((h->flags & (TCP_SYN | TCP_FIN)) != 0);

    if (h->dst_port != p->port || (h->flags & TCP_RST))
        return;
    p->told_ack = h->ack;
    p->told_ts = h->ts_val;
    if ((h->flags & TCP_SYN) || tcp_seq_gt(end, p->told_end))
        p->told_end = end;
}

static void look_at(struct tcp_world *w, const struct seg *s)
{
    const uint8_t *ip = s->data + NET_WIRE_ETH_LEN;
    uint32_t len = s->len - NET_WIRE_ETH_LEN - NET_WIRE_IP4_LEN;
    struct tcp_header h;

    if (load_be16(s->data + 12) == NET_WIRE_TYPE_ARP)
        answer_arp(w, s->data);
    if (load_be16(s->data + 12) != NET_WIRE_TYPE_IP4 || ip[9] != NET_WIRE_PROTO_TCP)
        return;
    ASSERT(tcp_wire_parse(ip + NET_WIRE_IP4_LEN, len, &h));
    hear(load_be32(ip + 16) == TCP_WORLD_FRIEND ? &w->friend : &w->stranger, &h,
         len - h.header_len);
}

static unsigned nic_tx(struct nic *n, struct seg **segs, unsigned count)
{
    struct tcp_world *w = LIST_ENTRY(n, struct tcp_world, nic);
    unsigned taken;

    for (taken = 0; taken < count && w->tx_budget > 0; taken++, w->tx_budget--) {
        look_at(w, segs[taken]);
        seg_release(segs[taken]);
    }
    return taken;
}

static const struct nic_ops nic_ops = { .rx = nic_rx, .tx = nic_tx };

/* --- the owner of the streams ------------------------------------------------------------------
 */

void tcp_world_read(struct tcp_world_peer *p)
{
    struct span runs[4];
    uint32_t left = p->appetite;
    unsigned count;

    while (left > 0 && (count = p->stream->ops->peek(p->stream, runs, 4)) > 0) {
        uint32_t len = runs[0].len < left ? runs[0].len : left;

        p->stream->ops->consume(p->stream, len);
        p->got += len;
        left -= len;
    }
}

static struct tcp_world_peer *peer_of(struct core_handler *h, const struct stream *s)
{
    struct tcp_world *w = LIST_ENTRY(h, struct tcp_world, handler);

    if (s == w->friend.stream)
        return &w->friend;
    return s == w->stranger.stream ? &w->stranger : NULL;
}

static void ready(struct core_handler *h, struct stream *s)
{
    struct tcp_world_peer *p = peer_of(h, s);

    if (p != NULL)
        tcp_world_read(p);
}

static void accepted(struct core_handler *h, struct stream *s, void *cookie)
{
    struct tcp_world *w = LIST_ENTRY(h, struct tcp_world, handler);
    struct tcp_world_peer *p =
        addr_v4(&s->peer.addr) == TCP_WORLD_FRIEND ? &w->friend : &w->stranger;

    (void)cookie;
    if (p->stream == NULL && s->peer.port == p->port)
        p->stream = s;
    else if (w->stream_count < TCP_WORLD_STREAMS)
        w->streams[w->stream_count++] = s;
    else
        s->ops->close(s);
}

void tcp_world_turn(struct tcp_world *w)
{
    for (unsigned i = 0; i < 64 && core_turn(&w->core) > 0; i++)
        continue;
}

/* An IPv4 packet around the payload that stands at its place in s already. */
void tcp_world_receive_ip(struct tcp_world *w, struct seg *s, uint8_t proto, uint32_t src,
                          uint32_t len)
{
    struct net_wire_ip4 ip = { .total_len = (uint16_t)(NET_WIRE_IP4_LEN + len),
                               .ttl = 63,
                               .proto = proto,
                               .src = src,
                               .dst = TCP_WORLD_OURS };

    net_wire_eth_write(s->data, our_mac, peer_mac, NET_WIRE_TYPE_IP4);
    net_wire_ip4_write(s->data + NET_WIRE_ETH_LEN, &ip);
    s->len = NET_WIRE_ETH_LEN + ip.total_len;
    s->flags = SEG_RX_L3_CSUM_GOOD | SEG_RX_L4_CSUM_GOOD;
    tcp_world_receive(w, s);
}

void tcp_world_send(struct tcp_world *w, const struct tcp_world_peer *p, struct tcp_header *h,
                    uint32_t len, bool exact)
{
    uint32_t at = NET_WIRE_ETH_LEN + NET_WIRE_IP4_LEN;
    struct seg *s;

    h->src_port = p->port;
    h->dst_port = TCP_WORLD_PORT;
    len += tcp_wire_header_len(h);
    s = tcp_world_make(w, exact ? at + len : TCP_WORLD_ROOM);
    if (s == NULL)
        return;
    memset(s->data, 'x', at + len);
    tcp_wire_emit(h, s->data + at);
    tcp_world_receive_ip(w, s, NET_WIRE_PROTO_TCP, p->addr, len);
}

void tcp_world_connect(struct tcp_world *w, struct tcp_world_peer *p)
{
    struct tcp_header syn = { .seq = p->iss,
                              .flags = TCP_SYN,
                              .wnd = 65535,
                              .options = p->options | TCP_HAS_MSS,
                              .mss = 1460,
                              .wscale = 3,
                              .ts_val = 1 };
    struct tcp_header ack = { .seq = p->iss + 1,
                              .flags = TCP_ACK,
                              .wnd = 65535,
                              .options = p->options & TCP_HAS_TS,
                              .ts_val = 2 };

    tcp_world_send(w, p, &syn, 0, false);
    tcp_world_turn(w);
    ack.ack = p->told_end;
    ack.ts_ecr = p->told_ts;
    tcp_world_send(w, p, &ack, 0, false);
    tcp_world_turn(w);
}

void tcp_world_open(struct tcp_world *w, uint8_t agreement)
{
    struct core_config config = {
        .net = { .address = addr_from_v4(TCP_WORLD_OURS), .prefix_length = 24 },
        .tcp = { .connections_max = 2 * TCP_WORLD_STREAMS,
                 .syn_rcvd_max = 8,
                 .time_wait_max = 8,
                 .receive_bytes_max = agreement & 8 ? 1024 * 1024 : 20000,
                 .send_bytes_max = 16 * 1024,
                 .time_wait_ms = 1000,
                 .keepalive_ms = agreement & 16 ? 2000 : 0,
                 .user_timeout_ms = agreement & 32 ? 5000 : 0,
                 .congestion = agreement & 64 ? TCP_CONGESTION_NEWRENO : TCP_CONGESTION_CUBIC },
        .secret = { 1, 2 },
    };
    struct endpoint at = { .port = TCP_WORLD_PORT };

    *w = (struct tcp_world){
        .handler = { .accepted = accepted, .ready = ready },
        .nic = { .ops = &nic_ops, .pool = &w->pool, .mtu = 1500 },
        .pool = { .ops = &pool_ops, .headroom = TCP_WORLD_HEADROOM, .room = TCP_WORLD_ROOM },
        .clock = { .now_ns = 1000 * NS_PER_S },
        .tx_budget = UINT32_MAX,
        .stranger = { .addr = TCP_WORLD_STRANGER,
                      .port = 1000,
                      .iss = 5000,
                      .appetite = UINT32_MAX },
        .friend = { .addr = TCP_WORLD_FRIEND,
                    .port = 2000,
                    .iss = TCP_WORLD_FRIEND_AT,
                    .appetite = UINT32_MAX },
    };
    w->stranger.options =
        (uint8_t)((agreement & 1 ? TCP_HAS_TS : 0) | (agreement & 2 ? TCP_HAS_SACK_OK : 0) |
                  (agreement & 4 ? TCP_HAS_WSCALE : 0));
    memcpy(w->nic.mac, our_mac, 6);
    ASSERT(core_open(&w->core, &config, &w->nic, &w->clock, &w->counters));
    w->core.handler = &w->handler;
    ASSERT(tcp_listen(w->core.tcp, &at, NULL));
    tcp_world_connect(w, &w->friend);
    ASSERT(w->friend.stream != NULL);
    tcp_world_connect(w, &w->stranger);
}

void tcp_world_close(struct tcp_world *w)
{
    core_close(&w->core);
    while (w->incoming_count > 0)
        seg_release(w->incoming[--w->incoming_count]);
    ASSERT(w->out == 0);
}
