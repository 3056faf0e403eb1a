/* See tcp_rig.h. */
#include "tcp_rig.h"

#include <string.h>

#include "base/assert.h"

static void lower_send(struct tcp_lower *l, struct seg *s, const struct addr *src,
                       const struct addr *dst)
{
    struct tcp_rig *r = LIST_ENTRY(l, struct tcp_rig, lower);

    (void)src;
    (void)dst;
    ASSERT(tcp_wire_parse(s->data, s->len, &r->last));
    r->sent++;
    seg_release(s);
}

static uint16_t lower_mtu(struct tcp_lower *l, const struct addr *dst)
{
    (void)l;
    (void)dst;
    return 1500;
}

bool tcp_rig_open(struct tcp_rig *r, const struct tcp_config *config, uint32_t segs)
{
    struct endpoint at = { .port = 465 };
    struct tcp_env env = {
        .lower = &r->lower,
        .clock = &r->clock,
        .counters = &r->counters,
        .ready = &r->ready,
        .secret = { 3, 4 },
    };

    memset(r, 0, sizeof(*r));
    r->lower = (struct tcp_lower){ .send = lower_send, .mtu = lower_mtu };
    r->clock.now_ns = NS_PER_S;
    r->segs = segs;
    r->peer_wnd = 60000;
    list_init(&r->ready);
    r->pool = seg_plain_create(segs, 128, 2048);
    env.pool = r->pool;
    r->tcp = tcp_create(config, &env);
    return r->tcp != NULL && tcp_listen(r->tcp, &at, r);
}

void tcp_rig_close(struct tcp_rig *r)
{
    tcp_destroy(r->tcp);
    ASSERT(tcp_rig_held(r) == 0);
    seg_plain_destroy(r->pool);
}

uint32_t tcp_rig_held(const struct tcp_rig *r)
{
    return r->segs - r->pool->ops->available(r->pool);
}

void tcp_rig_be(struct tcp_rig *r, uint32_t addr, uint16_t port)
{
    r->peer_addr = addr;
    r->peer_port = port;
}

bool tcp_rig_input(struct tcp_rig *r, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    struct tcp_header h = {
        .src_port = r->peer_port,
        .dst_port = 465,
        .seq = seq,
        .ack = ack,
        .flags = flags,
        .wnd = r->peer_wnd,
        .mss = 1460,
        .options = flags & TCP_SYN ? TCP_HAS_MSS | TCP_HAS_SACK_OK : 0,
    };
    struct tcp_packet p = { .src = addr_from_v4(r->peer_addr), .dst = addr_from_v4(0x0a000002) };
    struct seg *s = seg_alloc(r->pool);

    if (s == NULL)
        return false;
    s->len = tcp_wire_emit(&h, s->data);
    memset(s->data + s->len, 'x', len);
    s->len += len;
    p.s = s;
    tcp_input(r->tcp, &p, 1);
    return true;
}

struct stream *tcp_rig_connect(struct tcp_rig *r, uint32_t addr, uint16_t port)
{
    struct stream *s;

    tcp_rig_be(r, addr, port);
    ASSERT(tcp_rig_input(r, TCP_SYN, 1000, 0, 0));
    ASSERT(r->last.flags == (TCP_SYN | TCP_ACK));
    ASSERT(tcp_rig_input(r, TCP_ACK, 1001, r->last.seq + 1, 0));
    s = tcp_accept(r->tcp, NULL);
    ASSERT(s != NULL);
    return s;
}

void tcp_rig_wait(struct tcp_rig *r, uint64_t ns)
{
    uint64_t until = r->clock.now_ns + ns;

    for (;;) {
        uint64_t next = tcp_next_ns(r->tcp);

        if (next > until)
            break;
        if (next > r->clock.now_ns)
            r->clock.now_ns = next;
        tcp_timers(r->tcp);
        tcp_flush(r->tcp);
        if (tcp_next_ns(r->tcp) <= r->clock.now_ns)
            r->clock.now_ns += NS_PER_MS;
    }
    if (until > r->clock.now_ns)
        r->clock.now_ns = until;
}
