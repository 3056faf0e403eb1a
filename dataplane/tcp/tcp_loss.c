/*
 * What is lost and what follows. Happy path: an ACK covers all that was out, and the window grows.
 *
 * With SACK, RACK finds losses, and a tail without an answer is probed before the time-out;
 * without, three duplicate ACKs are a loss (RFC 5681, 3.2), and each partial acknowledgment tells
 * of the next (RFC 6582). Either way recovery ends when all is acknowledged that was out when it
 * began, and the window follows PRR meanwhile. What a time-out found lost is sent again in slow
 * start.
 */
#include "dataplane/tcp/tcp_conn.h"

#include "base/assert.h"

#define DUP_ACKS_LOSS 3 /* RFC 5681, 3.2 */
/* RFC 8985, 7.2, TLP.max_ack_delay: a single segment's ACK may be delayed so long. */
#define ACK_DELAY_MAX_NS (200 * NS_PER_MS)
/* Of the send buffer: a record for so many bytes may be in use, four times as many with splits. */
#define RECORD_BYTES 1024

uint32_t tcp_loss_records(uint32_t send_bytes_max)
{
    return send_bytes_max / RECORD_BYTES;
}

void tcp_loss_init(struct tcp_conn *c)
{
    c->flight->loss = (struct tcp_loss){ .recover = c->snd_max, .cut_end = c->snd_max };
    tcp_sentq_init(&c->flight->loss.sent, c->tcp->sents);
    tcp_rack_init(&c->flight->loss.rack, &c->path, c->snd_max);
    tcp_hystart_begin(&c->flight->hystart, c->snd_max);
}

void tcp_loss_clear(struct tcp_conn *c)
{
    tcp_sentq_clear(&c->flight->loss.sent);
}

/* Without SACK each duplicate ACK is a full segment that has arrived. */
static uint32_t duplicate_bytes(const struct tcp_conn *c)
{
    return (uint32_t)c->dup_acks * c->snd_mss;
}

uint32_t tcp_loss_in_flight(const struct tcp_conn *c)
{
    uint32_t arrived = duplicate_bytes(c);

    return c->flight->loss.sent.pipe > arrived ? c->flight->loss.sent.pipe - arrived : 0;
}

static uint32_t window_us(const struct tcp_conn *c)
{
    return tcp_rack_window_us(&c->flight->loss.rack, &c->flight->loss.sent, c->rtt.srtt_us,
                              c->cc.recovering);
}

/* RFC 8985, 7.2. 0: no probe, since something is known to be lost, or the time-out comes first. */
static uint64_t tail_wait_ns(const struct tcp_conn *c)
{
    const struct tcp_sentq *q = &c->flight->loss.sent;
    uint64_t wait_ns = 2 * c->rtt.srtt_us * NS_PER_US;

    if (q->count == 0 || q->sacked_count > 0 || q->lost_count > 0 || c->flight->loss.tail_out ||
        c->flight->loss.tail_due)
        return 0;
    if (!(c->flags & TCP_CONN_SACK) || c->cc.recovering || c->rtt.srtt_us == 0 ||
        c->rtt.backoff > 0)
        return 0;
    if (q->count == 1)
        wait_ns += ACK_DELAY_MAX_NS;
    return tcp_now_ns(c->tcp) + wait_ns < c->flight->due_resend ? wait_ns : 0;
}

static void arm_tail(struct tcp_conn *c)
{
    uint64_t wait_ns = tail_wait_ns(c);

    c->flight->loss.tail_armed = wait_ns > 0;
    tcp_timer_loss_in(c, wait_ns);
}

void tcp_loss_sent(struct tcp_conn *c)
{
    if (c->flight->loss.tail_armed || c->flight->due_loss == 0)
        arm_tail(c);
}

/* A window that was cut for what was late, not lost, is given back (RFC 4015); timestamps will
 * tell. */
static void remember(struct tcp_conn *c)
{
    if (c->cc.recovering || c->flight->loss.undo_ns != 0 || !(c->flags & TCP_CONN_TS))
        return;
    c->flight->loss.before = c->cc;
    c->flight->loss.undo_ns = tcp_now_ns(c->tcp);
    c->flight->loss.undo_seq = c->snd_una;
    c->flight->loss.undo_resent = 0;
}

static void undo(struct tcp_conn *c)
{
    tcp_count(c->tcp, COUNTER_TCP_SPURIOUS);
    c->cc = c->flight->loss.before;
    c->cc.mss = c->snd_mss; /* the path may have become narrower meanwhile */
    c->rtt.backoff = 0;
    c->flight->loss.recover = c->snd_una; /* what was lost indeed begins a recovery of its own */
    tcp_sentq_found(&c->flight->loss.sent);
    c->flight->loss.rack.reordered = true;
    c->flight->loss.undo_ns = 0;
}

