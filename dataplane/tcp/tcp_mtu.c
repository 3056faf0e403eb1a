/*
 * Happy path: nothing. When a full segment runs into the retransmission timer three times, what is
 * sent from then on fits into what nearly every path takes, and at last into what each does. Ten
 * minutes later one new segment is as large as before: its ACK brings the old size back.
 *
 * Failure modes: a path that was down for other reasons gets small segments for these minutes. The
 * loss of a probe counts as congestion, once in ten minutes; so that of its time-out would anyway.
 */
#include "dataplane/tcp/tcp_mtu.h"

#include "base/assert.h"
#include "dataplane/tcp/tcp_conn.h"

uint32_t tcp_mtu_payload(const struct tcp_conn *c, uint32_t mtu)
{
    const struct addr *peer = &c->stream.peer.addr;
    uint32_t least = addr_is_v4(peer) ? LIMIT_TCP_PATH_MTU : LIMIT_TCP_PATH_MTU6;
    uint32_t headers = tcp_conn_header_bytes(peer) + (c->flags & TCP_CONN_TS ? TCP_WIRE_TS_LEN : 0);

    return (mtu < least ? least : mtu) - headers;
}

/* In a row, of one segment: two happen on a path that loses one in twenty (RFC 4821, 7.7). */
#define TIMEOUTS 3

/* The next size down from `size` (RFC 4821, 7.2 begins with 1,024 bytes; IPv6 has its least). */
static uint32_t smaller(const struct tcp_conn *c, uint32_t size)
{
    uint32_t least = tcp_mtu_payload(c, 0);

    return size > LIMIT_TCP_BLACK_HOLE_BYTES && least < LIMIT_TCP_BLACK_HOLE_BYTES
               ? LIMIT_TCP_BLACK_HOLE_BYTES
               : least;
}

static uint32_t now_s(const struct tcp_conn *c)
{
    return (uint32_t)(tcp_now_ns(c->tcp) / NS_PER_S);
}

void tcp_mtu_timed_out(struct tcp_conn *c)
{
    const struct tcp_sent *first = tcp_sentq_first(&c->flight->loss.sent);
    struct tcp_mtu_probe *p = &c->flight->mtu_probe;
    uint32_t size = smaller(c, c->snd_mss);

    if (p->timeouts < UINT8_MAX)
        p->timeouts++;
    if (first == NULL || first->size <= size || p->timeouts < TIMEOUTS)
        return;
    ASSERT(size >= LIMIT_TCP_MSS_MIN && size < c->snd_mss);
    tcp_count(c->tcp, COUNTER_TCP_BLACK_HOLES);
    if (c->mtu.full == 0)
        c->mtu.full = c->snd_mss;
    p->out = false;
    c->mtu.due_s = now_s(c) + LIMIT_TCP_MTU_PROBE_S;
    c->snd_mss = (uint16_t)size;
    c->cc.mss = c->snd_mss;
}

uint32_t tcp_mtu_size(const struct tcp_conn *c, uint32_t room)
{
    if (c->mtu.full == 0 || c->flight->mtu_probe.out || room < c->mtu.full ||
        c->mtu.due_s > now_s(c))
        return c->snd_mss;
    return c->mtu.full;
}

void tcp_mtu_sent(struct tcp_conn *c, uint32_t end, uint32_t len)
{
    struct tcp_mtu_probe *p = &c->flight->mtu_probe;

    if (len <= c->snd_mss)
        return;
    ASSERT(len == c->mtu.full && !p->out);
    p->out = true;
    p->end = end;
}

void tcp_mtu_resent(struct tcp_conn *c, const struct tcp_sent *s)
{
    struct tcp_mtu_probe *p = &c->flight->mtu_probe;

    ASSERT(tcp_seq_lt(s->start, s->end));
    if (!p->out || tcp_seq_ge(s->start, p->end) || tcp_seq_lt(s->end, p->end))
        return;
    p->out = false;
    c->mtu.due_s = now_s(c) + LIMIT_TCP_MTU_PROBE_S;
}

void tcp_mtu_told(struct tcp_conn *c)
{
    c->mtu.full = 0;
    if (!tcp_flight_is_idle(c))
        c->flight->mtu_probe.out = false;
}

void tcp_mtu_acked(struct tcp_conn *c)
{
    struct tcp_mtu_probe *p = &c->flight->mtu_probe;

    p->timeouts = 0;
    if (!p->out || tcp_seq_lt(c->snd_una, p->end))
        return;
    ASSERT(c->mtu.full > c->snd_mss);
    c->snd_mss = c->mtu.full;
    c->cc.mss = c->snd_mss;
    c->mtu.full = 0;
    p->out = false;
}
