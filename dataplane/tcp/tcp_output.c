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
#include "dataplane/tcp/tcp_fill.h"

enum reason {
    WHY_NOTHING,
    WHY_SYN,    /* ours is due, for the first time or again */
    WHY_RESEND, /* a segment is known to be lost */
    WHY_TAIL,   /* the last one may be, nobody answers: a probe */
    WHY_DATA,   /* bytes, and the windows let them through */
    WHY_FIN,    /* all bytes are out, the end follows */
    WHY_PROBE,  /* the peer's window is closed, and has been for a time-out */
    WHY_ALIVE,  /* an old octet, so that a peer that is there answers (RFC 9293, 3.8.4) */
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

/* The scoreboard takes one more; past its bound new data waits for ACKs, as before a closed window.
 */
static bool has_record(const struct tcp_conn *c)
{
    return c->flight->loss.sent.count < tcp_loss_records(c->tcp->config.send_bytes_max);
}

/* Bytes that both windows let through from SND.NXT on. */
static uint32_t usable_window(const struct tcp_conn *c)
{
    uint32_t in_flight = tcp_loss_in_flight(c);
    uint32_t room = c->cc.cwnd > in_flight ? c->cc.cwnd - in_flight : 0;
    int32_t offered = tcp_seq_diff(c->snd_una + c->snd_wnd, c->snd_nxt);

    if (offered <= 0)
        return 0;
    return (uint32_t)offered < room ? (uint32_t)offered : room;
}

static bool in_slow_start(const struct tcp_conn *c)
{
    return c->cc.cwnd < c->cc.ssthresh && !c->cc.recovering;
}

static bool ends_queue(const struct tcp_conn *c, uint32_t seq)
{
    return seq == tcp_flight_end(c);
}

/* RFC 9293, 3.8.6.2.1: send a full segment, or all that is left, or half of the largest window
 * seen; else wait. */
static bool plan_data(const struct tcp_conn *c, uint32_t usable, struct plan *p)
{
    int32_t left = tcp_seq_diff(tcp_flight_end(c), c->snd_nxt);
    uint32_t size;
    uint32_t len;

    if (left <= 0 || usable == 0 || !has_record(c))
        return false;
    len = (uint32_t)left < usable ? (uint32_t)left : usable;
    size = tcp_mtu_size(c, len);
    len = len < size ? len : size;
    if (len < c->snd_mss && len < (uint32_t)left && len < c->snd_wnd_max / 2 &&
        !(c->flags & TCP_CONN_PROBE))
        return false;
    *p = (struct plan){ .why = WHY_DATA, .seq = c->snd_nxt, .len = len, .flags = TCP_ACK };
    if (ends_queue(c, p->seq + len))
        p->flags |= tcp_fsm_fin_due(c->state) ? TCP_PSH | TCP_FIN : TCP_PSH;
    return true;
}

/* New data, if it is its turn; else it is when c->flight->pace says (TCP_CONN_PACED). */
static bool plan_paced(struct tcp_conn *c, struct plan *p)
{
    struct plan data;

    if (!plan_data(c, usable_window(c), &data))
        return false;
    if (in_slow_start(c) &&
        !tcp_pace_lets(&c->flight->pace, tcp_now_ns(c->tcp), tcp_loss_in_flight(c), data.len)) {
        tcp_timer_paced(c);
        return false;
    }
    *p = data;
    return true;
}

/* What `s` carried, as far as it fits into a segment now. */
static struct plan plan_again(const struct tcp_conn *c, const struct tcp_sent *s, enum reason why)
{
    struct plan p = { .why = why, .seq = s->start, .flags = TCP_ACK };
    bool has_fin = tcp_seq_gt(s->end, tcp_flight_end(c));

    p.len = s->end - s->start - has_fin;
    ASSERT(tcp_seq_ge(s->start, c->snd_una));
    if (p.len > c->snd_mss) {
        p.len = c->snd_mss;
        return p;
    }
    if (p.len > 0 && ends_queue(c, p.seq + p.len))
        p.flags |= TCP_PSH;
    if (has_fin)
        p.flags |= TCP_FIN;
    return p;
}

static bool plan_resend(const struct tcp_conn *c, struct plan *p)
{
    const struct tcp_sent *s = tcp_sentq_first_lost(&c->flight->loss.sent);
    struct plan again;

    if (s == NULL)
        return false;
    again = plan_again(c, s, WHY_RESEND);
    if (!(c->flags & TCP_CONN_RESEND) && tcp_loss_in_flight(c) + again.len > c->cc.cwnd)
        return false;
    *p = again;
    return true;
}

/* RFC 8985, 7.3: new data if there is some and the peer's window allows, else the last segment
 * again. */
static bool plan_tail(const struct tcp_conn *c, struct plan *p)
{
    struct tcp_sentq *q = &c->flight->loss.sent;
    int32_t offered = tcp_seq_diff(c->snd_una + c->snd_wnd, c->snd_nxt);

    if (!c->flight->loss.tail_due || q->count == 0)
        return false;
    if (offered > 0 && plan_data(c, (uint32_t)offered, p))
        p->why = WHY_TAIL;
    else
        *p = plan_again(c, tcp_sentq_part_last(q, tcp_sentq_last(q)), WHY_TAIL);
    return true;
}

/* The chain of reasons, the most urgent first. */
static struct plan why_send(struct tcp_conn *c)
{
    struct plan p = { .why = WHY_NOTHING };

