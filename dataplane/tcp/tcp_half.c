/*
 * RFC 9293's SYN-RECEIVED after a passive open, without a block. Happy path: a SYN makes an entry
 * and gets its SYN-ACK, the ACK makes a connection block of it.
 *
 * Failure modes: a SYN-ACK that nobody answers is sent 6 times; when no block is free at the ACK,
 * it is not answered, and the entry waits for the peer's next segment.
 */
#include "dataplane/tcp/tcp_half.h"

#include "base/assert.h"

void tcp_half_answer(struct tcp *t, const struct tcp_syn *syn, uint32_t ts_val)
{
    struct tcp_header h = {
        .src_port = syn->local.port,
        .dst_port = syn->peer.port,
        .seq = syn->iss,
        .ack = syn->irs + 1,
        .flags = TCP_SYN | TCP_ACK | (syn->options & TCP_HAS_ECN ? TCP_ECE : 0),
        .wnd = tcp_window_of_syn(t),
        .options = syn->options,
        .mss = tcp_conn_local_mss(t, &syn->peer.addr),
        .wscale = t->rcv_wscale,
        .ts_val = ts_val,
        .ts_ecr = syn->ts_recent,
    };

    /* No segment now: the timer or the peer's next SYN brings us back. */
    tcp_output_bare(t, &h, &syn->local.addr, &syn->peer.addr);
}

static void send_syn_ack(struct tcp *t, const struct tcp_syn *syn)
{
    tcp_half_answer(t, syn, tcp_ts_now(t, syn->ts_offset));
}

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
static void challenge(struct tcp *t, const struct tcp_syn *syn)
{
    struct tcp_header h = {
        .src_port = syn->local.port,
        .dst_port = syn->peer.port,
        .seq = syn->iss + 1,
        .ack = syn->irs + 1,
        .flags = TCP_ACK,
        .wnd = tcp_window_of_syn(t),
        .options = syn->options & TCP_HAS_TS,
        .ts_val = tcp_ts_now(t, syn->ts_offset),
        .ts_ecr = syn->ts_recent,
    };

    if (syn->options & TCP_HAS_WSCALE)
        h.wnd = (uint16_t)(h.wnd >> t->rcv_wscale);
    if (tcp_output_may_challenge(t))
        tcp_output_bare(t, &h, &syn->local.addr, &syn->peer.addr);
}

bool tcp_half_open(struct tcp *t, const struct tcp_syn *syn)
{
    uint32_t number = tcp_syn_add(&t->syns, syn, tcp_now_ns(t));

    if (number == TCP_SYN_NONE)
        return false;
    if (!tcp_table_insert(&t->table, syn->hash, TCP_REF(TCP_KIND_SYN, number)))
        UNREACHABLE("the segment was looked up, and found nothing");
    send_syn_ack(t, syn);
    return true;
}

/* A block in SYN-RCVD, as if it had been there from the SYN on. */
static struct tcp_conn *make_block(struct tcp *t, const struct tcp_syn *syn)
{
    struct tcp_header h = {
        .seq = syn->irs,
        .options = syn->options,
        .mss = syn->mss,
        .wscale = syn->wscale,
        .ts_val = syn->ts_recent,
    };
    struct tcp_conn *c = tcp_conn_create(t, &syn->local, &syn->peer, syn->hash);

    ASSERT(c != NULL);
    c->flags |= TCP_CONN_PASSIVE;
    if (syn->retries > 0)
        c->flags |= TCP_CONN_SYN_LOST;
    c->retrans = syn->retries;
    c->listener = syn->listener;
    c->ts_offset = syn->ts_offset;
    tcp_conn_start_send(c, syn->iss);
    tcp_conn_start_receive(c, &h);
    tcp_conn_set_state(c, TCP_SYN_RCVD);
    return c;
}

void tcp_half_open_block(struct tcp *t, const struct tcp_syn *syn)
{
    tcp_output_want(make_block(t, syn));
}

void tcp_half_promote(struct tcp *t, const struct tcp_syn *syn, struct tcp_in *in)
{
    struct tcp_conn *c = make_block(t, syn);

    c->snd_nxt = syn->iss + 1;
    c->snd_max = syn->iss + 1;
    tcp_timer_sent(c); /* should this ACK turn out to be old, the SYN-ACK goes on being sent */
    tcp_input_conn(c, in);
}

