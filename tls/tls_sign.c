/*
 * RSA signatures, off the loop: one takes 0.7 ms, the time of seven whole ECDSA handshakes.
 *
 * Happy path: BoringSSL asks for a signature (sign); the input is copied into an object of a pool
 * and posted to the helpers; the handshake step returns TLS_WANT_SIGNATURE. The helper runs `run`,
 * the loop runs `done`, which puts the lower stream on the ready list; the next step fetches the
 * bytes (complete).
 *
 * Without helpers (env.jobs NULL) the signature is made inline. When they are full it is never made
 * inline: the connection waits in a queue, and each signature that comes back calls the next of it.
 * If none of ours is with the helpers (others filled their queue), the first of the queue tries
 * again each turn.
 *
 * Failure modes: the key cannot make this kind of signature (the handshake fails with
 * internal_error); the connection goes away meanwhile (the object goes home when the helper is done
 * with it).
 */
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/assert.h"
#include "tls/tls_conn.h"
#include "tls/tls_error.h"

bool tls_sign_now(EVP_PKEY *key, uint16_t algorithm, struct span in, uint8_t *out, size_t *out_len)
{
    const EVP_MD *digest = SSL_get_signature_algorithm_digest(algorithm);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx = NULL;
    bool ok =
        ctx != NULL && digest != NULL && EVP_DigestSignInit(ctx, &key_ctx, digest, NULL, key) == 1;

    if (ok && SSL_is_signature_algorithm_rsa_pss(algorithm))
        ok = EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestSign(ctx, out, out_len, in.ptr, in.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* On a helper's thread: touches this object and the key, which is read-only. */
static void run(struct job *job)
{
    struct tls_sign *s = LIST_ENTRY(job, struct tls_sign, job);
    size_t len = sizeof(s->out);

    s->ok = tls_sign_now(s->key, s->algorithm, span_of(s->in, s->in_len), s->out, &len);
    s->out_len = s->ok ? (uint32_t)len : 0;
    tls_error_forget(); /* the queue is the thread's, and it must not grow */
}

static void leave_queue(struct tls_conn *c)
{
    struct tls_worker *w = c->worker;

    if (c->sign_wait == TLS_SIGN_WAITS)
        list_remove(&c->sign_link);
    if (c->sign_wait == TLS_SIGN_CALLED) {
        ASSERT(w->signatures_called > 0);
        w->signatures_called--;
    }
    c->sign_wait = TLS_SIGN_NO_WAIT;
}

static void call(struct tls_conn *c)
{
    leave_queue(c);
    c->sign_wait = TLS_SIGN_CALLED;
    c->worker->signatures_called++;
    stream_requeue(c->lower);
}

/* The next connection of the queue is to try again. */
static void call_next(struct tls_worker *w)
{
    if (!list_empty(&w->signatures_wait))
        call(LIST_ENTRY(w->signatures_wait.head.next, struct tls_conn, sign_link));
}

/*
 * Waits until a signature comes back or another connection has had its turn. Somebody must call the
 * queue: with nothing under way this one does, and tries again in the next turn of the loop.
 */
static void wait_for_room(struct tls_conn *c)
{
    struct tls_worker *w = c->worker;

    if (c->sign_wait == TLS_SIGN_WAITS)
        return;
    leave_queue(c);
    if (w->signatures_posted == 0 && w->signatures_called == 0) {
        call(c);
        return;
    }
    c->sign_wait = TLS_SIGN_WAITS;
    list_append(&w->signatures_wait, &c->sign_link);
}

/* Back on the loop. */
static void done(struct job *job)
{
    struct tls_sign *s = LIST_ENTRY(job, struct tls_sign, job);
    struct tls_worker *w = s->worker;

    ASSERT(s->posted);
    ASSERT(w->signatures_posted > 0);
    w->signatures_posted--;
    s->posted = false;
    s->done = true;
    if (s->conn != NULL)
        stream_requeue(s->conn->lower);
    else
        pool_put(w->signatures, s);
    call_next(w);
}

/* Posts c's signature, or lets c wait. */
static void post(struct tls_conn *c)
{
    struct tls_worker *w = c->worker;

    ASSERT(!c->sign->posted);
    if (!w->env.jobs->submit(w->env.jobs, &c->sign->job)) {
        wait_for_room(c);
        return;
    }
    c->sign->posted = true;
    w->signatures_posted++;
    leave_queue(c);
    call_next(w); /* there may be room for more than one */
}

static EVP_PKEY *key_of(const struct tls_files *f, const SSL_CREDENTIAL *credential)
{
    for (unsigned i = 0; i < f->credential_count; i++)
        if (f->credentials[i].credential == credential || f->credentials[i].stapled == credential)
            return f->credentials[i].rsa;
    return NULL;
}

static enum ssl_private_key_result_t sign(SSL *ssl, uint8_t *out, size_t *out_len, size_t max_out,
                                          uint16_t algorithm, const uint8_t *in, size_t in_len)
{
    struct tls_conn *c = tls_conn_of(ssl);
    struct tls_worker *w = c != NULL ? c->worker : NULL;
    EVP_PKEY *key = key_of(tls_ctx_files(ssl), SSL_get0_selected_credential(ssl));
    struct tls_sign *s;

    ASSERT(key != NULL);
    ASSERT(c == NULL || c->sign == NULL);
    if (c == NULL || w->env.jobs == NULL) { /* a helper is here already; or there are none */
        *out_len = max_out;
        return tls_sign_now(key, algorithm, span_of(in, (uint32_t)in_len), out, out_len)
                   ? ssl_private_key_success
                   : ssl_private_key_failure;
    }
    s = in_len <= sizeof(s->in) ? pool_get(w->signatures) : NULL;
    if (s == NULL)
        return ssl_private_key_failure;
    *s = (struct tls_sign){
        .job = { .run = run, .done = done }, .worker = w, .conn = c, .key = key
    };
    s->algorithm = algorithm;
    s->in_len = (uint32_t)in_len;
    memcpy(s->in, in, in_len);
    c->sign = s;
    post(c);
    return ssl_private_key_retry;
}

static enum ssl_private_key_result_t complete(SSL *ssl, uint8_t *out, size_t *out_len,
                                              size_t max_out)
{
    struct tls_conn *c = tls_conn_of(ssl);
    struct tls_sign *s = c->sign;
    bool ok;

    ASSERT(s != NULL);
    if (!s->done) {
        if (!s->posted)
            post(c);
        return ssl_private_key_retry;
    }
    ok = s->ok && s->out_len <= max_out;
    if (ok) {
        memcpy(out, s->out, s->out_len);
        *out_len = s->out_len;
    }
    c->sign = NULL;
    pool_put(c->worker->signatures, s);
    return ok ? ssl_private_key_success : ssl_private_key_failure;
}

/* Only for RSA key exchange, whose suites are all off. */
static enum ssl_private_key_result_t decrypt(SSL *ssl, uint8_t *out, size_t *out_len,
                                             size_t max_out, const uint8_t *in, size_t in_len)
{
    (void)ssl;
    (void)out;
    (void)out_len;
    (void)max_out;
    (void)in;
    (void)in_len;
    return ssl_private_key_failure;
}

const SSL_PRIVATE_KEY_METHOD tls_sign_method = {
    .sign = sign,
    .decrypt = decrypt,
    .complete = complete,
};

bool tls_sign_may_begin(struct tls_conn *c)
{
    struct tls_worker *w = c->worker;

    bool called = c->sign_wait == TLS_SIGN_CALLED;

    if (!tls_ctx_files(c->ssl)->has_rsa || w->env.jobs == NULL || c->hello_done || c->sign != NULL)
        return true;
    if (pool_used(w->signatures) == pool_count(w->signatures)) {
        wait_for_room(c);
        return false;
    }
    leave_queue(c);
    if (called)
        call_next(w); /* it may need no signature after all, and then nobody else would call */
    return true;
}

void tls_sign_forget(struct tls_conn *c)
{
    struct tls_worker *w = c->worker;
    bool called = c->sign_wait == TLS_SIGN_CALLED;

    leave_queue(c);
    if (c->sign != NULL) {
        c->sign->conn = NULL;
        if (!c->sign->posted)
            pool_put(w->signatures, c->sign);
        c->sign = NULL;
    }
    if (called)
        call_next(w); /* its turn is another's */
}
