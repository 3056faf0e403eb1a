/*
 * A segment arrives. First the header is read and its connection found; then RFC 9293, 3.10.7 in
 * its own order, a function for each step. A step looks at one thing and says what follows;
 * apply_verdict is the one place that answers, resets and frees.
 *
 * Happy path: a segment of an ESTABLISHED connection that is in order and brings bytes alone:
 * is_plain, and the bytes are queued. Failure modes: whatever a peer can send ends in a drop, an
 * ACK (few a second where it could be a trap, RFC 5961) or a reset, never in an assertion.
 */
#include "dataplane/tcp/tcp_conn.h"

#include "base/assert.h"
#include "dataplane/tcp/tcp_half.h"
#include "dataplane/tcp/tcp_listen.h"
#include "dataplane/tcp/tcp_time_wait.h"

/* Connections on their way from memory: more lines than these a core cannot wait for at once. */
#define AHEAD 8

/* RFC 7323, 5.5: a timestamp older than 24 days says nothing. */
#define TS_OLD (24ULL * 24 * 3600 * NS_PER_S / TCP_TS_AGE_NS)

enum verdict {
    TCP_NEXT,          /* go on with the next step */
    TCP_DROP,          /* done with this segment */
    TCP_ACK_NOW,       /* done, and an ACK is owed */
    TCP_CHALLENGE_ACK, /* done, and an ACK is owed, but not more than a few a second */
    TCP_SEND_RESET,    /* <SEQ=SEG.ACK><CTL=RST>, the connection stays */
    TCP_PEER_RESET,    /* the peer has reset: the connection fails */
    TCP_ABORT,         /* reset the peer, the connection fails */
    TCP_FINISHED,      /* LAST-ACK is over */
    TCP_TO_TIME_WAIT,
};

/* RFC 7323, 5.3, R1: SEG.TSval < TS.Recent, and TS.Recent is not outdated. */
static bool is_old_timestamp(const struct tcp_conn *c, const struct tcp_header *h)
{
    return tcp_seq_lt(h->ts_val, c->ts_recent) && tcp_ts_age(c->tcp) - c->ts_age < TS_OLD;
}

/* RFC 7323, 4.3, (2): SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent */
static void note_timestamp(struct tcp_conn *c, const struct tcp_header *h)
{
    if (!(c->flags & TCP_CONN_TS) || !(h->options & TCP_HAS_TS))
        return;
    if (tcp_seq_le(h->seq, c->last_ack_sent) && !is_old_timestamp(c, h)) {
        c->ts_recent = h->ts_val;
        c->ts_age = tcp_ts_age(c->tcp);
    }
}

/* RFC 9293, 3.4, table 6: is any of the segment inside of the window? */
static bool is_acceptable(const struct tcp_conn *c, const struct tcp_in *in)
{
    uint32_t len = tcp_in_seq_len(in);
    uint32_t seq = in->h.seq;

    if (seq == c->rcv_nxt)
        return true; /* with a closed window its text is cut off, its ACK or FIN still counts */
    if (c->rcv_adv == c->rcv_nxt)
        return false;
    if (tcp_seq_lt(seq, c->rcv_nxt))
        return tcp_seq_gt(seq + len, c->rcv_nxt);
    return tcp_seq_lt(seq, c->rcv_adv);
}

/* The peer's SYN again, in SYN-RCVD: our SYN-ACK was lost, or crossed it. It goes once more, at
 * once.
 */
static enum verdict answer_syn_again(struct tcp_conn *c)
{
    ASSERT(c->flags & TCP_CONN_SYN_OUT);
    c->flags |= TCP_CONN_SYN_LOST;
    c->snd_nxt = c->iss;
    tcp_output_want(c);
    return TCP_DROP;
}

static enum verdict step_sequence(struct tcp_conn *c, struct tcp_in *in)
{
    struct tcp_header *h = &in->h;
    bool rst = (h->flags & TCP_RST) != 0;
    /* What takes sequence space may have lost its ACK; what takes none may be one half of an
     * endless exchange. */
    bool must_ack = in->s->len > 0 || (h->flags & TCP_FIN);

    /* A simultaneous open: the SYN that we know, with the ACK of ours (RFC 9293, 3.5, figure 8). */
    if (c->state == TCP_SYN_RCVD && (h->flags & TCP_SYN) && h->seq == c->irs && !rst) {
        if (!(h->flags & TCP_ACK))
            return answer_syn_again(c);
        h->seq++;
        h->flags &= (uint8_t)~TCP_SYN;
    }
    if ((c->flags & TCP_CONN_TS) && !rst) {
        bool has_ts = (h->options & TCP_HAS_TS) != 0;

        if (!has_ts || is_old_timestamp(c, h)) {
            tcp_count(c->tcp, COUNTER_TCP_PAWS_DROPS);
            /* RFC 7323, 3.2: without the option it is dropped silently; 5.3, R1: with an old one,
             * acknowledged */
            if (!has_ts)
                return TCP_DROP;
            return must_ack ? TCP_ACK_NOW : TCP_CHALLENGE_ACK;
        }
    }
    if (!is_acceptable(c, in)) {
        if (rst)
            return TCP_DROP;
        if (tcp_seq_lt(in->s->seq, c->rcv_nxt))
            tcp_text_twice(c, in->s->seq, in->s->seq + in->s->len);
        return must_ack ? TCP_ACK_NOW : TCP_CHALLENGE_ACK;
    }
    note_timestamp(c, h);
    return TCP_NEXT;
}