    if ((c->flags & TCP_CONN_SYN_OUT) && c->snd_nxt == c->iss) {
        p = (struct plan){ .why = WHY_SYN, .seq = c->iss, .flags = TCP_SYN };
        p.flags |= c->state == TCP_SYN_SENT ? 0 : TCP_ACK;
        return p;
    }
    if (tcp_fsm_is_synchronized(c->state)) {
        if (plan_resend(c, &p) || plan_tail(c, &p) || plan_paced(c, &p))
            return p;
        if (tcp_fsm_fin_due(c->state) && ends_queue(c, c->snd_nxt) && has_record(c)) {
            p = (struct plan){ .why = WHY_FIN, .seq = c->snd_nxt, .flags = TCP_ACK | TCP_FIN };
            return p;
        }
        if ((c->flags & TCP_CONN_PROBE) && tcp_seq_lt(c->snd_una, tcp_flight_end(c))) {
            p = (struct plan){ .why = WHY_PROBE, .seq = c->snd_una, .len = 1, .flags = TCP_ACK };
            return p;
        }
        if (c->alive_due) {
            p = (struct plan){ .why = WHY_ALIVE, .seq = c->snd_una - 1, .flags = TCP_ACK };
            return p;
        }
    }
    if ((c->flags & TCP_CONN_ACK_NOW) && c->state != TCP_SYN_SENT)
        p = (struct plan){ .why = WHY_ACK, .seq = c->snd_nxt, .flags = TCP_ACK };
    return p;
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
    struct tcp_fill fill = { .seq = p->seq, .len = p->len, .flags = p->flags };
    struct tcp_header h;

