/*
 * Sending. Others say that a connection may have something to send (tcp_output_want); tcp_flush
 * then asks each once a turn for its reasons, in why_send, until there is none. So a reply, its ACK
 * and a window update are one segment.
 *
 * Failure modes: without a segment from the pool nothing is lost: the connection waits on the list
 * of the starved, and asks again at the next flush.
 */
#include "dataplane/tcp/tcp_conn.h"

#include "base/assert.h"

enum reason {
    WHY_NOTHING,
    WHY_SYN,    /* ours is due, for the first time or again */
    WHY_RESEND, /* the segment at SND.UNA is known to be lost */
    WHY_DATA,   /* bytes, and the windows let them through */
    WHY_FIN,    /* all bytes are out, the end follows */
    WHY_PROBE,  /* the peer's window is closed, and has been for a time-out */
    WHY_ACK,    /* nothing but an ACK */
};

struct plan {
    enum reason why;
    uint32_t seq;
    uint32_t len; /* payload, bytes */
    uint8_t flags;
};

void tcp_output_want(struct tcp_conn *c)
{
    ASSERT(tcp_fsm_is_live(c->state));
    if (!list_linked(&c->output_link))
        list_append(&c->tcp->output, &c->output_link);
}

void tcp_output_ack_now(struct tcp_conn *c)
{
    c->flags |= TCP_CONN_ACK_NOW;
    tcp_output_want(c);
}

bool tcp_output_may_challenge(struct tcp *t)
{
    if (!tcp_challenge_any(&t->challenges, &t->env.secret, tcp_now_ns(t)))
        return false;
    tcp_count(t, COUNTER_TCP_CHALLENGE_ACKS);
    return true;
}

void tcp_output_challenge(struct tcp_conn *c)
{
    if (tcp_challenge_one(&c->challenges, tcp_now_ns(c->tcp)) && tcp_output_may_challenge(c->tcp))
        tcp_output_ack_now(c);
}

/* Bytes that both windows let through from SND.NXT on. */
static uint32_t usable_window(const struct tcp_conn *c)
{
    /* RFC 3042: the first two duplicate ACKs each let one new segment go */
    uint32_t extra = c->cc.recovering || c->dup_acks > 2 ? 0 : (uint32_t)c->dup_acks * c->snd_mss;
    uint32_t wnd = c->cc.cwnd + extra < c->snd_wnd ? c->cc.cwnd + extra : c->snd_wnd;
    int32_t room = tcp_seq_diff(c->snd_una + wnd, c->snd_nxt);

    return room > 0 ? (uint32_t)room : 0;
}

static bool ends_queue(const struct tcp_conn *c, uint32_t seq)
{
    return seq == c->sendq.end;
}

/* Sets what a payload segment carries beside ACK. */
static void finish_plan(const struct tcp_conn *c, struct plan *p)
{
    p->flags = TCP_ACK;
    if (!ends_queue(c, p->seq + p->len))
        return;
    if (p->len > 0)
        p->flags |= TCP_PSH;
    if (tcp_fsm_fin_due(c->state))
        p->flags |= TCP_FIN;
}

/* RFC 9293, 3.8.6.2.1: send a full segment, or all that is left, or half of the largest window
 * seen; else wait. */
static bool plan_data(const struct tcp_conn *c, struct plan *p)
{
    int32_t left = tcp_seq_diff(c->sendq.end, c->snd_nxt);
    uint32_t usable = usable_window(c);
    uint32_t len;

    if (left <= 0 || usable == 0)
        return false;
    len = (uint32_t)left < usable ? (uint32_t)left : usable;
    len = len < c->snd_mss ? len : c->snd_mss;
    if (len < c->snd_mss && len < (uint32_t)left && len < c->snd_wnd_max / 2 &&
        !(c->flags & TCP_CONN_PROBE))
        return false;
    *p = (struct plan){ .why = WHY_DATA, .seq = c->snd_nxt, .len = len };
    finish_plan(c, p);
    return true;
}

static void plan_resend(const struct tcp_conn *c, struct plan *p)
{
    uint32_t left = c->sendq.end - c->snd_una;
    uint32_t out = c->snd_max - c->snd_una;

    if (tcp_seq_gt(c->snd_una, c->sendq.end))
        left = 0;
    left = left < out ? left : out;
    *p = (struct plan){ .why = WHY_RESEND, .seq = c->snd_una };
    p->len = left < c->snd_mss ? left : c->snd_mss;
    finish_plan(c, p);
}