/*
 * RFC 3522, 3: does the hole's ACK echo the first copy, from before anything was sent again? Of
 * several, each copy must come twice (RFC 3708, 3): a late one beside a lost one undoes nothing.
 */
static void judge_loss(struct tcp_conn *c, const struct tcp_rack_ack *a, uint32_t acked, bool twice)
{
    struct tcp_loss *l = &c->flight->loss;
    bool late = a->echo_ns != 0 && a->echo_ns + NS_PER_MS <= l->undo_ns;
    bool ours = tcp_seq_gt(c->snd_una, l->undo_seq);

    if (l->undo_ns == 0)
        return;
    if (twice && l->undo_resent > 0 && --l->undo_resent == 0)
        undo(c);
    else if (acked > 0 && late && ours && l->undo_resent <= 1)
        undo(c);
    else if (acked > 0 && !late)
        l->undo_ns = 0;
}

static void note_cut(struct tcp_conn *c)
{
    c->flight->loss.cut_end = c->snd_max;
    tcp_ecn_cut(&c->ecn);
}

/* The window comes down for a loss among `flight` bytes. */
static void cut(struct tcp_conn *c, uint32_t flight)
{
    ASSERT(!c->cc.recovering);
    ASSERT(c->cc.cwnd > 0);
    c->flight->loss.cut_ns = tcp_now_ns(c->tcp);
    c->tcp->cc->on_loss(&c->cc, flight);
    note_cut(c);
    tcp_prr_begin(&c->flight->loss.prr, flight);
}

static void enter_recovery(struct tcp_conn *c)
{
    uint32_t flight = c->snd_max - c->snd_una;

    tcp_count(c->tcp, COUNTER_TCP_FAST_RETRANS);
    c->flight->loss.recover = c->snd_max;
    remember(c);
    /* What is SACKed is out no more, but still counted there. */
    cut(c, flight < c->cc.cwnd ? flight : c->cc.cwnd);
    c->flags |= TCP_CONN_RESEND;
}

/* RFC 3168, 6.1.2: as for a loss, once for what was out when the window was cut, but nothing is
 * sent again; what is out drains to the new window. */
static void heed_ece(struct tcp_conn *c, const struct tcp_in *in)
{
    uint32_t flight = c->snd_max - c->snd_una;

    if (c->cc.recovering || !tcp_ecn_is_congested(&c->ecn, in->h.flags) ||
        tcp_seq_le(in->h.ack, c->flight->loss.cut_end))
        return;
    tcp_count(c->tcp, COUNTER_TCP_ECN_CUTS);
    c->flight->loss.undo_ns = 0;
    cut(c, flight < c->cc.cwnd ? flight : c->cc.cwnd);
    c->tcp->cc->on_recovered(&c->cc);
}

/* RFC 5681, 4.3: the loss of a retransmission is one more sign of congestion; once in a round trip.
 */
static void cut_again(struct tcp_conn *c)
{
    const struct tcp_sent *s = tcp_sentq_first_lost(&c->flight->loss.sent);

    if (!(s->flags & TCP_SENT_AGAIN) ||
        tcp_now_ns(c->tcp) - c->flight->loss.cut_ns < c->rtt.srtt_us * NS_PER_US)
        return;
    c->flight->loss.undo_ns = 0;
    c->tcp->cc->on_recovered(&c->cc);
    cut(c, c->cc.cwnd);
}

static void leave_recovery(struct tcp_conn *c)
{
    c->tcp->cc->on_recovered(&c->cc);
    c->dup_acks = 0;
    tcp_rack_recovered(&c->flight->loss.rack);
}

/* Losses that RACK finds now; it looks again in its time. */
static void detect(struct tcp_conn *c)
{
    struct tcp_loss *l = &c->flight->loss;
    uint64_t wait_ns = 0;

    tcp_rack_detect(&l->rack, &l->sent, tcp_now_ns(c->tcp), window_us(c), &wait_ns);
    l->tail_armed = false;
    l->tail_due = false; /* what it was to ask, this ACK has told */
    if (wait_ns > 0)
        tcp_timer_loss_in(c, wait_ns);
    else
        arm_tail(c);
}

/* What is found lost begins a recovery, but for what was out at the last one's begin or at a
 * time-out (RFC 6582, 3.2, step 2). */
static void act_on_losses(struct tcp_conn *c)
{
    if (c->flight->loss.sent.lost_count == 0)
        return;
    if (c->cc.recovering)
        cut_again(c);
    else if (tcp_seq_ge(c->snd_una, c->flight->loss.recover))
        enter_recovery(c);
    tcp_output_want(c);
}

