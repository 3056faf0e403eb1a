/*
 * Handshakes prepared by helpers: key exchange and signature, 80 of 100 us (700 of 727 with RSA),
 * are done on their cores when too many clients come at once for this one. BoringSSL calls it
 * handshake hints: a second SSL object of the same SSL_CTX is given the ClientHello and hands out
 * what it found; the connection's own object then takes that for its results. A hint that does not
 * fit is ignored.
 *
 * Happy path: tls_conn_handshake_helped lets BoringSSL parse the ClientHello, which stops it
 * (tls_hint_on_hello), and posts the copy; the helper runs `run`; `done` puts the lower stream on
 * the ready list; the next step is the rest of the handshake, a quarter of its time.
 *
 * Failure modes: no helper has room, or the ClientHello is too long (the connection waits for its
 * turn, and does it all by itself then); the helper finds nothing to hand out, as with a
 * ClientHello that is refused (the connection's own step finds out why); a HelloRetryRequest (the
 * second ClientHello has no hint); the connection goes away meanwhile (the object goes home when
 * the helper is done with it).
 */
#include <openssl/bytestring.h>
#include <openssl/mem.h>

#include "base/assert.h"
#include "tls/tls_conn.h"
#include "tls/tls_error.h"

static void put_home(struct tls_hint *h)
{
    struct tls_worker *w = h->worker;

    SSL_CTX_free(h->ssl_ctx);
    OPENSSL_cleanse(h->hints, h->hints_len); /* secrets of the session */
    pool_put(w->hints, h);
}

static bool make_hints(struct tls_hint *h, SSL *ssl)
{
    CBB out;
    size_t len = 0;
    int ret;

    SSL_set_accept_state(ssl);
    if (!tls_ctx_set_note(ssl, &h->resumed))
        return false;
    if (!SSL_request_handshake_hints(ssl, h->hello, h->hello_len, h->capabilities,
                                     h->capabilities_len))
        return false;
    ret = SSL_do_handshake(ssl);
    if (SSL_get_error(ssl, ret) != SSL_ERROR_HANDSHAKE_HINTS_READY)
        return false;
    if (!CBB_init_fixed(&out, h->hints, sizeof(h->hints)))
        return false;
    if (!SSL_serialize_handshake_hints(ssl, &out) || !CBB_finish(&out, NULL, &len)) {
        CBB_cleanup(&out);
        return false;
    }
    h->hints_len = (uint32_t)len;
    return true;
}

/* On a helper's thread: touches this object, and the SSL_CTX, which threads may share. */
static void run(struct job *job)
{
    struct tls_hint *h = LIST_ENTRY(job, struct tls_hint, job);
    SSL *ssl = SSL_new(h->ssl_ctx);

    if (ssl != NULL && !make_hints(h, ssl))
        h->hints_len = 0;
    SSL_free(ssl);
    tls_error_forget();
}

/* Back on the loop. */
static void done(struct job *job)
{
    struct tls_hint *h = LIST_ENTRY(job, struct tls_hint, job);

    ASSERT(h->posted && !h->done);
    h->posted = false;
    h->done = true;
    if (h->conn != NULL)
        stream_requeue(h->conn->lower);
    else
        put_home(h);
}

/* A copy of the ClientHello to hand over; NULL: it is too long, or there is no place. */
static struct tls_hint *copy_hello(struct tls_conn *c, const SSL_CLIENT_HELLO *hello)
{
    struct tls_hint *h =
        hello->client_hello_len <= sizeof(h->hello) ? pool_get(c->worker->hints) : NULL;
    size_t len = 0;
    CBB out;

    if (h == NULL)
        return NULL;
    h->job = (struct job){ .run = run, .done = done };
    h->worker = c->worker;
    h->conn = c;
    h->ssl_ctx = SSL_get_SSL_CTX(hello->ssl);
    SSL_CTX_up_ref(h->ssl_ctx);
    h->posted = h->done = false;
    h->resumed = NULL;
    h->hints_len = 0;
    h->hello_len = (uint32_t)hello->client_hello_len;
    memcpy(h->hello, hello->client_hello, hello->client_hello_len);
    if (!CBB_init_fixed(&out, h->capabilities, sizeof(h->capabilities)) ||
        !SSL_serialize_capabilities(hello->ssl, &out) || !CBB_finish(&out, NULL, &len)) {
        CBB_cleanup(&out);
        put_home(h);
        return NULL;
    }
    h->capabilities_len = (uint32_t)len;
    return h;
}

enum ssl_select_cert_result_t tls_hint_on_hello(struct tls_conn *c, const SSL_CLIENT_HELLO *hello)
{
    struct tls_hint *h = c->hint;

    if (h == NULL && c->wants_hint) {
        c->hint = copy_hello(c, hello);
        c->no_hint = c->hint == NULL;
        return ssl_select_cert_retry;
    }
    c->no_hint = false;
    if (h == NULL)
        return ssl_select_cert_success;
    ASSERT(!h->posted);
    if (h->hints_len > 0 && SSL_set_handshake_hints(hello->ssl, h->hints, h->hints_len)) {
        counter_inc(c->worker->env.counters, COUNTER_TLS_HINTS);
        c->credential = h->resumed; /* its ticket is open already, and not opened again */
    }
    tls_error_forget(); /* without it then */
    c->hint = NULL;
    put_home(h);
    return ssl_select_cert_success;
}

bool tls_hint_post(struct tls_conn *c)
{
    struct tls_hint *h = c->hint;
    struct job_queue *jobs = c->worker->env.jobs;

    ASSERT(!h->posted && !h->done);
    h->posted = jobs->submit(jobs, &h->job);
    return h->posted;
}

bool tls_hint_has_place(const struct tls_worker *w)
{
    return w->hints != NULL && pool_used(w->hints) < pool_count(w->hints);
}

void tls_hint_forget(struct tls_conn *c)
{
    struct tls_hint *h = c->hint;

    if (h == NULL)
        return;
    c->hint = NULL;
    h->conn = NULL;
    if (!h->posted)
        put_home(h);
}