/*
 * Where a pure ACK stands. After a time-out SND.NXT goes back, and an ACK from there would be old
 * to a peer that has the rest: two such peers would never hear each other again. A probe's byte,
 * though, is not in the window.
 */
static uint32_t seq_of_ack(const struct tcp_conn *c)
{
    return c->flags & TCP_CONN_PERSIST ? c->snd_nxt : c->snd_max;
}

/* The chain of reasons, the most urgent first. */
static struct plan why_send(const struct tcp_conn *c)
{
    struct plan p = { .why = WHY_NOTHING };

    if ((c->flags & TCP_CONN_SYN_OUT) && c->snd_nxt == c->iss) {
        p = (struct plan){ .why = WHY_SYN, .seq = c->iss, .flags = TCP_SYN };
        p.flags |= c->state == TCP_SYN_SENT ? 0 : TCP_ACK;
        return p;
    }
    if (tcp_fsm_is_synchronized(c->state)) {
        if ((c->flags & TCP_CONN_RESEND) && c->snd_una != c->snd_max) {
            plan_resend(c, &p);
            return p;
        }
        if (plan_data(c, &p))
            return p;
        if (tcp_fsm_fin_due(c->state) && ends_queue(c, c->snd_nxt)) {
            p = (struct plan){ .why = WHY_FIN, .seq = c->snd_nxt, .flags = TCP_ACK | TCP_FIN };
            return p;
        }
        if ((c->flags & TCP_CONN_PROBE) && tcp_seq_lt(c->snd_una, c->sendq.end)) {
            p = (struct plan){ .why = WHY_PROBE, .seq = c->snd_una, .len = 1, .flags = TCP_ACK };
            return p;
        }
    }
    if ((c->flags & TCP_CONN_ACK_NOW) && c->state != TCP_SYN_SENT)
        p = (struct plan){ .why = WHY_ACK, .seq = seq_of_ack(c), .flags = TCP_ACK };
    return p;
}

static void put_syn_options(const struct tcp_conn *c, struct tcp_header *h)
{
    const struct tcp *t = c->tcp;
    uint32_t wnd = t->config.receive_bytes_max;

    h->wnd = (uint16_t)(wnd < UINT16_MAX ? wnd : UINT16_MAX);
    h->mss = tcp_conn_local_mss(t, &c->stream.peer.addr);
    h->wscale = t->rcv_wscale;
    h->options = TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_SACK_OK | TCP_HAS_TS;
    if (c->state == TCP_SYN_SENT)
        return;
    /* An answer offers only what the peer did (RFC 7323, 1.3). */
    if (!(c->flags & TCP_CONN_TS))
        h->options &= (uint8_t)~TCP_HAS_TS;
    if (!(c->flags & TCP_CONN_SACK))
        h->options &= (uint8_t)~TCP_HAS_SACK_OK;
    if (c->rcv_wscale == 0 && c->snd_wscale == 0)
        h->options &= (uint8_t)~TCP_HAS_WSCALE;
}

/*
 * RFC 2018, 4: every ACK that does not cover all we hold tells of it; RFC 2883, 4: first of what
 * came twice, once. Beside bytes, as far as the segment has room.
 */
static void put_sacks(const struct tcp_conn *c, const struct plan *p, struct tcp_header *h)
{
    uint32_t max = h->options & TCP_HAS_TS ? TCP_WIRE_SACKS_MAX - 1 : TCP_WIRE_SACKS_MAX;
    uint32_t room = c->snd_mss - p->len;

    if (!(c->flags & TCP_CONN_SACK))
        return;
    room = room < TCP_WIRE_SACK_HEAD ? 0 : (room - TCP_WIRE_SACK_HEAD) / TCP_WIRE_SACK_LEN;
    if (p->len > 0 && room < max)
        max = room;
    if (max > 0 && c->dsack.start != c->dsack.end)
        h->sacks[h->sack_count++] = c->dsack;
    if (c->reasm != NULL)
        h->sack_count +=
            (uint8_t)tcp_reasm_blocks(c->reasm, h->sacks + h->sack_count, max - h->sack_count);
}