/* RFC 2883, 4: the first block tells of what came twice if it lies below the ACK or in the second.
 */
static bool is_dsack(const struct tcp_header *h)
{
    const struct tcp_wire_sack *b = h->sacks;

    if (tcp_seq_le(b[0].end, h->ack))
        return true;
    return h->sack_count > 1 && tcp_seq_ge(b[0].start, b[1].start) &&
           tcp_seq_le(b[0].end, b[1].end);
}

static bool is_sane(const struct tcp_conn *c, const struct tcp_wire_sack *block)
{
    return tcp_seq_lt(block->start, block->end) &&
           tcp_seq_ge(block->start, c->snd_una - c->snd_wnd_max) &&
           tcp_seq_le(block->end, c->snd_max);
}

/* True: something came twice. Blocks of what we did not send are not believed. */
static bool take_sacks(struct tcp_conn *c, const struct tcp_header *h, struct tcp_rack_ack *a)
{
    struct tcp_loss *l = &c->flight->loss;
    bool twice = h->sack_count > 0 && is_sane(c, &h->sacks[0]) && is_dsack(h);

    for (unsigned i = twice ? 1 : 0; i < h->sack_count; i++) {
        const struct tcp_wire_sack *block = &h->sacks[i];

        if (is_sane(c, block) && tcp_seq_ge(block->start, c->snd_una))
            tcp_rack_sacked(&l->rack, &l->sent, block, a);
    }
    if (twice)
        tcp_rack_dsacked(&l->rack, c->snd_una, c->snd_nxt);
    return twice;
}

/* RFC 8985, 7.4: was the tail lost, and did the probe repair it? Then it counts as a loss. */
static void judge_tail(struct tcp_conn *c, const struct tcp_header *h, uint32_t acked, bool twice)
{
    struct tcp_loss *l = &c->flight->loss;

    if (!l->tail_out || tcp_seq_lt(h->ack, l->tail_end))
        return;
    if (l->tail_again && !twice && h->ack == l->tail_end && acked == 0 && h->sack_count == 0) {
        l->tail_out = false; /* a duplicate ACK: both copies have arrived */
        return;
    }
    if (!l->tail_again || twice) {
        l->tail_out = false;
        return;
    }
    if (h->ack == l->tail_end)
        return; /* of the first copy or the second: the next ACK will tell */
    l->tail_out = false;
    if (!c->cc.recovering) {
        enter_recovery(c);
        leave_recovery(c);
        c->flight->loss.undo_ns = 0; /* the probe repaired it: it was lost indeed */
    }
}

/* Duplicate ACKs without SACK: what do they tell has arrived? */
static void count_duplicates(struct tcp_conn *c, struct tcp_rack_ack *a, uint32_t acked,
                             bool duplicate)
{
    uint32_t told = duplicate_bytes(c);

    if (duplicate) {
        a->delivered = c->snd_mss;
        if (c->dup_acks < UINT8_MAX)
            c->dup_acks++;
    } else if (acked > 0) {
        /* Most of it was told by duplicates; one segment filled the hole. */
        a->delivered = acked > told + c->snd_mss ? acked - told : c->snd_mss;
        told = told + c->snd_mss > acked ? told + c->snd_mss - acked : 0;
        told = c->cc.recovering ? told / c->snd_mss : 0;
        c->dup_acks = (uint8_t)told;
    }
}

static void find_by_duplicates(struct tcp_conn *c, uint32_t acked)
{
    struct tcp_sent *first = tcp_sentq_first(&c->flight->loss.sent);

    if (first == NULL || (first->flags & TCP_SENT_LOST))
        return;
    /* The third, for what was not out at a time-out or loss before; or, in recovery, a partial
     * acknowledgment (RFC 6582, 3.2, steps 2 and 3). */
    if (c->cc.recovering
            ? acked > 0
            : c->dup_acks == DUP_ACKS_LOSS && tcp_seq_ge(c->snd_una, c->flight->loss.recover))
        tcp_sentq_lost(&c->flight->loss.sent, tcp_sentq_part_first(&c->flight->loss.sent, first));
}

/*
 * RFC 9406, in the first slow start alone. The round trip of what was sent last counts: that of
 * what was sent first has the delay of its ACK in it. Returns what the window may grow for.
 */
