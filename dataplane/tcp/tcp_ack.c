/*
 * What an ACK means: bytes leave the send queue, the RTT is measured, losses are found (tcp_loss),
 * the peer's window is taken. Happy path: all that was sent is acknowledged, the timer stops, the
 * stream is DRAINED. Failure modes: an ACK older than another moves nothing.
 */
#include "dataplane/tcp/tcp_conn.h"

#include "base/assert.h"

void tcp_ack_take_window(struct tcp_conn *c, const struct tcp_in *in)
{
    /* RFC 7323, 2.2: the window of a SYN is never scaled */
    uint8_t scale = in->h.flags & TCP_SYN ? 0 : c->snd_wscale;

    c->snd_wnd = (uint32_t)in->h.wnd << scale;
    c->snd_wl1 = in->h.seq;
    c->snd_wl2 = in->h.ack;
    if (c->snd_wnd > c->snd_wnd_max)
        c->snd_wnd_max = c->snd_wnd;
}

bool tcp_ack_covers_fin(const struct tcp_conn *c)
{
    return tcp_fsm_fin_due(c->state) && c->snd_una == tcp_flight_end(c) + 1;
}

/* When what the ACK echoes was sent, in the granularity of timestamps; 0: not told, or never sent
 * by us. */
static uint64_t echo_ns(const struct tcp_conn *c, const struct tcp_header *h)
{
    uint64_t now_ms = tcp_now_ns(c->tcp) / NS_PER_MS;
    int32_t ms = tcp_seq_diff(tcp_ts_now(c->tcp, c->ts_offset), h->ts_ecr);

    if (!(c->flags & TCP_CONN_TS) || !(h->options & TCP_HAS_TS))
        return 0;
    if (ms < 0 || ms > (int32_t)(TCP_RTT_RTO_MAX_US / 1000))
        return 0;
    return (now_ms - (uint64_t)ms) * NS_PER_MS;
}

/*
 * RFC 6298, 3 (Karn): what was sent once tells the round trip; so does the echo (RFC 7323, 4) of
 * what left after the last retransmission. An echo from before it is left out: it comes when only
 * the ACK was lost, and would count all the time that we waited for it.
 */
static void measure(struct tcp_conn *c, const struct tcp_rack_ack *a)
{
    uint64_t now = tcp_now_ns(c->tcp);
    bool syn = (c->flags & (TCP_CONN_SYN_OUT | TCP_CONN_SYN_LOST)) == TCP_CONN_SYN_OUT;

    if (a->rtt_us > 0)
        tcp_rtt_sample(&c->rtt, a->rtt_us);
    else if (a->echo_ns != 0 && a->echo_ns + NS_PER_MS > c->flight->resent_ns)
        tcp_rtt_sample(&c->rtt, (uint32_t)((now - a->echo_ns) / NS_PER_US));
    else if (a->echo_ns == 0 && syn && c->sent_ns != 0)
        tcp_rtt_sample(&c->rtt, (uint32_t)((now - c->sent_ns) / NS_PER_US));
}

/* RFC 5681, 2: what makes an ACK a duplicate. With SYN_OUT or PERSIST it answers a SYN or a probe,
 * not data behind a hole. */
static bool is_duplicate(const struct tcp_conn *c, const struct tcp_in *in)
{
    return in->h.ack == c->snd_una && c->snd_max != c->snd_una && in->s->len == 0 &&
           !(in->h.flags & (TCP_SYN | TCP_FIN)) &&
           !(c->flags & (TCP_CONN_SYN_OUT | TCP_CONN_PERSIST)) &&
           (uint32_t)in->h.wnd << c->snd_wscale == c->snd_wnd;
}

/* Returns the bytes that are newly acknowledged. */
static uint32_t take_new_ack(struct tcp_conn *c, const struct tcp_in *in, struct tcp_rack_ack *a)
{
    uint32_t upto = in->h.ack;
    uint32_t acked_bytes = 0;

    tcp_rack_acked(&c->flight->loss.rack, &c->flight->loss.sent, in->h.ack, a);
    measure(c, a);
    c->snd_una = in->h.ack;
    if (c->flags & TCP_CONN_SYN_OUT)
        c->snd_nxt = c->snd_max; /* the SYN need not go again after all */
    c->flags &= (uint16_t)~TCP_CONN_SYN_OUT;
    if (tcp_seq_lt(c->snd_nxt, c->snd_una))
        c->snd_nxt = c->snd_una;
    /* The SYN and the FIN take sequence numbers, but no bytes. */
    if (tcp_seq_gt(upto, tcp_flight_end(c)))
        upto = tcp_flight_end(c);
    if (tcp_seq_gt(upto, c->flight->sendq.una))
        acked_bytes = tcp_sendq_ack(&c->flight->sendq, upto);
    tcp_mtu_acked(c);
    tcp_timer_acked(c);
    if (acked_bytes > 0)
        tcp_stream_update(c);
    return acked_bytes;
}

void tcp_ack_received(struct tcp_conn *c, const struct tcp_in *in)
{
    const struct tcp_header *h = &in->h;
    struct tcp_rack_ack a = { .now_ns = tcp_now_ns(c->tcp), .echo_ns = echo_ns(c, h) };
    uint32_t old_wnd = c->snd_wnd;
    bool duplicate = is_duplicate(c, in);
    uint32_t acked = 0;

    ASSERT(tcp_seq_le(h->ack, c->snd_max));
    tcp_timer_peer_lives(c);
    if (tcp_seq_gt(h->ack, c->snd_una))
        acked = take_new_ack(c, in, &a);
    if (h->ack == c->snd_una && !tcp_flight_is_idle(c))
        tcp_loss_acked(c, in, &a, acked, duplicate);
    /* RFC 9293, 3.10.7.4, fifth: SND.WL1 < SEG.SEQ, or equal and SND.WL2 =< SEG.ACK; an older ACK
     * tells nothing */
    if (h->ack == c->snd_una && (tcp_seq_lt(c->snd_wl1, h->seq) ||
                                 (c->snd_wl1 == h->seq && tcp_seq_le(c->snd_wl2, h->ack))))
        tcp_ack_take_window(c, in);
    ASSERT(tcp_seq_le(c->snd_una, c->snd_nxt));
    ASSERT(tcp_seq_le(c->snd_nxt, c->snd_max));
    if (tcp_sendq_bytes(&c->flight->sendq) > 0 || tcp_fsm_fin_due(c->state) ||
        c->snd_wnd != old_wnd)
        tcp_output_want(c);
    tcp_flight_rest(c);
}
