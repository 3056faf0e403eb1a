/*
 * The receive window: how much we let come, and when the peer hears of it. Happy path: it grows
 * with the path and the reader (tcp_tune), and opens as the reader takes bytes.
 *
 * Failure modes: a reader that stands still closes it, and nothing is dropped. What all connections
 * of a core may have beyond their first window is one sum, as large as the segment pool: when it is
 * given out, a connection keeps the window it has; when segments are short, no window opens.
 */
#include "dataplane/tcp/tcp_conn.h"

#include "base/assert.h"

uint16_t tcp_window_of_syn(const struct tcp *t)
{
    uint32_t wnd = t->config.receive_bytes_max;

    return (uint16_t)(wnd < UINT16_MAX ? wnd : UINT16_MAX);
}

bool tcp_window_is_short(const struct tcp *t)
{
    return t->memory.level == TCP_MEMORY_NO_WINDOWS;
}

/* Most that may wait for the reader: without window scale a field cannot tell more. */
static uint32_t receive_max(const struct tcp_conn *c)
{
    uint32_t max = c->tune.space;

    return c->rcv_wscale == 0 && max > UINT16_MAX ? UINT16_MAX : max;
}

/* The edge that the reader's free room allows, with the receiver's half of RFC 9293, 3.8.6.2.2
 * (silly windows). */
uint32_t tcp_window_edge(const struct tcp_conn *c)
{
    uint32_t max = receive_max(c);
    uint32_t step;
    uint32_t edge;

    step = max / 2 < c->rcv_mss ? max / 2 : c->rcv_mss;
    edge = c->rcv_nxt + (max > c->recvq.bytes ? max - c->recvq.bytes : 0);
    if (tcp_seq_diff(edge, c->rcv_adv) < (int32_t)(step == 0 ? 1 : step))
        return c->rcv_adv;
    return edge;
}

static void update(struct tcp_conn *c)
{
    uint32_t max = receive_max(c);
    uint32_t told = c->rcv_adv - c->rcv_nxt;
    uint32_t gain = tcp_window_edge(c) - c->rcv_adv;

    if (!tcp_fsm_may_receive(c->state) || gain == 0)
        return;
    /* While the peer has half a window left, the ACK of its next segments tells it early enough. */
    if (told >= max / 2 && gain < max / 2)
        return;
    if (gain >= 2U * c->rcv_mss || gain >= max / 2 || told < c->rcv_mss)
        tcp_output_ack_now(c);
}

/* The window field, and the edge that it promises. */
uint16_t tcp_window_tell(struct tcp_conn *c)
{
    uint32_t edge = c->rcv_adv;
    uint32_t field;

    if (!tcp_window_is_short(c->tcp))
        edge = tcp_window_edge(c);
    else if (tcp_window_edge(c) != edge)
        tcp_stream_starve(c); /* told when segments have come home */
    field = (edge - c->rcv_nxt) >> c->rcv_wscale;
    if (field > UINT16_MAX)
        field = UINT16_MAX;
    /* The field rounds down; bytes up to the edge told before are taken all the same (RFC
     * 7323, 2.4). */
    c->rcv_adv = tcp_seq_max(c->rcv_adv, c->rcv_nxt + (field << c->rcv_wscale));
    return (uint16_t)field;
}

static uint32_t first_space(const struct tcp *t)
{
    uint32_t max = t->config.receive_bytes_max;

    return max < LIMIT_TCP_WINDOW_FIRST ? max : LIMIT_TCP_WINDOW_FIRST;
}

void tcp_window_open(struct tcp_conn *c)
{
    tcp_tune_init(&c->tune, tcp_now_ns(c->tcp), c->rcv_nxt, first_space(c->tcp));
}

void tcp_window_close(struct tcp_conn *c)
{
    if (c->tune.space == 0)
        return;
    ASSERT(c->tune.space >= first_space(c->tcp));
    c->tcp->windows_free += c->tune.space - first_space(c->tcp);
    c->tune.space = 0;
}

/* Round trips: the echo of an ACK of ours comes with the first bytes that this ACK let go. */
void tcp_window_arrived(struct tcp_conn *c, const struct tcp_header *h)
{
    int32_t ms;

    if (!(c->flags & TCP_CONN_TS)) {
        tcp_tune_arrived(&c->tune, tcp_now_ns(c->tcp), c->rcv_nxt, c->rcv_adv - c->rcv_nxt);
        return;
    }
    ms = tcp_seq_diff(tcp_ts_now(c->tcp, c->ts_offset), h->ts_ecr);
    if (ms >= 0 && ms <= (int32_t)(TCP_RTT_RTO_MAX_US / 1000))
        tcp_tune_rtt(&c->tune, (uint32_t)ms * 1000U);
}

/* Gives of `want` what the connection's and the core's bounds leave. */
static void grow(struct tcp_conn *c, uint32_t want)
{
    struct tcp *t = c->tcp;
    uint32_t max = t->config.receive_bytes_max;
    uint32_t more;

    if (tcp_window_is_short(t))
        return;
    more = (want < max ? want : max) - c->tune.space;
    if (more > t->windows_free)
        more = (uint32_t)t->windows_free;
    t->windows_free -= more;
    c->tune.space += more;
    ASSERT(c->tune.space <= max);
}

void tcp_window_taken(struct tcp_conn *c)
{
    uint32_t want =
        tcp_tune_taken(&c->tune, tcp_now_ns(c->tcp), c->rcv_nxt - c->recvq.bytes, c->rcv_mss);

    if (want > c->tune.space)
        grow(c, want);
    update(c);
}
