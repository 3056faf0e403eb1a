/* The connection as a struct stream: base/stream.h is the contract. Nothing here calls the kernel.
 */
#include <linux/tcp.h>
#include <netinet/in.h>

#include "base/stream_info.h"
#include "dataplane/kernel/ksock_priv.h"

static struct ksock_conn *conn_of(struct stream *s)
{
    return LIST_ENTRY(s, struct ksock_conn, stream);
}

static unsigned peek(struct stream *s, struct span *out, unsigned max)
{
    struct ksock_conn *c = conn_of(s);
    unsigned count = 0;

    for (struct list_node *n = c->unread.head.next; n != &c->unread.head && count < max;
         n = n->next)
        out[count++] = seg_span(LIST_ENTRY(n, struct seg, link));
    return count;
}

static void consume(struct stream *s, uint32_t n)
{
    struct ksock_conn *c = conn_of(s);

    ASSERT(n <= c->unread_bytes);
    c->unread_bytes -= n;
    while (n > 0) {
        struct seg *front = LIST_ENTRY(c->unread.head.next, struct seg, link);
        uint32_t part = n < front->len ? n : front->len;

        seg_pull(front, part);
        n -= part;
        if (front->len == 0) {
            list_remove(&front->link);
            seg_release(front);
        }
    }
    if (c->unread_bytes == 0)
        stream_clear(s, STREAM_READABLE);
    if (!c->recv_busy)
        ksock_conn_touch(c);
}

static struct seg *reserve(struct stream *s, uint32_t len)
{
    struct ksock_conn *c = conn_of(s);
    struct ksock *k = c->ksock;
    struct seg *seg;

    ASSERT(len <= STREAM_RESERVE_MAX);
    if (c->failed || c->shut || c->queued_bytes + len > k->config.send_bytes_max) {
        stream_clear(s, STREAM_WRITABLE);
        return NULL;
    }
    seg = seg_alloc(k->env.pool);
    if (seg == NULL) {
        k->dry = true;
        ksock_send_update_writable(c);
    }
    return seg;
}

static void commit(struct stream *s, struct seg *seg)
{
    struct ksock_conn *c = conn_of(s);

    ASSERT(!c->shut);
    ASSERT(!list_linked(&seg->link));
    if (c->failed || seg->len == 0) {
        seg_release(seg);
        return;
    }
    list_append(&c->sendq, &seg->link);
    c->queued_bytes += seg->len;
    stream_clear(s, STREAM_DRAINED);
    ksock_send_update_writable(c);
    ksock_conn_touch(c);
}

static void end_stream(struct stream *s)
{
    struct ksock_conn *c = conn_of(s);

    if (c->shut || c->failed)
        return;
    c->shut = true;
    stream_clear(s, STREAM_WRITABLE);
    ksock_conn_touch(c);
}

static void abort_stream(struct stream *s)
{
    ksock_conn_fail(conn_of(s), true);
}

static void close_stream(struct stream *s)
{
    ksock_conn_close(conn_of(s));
}

/* The kernel's own words for it; 0 where it does not tell. */
static const char *state_name(uint8_t state)
{
    static const char *const names[] = {
        NULL,        "ESTABLISHED", "SYN-SENT",   "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2",
        "TIME-WAIT", "CLOSED",      "CLOSE-WAIT", "LAST-ACK",     "LISTEN",     "CLOSING",
    };

    return state < sizeof(names) / sizeof(names[0]) ? names[state] : NULL;
}

static void info(const struct stream *s, struct stream_info *out)
{
    const struct ksock_conn *c = LIST_ENTRY(s, const struct ksock_conn, stream);
    struct tcp_info k = { 0 };
    socklen_t len = sizeof(k);

    *out = (struct stream_info){ 0 };
    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &k, &len) < 0)
        return;
    *out = (struct stream_info){
        .state = state_name(k.tcpi_state),
        .srtt_us = k.tcpi_rtt,
        .rttvar_us = k.tcpi_rttvar,
        .rto_us = k.tcpi_rto,
        .backoff = k.tcpi_backoff,
        .cwnd = k.tcpi_snd_cwnd * k.tcpi_snd_mss,
        .ssthresh =
            k.tcpi_snd_ssthresh < INT32_MAX ? k.tcpi_snd_ssthresh * k.tcpi_snd_mss : UINT32_MAX,
        .snd_mss = k.tcpi_snd_mss,
        .rcv_mss = k.tcpi_rcv_mss,
        .unacked = k.tcpi_unacked,
        .sacked = k.tcpi_sacked,
        .lost = k.tcpi_lost,
        .retrans = k.tcpi_total_retrans,
        .snd_wnd = k.tcpi_snd_wnd,
        .rcv_wnd = k.tcpi_rcv_space,
        .bytes_in = k.tcpi_bytes_received,
        .bytes_out = k.tcpi_bytes_acked,
        .idle_ms = k.tcpi_last_data_recv,
    };
}

const struct stream_ops ksock_stream_ops = {
    .peek = peek,
    .consume = consume,
    .read = stream_read_by_peek,
    .reserve = reserve,
    .commit = commit,
    .shutdown = end_stream,
    .abort = abort_stream,
    .close = close_stream,
    .info = info,
};
