/*
 * BoringSSL's BIO over a lower struct stream: the seam that another record path can replace.
 *
 * Happy path: BoringSSL asks for the 5 bytes of a record header and then for its body; both are
 * copied out of the stream's lent segments, which go back at once. What it writes (a flight, or one
 * record) is copied into a segment of the lower stream; the segment is committed when it is full or
 * when the call of this room ends, so that what belongs together leaves together. Copies: one in,
 * one out; SSL_read adds one in.
 *
 * Failure modes: nothing there, no room (retry); end (0); the stream failed (-1 without retry).
 */
#include <openssl/bio.h>

#include "base/assert.h"
#include "tls/tls_conn.h"

#define PEEK_RUNS 16

static int bio_read(BIO *bio, char *to, int cap)
{
    struct tls_conn *c = BIO_get_data(bio);
    struct stream *lower = c->lower;
    uint32_t n;

    BIO_clear_retry_flags(bio);
    if (cap <= 0)
        return 0;
    n = lower->ops->read(lower, (uint8_t *)to, (uint32_t)cap);
    c->in_bytes += n;
    if (c->state == TLS_STATE_OPEN)
        counter_add(c->worker->env.counters, COUNTER_TLS_IN_MOVED, n);
    if (n > 0)
        return (int)n;
    if (lower->ready & STREAM_FAILED)
        return -1;
    if (lower->ready & STREAM_ENDED)
        return 0;
    BIO_set_retry_read(bio);
    return -1;
}

void tls_bio_commit(struct tls_conn *c)
{
    struct seg *seg = c->out;

    if (seg == NULL)
        return;
    c->out = NULL;
    if (seg->len > 0)
        c->lower->ops->commit(c->lower, seg);
    else
        seg_release(seg);
}

/* Copies what fits into the segment being filled, which is had from below first if need be; 0: no
 * room. */
static uint32_t append(struct tls_conn *c, struct span bytes)
{
    struct stream *lower = c->lower;
    struct seg *seg = c->out;
    struct span part;

    if (seg == NULL)
        seg = lower->ops->reserve(lower, span_first(bytes, STREAM_RESERVE_MAX).len);
    if (seg == NULL)
        return 0;
    c->out = seg;
    part = span_first(bytes, seg_tailroom(seg));
    memcpy(seg->data + seg->len, part.ptr, part.len);
    seg->len += part.len;
    if (seg_tailroom(seg) == 0)
        tls_bio_commit(c);
    return part.len;
}

static int bio_write(BIO *bio, const char *from, int len)
{
    struct tls_conn *c = BIO_get_data(bio);
    struct span left = span_of(from, len > 0 ? (uint32_t)len : 0);
    uint32_t done = 0;

    BIO_clear_retry_flags(bio);
    while (left.len > 0) {
        uint32_t n = append(c, left);

        if (n == 0)
            break;
        done += n;
        left = span_skip(left, n);
    }
    c->out_bytes += done;
    if (done > 0 || len <= 0)
        return (int)done;
    if (!(c->lower->ready & STREAM_FAILED))
        BIO_set_retry_write(bio);
    return -1;
}

static long bio_ctrl(BIO *bio, int what, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    /* The segment stays open for what follows: tls_bio_commit is the flush. */
    return what == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *tls_bio_method_create(void)
{
    BIO_METHOD *m = BIO_meth_new(0, "stream");

    if (m == NULL)
        return NULL;
    if (!BIO_meth_set_read(m, bio_read) || !BIO_meth_set_write(m, bio_write) ||
        !BIO_meth_set_ctrl(m, bio_ctrl)) {
        BIO_meth_free(m);
        return NULL;
    }
    return m;
}

bool tls_bio_attach(struct tls_conn *c)
{
    BIO *bio = BIO_new(c->worker->ctx->bio);

    if (bio == NULL)
        return false;
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    SSL_set_bio(c->ssl, bio, bio);
    return true;
}

uint32_t tls_bio_available(const struct tls_conn *c, uint32_t enough, uint8_t *head, uint32_t cap)
{
    struct span runs[PEEK_RUNS];
    struct buf to = { head, 0, cap };
    unsigned count = c->lower->ops->peek(c->lower, runs, PEEK_RUNS);
    uint32_t total = 0;

    ASSERT(count <= PEEK_RUNS);
    for (unsigned i = 0; i < count && total < enough; i++) {
        total += runs[i].len;
        if (!buf_put(&to, span_first(runs[i], buf_room(&to))))
            UNREACHABLE("a part cut to the room has room");
    }
    return total < enough && count < PEEK_RUNS ? total : enough;
}