bool tcp_half_admits(struct tcp *t, const struct tcp_in *in, int listener)
{
    const struct tcp_listener *l = &t->listeners[listener];

    if (pool_used(t->conns) == pool_count(t->conns)) {
        tcp_count(t, COUNTER_TCP_SYN_DROPPED);
        return false;
    }
    if (tcp_prefix_has_room(&t->prefixes, &in->peer.addr, t->config.host_max,
                            t->config.network_max) ||
        addr_nets_have(l->proxies, l->proxy_count, &in->peer.addr))
        return true;
    tcp_count(t, COUNTER_TCP_PREFIX_REFUSED);
    tcp_output_reset_for(t, in);
    return false;
}

/* All of an entry. */
static struct tcp_syn unpack(const struct tcp *t, uint32_t number)
{
    struct tcp_syn syn;

    tcp_syn_get(&t->syns, number, tcp_now_ns(t), &syn);
    syn.hash = tcp_conn_hash(t, &syn.local, &syn.peer);
    syn.iss = tcp_conn_choose_iss(t, &syn.local, &syn.peer, syn.created_ns, &syn.ts_offset);
    return syn;
}

static void forget(struct tcp *t, uint32_t number, const struct tcp_syn *syn)
{
    tcp_table_remove(&t->table, syn->hash);
    tcp_syn_remove(&t->syns, number);
}

static bool in_first_window(const struct tcp *t, const struct tcp_syn *syn, uint32_t seq)
{
    return tcp_seq_ge(seq, syn->irs + 1) && tcp_seq_lt(seq, syn->irs + 1 + tcp_window_of_syn(t));
}

/* RFC 9293, 3.4, table 6: is any of the segment inside of the first window? */
static bool is_acceptable(const struct tcp *t, const struct tcp_syn *syn, const struct tcp_in *in)
{
    uint32_t end = in->h.seq + tcp_in_seq_len(in);

    return in_first_window(t, syn, in->h.seq) ||
           (tcp_seq_le(in->h.seq, syn->irs) && tcp_seq_gt(end, syn->irs + 1));
}

/* RFC 9293, 3.10.7.4, second: from a passive OPEN, back to LISTEN; RFC 5961, 3.2: if it is exact */
static void take_reset(struct tcp *t, uint32_t number, const struct tcp_syn *syn, uint32_t seq)
{
    if (seq == syn->irs + 1) {
        tcp_count(t, COUNTER_TCP_ATTEMPT_FAILS);
        forget(t, number, syn);
    } else if (in_first_window(t, syn, seq)) {
        challenge(t, syn);
    }
}

void tcp_half_input(struct tcp *t, uint32_t number, struct tcp_in *in)
{
    const struct tcp_header *h = &in->h;
    struct tcp_syn syn = unpack(t, number);

    if (!tcp_in_is_between(in, &syn.local, &syn.peer))
        return;
    if (h->flags & TCP_RST) {
        take_reset(t, number, &syn, h->seq);
        return;
    }
    if (h->flags & TCP_SYN) {
        /* The same SYN again: our SYN-ACK was lost. Another one: RFC 5961, 4.2. */
        if (h->seq == syn.irs && !(h->flags & TCP_ACK))
            send_syn_ack(t, &syn);
        else
            challenge(t, &syn);
        return;
    }
    if (!is_acceptable(t, &syn, in)) {
        challenge(t, &syn);
        return;
    }
    if (!(h->flags & TCP_ACK))
        return;
    if (h->ack != syn.iss + 1) {
        tcp_output_reset_for(t, in);
        return;
    }
    if (!tcp_half_admits(t, in, syn.listener))
        return;
    forget(t, number, &syn);
    tcp_half_promote(t, &syn, in);
}

void tcp_half_stop(struct tcp *t)
{
    for (uint32_t n = tcp_syn_next(&t->syns, 0); n != TCP_SYN_NONE;
         n = tcp_syn_next(&t->syns, n + 1)) {
        struct tcp_syn syn = unpack(t, n);

        forget(t, n, &syn);
    }
}

unsigned tcp_half_timers(struct tcp *t)
{
    unsigned fired;

    for (fired = 0; fired < LIMIT_TCP_SYN_ACKS_PER_TURN; fired++) {
        uint32_t number = tcp_syn_due(&t->syns, tcp_now_ns(t));
        struct tcp_syn syn;

        if (number == TCP_SYN_NONE)
            break;
        syn = unpack(t, number);
        if (tcp_syn_retry(&t->syns, number)) {
            tcp_count(t, COUNTER_TCP_RETRANS_SEGS);
            send_syn_ack(t, &syn);
        } else {
            tcp_count(t, COUNTER_TCP_SYN_EXPIRED);
            forget(t, number, &syn);
        }
    }
    return fired;
}