    if (s == NULL)
        return false;
    fill.fresh = p->why == WHY_DATA && p->seq == c->snd_max;
    tcp_fill_header(c, &fill, &h);
    if (tcp_ecn_marks(&c->ecn, fill.fresh))
        s->flags |= SEG_TX_ECT;
    tcp_ecn_sent(&c->ecn, fill.fresh);
    s->len = tcp_wire_emit(&h, s->data);
    ASSERT(p->len <= seg_tailroom(s));
    if (p->len > 0)
        tcp_sendq_copy(&c->flight->sendq, p->seq, s->data + s->len, p->len);
    s->len += p->len;
    tcp_count(t, COUNTER_TCP_OUT_SEGS);
    t->env.lower->send(t->env.lower, s, &c->stream.local.addr, &c->stream.peer.addr);
    return true;
}

static void count_again(struct tcp_conn *c)
{
    tcp_count(c->tcp, COUNTER_TCP_RETRANS_SEGS);
    c->retrans++;
    c->flight->resent_ns = tcp_now_ns(c->tcp);
}

/* A segment of the scoreboard has left again, or a part of it. */
static void note_again(struct tcp_conn *c, struct tcp_sent *s, uint32_t end)
{
    count_again(c);
    tcp_mtu_resent(c, s);
    /* Without a record for the rest, it goes by as sent, and will be found missing later. */
    tcp_sentq_split(&c->flight->loss.sent, s, end - s->start);
    tcp_sentq_resent(&c->flight->loss.sent, s, tcp_now_ns(c->tcp));
}

static void note_new(struct tcp_conn *c, const struct plan *p, uint32_t end)
{
    bool again = tcp_seq_lt(p->seq, c->snd_max); /* a SYN, or the byte of a probe */

    if (again)
        count_again(c);
    if (p->flags & TCP_SYN) {
        c->snd_nxt = tcp_seq_max(end, c->snd_max);
        return;
    }
    if (in_slow_start(c))
        tcp_pace_sent(&c->flight->pace, p->len);
    tcp_mtu_sent(c, end, p->len);
    c->snd_nxt = end;
    if (!tcp_sentq_push(&c->flight->loss.sent, p->seq, end, tcp_now_ns(c->tcp)))
        UNREACHABLE("has_record was asked");
    if (again)
        tcp_sentq_resent(&c->flight->loss.sent, tcp_sentq_last(&c->flight->loss.sent),
                         tcp_now_ns(c->tcp));
}

static void note_tail(struct tcp_conn *c, const struct plan *p, uint32_t end)
{
    struct tcp_loss *l = &c->flight->loss;

    l->tail_due = false;
    l->tail_out = true;
    l->tail_again = p->seq != c->snd_nxt;
    if (l->tail_again)
        note_again(c, tcp_sentq_last(&l->sent), end);
    else
        note_new(c, p, end);
    l->tail_end = c->snd_nxt;
    tcp_timer_again(c);
}

/* Sequence space has left, up to `end`. */
static void note_space(struct tcp_conn *c, const struct plan *p, uint32_t end)
{
    switch (p->why) {
    case WHY_RESEND:
        c->flags &= (uint16_t)~TCP_CONN_RESEND;
        if (c->flight->loss.undo_resent++ == 0)
            c->flight->loss.undo_seq = p->seq;
        note_again(c, tcp_sentq_first_lost(&c->flight->loss.sent), end);
        break;
    case WHY_TAIL: note_tail(c, p, end); break;
    case WHY_PROBE:
        if (tcp_seq_lt(p->seq, c->snd_max))
            count_again(c);
        tcp_count(c->tcp, COUNTER_TCP_WINDOW_PROBES);
        break;
    default: note_new(c, p, end); break;
    }
    c->flags &= (uint16_t)~TCP_CONN_PROBE;
    c->snd_max = tcp_seq_max(c->snd_max, end);
    if (c->cc.recovering && p->why != WHY_PROBE)
        tcp_prr_sent(&c->flight->loss.prr, p->len);
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
    if (p->why == WHY_ALIVE)
        c->alive_due = false;
    if (end == p->seq)
        return;
    ASSERT(tcp_seq_ge(p->seq, c->snd_una));
    c->sent_ns = tcp_now_ns(c->tcp);
    note_space(c, p, end);
    ASSERT(tcp_seq_le(c->snd_nxt, c->snd_max));
}

/* RFC 5681, 4.1: after a pause longer than the RTO, what the window was says nothing about the path
 * any more. */
static void check_idle(struct tcp_conn *c)
{
    uint64_t rto_ns = tcp_rtt_rto_us(&c->rtt) * NS_PER_US;

    if (c->snd_una == c->snd_max && c->sent_ns != 0 && tcp_now_ns(c->tcp) - c->sent_ns > rto_ns)
        c->tcp->cc->on_idle(&c->cc);
}

/* The segments of a turn have left, for these reasons (a bit each): timers begin, once for all. */
static void note_turn(struct tcp_conn *c, unsigned whys)
{
    const unsigned new_space = 1U << WHY_SYN | 1U << WHY_RESEND | 1U << WHY_DATA | 1U << WHY_FIN;

    if (whys & (new_space | 1U << WHY_TAIL))
        tcp_timer_sent(c);
    if (whys & new_space)
        tcp_loss_sent(c);
}

unsigned tcp_output_conn(struct tcp_conn *c)
{
    unsigned sent = 0;
    unsigned whys = 0;
    struct plan p;

    ASSERT(tcp_fsm_is_live(c->state));
    check_idle(c);
    c->flags &= (uint16_t)~TCP_CONN_PACED;
    if (in_slow_start(c) && !tcp_flight_is_idle(c))
        tcp_pace_begin(&c->flight->pace, c->cc.cwnd, c->rtt.srtt_us, tcp_now_ns(c->tcp));
    for (p = why_send(c); p.why != WHY_NOTHING && build(c, &p); p = why_send(c)) {
        note_sent(c, &p);
        whys |= 1U << p.why;
        sent++;
    }
    note_turn(c, whys);
    if (p.why != WHY_NOTHING) {
        tcp_stream_starve(c);
        return sent;
    }
    c->flags &= (uint16_t) ~(TCP_CONN_PROBE | TCP_CONN_RESEND);
    /* Bytes wait, none is out, and congestion control always lets one segment go: it is the peer's
     * window. */
    if (tcp_fsm_is_synchronized(c->state) && c->snd_nxt == c->snd_una &&
        tcp_seq_lt(c->snd_nxt, tcp_flight_end(c)))
        tcp_timer_window_closed(c);
    return sent;
}

/* A turn without a free segment must not last for ever: what was kept out of order goes back first.
 */
static void shed_gaps(struct tcp *t)
{
    while (tcp_memory_beyond(&t->memory, LIMIT_TCP_SHARE_UNREAD) < 0 && !list_empty(&t->gapped)) {
        tcp_count(t, COUNTER_TCP_REASM_DROPS);
        tcp_conn_drop_gaps(LIST_ENTRY(t->gapped.head.next, struct tcp_reasm, link)->holder);
    }
}

unsigned tcp_flush(struct tcp *t)
{
    struct list_node *n;
    unsigned sent = 0;

    tcp_memory_look(&t->memory);
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
    struct plan p = { .why = WHY_ACK, .seq = c->snd_nxt, .flags = TCP_ACK };

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
