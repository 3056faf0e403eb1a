/*
 * RFC 9293's TIME-WAIT, without a block. Happy path: the peer's last FIN comes again and is
 * acknowledged again; after 2 MSL the entry goes.
 *
 * Failure modes: a peer that is in a hurry opens the same four-tuple anew, and may if its SYN is
 * surely newer (RFC 6191); with all entries in use, tcp_conn_to_time_wait takes the oldest.
 */
#include "dataplane/tcp/tcp_time_wait.h"

#include "base/assert.h"
#include "dataplane/tcp/tcp_listen.h"

#define TICK_SHIFT 29 /* clock ns to ticks of half a second, 256 of which are two lives */

void tcp_time_wait_forget(struct tcp *t, struct tcp_tw *e)
{
    tcp_table_remove(&t->table, e->hash);
    tcp_tw_kill(&t->tws, e);
}

/* RFC 6191, 2, and RFC 1122, 4.2.2.13: a SYN that is surely newer than all of the connection
 * before. */
static bool may_reuse(const struct tcp_tw *e, const struct tcp_header *h)
{
    bool ts = (h->options & TCP_HAS_TS) != 0;

    if ((h->flags & (TCP_SYN | TCP_ACK | TCP_FIN)) != TCP_SYN)
        return false;
    if (ts && !e->ts)
        return true; /* what is left of the old one has no timestamps, so PAWS drops it */
    if (ts && h->ts_val != e->ts_recent)
        return tcp_seq_gt(h->ts_val, e->ts_recent);
    return tcp_seq_gt(h->seq, e->rcv_nxt);
}

/*
 * What takes sequence space may have lost its ACK, and is sent again ever more slowly. What takes
 * none may be one half of an endless exchange: an entry answers once in half a second.
 */
static bool may_answer(struct tcp *t, struct tcp_tw *e, const struct tcp_in *in)
{
    uint8_t tick = (uint8_t)(tcp_now_ns(t) >> TICK_SHIFT);

    if (in->s->len > 0 || (in->h.flags & TCP_FIN))
        return true;
    if ((e->answered && e->answered_tick == tick) || !tcp_output_may_challenge(t))
        return false;
    e->answered = true;
    e->answered_tick = tick;
    return true;
}

static void send_ack(struct tcp *t, const struct tcp_tw *e, const struct tcp_in *in)
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

    tcp_output_bare(t, &h, &in->local.addr, &in->peer.addr);
}

static uint64_t due_ns_of(const struct tcp *t, const struct tcp_tw *e)
{
    uint32_t now_ms = (uint32_t)((tcp_now_ns(t) - t->born_ns) / NS_PER_MS);
    int32_t left_ms = tcp_seq_diff(e->due_ms, now_ms);

    return left_ms <= 0 ? tcp_now_ns(t) : tcp_now_ns(t) + (uint64_t)left_ms * NS_PER_MS;
}

/* Waits 2 MSL from now. Moved to the end of the ring, which stays in order. */
static void restart(struct tcp *t, struct tcp_tw *e)
{
    uint64_t due_ns = tcp_now_ns(t) + t->config.time_wait_ms * NS_PER_MS;
    struct tcp_tw moved = *e;

    if (tcp_tw_full(&t->tws))
        return;
    moved.due_ms = (uint32_t)((due_ns - t->born_ns) / NS_PER_MS);
    tcp_tw_kill(&t->tws, e);
    tcp_table_replace(&t->table, moved.hash, TCP_REF(TCP_KIND_TW, tcp_tw_add(&t->tws, &moved)));
}

void tcp_time_wait_input(struct tcp *t, struct tcp_tw *e, struct tcp_in *in)
{
    const struct tcp_header *h = &in->h;
    uint32_t end = h->seq + tcp_in_seq_len(in);

    /* RFC 1337, 3, (F1): a RST must not end TIME-WAIT early */
    if (h->flags & TCP_RST)
        return;
    if (may_reuse(e, h)) {
        in->reuses = true;
        in->iss_after = e->snd_nxt;
        tcp_count(t, COUNTER_TCP_TIME_WAIT_REUSED);
        tcp_time_wait_forget(t, e);
        tcp_listen_input(t, in);
        return;
    }
    /* RFC 9293, 3.10.7.4: what is not acceptable is answered with an ACK, and a pure ACK in order
     * with nothing */
    if (h->seq == e->rcv_nxt && end == h->seq)
        return;
    if (may_answer(t, e, in))
        send_ack(t, e, in);
    /* eighth: the peer's FIN again restarts the 2 MSL time-out */
    if ((h->flags & TCP_FIN) && end == e->rcv_nxt)
        restart(t, e);
}

uint64_t tcp_time_wait_next_ns(const struct tcp *t)
{
    const struct tcp_tw *e = tcp_tw_oldest(&t->tws);

    return e == NULL ? UINT64_MAX : due_ns_of(t, e);
}

unsigned tcp_time_wait_timers(struct tcp *t)
{
    unsigned fired = 0;

    while (tcp_time_wait_next_ns(t) <= tcp_now_ns(t)) {
        fired++;
        tcp_time_wait_forget(t, tcp_tw_oldest(&t->tws));
    }
    return fired;
}
