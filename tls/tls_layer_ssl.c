/*
 * Records by BoringSSL: TLS 1.2, and TLS 1.3 where the configuration says so. Copies of a byte that
 * comes in: out of the segments (tls_bio), and to the reader's place.
 *
 * Failure modes: SSL_get_error says which; the alert is with the lower stream by then.
 */
#include "tls/tls_conn.h"
#include "tls/tls_error.h"

/* SSL_read gave nothing: why. */
static void read_stopped(struct tls_conn *c, int ret)
{
    switch (SSL_get_error(c->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return;
    case SSL_ERROR_ZERO_RETURN: c->ended = true; return;
    case SSL_ERROR_SYSCALL: return; /* end or failure of the lower stream: its bits say which */
    default: tls_conn_fail(c, TLS_FAULT_NONE, NULL); return;
    }
}

static uint32_t read_plain(struct tls_conn *c, uint8_t *to, uint32_t cap)
{
    uint32_t done = 0;

    while (done < cap) {
        int n = SSL_read(c->ssl, to + done, (int)(cap - done));

        if (n <= 0) {
            read_stopped(c, n);
            break;
        }
        done += (uint32_t)n;
    }
    tls_bio_commit(c);
    counter_add(c->worker->env.counters, COUNTER_TLS_IN_MOVED, done);
    return done;
}

static bool is_readable(const struct tls_conn *c)
{
    return SSL_pending(c->ssl) > 0 || (c->lower->ready & STREAM_READABLE);
}

static struct seg *reserve(struct tls_conn *c, uint32_t len)
{
    return c->lower->ops->reserve(c->lower, len);
}

static bool write_seg(struct tls_conn *c, struct seg *seg)
{
    int n = seg->len == 0 ? 1 : SSL_write(c->ssl, seg->data, (int)seg->len);
    int why = n > 0 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, n);

    tls_bio_commit(c);
    if (n > 0) {
        seg_release(seg);
        return true;
    }
    if (why != SSL_ERROR_WANT_WRITE && why != SSL_ERROR_SYSCALL)
        tls_conn_fail(c, TLS_FAULT_NONE, NULL);
    return false;
}

static bool close_notify(struct tls_conn *c)
{
    int ret = SSL_shutdown(c->ssl);

    tls_bio_commit(c);
    if (ret < 0 && SSL_get_error(c->ssl, ret) == SSL_ERROR_WANT_WRITE)
        return false;
    tls_error_forget();
    return true;
}

const struct tls_layer tls_layer_ssl = {
    .read = read_plain,
    .is_readable = is_readable,
    .reserve = reserve,
    .write = write_seg,
    .close = close_notify,
};
