/*
 * A client's certificate, verified off the loop: a signature of P-256 costs 0.1 ms, one of P-384 1
 * ms, and the client says how many there are.
 *
 * Happy path: BoringSSL has the client's Certificate message and asks (tls_verify_on_chain); the
 * chain goes into an object of a pool and to the helpers; the handshake step returns
 * TLS_WANT_SIGNATURE. The helper runs `run`, which parses and verifies it; the loop runs `done`,
 * which puts the lower stream on the ready list; the next step learns the verdict, and checks the
 * client's own signature. The object stays with the connection: it has the name.
 *
 * Failure modes: a chain that is refused (the alert that RFC 8446, 6.2 has for it); no helper has
 * room (TLS_WANT_TURN: asked again); the connection goes away meanwhile (the object goes home when
 * the helper is done with it). Without helpers it is done inline.
 *
 * A client that showed a certificate gets no ticket (tls_ticket.c), so nothing that was verified
 * once is believed later: an authority or a list that is read again holds from the next handshake.
 */
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pool.h>

#include "base/assert.h"
#include "tls/tls_conn.h"
#include "tls/tls_error.h"
#include "tls/tls_identity.h"

struct fault {
    int error; /* X509_V_ERR_* */
    uint8_t alert;
    const char *reason;
};

/* One chain. Its own pool: the connection may be gone before the helper is done. */
struct tls_verify {
    struct job job;
    struct tls_worker *worker;
    struct tls_conn *conn; /* NULL: gone */
    X509_STORE *store;     /* a reference, as the chain's are, until the verdict is there */
    CRYPTO_BUFFER *chain[LIMIT_TLS_CLIENT_CHAIN];
    unsigned chain_count;
    enum tls_identity kind;
    uint64_t unix_s;
    bool posted; /* a helper has it */
    bool done;
    bool told;                 /* BoringSSL has the verdict */
    const struct fault *fault; /* NULL: it is good */
    uint32_t identity_len;
    uint8_t identity[LIMIT_LOGIN_BYTES];
};

/* --- on a helper's thread ----------------------------------------------------------------------
 */

static const struct fault stopped = { 0, SSL_AD_INTERNAL_ERROR, "given up by us" };
static const struct fault no_memory = { 0, SSL_AD_INTERNAL_ERROR, "memory is short" };
static const struct fault too_long = { 0, SSL_AD_BAD_CERTIFICATE,
                                       "client's chain of certificates is too long" };
static const struct fault garbled = { 0, SSL_AD_BAD_CERTIFICATE,
                                      "client's certificate cannot be read" };
static const struct fault wrong_key = {
    0, SSL_AD_UNSUPPORTED_CERTIFICATE, "client's key is none of P-256, Ed25519, RSA 2048 to 4096"
};

/* RFC 8446, 6.2. */
static const struct fault faults[] = {
    { X509_V_ERR_CERT_HAS_EXPIRED, SSL_AD_CERTIFICATE_EXPIRED, "client's certificate has expired" },
    { X509_V_ERR_CERT_NOT_YET_VALID, SSL_AD_CERTIFICATE_EXPIRED,
      "client's certificate is not valid yet" },
    { X509_V_ERR_CERT_REVOKED, SSL_AD_CERTIFICATE_REVOKED, "client's certificate is revoked" },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, SSL_AD_UNKNOWN_CA,
      "client's certificate is by an unknown authority" },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, SSL_AD_UNKNOWN_CA,
      "client's certificate is by an unknown authority" },
    { X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, SSL_AD_UNKNOWN_CA,
      "client's certificate is by an unknown authority" },
    { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, SSL_AD_UNKNOWN_CA,
      "client's certificate is by itself" },
    { X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, SSL_AD_UNKNOWN_CA,
      "client's certificate is by an unknown authority" },
    { X509_V_ERR_CERT_CHAIN_TOO_LONG, SSL_AD_UNKNOWN_CA,
      "no authority within the length of a chain" },
    { X509_V_ERR_INVALID_PURPOSE, SSL_AD_UNSUPPORTED_CERTIFICATE,
      "client's certificate is not for clients" },
    { X509_V_ERR_UNABLE_TO_GET_CRL, SSL_AD_CERTIFICATE_UNKNOWN,
      "no revocation list of the authority" },
    { X509_V_ERR_CRL_HAS_EXPIRED, SSL_AD_CERTIFICATE_UNKNOWN,
      "the authority's revocation list has expired" },
    { X509_V_ERR_CRL_NOT_YET_VALID, SSL_AD_CERTIFICATE_UNKNOWN,
      "the authority's revocation list is not valid yet" },
    { X509_V_ERR_CRL_SIGNATURE_FAILURE, SSL_AD_CERTIFICATE_UNKNOWN,
      "the authority's revocation list is not signed by it" },
    { X509_V_ERR_OUT_OF_MEM, SSL_AD_INTERNAL_ERROR, "memory is short" },
};