static void fill_header(struct tcp_conn *c, const struct plan *p, struct tcp_header *h)
{
    *h = (struct tcp_header){
        .src_port = c->stream.local.port,
        .dst_port = c->stream.peer.port,
        .seq = p->seq,
        .ack = p->flags & TCP_ACK ? c->rcv_nxt : 0,
        .flags = p->flags,
        .ts_val = tcp_ts_now(c->tcp, c->ts_offset),
        .ts_ecr = p->flags & TCP_ACK ? c->ts_recent : 0,
    };
    if (p->flags & TCP_SYN) {
        put_syn_options(c, h);
        return;
    }
    h->wnd = tcp_window_tell(c);
    h->options = c->flags & TCP_CONN_TS ? TCP_HAS_TS : 0;
    put_sacks(c, p, h);
}

/*
 * One segment, built and handed down. The payload is copied: a reply is small, and the segment in
 * the send queue stays free of lower layers' headers. Sending it in place would go here: the whole
 * segment with a second reference, when the pool does not say busy.
 */
static bool build(struct tcp_conn *c, const struct plan *p)
{
    struct tcp *t = c->tcp;
    struct seg *s = seg_alloc(t->env.pool);
    struct tcp_header h;

    if (s == NULL)
        return false;
    fill_header(c, p, &h);
    s->len = tcp_wire_emit(&h, s->data);
    ASSERT(p->len <= seg_tailroom(s));
    if (p->len > 0)
        tcp_sendq_copy(&c->sendq, p->seq, s->data + s->len, p->len);
    s->len += p->len;
    tcp_count(t, COUNTER_TCP_OUT_SEGS);
    t->env.lower->send(t->env.lower, s, &c->stream.local.addr, &c->stream.peer.addr);
    return true;
}

/* Karn: times a segment that is sent for the first time; one that is sent again spoils the measure.
 */
static void time_segment(struct tcp_conn *c, const struct plan *p, uint32_t end)
{
    bool again = tcp_seq_lt(p->seq, c->snd_max);

    if (again) {
        tcp_count(c->tcp, COUNTER_TCP_RETRANS_SEGS);
        c->resent_ns = tcp_now_ns(c->tcp);
        c->flags &= (uint16_t)~TCP_CONN_TIMING;
    } else if (!(c->flags & TCP_CONN_TIMING) && !c->cc.recovering) {
        c->flags |= TCP_CONN_TIMING;
        c->timed_seq = p->seq;
        c->timed_ns = tcp_now_ns(c->tcp);
    }
    c->snd_max = tcp_seq_max(c->snd_max, end);
}

/* The segment has left: what does that change? */
static void note_sent(struct tcp_conn *c, const struct plan *p)
{
    uint32_t end = p->seq + p->len + ((p->flags & (TCP_SYN | TCP_FIN)) != 0);

    if (p->flags & TCP_ACK) {
        c->last_ack_sent = c->rcv_nxt;
        c->flags &= (uint16_t)~TCP_CONN_ACK_NOW;
        c->dsack.end = c->dsack.start;
        tcp_timer_ack_sent(c);
    }
    if (end == p->seq)
        return;
    ASSERT(tcp_seq_ge(p->seq, c->snd_una));
    time_segment(c, p, end);
    ASSERT(tcp_seq_le(c->snd_nxt, c->snd_max));
    c->sent_ns = tcp_now_ns(c->tcp);
    if (p->why == WHY_PROBE) {
        c->flags &= (uint16_t)~TCP_CONN_PROBE;
        tcp_count(c->tcp, COUNTER_TCP_WINDOW_PROBES);
        return;
    }
    if (p->why == WHY_RESEND)
        c->flags &= (uint16_t)~TCP_CONN_RESEND;
    c->flags &= (uint16_t)~TCP_CONN_PROBE;
    c->snd_nxt = tcp_seq_max(c->snd_nxt, end);
    tcp_timer_sent(c);
}

/* RFC 5681, 4.1: after a pause longer than the RTO, what the window was says nothing about the path
 * any more. */
