/*
 * What needs no connection block: listeners, half-open entries and TIME-WAIT entries. Happy path: a
 * SYN makes an entry and gets its SYN-ACK, the ACK makes a connection block of it, tcp_accept hands
 * the stream out.
 *
 * Failure modes: with three quarters of the entries in use, a SYN-ACK is a cookie (tcp_cookie.h),
 * so that a flood of SYNs grows nothing and keeps nobody out; when blocks or segments are short, a
 * SYN is not answered, and the peer tries again; a SYN-ACK that nobody answers is sent 6 times.
 */
#include "dataplane/tcp/tcp_conn.h"

#include "base/assert.h"

static bool is_any(const struct addr *a)
{
    static const struct addr zero;
    static const struct addr zero_v4 = { .octets = { [10] = 0xff, [11] = 0xff } };

    return addr_equal(a, &zero) || addr_equal(a, &zero_v4);
}

bool tcp_listen(struct tcp *t, const struct endpoint *at, void *cookie)
{
    if (t->listener_count == LIMIT_TCP_LISTENERS)
        return false;
    t->listeners[t->listener_count++] = (struct tcp_listener){ .at = *at, .cookie = cookie };
    return true;
}

static void forget_half_open(struct tcp *t, struct tcp_syn *e)
{
    tcp_table_remove(&t->table, e->hash);
    tcp_syn_remove(&t->syns, e);
}

void tcp_listen_stop(struct tcp *t)
{
    struct tcp_syn *e;

    t->listener_count = 0;
    while ((e = tcp_syn_oldest(&t->syns)) != NULL)
        forget_half_open(t, e);
}

struct stream *tcp_accept(struct tcp *t, void **cookie)
{
    struct list_node *n = list_pop(&t->accepts);
    struct tcp_conn *c;

    if (n == NULL)
        return NULL;
    c = LIST_ENTRY(n, struct tcp_conn, accept_link);
    ASSERT(c->flags & TCP_CONN_PASSIVE);
    ASSERT(!(c->flags & TCP_CONN_ACCEPTED));
    c->flags |= TCP_CONN_ACCEPTED;
    if (cookie != NULL)
        *cookie = t->listeners[c->listener].cookie;
    tcp_stream_update(c);
    return &c->stream;
}

/* The number of the listener for a local endpoint, or -1. */
static int find_listener(const struct tcp *t, const struct endpoint *local)
{
    for (uint32_t i = 0; i < t->listener_count; i++) {
        const struct endpoint *at = &t->listeners[i].at;

        if (at->port == local->port && (is_any(&at->addr) || addr_equal(&at->addr, &local->addr)))
            return (int)i;
    }
    return -1;
}

static uint16_t first_window(const struct tcp *t)
{
    uint32_t wnd = t->config.receive_bytes_max;

    return (uint16_t)(wnd < UINT16_MAX ? wnd : UINT16_MAX);
}

/* ts_val: NULL for the clock of timestamps as it is. */
static void send_syn_ack(struct tcp *t, const struct tcp_syn *e, const uint32_t *ts_val)
{
    struct tcp_header h = {
        .src_port = e->local.port,
        .dst_port = e->peer.port,
        .seq = e->iss,
        .ack = e->irs + 1,
        .flags = TCP_SYN | TCP_ACK,
        .wnd = first_window(t),
        .options = (uint8_t)(e->options | TCP_HAS_MSS),
        .mss = tcp_conn_local_mss(t, &e->peer.addr),
        .wscale = t->rcv_wscale,
        .ts_val = ts_val != NULL ? *ts_val : tcp_ts_now(t, e->ts_offset),
        .ts_ecr = e->ts_recent,
    };

    /* No segment now: the timer or the peer's next SYN brings us back. */
    tcp_output_bare(t, &h, &e->local.addr, &e->peer.addr);
}

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> for a half-open entry. */
static void challenge_half_open(struct tcp *t, const struct tcp_syn *e)
{
    struct tcp_header h = {
        .src_port = e->local.port,
        .dst_port = e->peer.port,
        .seq = e->iss + 1,
        .ack = e->irs + 1,
        .flags = TCP_ACK,
        .wnd = first_window(t),
        .options = e->options & TCP_HAS_TS,
        .ts_val = tcp_ts_now(t, e->ts_offset),
        .ts_ecr = e->ts_recent,
    };

    if (e->options & TCP_HAS_WSCALE)
        h.wnd = (uint16_t)(h.wnd >> t->rcv_wscale);
    if (!tcp_output_may_challenge(t, &t->challenge_s, &t->challenges))
        return;
    tcp_count(t, COUNTER_TCP_CHALLENGE_ACKS);
    tcp_output_bare(t, &h, &e->local.addr, &e->peer.addr);
}

