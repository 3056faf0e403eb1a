/*
 * The upper struct stream of a connection: plaintext above, records below.
 *
 * Happy path: read lets the record layer (struct tls_layer) decrypt to the place that the reader
 * names. reserve hands out a segment of the lower stream; commit has what the writer put there
 * sealed and sent. shutdown sends close_notify and then shuts the lower stream down. Bits are set
 * for whoever runs the connection now and do not put the upper stream on the ready list: news come
 * from the lower stream, which is on it.
 *
 * Failure modes: no room below for a record (the plaintext segment is held, WRITABLE is off,
 * tls_stream_update tries again); a record that does not decrypt or breaks a rule (alert, FAILED,
 * FIN); an end without close_notify (ENDED and truncated).
 */
#include "base/assert.h"
#include "tls/tls_conn.h"

static struct tls_conn *conn_of(struct stream *s)
{
    return LIST_ENTRY(s, struct tls_conn, upper);
}

/* After each call of the record layer. If it met a fatal error, the alert is with the lower stream,
 * its end follows. */
static void break_off(struct tls_conn *c)
{
    if (c->state != TLS_STATE_FAILED)
        return;
    seg_release_all(&c->held);
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
        struct seg *seg = LIST_ENTRY(list_pop(&c->held), struct seg, link);

        if (!c->layer->write(c, seg)) {
            list_prepend(&c->held, &seg->link);
            break;
        }
    }
    break_off(c);
}

static void send_close(struct tls_conn *c)
{
    if (!c->layer->close(c)) {
        break_off(c);
        return;
    }
    c->close_sent = true;
    c->lower->ops->shutdown(c->lower);
}

static uint32_t open_bits(struct tls_conn *c)
{
    uint32_t below = c->lower->ready;
    uint32_t bits = 0;
    bool readable = c->layer->is_readable(c);
    bool flushed = list_empty(&c->held);

    if (!c->ended && (below & STREAM_ENDED) && !readable) {
        c->ended = true;
        c->truncated = true;
    }
    if (c->ended)
        bits |= STREAM_ENDED;
    else if (readable)
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

static uint32_t read_plain(struct stream *s, uint8_t *to, uint32_t cap)
{
    struct tls_conn *c = conn_of(s);
    uint32_t done = 0;

    if (c->state == TLS_STATE_OPEN && !c->ended && cap > 0) {
        done = c->layer->read(c, to, cap);
        counter_add(c->worker->env.counters, COUNTER_TLS_IN_BYTES, done);
        break_off(c);
    }
    tls_stream_update(c);
    return done;
}

static struct seg *reserve(struct stream *s, uint32_t len)
{
    struct tls_conn *c = conn_of(s);
    struct seg *seg = NULL;

    if (c->state == TLS_STATE_OPEN && !c->closing && list_empty(&c->held)) {
        seg = c->layer->reserve(c, len);
        break_off(c);
    }
    if (seg == NULL) {
        tls_stream_update(c);
        stream_clear(s, STREAM_WRITABLE);
    }
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