/* RFC 5961, 3.2: only a RST at exactly RCV.NXT resets; elsewhere in the window it is challenged. */
static enum verdict step_rst(const struct tcp_conn *c, const struct tcp_in *in)
{
    if (!(in->h.flags & TCP_RST))
        return TCP_NEXT;
    return in->h.seq == c->rcv_nxt ? TCP_PEER_RESET : TCP_CHALLENGE_ACK;
}

/* RFC 5961, 4.2: a SYN in a synchronised state is challenged, whatever its number. */
static enum verdict step_syn(const struct tcp_in *in)
{
    return in->h.flags & TCP_SYN ? TCP_CHALLENGE_ACK : TCP_NEXT;
}

static enum verdict ack_of_syn(struct tcp_conn *c, const struct tcp_in *in)
{
    uint32_t ack = in->h.ack;

    if (!tcp_seq_gt(ack, c->snd_una) || tcp_seq_gt(ack, c->snd_max))
        return TCP_SEND_RESET;
    tcp_ack_take_window(c, in);
    tcp_conn_established(c);
    return TCP_NEXT;
}

/* What our FIN's acknowledgment means for the state. */
static enum verdict after_ack(struct tcp_conn *c)
{
    if (!tcp_ack_covers_fin(c))
        return TCP_NEXT;
    switch ((enum tcp_state)c->state) {
    case TCP_FIN_WAIT_1:
        tcp_conn_set_state(c, TCP_FIN_WAIT_2);
        if (c->flags & TCP_CONN_ORPHAN)
            tcp_timer_end_in(c, LIMIT_TCP_ORPHAN_MS * NS_PER_MS);
        return TCP_NEXT;
    case TCP_CLOSING: return TCP_TO_TIME_WAIT;
    case TCP_LAST_ACK: return TCP_FINISHED;
    default: UNREACHABLE("a FIN is due in these states alone");
    }
}

static enum verdict step_ack(struct tcp_conn *c, struct tcp_in *in)
{
    uint32_t ack = in->h.ack;

    if (!(in->h.flags & TCP_ACK))
        return TCP_DROP;
    if (c->state == TCP_SYN_RCVD) {
        enum verdict v = ack_of_syn(c, in);

        if (v != TCP_NEXT)
            return v;
    }
    /* RFC 5961, 5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT, or it is challenged */
    if (tcp_seq_gt(ack, c->snd_max) || tcp_seq_lt(ack, c->snd_una - c->snd_wnd_max))
        return TCP_CHALLENGE_ACK;
    tcp_ack_received(c, in);
    return after_ack(c);
}

static enum verdict step_text(struct tcp_conn *c, struct tcp_in *in)
{
    if (in->s->len == 0 || !tcp_fsm_may_receive(c->state))
        return TCP_NEXT;
    if (tcp_ecn_arrived(&c->ecn, in->h.flags, in->tos))
        tcp_output_ack_now(c);
    /* RFC 9293, 3.6.1: nobody will ever read this, and the peer must know */
    if ((c->flags & TCP_CONN_ORPHAN) && tcp_seq_gt(in->s->seq + in->s->len, c->rcv_nxt))
        return TCP_ABORT;
    tcp_text_received(c, in);
    return TCP_NEXT;
}

/* Notes where the peer's FIN stands; its turn comes when all before it is there. */
static void note_fin(struct tcp_conn *c, const struct tcp_in *in)
{
    if (!(in->h.flags & TCP_FIN) || (c->flags & TCP_CONN_PEER_FIN))
        return;
    if (!tcp_fsm_may_receive(c->state) || tcp_seq_gt(in->fin_seq, c->rcv_adv))
        return;
    c->flags |= TCP_CONN_PEER_FIN;
    c->rcv_fin = in->fin_seq;
    if (c->rcv_fin != c->rcv_nxt)
        tcp_output_ack_now(c);
}