/* The last quarter of the entries is for those that cannot be cookies. */
static bool is_flooded(const struct tcp *t)
{
    uint32_t count = pool_count(t->syns.pool);

    return pool_used(t->syns.pool) >= count - count / 4;
}

/* What a SYN says, and how we answer it. */
static struct tcp_syn read_syn(struct tcp *t, const struct tcp_in *in, int listener)
{
    const struct tcp_header *h = &in->h;
    struct tcp_syn syn = {
        .hash = in->hash,
        .local = in->local,
        .peer = in->peer,
        .irs = h->seq,
        .ts_recent = h->options & TCP_HAS_TS ? h->ts_val : 0,
        .mss = h->mss,
        .wscale = h->wscale,
        .options = h->options,
        .listener = (uint8_t)listener,
    };

    syn.iss = tcp_conn_choose_iss(t, &in->local, &in->peer, &syn.ts_offset);
    /* RFC 1122, 4.2.2.13: larger than the largest that the incarnation before used */
    if (in->reuses && !tcp_seq_gt(syn.iss, in->iss_after))
        syn.iss = in->iss_after + 1;
    return syn;
}

static void answer_with_cookie(struct tcp *t, struct tcp_syn *syn)
{
    struct tcp_cookie_syn keep = {
        .tuple = syn->hash,
        .irs = syn->irs,
        .mss = syn->options & TCP_HAS_MSS ? syn->mss : tcp_conn_default_mss(&syn->peer.addr),
        .wscale = syn->wscale,
        .options = syn->options,
    };
    uint32_t stamp = tcp_cookie_stamp(&keep, tcp_ts_now(t, syn->ts_offset));

    syn->iss = tcp_cookie_make(&t->cookies, &keep, tcp_now_ns(t));
    tcp_count(t, COUNTER_TCP_SYN_COOKIES_SENT);
    send_syn_ack(t, syn, &stamp);
}

/* RFC 9293, 3.10.7.2, third: a SYN in LISTEN. Its text, if any, is left for the peer to send again.
 */
static void take_syn(struct tcp *t, struct tcp_in *in, int listener)
{
    struct tcp_syn syn = read_syn(t, in, listener);
    struct tcp_syn *e;

    tcp_count(t, COUNTER_TCP_PASSIVE_OPENS);
    /* RFC 4987, 3.6 */
    if (!in->reuses && is_flooded(t)) {
        answer_with_cookie(t, &syn);
        return;
    }
    e = tcp_syn_add(&t->syns, &syn, tcp_now_ns(t));
    ASSERT(e != NULL);
    if (!tcp_table_insert(&t->table, e->hash, TCP_REF(TCP_KIND_SYN, pool_index(t->syns.pool, e))))
        UNREACHABLE("the segment was looked up, and found nothing");
    send_syn_ack(t, e, NULL);
}

/* The peer has acknowledged our SYN: a block in SYN-RCVD, as if it had been there from the SYN on.
 * One is free, and the four-tuple is not in the table. */
static struct tcp_conn *open_block(struct tcp *t, const struct tcp_syn *was)
{
    struct tcp_header syn = {
        .seq = was->irs,
        .options = was->options,
        .mss = was->mss,
        .wscale = was->wscale,
        .ts_val = was->ts_recent,
    };
    struct tcp_conn *c = tcp_conn_create(t, &was->local, &was->peer, was->hash);

    ASSERT(c != NULL);
    c->flags |= TCP_CONN_PASSIVE;
    if (was->retries > 0)
        c->flags |= TCP_CONN_SYN_LOST;
    c->listener = was->listener;
    c->ts_offset = was->ts_offset;
    tcp_conn_start_send(c, was->iss);
    c->snd_nxt = was->iss + 1;
    c->snd_max = was->iss + 1;
    tcp_conn_start_receive(c, &syn);
    tcp_conn_set_state(c, TCP_SYN_RCVD);
    tcp_timer_sent(c); /* should this ACK turn out to be old, the SYN-ACK goes on being sent */
    return c;
}