/* Whatever has no row is a certificate that breaks a rule. */
static const struct fault *fault_of(int error)
{
    static const struct fault other = { 0, SSL_AD_BAD_CERTIFICATE, "client's certificate is bad" };

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (faults[i].error == error)
            return &faults[i];
    }
    return &other;
}

/* The loop checks a signature of the leaf's inline: of a key that makes that cheap, 0.1 ms at most.
 */
static bool is_cheap(X509 *leaf)
{
    const EVP_PKEY *key = X509_get0_pubkey(leaf);

    switch (key != NULL ? EVP_PKEY_id(key) : EVP_PKEY_NONE) {
    case EVP_PKEY_RSA:
        return EVP_PKEY_bits(key) >= 2048 && EVP_PKEY_bits(key) <= LIMIT_TLS_SIGNATURE_BYTES * 8;
    case EVP_PKEY_EC:
        return EC_GROUP_get_curve_name(EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key))) ==
               NID_X9_62_prime256v1;
    case EVP_PKEY_ED25519: return true;
    default: return false;
    }
}

/* `untrusted`: what the client has sent, its own certificate first. */
static const struct fault *judge(struct tls_verify *v, STACK_OF(X509) * untrusted,
                                 X509_STORE_CTX *judge)
{
    X509 *leaf = sk_X509_value(untrusted, 0);
    struct buf identity = { v->identity, 0, sizeof(v->identity) };

    if (!is_cheap(leaf))
        return &wrong_key;
    if (!X509_STORE_CTX_init(judge, v->store, leaf, untrusted) ||
        !X509_STORE_CTX_set_purpose(judge, X509_PURPOSE_SSL_CLIENT))
        return &no_memory;
    X509_STORE_CTX_set_depth(judge, LIMIT_TLS_CLIENT_DEPTH);
    X509_STORE_CTX_set_time_posix(judge, 0, (int64_t)v->unix_s);
    if (X509_verify_cert(judge) != 1)
        return fault_of(X509_STORE_CTX_get_error(judge));
    /* Without a name it is good all the same, and nobody's. */
    if (tls_identity_of(leaf, v->kind, &identity))
        v->identity_len = identity.len;
    return NULL;
}

static const struct fault *parse_and_judge(struct tls_verify *v, STACK_OF(X509) * parsed,
                                           X509_STORE_CTX *ctx)
{
    if (parsed == NULL || ctx == NULL)
        return &no_memory;
    for (unsigned i = 0; i < v->chain_count; i++) {
        X509 *one = X509_parse_from_buffer(v->chain[i]);

        if (one == NULL)
            return &garbled;
        if (sk_X509_push(parsed, one) == 0) {
            X509_free(one);
            return &no_memory;
        }
    }
    return judge(v, parsed, ctx);
}

static void run(struct job *job)
{
    struct tls_verify *v = LIST_ENTRY(job, struct tls_verify, job);
    STACK_OF(X509) *parsed = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    v->fault = parse_and_judge(v, parsed, ctx);
    X509_STORE_CTX_free(ctx);
    sk_X509_pop_free(parsed, X509_free);
    tls_error_forget(); /* the queue is the thread's, and it must not grow */
}

/* --- on the loop -------------------------------------------------------------------------------
 */

