/*
 * The upper struct stream of a connection: plaintext above, records below.
 *
 * Happy path: read lets SSL_read write to the place that the reader names. reserve hands out a
 * segment of the lower stream; commit seals what the writer put there into another one and gives it
 * back. shutdown sends close_notify and then shuts the lower stream down. Bits are set for whoever
 * runs the connection now and do not put the upper stream on the ready list: news come from the
 * lower stream, which is on it.
 *
 * Failure modes: no room below for a record (the plaintext segment is held, WRITABLE is off,
 * tls_stream_update tries again); a record that does not decrypt or breaks a rule (alert, FAILED,
 * FIN); an end without close_notify (ENDED and truncated).
 */
#include "base/assert.h"
#include "tls/tls_conn.h"
#include "tls/tls_error.h"

static struct tls_conn *conn_of(struct stream *s)
{
    return LIST_ENTRY(s, struct tls_conn, upper);
}

/* After a fatal error of the record layer: the alert is with the lower stream, its end follows. */
static void fail(struct tls_conn *c)
{
    tls_conn_fail(c, TLS_FAULT_NONE, NULL);
    seg_release_all(&c->held);
    tls_bio_commit(c);
    c->lower->ops->shutdown(c->lower);
}

static void lost(struct tls_conn *c)
{
    tls_conn_fail(c, TLS_FAULT_TRANSPORT, "connection lost");
    seg_release_all(&c->held);
}

/* Seals what was committed, in order, while there is room. */
static void flush_held(struct tls_conn *c)
{
    while (!list_empty(&c->held)) {
        struct seg *seg = LIST_ENTRY(c->held.head.next, struct seg, link);
        int n = seg->len == 0 ? 1 : SSL_write(c->ssl, seg->data, (int)seg->len);

        if (n <= 0) {
            int why = SSL_get_error(c->ssl, n);

            if (why != SSL_ERROR_WANT_WRITE && why != SSL_ERROR_SYSCALL)
                fail(c);
            break;
        }
        list_remove(&seg->link);
        seg_release(seg);
    }
    tls_bio_commit(c);
}

static void send_close(struct tls_conn *c)
{
    int ret = SSL_shutdown(c->ssl);

    tls_bio_commit(c);
    if (ret < 0 && SSL_get_error(c->ssl, ret) == SSL_ERROR_WANT_WRITE)
        return;
    tls_error_forget();
    c->close_sent = true;
    c->lower->ops->shutdown(c->lower);
}

static uint32_t open_bits(struct tls_conn *c)
{
    uint32_t below = c->lower->ready;
    uint32_t bits = 0;
    bool pending = SSL_pending(c->ssl) > 0;
    bool flushed = list_empty(&c->held);

    if (!c->ended && (below & STREAM_ENDED) && !(below & STREAM_READABLE) && !pending) {
        c->ended = true;
        c->truncated = true;
    }
    if (c->ended)
        bits |= STREAM_ENDED;
    else if (pending || (below & STREAM_READABLE))
        bits |= STREAM_READABLE;
    if (!c->closing && flushed)
        bits |= below & STREAM_WRITABLE;
    if (flushed && (!c->closing || c->close_sent))
        bits |= below & STREAM_DRAINED;
    return bits;
}

void tls_stream_update(struct tls_conn *c)
{
    if (c->state == TLS_STATE_OPEN && (c->lower->ready & STREAM_FAILED))
        lost(c);
    if (c->state == TLS_STATE_OPEN && !list_empty(&c->held))
        flush_held(c);
    if (c->state == TLS_STATE_OPEN && c->closing && !c->close_sent && list_empty(&c->held))
        send_close(c);
    if (c->state == TLS_STATE_OPEN)
        c->upper.ready = open_bits(c);
    else if (c->state == TLS_STATE_FAILED)
        c->upper.ready = STREAM_FAILED;
}

/* SSL_read gave nothing: why. */
static void read_stopped(struct tls_conn *c, int ret)
{
    switch (SSL_get_error(c->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return;
    case SSL_ERROR_ZERO_RETURN: c->ended = true; return;
    case SSL_ERROR_SYSCALL: return; /* end or failure of the lower stream: its bits say which */
    default: fail(c); return;
    }
}

static uint32_t read_plain(struct stream *s, uint8_t *to, uint32_t cap)
{
    struct tls_conn *c = conn_of(s);
    uint32_t done = 0;

    while (c->state == TLS_STATE_OPEN && !c->ended && done < cap) {
        int n = SSL_read(c->ssl, to + done, (int)(cap - done));

        if (n <= 0) {
            read_stopped(c, n);
            break;
        }
        done += (uint32_t)n;
    }
    tls_stream_update(c);
    return done;
}

static struct seg *reserve(struct stream *s, uint32_t len)
{
    struct tls_conn *c = conn_of(s);
    struct seg *seg = NULL;

    if (c->state == TLS_STATE_OPEN && !c->closing && list_empty(&c->held))
        seg = c->lower->ops->reserve(c->lower, len);
    if (seg == NULL)
        stream_clear(s, STREAM_WRITABLE);
    return seg;
}

static void commit(struct stream *s, struct seg *seg)
{
    struct tls_conn *c = conn_of(s);

    ASSERT(!c->closing);
    if (c->state != TLS_STATE_OPEN) {
        seg_release(seg);
        return;
    }
    list_append(&c->held, &seg->link);
    tls_stream_update(c);
}

static void shut_down(struct stream *s)
{
    struct tls_conn *c = conn_of(s);

    if (c->closing)
        return;
    c->closing = true;
    tls_stream_update(c);
}

static void abort_conn(struct stream *s)
{
    struct tls_conn *c = conn_of(s);

    c->lower->ops->abort(c->lower);
    if (c->state != TLS_STATE_FAILED)
        tls_conn_fail(c, TLS_FAULT_SELF, "given up by us");
    seg_release_all(&c->held);
    tls_stream_update(c);
}

static void close_conn(struct stream *s)
{
    struct tls_conn *c = conn_of(s);
    struct stream *lower = c->lower;

    tls_conn_free(c);
    lower->ops->close(lower);
}

const struct stream_ops tls_stream_ops = {
    .peek = NULL,
    .consume = NULL,
    .read = read_plain,
    .reserve = reserve,
    .commit = commit,
    .shutdown = shut_down,
    .abort = abort_conn,
    .close = close_conn,
};