static bool has_block(struct tcp *t)
{
    if (pool_used(t->conns) < pool_count(t->conns))
        return true;
    tcp_count(t, COUNTER_TCP_SYN_DROPPED);
    return false;
}

/* An ACK in LISTEN: does it acknowledge a cookie? It may bring text, and a FIN, like any other. */
static bool take_cookie(struct tcp *t, struct tcp_in *in, int listener)
{
    const struct tcp_header *h = &in->h;
    const uint32_t *stamp = h->options & TCP_HAS_TS ? &h->ts_ecr : NULL;
    struct tcp_cookie_syn kept = { .tuple = in->hash, .irs = h->seq - 1 };
    struct tcp_syn syn;

    if (h->flags & TCP_SYN)
        return false;
    if (!tcp_cookie_open(&t->cookies, h->ack - 1, stamp, tcp_now_ns(t), &kept))
        return false;
    if (!has_block(t))
        return true;
    syn = read_syn(t, in, listener);
    syn.irs = kept.irs;
    syn.iss = h->ack - 1;
    syn.mss = kept.mss;
    syn.wscale = kept.wscale;
    syn.options = kept.options;
    tcp_count(t, COUNTER_TCP_SYN_COOKIES_RECV);
    tcp_input_conn(open_block(t, &syn), in);
    return true;
}

void tcp_listen_input(struct tcp *t, struct tcp_in *in)
{
    uint8_t flags = in->h.flags;
    int listener = find_listener(t, &in->local);

    /* first: RST is ignored; second: an ACK, and in CLOSED anything, is answered with RST */
    if (flags & TCP_RST)
        return;
    if (listener >= 0 && (flags & TCP_ACK) && take_cookie(t, in, listener))
        return;
    if (listener < 0 || (flags & TCP_ACK)) {
        tcp_output_reset_for(t, in);
        return;
    }
    if (!(flags & TCP_SYN) || (flags & TCP_FIN))
        return;
    if (pool_used(t->conns) == pool_count(t->conns) ||
        t->env.pool->ops->available(t->env.pool) < t->reserve) {
        tcp_count(t, COUNTER_TCP_SYN_DROPPED);
        return;
    }
    take_syn(t, in, listener);
}

static bool in_first_window(const struct tcp *t, const struct tcp_syn *e, uint32_t seq)
{
    return tcp_seq_ge(seq, e->irs + 1) && tcp_seq_lt(seq, e->irs + 1 + first_window(t));
}

void tcp_listen_half_open(struct tcp *t, struct tcp_syn *e, struct tcp_in *in)
{
    const struct tcp_header *h = &in->h;
    struct tcp_syn was = *e;

    if (h->flags & TCP_RST) {
        /* RFC 9293, 3.10.7.4, second: from a passive OPEN, back to LISTEN; RFC 5961, 3.2: if it is
         * exact */
        if (h->seq == e->irs + 1) {
            tcp_count(t, COUNTER_TCP_ATTEMPT_FAILS);
            forget_half_open(t, e);
        } else if (in_first_window(t, e, h->seq)) {
            challenge_half_open(t, e);
        }
        return;
    }
    if (h->flags & TCP_SYN) {
        /* The same SYN again: our SYN-ACK was lost. Another one: RFC 5961, 4.2. */
        if (h->seq == e->irs && !(h->flags & TCP_ACK))
            send_syn_ack(t, e, NULL);
        else
            challenge_half_open(t, e);
        return;
    }
    if (!in_first_window(t, e, h->seq)) {
        challenge_half_open(t, e);
        return;
    }
    if (!(h->flags & TCP_ACK))
        return;
    if (h->ack != e->iss + 1) {
        tcp_output_reset_for(t, in);
        return;
    }
    if (!has_block(t))
        return;
    forget_half_open(t, e);
    tcp_input_conn(open_block(t, &was), in);
}

void tcp_listen_forget_time_wait(struct tcp *t, struct tcp_tw *e)
{
    tcp_table_remove(&t->table, e->hash);
    tcp_tw_kill(&t->tws, e);
}

/* RFC 6191, 2, and RFC 1122, 4.2.2.13: a SYN that is surely newer than all of the connection
 * before. */
static bool may_reuse(const struct tcp_tw *e, const struct tcp_header *h)
{
    if ((h->flags & (TCP_SYN | TCP_ACK | TCP_FIN)) != TCP_SYN)
        return false;
    if (e->ts && (h->options & TCP_HAS_TS) && h->ts_val != e->ts_recent)
        return tcp_seq_gt(h->ts_val, e->ts_recent);
    return tcp_seq_gt(h->seq, e->rcv_nxt);
}

