/*
 * struct stream over a connection: what its owner sees. The ready bits are derived from the
 * connection in one place, tcp_stream_update, after whatever may change them.
 *
 * Failure modes: without segments WRITABLE goes out, and comes back when some are home; after a
 * reset the stream is FAILED, commits are dropped, and close frees the block.
 */
#include "dataplane/tcp/tcp_conn.h"

#include "base/assert.h"

static bool has_send_room(const struct tcp_conn *c)
{
    uint32_t max = c->tcp->config.send_bytes_max;

    return tcp_fsm_may_commit(c->state) &&
           c->flight->sendq.count < max / LIMIT_TCP_SEND_SEG_BYTES &&
           tcp_sendq_bytes(&c->flight->sendq) + STREAM_RESERVE_MAX <= max;
}

/* Writers leave some for what must be sent and received to get their bytes acknowledged. */
static bool has_segs(const struct tcp_conn *c)
{
    uint32_t share = c->flight->sendq.count > 0 ? LIMIT_TCP_SHARE_WRITE : LIMIT_TCP_SHARE_REPLY;

    return tcp_memory_beyond(&c->tcp->memory, share) > 0;
}

static uint32_t ready_bits(const struct tcp_conn *c)
{
    uint32_t bits = 0;

    if (c->flags & TCP_CONN_FAILED)
        return STREAM_FAILED;
    if (c->recvq.bytes > 0)
        bits |= STREAM_READABLE;
    if (has_send_room(c) && !(c->flags & TCP_CONN_WITHHELD))
        bits |= STREAM_WRITABLE;
    if (tcp_fsm_has_peer_fin(c->state) ||
        (c->state == TCP_CLOSED && (c->flags & TCP_CONN_PEER_FIN)))
        bits |= STREAM_ENDED;
    if (c->state >= TCP_ESTABLISHED || c->state == TCP_CLOSED)
        bits |= tcp_sendq_bytes(&c->flight->sendq) == 0 ? STREAM_DRAINED : 0;
    return bits;
}

void tcp_stream_update(struct tcp_conn *c)
{
    uint32_t bits;

    if (!(c->flags & TCP_CONN_ACCEPTED) || (c->flags & TCP_CONN_ORPHAN))
        return;
    bits = ready_bits(c);
    if (c->stream.ready & ~bits)
        stream_clear(&c->stream, c->stream.ready & ~bits);
    if (bits & ~c->stream.ready)
        stream_set(&c->stream, bits & ~c->stream.ready);
}

void tcp_stream_arrived(struct tcp_conn *c)
{
    ASSERT(c->recvq.bytes > 0);
    if (c->stream.ready & STREAM_READABLE)
        stream_requeue(&c->stream);
}

void tcp_stream_starve(struct tcp_conn *c)
{
    if (!list_linked(&c->short_link))
        list_append(&c->tcp->starved, &c->short_link);
}

void tcp_stream_feed_starved(struct tcp *t)
{
    struct list_node *last = t->starved.head.prev;
    struct list_node *n;

    if (t->env.pool->ops->available(t->env.pool) == 0)
        return;
    do {
        struct tcp_conn *c;

        n = list_pop(&t->starved);
        c = LIST_ENTRY(n, struct tcp_conn, short_link);
        if ((c->flags & TCP_CONN_WITHHELD) && !has_segs(c))
            tcp_stream_starve(c);
        else
            c->flags &= (uint16_t)~TCP_CONN_WITHHELD;
        tcp_stream_update(c);
        tcp_output_want(c);
        if (tcp_window_edge(c) == c->rcv_adv)
            continue;
        if (tcp_window_is_short(t))
            tcp_stream_starve(c);
        else
            tcp_output_ack_now(c);
    } while (n != last);
}

static unsigned peek(struct stream *s, struct span *out, unsigned max)
{
    return tcp_recvq_peek(&tcp_conn_of_stream(s)->recvq, out, max);
}