static enum verdict step_fin(struct tcp_conn *c, const struct tcp_in *in)
{
    note_fin(c, in);
    if (!(c->flags & TCP_CONN_PEER_FIN) || c->rcv_fin != c->rcv_nxt)
        return TCP_NEXT;
    if (!tcp_fsm_may_receive(c->state))
        return TCP_NEXT;
    c->rcv_nxt++;
    c->rcv_adv = tcp_seq_max(c->rcv_adv, c->rcv_nxt);
    tcp_conn_drop_gaps(c);
    tcp_output_ack_now(c);
    switch ((enum tcp_state)c->state) {
    case TCP_ESTABLISHED: tcp_conn_set_state(c, TCP_CLOSE_WAIT); break;
    case TCP_FIN_WAIT_1: tcp_conn_set_state(c, TCP_CLOSING); break;
    case TCP_FIN_WAIT_2: return TCP_TO_TIME_WAIT;
    default: UNREACHABLE("a FIN is taken where bytes are");
    }
    tcp_stream_update(c);
    return TCP_NEXT;
}

static void apply_verdict(struct tcp_conn *c, const struct tcp_in *in, enum verdict v)
{
    switch (v) {
    case TCP_NEXT:
    case TCP_DROP: break;
    case TCP_ACK_NOW: tcp_output_ack_now(c); break;
    case TCP_CHALLENGE_ACK: tcp_output_challenge(c); break;
    case TCP_SEND_RESET: tcp_output_reset_for(c->tcp, in); break;
    case TCP_PEER_RESET: tcp_conn_fail(c); break;
    case TCP_ABORT:
        tcp_output_reset(c);
        tcp_conn_fail(c);
        break;
    case TCP_FINISHED: tcp_conn_finish(c); break;
    case TCP_TO_TIME_WAIT:
        tcp_output_last_ack(c);
        tcp_conn_to_time_wait(c);
        break;
    }
}

/* RFC 9293, 3.10.7.3: SYN-SENT. */
static enum verdict input_syn_sent(struct tcp_conn *c, struct tcp_in *in)
{
    struct tcp_header *h = &in->h;
    bool has_ack = (h->flags & TCP_ACK) != 0;

    if (has_ack && (!tcp_seq_gt(h->ack, c->iss) || tcp_seq_gt(h->ack, c->snd_max)))
        return h->flags & TCP_RST ? TCP_DROP : TCP_SEND_RESET;
    if (h->flags & TCP_RST)
        return has_ack ? TCP_PEER_RESET : TCP_DROP;
    if (!(h->flags & TCP_SYN))
        return TCP_DROP;
    if (has_ack && c->tcp->config.ecn && tcp_ecn_is_agreed(h->flags))
        in->h.options |= TCP_HAS_ECN;
    tcp_conn_start_receive(c, h);
    if (!has_ack) {
        /* A simultaneous open: our SYN goes out once more, with the ACK of theirs. */
        c->snd_nxt = c->iss;
        tcp_conn_set_state(c, TCP_SYN_RCVD);
        tcp_output_want(c);
        return TCP_DROP;
    }
    tcp_ack_take_window(c, in);
    tcp_conn_established(c);
    tcp_ack_received(c, in);
    tcp_output_ack_now(c);
    /* "If there are other controls or text in the segment, then continue processing at the sixth
     * step" */
    return TCP_NEXT;
}

/* A segment that brings bytes in order and nothing else? Each line is a doubt. */
static bool is_plain(const struct tcp_conn *c, const struct tcp_in *in)
{
    const struct tcp_header *h = &in->h;
    uint32_t len = in->s->len;
    bool doubt = c->state != TCP_ESTABLISHED; /* does it move the state? */

    doubt |= (h->flags & (uint8_t)~TCP_PSH) != TCP_ACK;        /* does it carry a control? */
    doubt |= h->seq != c->rcv_nxt || c->reasm != NULL;         /* is it in order? */
    doubt |= len == 0 || len > c->rcv_adv - c->rcv_nxt;        /* has it bytes that fit? */
    doubt |= h->ack != c->snd_una || c->snd_una != c->snd_max; /* does it acknowledge? */
    doubt |= (uint32_t)h->wnd << c->snd_wscale != c->snd_wnd;  /* does it move the window? */
    doubt |= (in->tos & TCP_ECN_MASK) == TCP_ECN_CE;           /* is the path congested? */
    doubt |= (c->flags & (TCP_CONN_ORPHAN | TCP_CONN_PEER_FIN | TCP_CONN_PERSIST)) != 0;
    if (c->flags & TCP_CONN_TS)
        doubt |= !(h->options & TCP_HAS_TS) || tcp_seq_lt(h->ts_val, c->ts_recent);
    return !doubt;
}

static void input_plain(struct tcp_conn *c, struct tcp_in *in)
{
    note_timestamp(c, &in->h);
    c->snd_wl1 = in->h.seq;
    tcp_text_in_order(c, in);
}