static void ack_time_wait(struct tcp *t, const struct tcp_tw *e, const struct tcp_in *in)
{
    struct tcp_header h = {
        .src_port = in->local.port,
        .dst_port = in->peer.port,
        .seq = e->snd_nxt,
        .ack = e->rcv_nxt,
        .flags = TCP_ACK,
        .wnd = e->wnd,
        .options = e->ts ? TCP_HAS_TS : 0,
        .ts_val = tcp_ts_now(t, e->ts_offset),
        .ts_ecr = e->ts_recent,
    };

    if (tcp_output_may_challenge(t, &t->challenge_s, &t->challenges))
        tcp_output_bare(t, &h, &in->local.addr, &in->peer.addr);
}

static uint64_t time_wait_due_ns(const struct tcp *t, const struct tcp_tw *e)
{
    uint32_t now_ms = (uint32_t)((tcp_now_ns(t) - t->born_ns) / NS_PER_MS);
    int32_t left_ms = tcp_seq_diff(e->due_ms, now_ms);

    return left_ms <= 0 ? tcp_now_ns(t) : tcp_now_ns(t) + (uint64_t)left_ms * NS_PER_MS;
}

/* Waits 2 MSL from now. Moved to the end of the ring, which stays in order. */
static void restart_time_wait(struct tcp *t, struct tcp_tw *e)
{
    uint64_t due_ns = tcp_now_ns(t) + t->config.time_wait_ms * NS_PER_MS;
    struct tcp_tw moved = *e;

    if (tcp_tw_full(&t->tws))
        return;
    moved.due_ms = (uint32_t)((due_ns - t->born_ns) / NS_PER_MS);
    tcp_tw_kill(&t->tws, e);
    tcp_table_replace(&t->table, moved.hash, TCP_REF(TCP_KIND_TW, tcp_tw_add(&t->tws, &moved)));
}

void tcp_listen_time_wait(struct tcp *t, struct tcp_tw *e, struct tcp_in *in)
{
    const struct tcp_header *h = &in->h;
    uint32_t end = h->seq + tcp_in_seq_len(in);

    /* RFC 1337, 3, (F1): a RST must not end TIME-WAIT early */
    if (h->flags & TCP_RST)
        return;
    /* A cookie could not begin after the sequence numbers before, so there must be an entry. */
    if (may_reuse(e, h) && pool_used(t->syns.pool) < pool_count(t->syns.pool)) {
        in->reuses = true;
        in->iss_after = e->snd_nxt;
        tcp_count(t, COUNTER_TCP_TIME_WAIT_REUSED);
        tcp_listen_forget_time_wait(t, e);
        tcp_listen_input(t, in);
        return;
    }
    /* RFC 9293, 3.10.7.4: what is not acceptable is answered with an ACK, and a pure ACK in order
     * with nothing */
    if (h->seq == e->rcv_nxt && end == h->seq)
        return;
    ack_time_wait(t, e, in);
    /* eighth: the peer's FIN again restarts the 2 MSL time-out */
    if ((h->flags & TCP_FIN) && end == e->rcv_nxt)
        restart_time_wait(t, e);
}

uint64_t tcp_listen_next_time_wait_ns(const struct tcp *t)
{
    const struct tcp_tw *e = tcp_tw_oldest(&t->tws);

    return e == NULL ? UINT64_MAX : time_wait_due_ns(t, e);
}

unsigned tcp_listen_timers(struct tcp *t)
{
    uint64_t now = tcp_now_ns(t);
    unsigned fired = 0;
    struct tcp_syn *e;

    while ((e = tcp_syn_due(&t->syns, now)) != NULL) {
        fired++;
        if (tcp_syn_retry(&t->syns, e, now)) {
            tcp_count(t, COUNTER_TCP_RETRANS_SEGS);
            send_syn_ack(t, e, NULL);
        } else {
            tcp_count(t, COUNTER_TCP_SYN_EXPIRED);
            forget_half_open(t, e);
        }
    }
    while (tcp_listen_next_time_wait_ns(t) <= now) {
        fired++;
        tcp_listen_forget_time_wait(t, tcp_tw_oldest(&t->tws));
    }
    return fired;
}