static void consume(struct stream *s, uint32_t n)
{
    struct tcp_conn *c = tcp_conn_of_stream(s);

    ASSERT(n <= c->recvq.bytes);
    tcp_recvq_consume(&c->recvq, n);
    if (tcp_fsm_is_live(c->state))
        tcp_window_taken(c);
    tcp_stream_update(c);
}

static struct seg *reserve(struct stream *s, uint32_t len)
{
    struct tcp_conn *c = tcp_conn_of_stream(s);
    struct tcp *t = c->tcp;
    struct seg *seg;

    ASSERT(len <= STREAM_RESERVE_MAX);
    if (!has_send_room(c))
        return NULL;
    seg = has_segs(c) ? seg_alloc(t->env.pool) : NULL;
    if (seg == NULL) {
        c->flags |= TCP_CONN_WITHHELD;
        tcp_stream_starve(c);
        tcp_stream_update(c);
        return NULL;
    }
    ASSERT(seg_tailroom(seg) >= len);
    return seg;
}

static void commit(struct stream *s, struct seg *seg)
{
    struct tcp_conn *c = tcp_conn_of_stream(s);

    if (c->flags & TCP_CONN_FAILED) {
        seg_release(seg);
        return;
    }
    ASSERT(tcp_fsm_may_commit(c->state));
    tcp_flight_begin(c);
    tcp_sendq_push(&c->flight->sendq, seg);
    tcp_output_want(c);
    tcp_stream_update(c);
}

static void shut(struct stream *s)
{
    struct tcp_conn *c = tcp_conn_of_stream(s);

    switch ((enum tcp_state)c->state) {
    case TCP_SYN_SENT:
        /* RFC 9293, 3.10.4: delete the TCB */
        tcp_conn_fail(c);
        return;
    case TCP_SYN_RCVD:
    case TCP_ESTABLISHED: tcp_conn_set_state(c, TCP_FIN_WAIT_1); break;
    case TCP_CLOSE_WAIT: tcp_conn_set_state(c, TCP_LAST_ACK); break;
    default: return;
    }
    tcp_flight_begin(c);
    tcp_output_want(c);
    tcp_stream_update(c);
}

static void give_up(struct stream *s)
{
    struct tcp_conn *c = tcp_conn_of_stream(s);

    if (!tcp_fsm_is_live(c->state)) {
        /* Nothing to tell the peer; for the owner it has failed all the same. */
        tcp_recvq_clear(&c->recvq);
        c->flags |= TCP_CONN_FAILED;
        tcp_stream_update(c);
        return;
    }
    tcp_output_reset(c);
    tcp_conn_fail(c);
}

/* RFC 2525, 2.17: unread bytes, or an end that was never announced, must not look like a proper
 * close. */
static bool ends_properly(const struct tcp_conn *c)
{
    return c->recvq.bytes == 0 && c->reasm == NULL &&
           (tcp_fsm_fin_due(c->state) || c->state == TCP_FIN_WAIT_2);
}

static void let_go(struct stream *s)
{
    struct tcp_conn *c = tcp_conn_of_stream(s);

    ASSERT(c->flags & TCP_CONN_ACCEPTED);
    ASSERT(!(c->flags & TCP_CONN_ORPHAN));
    list_remove(&s->ready_link);
    s->ready = 0;
    c->flags |= TCP_CONN_ORPHAN;
    s->owner = NULL;
    if (!tcp_fsm_is_live(c->state)) {
        tcp_conn_free(c);
        return;
    }
    if (!ends_properly(c)) {
        tcp_output_reset(c);
        tcp_conn_fail(c);
        return;
    }
    tcp_timer_end_in(c, LIMIT_TCP_ORPHAN_MS * NS_PER_MS);
}

const struct stream_ops tcp_stream_ops = {
    .peek = peek,
    .consume = consume,
    .read = stream_read_by_peek,
    .reserve = reserve,
    .commit = commit,
    .shutdown = shut,
    .abort = give_up,
    .close = let_go,
    .info = tcp_info_of_stream,
};