void tcp_input_conn(struct tcp_conn *c, struct tcp_in *in)
{
    enum verdict v;

    ASSERT(tcp_fsm_is_live(c->state));
    c->heard_ns = tcp_now_ns(c->tcp);
    if (is_plain(c, in) && !tcp_window_is_short(c->tcp)) {
        input_plain(c, in);
        return;
    }
    in->fin_seq = in->s->seq + in->s->len;
    if (c->state == TCP_SYN_SENT) {
        v = input_syn_sent(c, in);
    } else {
        v = step_sequence(c, in); /* first */
        if (v == TCP_NEXT)
            v = step_rst(c, in); /* second (third, security, is not done) */
        if (v == TCP_NEXT)
            v = step_syn(in); /* fourth */
        if (v == TCP_NEXT)
            v = step_ack(c, in); /* fifth (sixth: urgent data is data, RFC 6093) */
    }
    if (v == TCP_NEXT)
        v = step_text(c, in); /* seventh */
    if (v == TCP_NEXT)
        v = step_fin(c, in); /* eighth */
    apply_verdict(c, in, v);
}

/* RFC 1122, 4.2.3.10: nothing that is not from one host to one host gets an answer. */
static bool is_unicast(const struct addr *a)
{
    if (addr_is_v4(a))
        return a->octets[12] != 0 && a->octets[12] < 224;
    return !addr_is_group(a) && !addr_is_none(a);
}

/* Hands the segment to whatever the four-tuple belongs to. */
static void dispatch(struct tcp *t, struct tcp_in *in)
{
    uint32_t ref = tcp_table_find(&t->table, in->hash);
    struct tcp_conn *c;

    switch (TCP_REF_KIND(ref)) {
    case TCP_KIND_NONE: tcp_listen_input(t, in); break;
    case TCP_KIND_CONN:
        c = pool_at(t->conns, TCP_REF_NUMBER(ref));
        if (tcp_in_is_between(in, &c->stream.local, &c->stream.peer))
            tcp_input_conn(c, in);
        break;
    case TCP_KIND_SYN: tcp_half_input(t, TCP_REF_NUMBER(ref), in); break;
    case TCP_KIND_TW: tcp_time_wait_input(t, tcp_tw_at(&t->tws, TCP_REF_NUMBER(ref)), in); break;
    }
}

/* Takes p->s. False: it is no segment for anybody, and gone. */
static bool read_segment(struct tcp *t, const struct tcp_packet *p, struct tcp_in *in)
{
    struct seg *s = p->s;

    tcp_count(t, COUNTER_TCP_IN_SEGS);
    if (!tcp_wire_parse(s->data, s->len, &in->h) || in->h.src_port == 0 || in->h.dst_port == 0 ||
        !is_unicast(&p->src) || !is_unicast(&p->dst)) {
        tcp_count(t, COUNTER_TCP_IN_ERRS);
        seg_release(s);
        return false;
    }
    seg_pull(s, in->h.header_len);
    s->seq = in->h.seq + ((in->h.flags & TCP_SYN) != 0);
    in->s = s;
    in->local = (struct endpoint){ .addr = p->dst, .port = in->h.dst_port };
    in->peer = (struct endpoint){ .addr = p->src, .port = in->h.src_port };
    in->hash = tcp_conn_hash(t, &in->local, &in->peer);
    in->tos = p->tos;
    in->reuses = false;
    tcp_table_expect(&t->table, in->hash);
    return true;
}

/* What the segment's turn will read of its connection, if it has one. */
static void expect_conn(const struct tcp *t, const struct tcp_in *in)
{
    uint32_t ref = tcp_table_find(&t->table, in->hash);
    const uint8_t *c;

    if (TCP_REF_KIND(ref) != TCP_KIND_CONN)
        return;
    c = pool_at(t->conns, TCP_REF_NUMBER(ref));
    for (size_t line = 0; line < offsetof(struct tcp_conn, cc); line += 64)
        __builtin_prefetch(c + line, 1);
}

/*
 * First all headers are read, and the table's entries asked of memory; then the connections are,
 * some segments before their turn comes, so that the lines of one are on their way while others
 * are worked on. In its turn the table is asked again: a segment may change what the next finds.
 */
void tcp_input(struct tcp *t, const struct tcp_packet *packets, unsigned count)
{
    struct tcp_in burst[TCP_BURST];
    unsigned good = 0;

    ASSERT(count <= TCP_BURST);
    tcp_memory_look(&t->memory);
    for (unsigned i = 0; i < count; i++)
        good += read_segment(t, &packets[i], &burst[good]);
    for (unsigned i = 0; i < good && i < AHEAD; i++)
        expect_conn(t, &burst[i]);
    for (unsigned i = 0; i < good; i++) {
        if (i + AHEAD < good)
            expect_conn(t, &burst[i + AHEAD]);
        dispatch(t, &burst[i]);
        if (burst[i].s != NULL)
            seg_release(burst[i].s);
    }
}