static void drop_chain(struct tls_verify *v)
{
    for (unsigned i = 0; i < v->chain_count; i++)
        CRYPTO_BUFFER_free(v->chain[i]);
    v->chain_count = 0;
    X509_STORE_free(v->store);
    v->store = NULL;
}

static void put_home(struct tls_verify *v)
{
    drop_chain(v);
    pool_put(v->worker->verifies, v);
}

static void done(struct job *job)
{
    struct tls_verify *v = LIST_ENTRY(job, struct tls_verify, job);

    ASSERT(v->posted && !v->done);
    v->posted = false;
    v->done = true;
    if (v->conn == NULL) {
        put_home(v);
        return;
    }
    drop_chain(v);
    stream_requeue(v->conn->lower);
}

/* NULL: all are with the helpers, of connections that are gone. */
static struct tls_verify *take_chain(struct tls_conn *c)
{
    const STACK_OF(CRYPTO_BUFFER) *chain = SSL_get0_peer_certificates(c->ssl);
    const struct tls_files *files = tls_ctx_files(c->ssl);
    struct tls_verify *v = pool_get(c->worker->verifies);
    size_t count = sk_CRYPTO_BUFFER_num(chain);

    ASSERT(count > 0); /* BoringSSL asks about one that was sent */
    if (v == NULL)
        return NULL;
    *v = (struct tls_verify){ .job = { .run = run, .done = done }, .worker = c->worker, .conn = c };
    v->kind = files->ctx->config.identity;
    v->unix_s = atomic_load_explicit(&files->ctx->unix_s, memory_order_relaxed);
    v->fault = &stopped;
    v->store = files->trust.store;
    X509_STORE_up_ref(v->store);
    if (count > LIMIT_TLS_CLIENT_CHAIN) {
        v->fault = &too_long;
        v->done = true;
        return v;
    }
    for (size_t i = 0; i < count; i++) {
        v->chain[i] = sk_CRYPTO_BUFFER_value(chain, i);
        CRYPTO_BUFFER_up_ref(v->chain[i]);
    }
    v->chain_count = (unsigned)count;
    return v;
}

static void post(struct tls_verify *v)
{
    struct job_queue *jobs = v->worker->env.jobs;

    if (jobs != NULL) {
        v->posted = jobs->submit(jobs, &v->job);
        return;
    }
    run(&v->job);
    v->done = true;
    drop_chain(v);
}

enum ssl_verify_result_t tls_verify_on_chain(SSL *ssl, uint8_t *alert)
{
    struct tls_conn *c = tls_conn_of(ssl);

    ASSERT(c != NULL); /* a helper's SSL object ends before a client's first message but one */
    if (c->verify == NULL)
        c->verify = take_chain(c);
    if (c->verify == NULL) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return ssl_verify_invalid;
    }
    if (!c->verify->done && !c->verify->posted)
        post(c->verify);
    if (!c->verify->done)
        return ssl_verify_retry;
    c->verify->told = true;
    if (c->verify->fault == NULL)
        return ssl_verify_ok;
    *alert = c->verify->fault->alert;
    return ssl_verify_invalid;
}

bool tls_verify_is_posted(const struct tls_conn *c)
{
    return c->verify != NULL && c->verify->posted;
}

bool tls_verify_is_due(const struct tls_conn *c)
{
    return c->verify != NULL && c->verify->done && !c->verify->told;
}

const char *tls_verify_fault(const struct tls_conn *c)
{
    return c->verify != NULL && c->verify->told && c->verify->fault != NULL
               ? c->verify->fault->reason
               : NULL;
}

struct span tls_verify_identity(const struct tls_conn *c)
{
    return c->verify != NULL ? span_of(c->verify->identity, c->verify->identity_len)
                             : (struct span){ NULL, 0 };
}

struct pool *tls_verify_pool(uint32_t connections_max)
{
    return pool_create("tls_verifies", connections_max, sizeof(struct tls_verify));
}

void tls_verify_forget(struct tls_conn *c)
{
    struct tls_verify *v = c->verify;

    if (v == NULL)
        return;
    c->verify = NULL;
    v->conn = NULL;
    if (!v->posted)
        put_home(v);
}