static void check_idle(struct tcp_conn *c)
{
    uint64_t rto_ns = tcp_rtt_rto_us(&c->rtt) * NS_PER_US;

    if (c->snd_una == c->snd_max && c->sent_ns != 0 && tcp_now_ns(c->tcp) - c->sent_ns > rto_ns)
        c->tcp->cc->on_idle(&c->cc);
}

unsigned tcp_output_conn(struct tcp_conn *c)
{
    unsigned sent = 0;
    struct plan p;

    ASSERT(tcp_fsm_is_live(c->state));
    check_idle(c);
    for (p = why_send(c); p.why != WHY_NOTHING; p = why_send(c)) {
        if (!build(c, &p)) {
            tcp_stream_starve(c);
            return sent;
        }
        note_sent(c, &p);
        sent++;
    }
    c->flags &= (uint16_t) ~(TCP_CONN_PROBE | TCP_CONN_RESEND);
    /* Bytes wait, none is out, and congestion control always lets one segment go: it is the peer's
     * window. */
    if (tcp_fsm_is_synchronized(c->state) && c->snd_nxt == c->snd_una &&
        tcp_seq_lt(c->snd_nxt, c->sendq.end))
        tcp_timer_window_closed(c);
    return sent;
}

/* A turn without a free segment must not last for ever: what was kept out of order goes back first.
 */
static void shed_gaps(struct tcp *t)
{
    while (t->env.pool->ops->available(t->env.pool) < t->reserve && !list_empty(&t->gapped)) {
        tcp_count(t, COUNTER_TCP_REASM_DROPS);
        tcp_conn_drop_gaps(LIST_ENTRY(t->gapped.head.next, struct tcp_conn, gap_link));
    }
}

unsigned tcp_flush(struct tcp *t)
{
    struct list_node *n;
    unsigned sent = 0;

    shed_gaps(t);
    if (!list_empty(&t->starved))
        tcp_stream_feed_starved(t);
    while ((n = list_pop(&t->output)) != NULL)
        sent += tcp_output_conn(LIST_ENTRY(n, struct tcp_conn, output_link));
    return sent;
}

bool tcp_output_bare(struct tcp *t, const struct tcp_header *h, const struct addr *src,
                     const struct addr *dst)
{
    struct seg *s = seg_alloc(t->env.pool);

    if (s == NULL)
        return false;
    s->len = tcp_wire_emit(h, s->data);
    tcp_count(t, COUNTER_TCP_OUT_SEGS);
    if (h->flags & TCP_RST)
        tcp_count(t, COUNTER_TCP_OUT_RSTS);
    t->env.lower->send(t->env.lower, s, src, dst);
    return true;
}

void tcp_output_last_ack(struct tcp_conn *c)
{
    struct plan p = { .why = WHY_ACK, .seq = seq_of_ack(c), .flags = TCP_ACK };

    if (!(c->flags & TCP_CONN_ACK_NOW) && c->due_ack == 0)
        return;
    if (build(c, &p))
        note_sent(c, &p);
}

void tcp_output_reset(struct tcp_conn *c)
{
    struct tcp_header h = {
        .src_port = c->stream.local.port,
        .dst_port = c->stream.peer.port,
        .seq = c->snd_max,
        .ack = c->rcv_nxt,
        .flags = TCP_RST | TCP_ACK,
        .options = c->flags & TCP_CONN_TS ? TCP_HAS_TS : 0, /* RFC 7323, 3.2 */
        .ts_val = tcp_ts_now(c->tcp, c->ts_offset),
        .ts_ecr = c->ts_recent,
    };

    /* RFC 9293, 3.10.5: before the peer's SYN there is nobody to tell */
    if (c->state == TCP_SYN_SENT)
        return;
    tcp_output_bare(c->tcp, &h, &c->stream.local.addr, &c->stream.peer.addr);
}

void tcp_output_reset_for(struct tcp *t, const struct tcp_in *in)
{
    struct tcp_header h = { .src_port = in->local.port, .dst_port = in->peer.port };

    if (in->h.flags & TCP_RST)
        return;
    if (in->h.flags & TCP_ACK) {
        h.seq = in->h.ack;
        h.flags = TCP_RST;
    } else {
        h.ack = in->h.seq + tcp_in_seq_len(in);
        h.flags = TCP_RST | TCP_ACK;
    }
    tcp_output_bare(t, &h, &in->local.addr, &in->peer.addr);
}