static uint32_t watch_slow_start(struct tcp_conn *c, const struct tcp_rack_ack *a, uint32_t acked)
{
    uint32_t rtt_us = a->rtt_us == 0 ? 0 : c->flight->loss.rack.rtt_us; /* Karn */

    if (c->cc.ssthresh != TCP_CC_WINDOW_MAX || acked == 0)
        return acked;
    switch (tcp_hystart_acked(&c->flight->hystart, c->snd_una, c->snd_nxt, rtt_us)) {
    case TCP_HYSTART_FAST: break;
    case TCP_HYSTART_CAREFUL: return acked / TCP_HYSTART_DIVISOR;
    case TCP_HYSTART_FINISHED: c->cc.ssthresh = c->cc.cwnd; break;
    }
    return acked;
}

static void move_window(struct tcp_conn *c, const struct tcp_rack_ack *a, uint32_t acked)
{
    uint32_t flight = acked + (c->snd_max - c->snd_una);

    if (c->cc.recovering) {
        c->cc.cwnd = tcp_prr_window(&c->flight->loss.prr, a->delivered, tcp_loss_in_flight(c),
                                    c->cc.ssthresh, c->snd_mss);
        return;
    }
    acked = watch_slow_start(c, a, acked);
    if (acked > 0 && flight >= c->cc.cwnd / 2) /* who did not use it learnt nothing of it */
        c->tcp->cc->on_ack(&c->cc, acked, a->now_ns, c->rtt.srtt_us);
}

void tcp_loss_acked(struct tcp_conn *c, const struct tcp_in *in, struct tcp_rack_ack *a,
                    uint32_t acked, bool duplicate)
{
    bool sack = (c->flags & TCP_CONN_SACK) != 0;
    bool twice = sack && take_sacks(c, &in->h, a);
    bool ours = twice && tcp_seq_gt(in->h.sacks[0].end, c->flight->loss.undo_seq);

    if (sack)
        judge_tail(c, &in->h, acked, twice);
    else
        count_duplicates(c, a, acked, duplicate);
    judge_loss(c, a, acked, ours);
    if (c->cc.recovering && tcp_seq_ge(c->snd_una, c->flight->loss.recover))
        leave_recovery(c);
    heed_ece(c, in);
    if (sack && (acked > 0 || a->delivered > 0))
        detect(c);
    else if (!sack)
        find_by_duplicates(c, acked);
    act_on_losses(c);
    move_window(c, a, acked);
    if (a->delivered > 0)
        tcp_output_want(c);
}

void tcp_loss_timed_out(struct tcp_conn *c)
{
    struct tcp_sentq *q = &c->flight->loss.sent;

    remember(c);
    c->tcp->cc->on_rto(&c->cc, c->snd_max - c->snd_una, c->rtt.backoff == 0);
    note_cut(c);
    if (c->flight->mtu_probe.timeouts > 1)
        tcp_ecn_bar(&c->ecn);
    ASSERT(!c->cc.recovering);
    tcp_rack_timed_out(&c->flight->loss.rack, q, tcp_now_ns(c->tcp), window_us(c));
    for (struct tcp_sent *s = tcp_sentq_first(q); s != NULL; s = tcp_sentq_next(q, s))
        if (s->flags & TCP_SENT_LOST)
            tcp_sentq_gather(q, s, c->snd_mss);
    c->flight->loss.recover = c->snd_max;
    c->dup_acks = 0;
    c->flight->loss.tail_out = false;
    c->flight->loss.tail_due = false;
    c->flight->loss.tail_armed = false;
    tcp_timer_loss_in(c, 0);
    c->flags |= TCP_CONN_RESEND;
}

void tcp_loss_too_big(struct tcp_conn *c)
{
    struct tcp_sentq *q = &c->flight->loss.sent;

    for (struct tcp_sent *s = tcp_sentq_first(q); s != NULL; s = tcp_sentq_next(q, s))
        if (!(s->flags & (TCP_SENT_SACKED | TCP_SENT_LOST)))
            tcp_sentq_lost(q, s);
    /* Whole runs, to be cut anew as they leave. */
    for (struct tcp_sent *s = tcp_sentq_first(q); s != NULL; s = tcp_sentq_next(q, s))
        if (s->flags & TCP_SENT_LOST)
            tcp_sentq_gather(q, s, UINT32_MAX);
    c->flight->loss.recover = c->snd_max; /* so that it begins no recovery: nothing is congested */
    c->flight->loss.tail_out = false;
    c->flight->loss.tail_due = false;
    c->dup_acks = 0;
    tcp_output_want(c);
}

void tcp_loss_timer(struct tcp_conn *c)
{
    static const struct tcp_rack_ack nothing;

    if (c->flight->loss.tail_armed) {
        c->flight->loss.tail_armed = false;
        c->flight->loss.tail_due = true;
        tcp_output_want(c);
        return;
    }
    detect(c);
    act_on_losses(c);
    move_window(c, &nothing, 0);
}
