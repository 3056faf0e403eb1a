/*
 * What an ACK means: bytes leave the send queue, the RTT is measured, the congestion window moves,
 * losses are found, the peer's window is taken. Happy path: all that was sent is acknowledged, the
 * timer stops, the stream is DRAINED.
 *
 * Three duplicate ACKs are a loss (RFC 5681, 3.2), answered and ended as RFC 6582 says.
 */
#include "dataplane/tcp/tcp_conn.h"

#include "base/assert.h"

#define DUP_ACKS_LOSS 3 /* RFC 5681, 3.2 */

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
    return tcp_fsm_fin_due(c->state) && c->snd_una == c->sendq.end + 1;
}

/*
 * RTTM (RFC 7323, 4). An echo of what left before the last retransmission is left out: it comes
 * when only the ACK was lost, and would count all the time that we waited for it. New bytes soon
 * bring a good one (Karn).
 */
static void measure_by_echo(struct tcp_conn *c, uint32_t echo)
{
    int32_t ms = tcp_seq_diff(tcp_ts_now(c->tcp, c->ts_offset), echo);
    uint64_t sent_ns;

    /* An echo of what we never sent is not believed. */
    if (ms < 0 || ms > (int32_t)(TCP_RTT_RTO_MAX_US / 1000))
        return;
    sent_ns = tcp_now_ns(c->tcp) - (uint64_t)ms * NS_PER_MS;
    if (sent_ns + NS_PER_MS > c->resent_ns)
        tcp_rtt_sample(&c->rtt, (uint32_t)ms * 1000U);
}

/* Without timestamps one segment at a time is timed, and only if nothing had to be sent again
 * (Karn). */
static void measure(struct tcp_conn *c, const struct tcp_in *in)
{
    uint64_t us;

    if ((c->flags & TCP_CONN_TS) && (in->h.options & TCP_HAS_TS)) {
        measure_by_echo(c, in->h.ts_ecr);
        return;
    }
    if (!(c->flags & TCP_CONN_TIMING) || !tcp_seq_gt(in->h.ack, c->timed_seq))
        return;
    us = (tcp_now_ns(c->tcp) - c->timed_ns) / NS_PER_US;
    c->flags &= (uint16_t)~TCP_CONN_TIMING;
    tcp_rtt_sample(&c->rtt, us > UINT32_MAX ? UINT32_MAX : (uint32_t)us);
}

static void enter_recovery(struct tcp_conn *c)
{
    ASSERT(!c->cc.recovering);
    ASSERT(c->snd_una != c->snd_max);
    tcp_count(c->tcp, COUNTER_TCP_FAST_RETRANS);
    c->recover = c->snd_max;
    c->tcp->cc->on_loss(&c->cc, c->snd_max - c->snd_una);
    c->flags |= TCP_CONN_RESEND;
    tcp_output_want(c);
}

/* RFC 5681, 2: what makes an ACK a duplicate. */
static bool is_duplicate(const struct tcp_conn *c, const struct tcp_in *in)
{
    return in->h.ack == c->snd_una && c->snd_max != c->snd_una && in->s->len == 0 &&
           !(in->h.flags & (TCP_SYN | TCP_FIN)) &&
           (uint32_t)in->h.wnd << c->snd_wscale == c->snd_wnd;
}

static void note_duplicate(struct tcp_conn *c)
{
    if (c->flags & (TCP_CONN_SYN_OUT | TCP_CONN_PERSIST))
        return; /* answers to a SYN or a probe, not to data behind a hole */
    if (c->cc.recovering) {
        c->tcp->cc->on_dup_ack(&c->cc);
        tcp_output_want(c);
        return;
    }
    if (c->dup_acks < UINT8_MAX)
        c->dup_acks++;
    /* RFC 6582, 3.2, step 2: not for what was out at the last recovery or time-out */
    if (c->dup_acks == DUP_ACKS_LOSS && tcp_seq_ge(c->snd_una, c->recover))
        enter_recovery(c);
    else
        tcp_output_want(c); /* RFC 3042: one more segment may go */
}

static void note_progress(struct tcp_conn *c, uint32_t acked_bytes)
{
    const struct tcp_cc_ops *cc = c->tcp->cc;

    c->dup_acks = 0;
    if (!c->cc.recovering) {
        if (acked_bytes > 0)
            cc->on_ack(&c->cc, acked_bytes);
        return;
    }
    if (tcp_seq_ge(c->snd_una, c->recover)) {
        cc->on_recovered(&c->cc, c->snd_max - c->snd_una);
        return;
    }
    /* RFC 6582, 3.2, step 3: a partial acknowledgment tells of the next hole */
    cc->on_partial_ack(&c->cc, acked_bytes);
    c->flags |= TCP_CONN_RESEND;
}

static void take_new_ack(struct tcp_conn *c, const struct tcp_in *in)
{
    uint32_t upto = in->h.ack;
    uint32_t acked_bytes = 0;

    measure(c, in);
    c->snd_una = in->h.ack;
    c->flags &= (uint16_t)~TCP_CONN_SYN_OUT;
    if (tcp_seq_lt(c->snd_nxt, c->snd_una))
        c->snd_nxt = c->snd_una;
    /* The SYN and the FIN take sequence numbers, but no bytes. */
    if (tcp_seq_gt(upto, c->sendq.end))
        upto = c->sendq.end;
    if (tcp_seq_gt(upto, c->sendq.una))
        acked_bytes = tcp_sendq_ack(&c->sendq, upto);
    note_progress(c, acked_bytes);
    tcp_timer_acked(c);
    if (acked_bytes > 0)
        tcp_stream_update(c);
}

void tcp_ack_received(struct tcp_conn *c, const struct tcp_in *in)
{
    const struct tcp_header *h = &in->h;
    uint32_t old_wnd = c->snd_wnd;

    ASSERT(tcp_seq_le(h->ack, c->snd_max));
    tcp_timer_peer_lives(c);
    if (tcp_seq_gt(h->ack, c->snd_una))
        take_new_ack(c, in);
    else if (is_duplicate(c, in))
        note_duplicate(c);
    /* RFC 9293, 3.10.7.4, fifth: SND.WL1 < SEG.SEQ, or equal and SND.WL2 =< SEG.ACK; an older ACK
     * tells nothing */
    if (h->ack == c->snd_una && (tcp_seq_lt(c->snd_wl1, h->seq) ||
                                 (c->snd_wl1 == h->seq && tcp_seq_le(c->snd_wl2, h->ack))))
        tcp_ack_take_window(c, in);
    ASSERT(tcp_seq_le(c->snd_una, c->snd_nxt));
    ASSERT(tcp_seq_le(c->snd_nxt, c->snd_max));
    if (tcp_sendq_bytes(&c->sendq) > 0 || tcp_fsm_fin_due(c->state) || c->snd_wnd != old_wnd)
        tcp_output_want(c);
}
