/*
 * The text of an acceptable segment: cut to the window, queued for the reader or kept until its
 * turn, and an ACK owed at once or soon. Happy path: tcp_text_in_order.
 *
 * Failure modes: with few segments left what is out of order goes first, then what is in order
 * moves to ordinary memory, and when there is none, what is not urgent goes; either way the peer is
 * told where we stand, and sends it again.
 */
#include "dataplane/tcp/tcp_conn.h"

#include "base/assert.h"

/* The bytes are the reader's. */
static void take_in_order(struct tcp_conn *c, struct seg *s)
{
    c->rcv_nxt += s->len;
    if (s->len > c->rcv_mss)
        c->rcv_mss = (uint16_t)(s->len < UINT16_MAX ? s->len : UINT16_MAX);
    tcp_recvq_push(&c->recvq, s);
    tcp_stream_arrived(c);
}

/* RFC 5681, 4.2 and RFC 9293, 3.8.6.3: every second full segment at least, the rest within 40 ms.
 */
static void owe_ack(struct tcp_conn *c)
{
    if (c->quick_acks > 0) {
        c->quick_acks--;
        tcp_output_ack_now(c);
    } else if (c->rcv_nxt - c->last_ack_sent >= 2U * c->rcv_mss) {
        tcp_output_ack_now(c);
    } else {
        tcp_timer_ack_owed(c);
    }
}

void tcp_text_twice(struct tcp_conn *c, uint32_t start, uint32_t end)
{
    ASSERT(tcp_seq_le(start, end));
    if (start == end)
        return;
    /* Duplicates that follow each other before an ACK leaves are one run (RFC 2883, 4). */
    if (start != c->dsack.end || c->dsack.start == c->dsack.end)
        c->dsack.start = start;
    c->dsack.end = end;
}

/* Cuts the segment to what is new and inside of the window. */
static void cut_to_window(struct tcp_conn *c, struct tcp_in *in)
{
    struct seg *s = in->s;
    uint32_t edge = c->rcv_adv;

    if (tcp_seq_lt(s->seq, c->rcv_nxt)) {
        uint32_t old = c->rcv_nxt - s->seq;

        old = old < s->len ? old : s->len;
        tcp_text_twice(c, s->seq, s->seq + old);
        c->quick_acks = TCP_TEXT_QUICK_ACKS;
        seg_pull(s, old);
        s->seq += old;
        tcp_output_ack_now(c);
    }
    if ((c->flags & TCP_CONN_PEER_FIN) && tcp_seq_lt(c->rcv_fin, edge))
        edge = c->rcv_fin;
    if (tcp_seq_gt(s->seq + s->len, edge)) {
        seg_trim(s, tcp_seq_gt(edge, s->seq) ? edge - s->seq : 0);
        tcp_output_ack_now(c);
    }
}

/* Gaps that never close must not keep others from having one. */
static void spare_range(struct tcp *t)
{
    if (pool_used(t->ranges.pool) < pool_count(t->ranges.pool))
        return;
    tcp_count(t, COUNTER_TCP_REASM_DROPS);
    tcp_conn_drop_gaps(LIST_ENTRY(t->gapped.head.next, struct tcp_reasm, link)->holder);
}

static void take_gap(struct tcp_conn *c, struct tcp_in *in)
{
    struct tcp *t = c->tcp;
    struct tcp_wire_sack twice;

    c->quick_acks = TCP_TEXT_QUICK_ACKS;
    /* RFC 5681, 4.2: an out-of-order segment is acknowledged at once */
    tcp_output_ack_now(c);
    tcp_count(t, COUNTER_TCP_OUT_OF_ORDER);
    if (tcp_window_is_short(t)) {
        tcp_count(t, COUNTER_TCP_REASM_DROPS);
        tcp_conn_drop_gaps(c);
        return;
    }
    spare_range(t);
    if (c->reasm == NULL) {
        c->reasm = pool_get(t->reasms);
        ASSERT(c->reasm != NULL); /* there are as many as blocks */
        tcp_reasm_init(c->reasm, &t->ranges);
        c->reasm->holder = c;
        list_append(&t->gapped, &c->reasm->link);
    }
    if (tcp_reasm_insert(c->reasm, in->s, &twice) == TCP_REASM_FULL)
        tcp_count(t, COUNTER_TCP_REASM_DROPS);
    else
        tcp_text_twice(c, twice.start, twice.end);
    in->s = NULL;
}

/* Moves what has come into order from the reassembly to the reader. */
static void close_gap(struct tcp_conn *c)
{
    struct seg *s;

    tcp_output_ack_now(c);
    while ((s = tcp_reasm_take(c->reasm, c->rcv_nxt)) != NULL)
        take_in_order(c, s);
    if (c->reasm->count == 0)
        tcp_conn_drop_gaps(c);
}

void tcp_text_in_order(struct tcp_conn *c, struct tcp_in *in)
{
    ASSERT(in->s->seq == c->rcv_nxt);
    take_in_order(c, in->s);
    in->s = NULL;
    tcp_window_arrived(c, &in->h);
    if (c->reasm != NULL)
        close_gap(c);
    owe_ack(c);
    tcp_stream_update(c);
}

/* Who has bytes waiting already can wait; who has none gets on for longer, or nothing would ever
 * move again. */
static bool has_segs(const struct tcp_conn *c)
{
    uint32_t share = c->recvq.count > 0 ? LIMIT_TCP_SHARE_UNREAD : LIMIT_TCP_SHARE_FIRST;

    return tcp_memory_beyond(&c->tcp->memory, share) >= 0;
}

void tcp_text_received(struct tcp_conn *c, struct tcp_in *in)
{
    struct tcp *t = c->tcp;

    ASSERT(in->s->len > 0);
    cut_to_window(c, in);
    if (in->s->len == 0)
        return;
    if (in->s->seq != c->rcv_nxt) {
        take_gap(c, in);
        return;
    }
    in->s = tcp_memory_keep(&t->memory, in->s);
    if (in->s->pool == t->env.pool && !has_segs(c)) {
        tcp_count(t, COUNTER_TCP_MEMORY_DROPS);
        tcp_output_ack_now(c);
        return;
    }
    tcp_text_in_order(c, in);
}
