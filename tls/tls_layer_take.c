/*
 * From BoringSSL's record layer to ours, once a TLS 1.3 handshake is done and somebody reads or
 * writes for the first time (until then, tls_conn_info can ask the SSL object for everything).
 *
 * Nothing is lost in it. BoringSSL reads a record's bytes and not one more, and what follows the
 * client's Finished in the same record is a fault (RFC 8446, 5.1): as we never call SSL_read, no
 * plaintext, no half of a record and no half of a message lies in the SSL object. What it has to
 * send, the session ticket, leaves with an empty SSL_write: without that, the number of our next
 * record would be one too low. Then the secrets and numbers are copied, and the object is freed.
 *
 * Failure modes: no room below for the ticket (tried again at the next call); memory is short.
 */
#include <openssl/err.h>

#include "base/assert.h"
#include "tls/tls_conn.h"
#include "tls/tls_error.h"
#include "tls/tls_secrets.h"

static bool copy_secrets(struct tls_conn *c)
{
    const uint8_t *in, *out;
    size_t len;

    return tls_secrets_get(c->ssl, &in, &out, &len) &&
           tls_record_secret_set(&c->own.in, c->suite, span_of(in, (uint32_t)len),
                                 SSL_get_read_sequence(c->ssl)) &&
           tls_record_secret_set(&c->own.out, c->suite, span_of(out, (uint32_t)len),
                                 SSL_get_write_sequence(c->ssl));
}

/* False: not now, or c failed. */
static bool take(struct tls_conn *c)
{
    int n = SSL_write(c->ssl, "", 0);
    bool wait = n < 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_WRITE;

    tls_bio_commit(c);
    if (wait) {
        tls_error_forget();
        return false;
    }
    if (n < 0 || !copy_secrets(c)) {
        tls_conn_fail(c, TLS_FAULT_NONE, NULL);
        return false;
    }
    ASSERT(SSL_has_pending(c->ssl) == 0);
    SSL_free(c->ssl);
    c->ssl = NULL;
    c->layer = &tls_layer_own;
    tls_error_forget();
    return true;
}

static uint32_t read_plain(struct tls_conn *c, uint8_t *to, uint32_t cap)
{
    return take(c) ? c->layer->read(c, to, cap) : 0;
}

static bool is_readable(const struct tls_conn *c)
{
    return c->lower->ready & STREAM_READABLE;
}

static struct seg *reserve(struct tls_conn *c, uint32_t len)
{
    return take(c) ? c->layer->reserve(c, len) : NULL;
}

static bool close_notify(struct tls_conn *c)
{
    return take(c) && c->layer->close(c);
}

/* No write: what was reserved here is our own layer's already. */
const struct tls_layer tls_layer_take = {
    .read = read_plain,
    .is_readable = is_readable,
    .reserve = reserve,
    .write = NULL,
    .close = close_notify,
};
