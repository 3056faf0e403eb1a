/*
 * A connection's handshake, and the pools it comes from.
 *
 * Happy path: tls_conn_open; the first bytes are looked at before BoringSSL sees them;
 * tls_conn_handshake steps it until TLS_DONE; from then on tls_stream.c moves the data.
 *
 * Failure modes: plain text (nothing is written, nothing taken: the caller answers in clear); a
 * broken handshake (BoringSSL's alert is committed to the lower stream, which stays open for the
 * caller to end); the transport ends or fails.
 */
#include "tls/tls_conn.h"

#include <stdlib.h>

#include <openssl/mem.h>

#include "base/assert.h"
#include "tls/tls_error.h"

#define RECORD_HEADER_BYTES 5
#define RECORD_HANDSHAKE    22 /* RFC 8446, 5.1 */

struct tls_worker *tls_worker_create(struct tls_ctx *ctx, uint32_t connections_max,
                                     const struct tls_env *env)
{
    struct tls_worker *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return NULL;
    w->ctx = ctx;
    w->env = *env;
    list_append(&ctx->workers, &w->link);
    w->ssl = ctx->ssl;
    SSL_CTX_up_ref(w->ssl);
    list_init(&w->signatures_wait);
    list_init(&w->awake_order);
    w->conns = pool_create("tls_conns", connections_max, sizeof(struct tls_conn));
    w->signatures = pool_create("tls_signatures", LIMIT_TLS_SIGNATURES, sizeof(struct tls_sign));
    w->gathers = pool_create(
        "tls_gathers", connections_max < LIMIT_TLS_GATHERS ? connections_max : LIMIT_TLS_GATHERS,
        TLS_RECORD_MAX);
    w->awake = pool_create("tls_awake",
                           connections_max < LIMIT_TLS_AWAKE ? connections_max : LIMIT_TLS_AWAKE,
                           sizeof(struct tls_awake));
    if (env->jobs != NULL)
        w->hints = pool_create("tls_hints", LIMIT_TLS_HINTS, sizeof(struct tls_hint));
    if (ctx->config.clients != TLS_CLIENTS_OFF)
        w->verifies = tls_verify_pool(connections_max);
    if (w->conns == NULL || w->signatures == NULL || w->awake == NULL || w->gathers == NULL ||
        (env->jobs != NULL && w->hints == NULL) ||
        (ctx->config.clients != TLS_CLIENTS_OFF && w->verifies == NULL)) {
        tls_worker_destroy(w);
        return NULL;
    }
    return w;
}

void tls_worker_destroy(struct tls_worker *w)
{
    if (w == NULL)
        return;
    list_remove(&w->link);
    SSL_CTX_free(w->ssl);
    SSL_CTX_free(atomic_load_explicit(&w->offered, memory_order_acquire));
    OPENSSL_cleanse(w->scratch, sizeof(w->scratch));
    pool_destroy(w->verifies);
    pool_destroy(w->hints);
    pool_destroy(w->awake);
    pool_destroy(w->gathers);
    pool_destroy(w->signatures);
    pool_destroy(w->conns);
    free(w);
}

struct tls_conn *tls_conn_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* The legal edges; START, HANDSHAKE and OPEN may fail, nothing leaves FAILED. */
static bool is_edge(enum tls_state from, enum tls_state to)
{
    if (to == TLS_STATE_FAILED)
        return from != TLS_STATE_FAILED;
    return (from == TLS_STATE_START && to == TLS_STATE_HANDSHAKE) ||
           (from == TLS_STATE_HANDSHAKE && to == TLS_STATE_OPEN);
}

void tls_conn_set_state(struct tls_conn *c, enum tls_state to)
{
    struct counters *counters = c->worker->env.counters;

    ASSERT(is_edge(c->state, to));
    if (to == TLS_STATE_OPEN) {
        counter_inc(counters, COUNTER_TLS_HANDSHAKES);
        if (c->resumed)
            counter_inc(counters, COUNTER_TLS_RESUMED);
    } else if (to == TLS_STATE_FAILED && c->state != TLS_STATE_OPEN) {
        counter_inc(counters,
                    c->error.not_tls ? COUNTER_TLS_NOT_TLS : COUNTER_TLS_HANDSHAKE_ERRORS);
    }
    c->state = to;
}

void tls_conn_fail(struct tls_conn *c, enum tls_fault fault, const char *reason)
{
    if (reason != NULL)
        tls_error_set(&c->error, fault, reason);
    else
        tls_error_take(&c->error, c->alert_sent, c->alert_received);
    tls_conn_set_state(c, TLS_STATE_FAILED);
}

static void take_offer(struct tls_worker *w)
{
    SSL_CTX *next;

    if (atomic_load_explicit(&w->offered, memory_order_relaxed) == NULL)
        return;
    next = atomic_exchange_explicit(&w->offered, NULL, memory_order_acq_rel);
    if (next == NULL)
        return;
    SSL_CTX_free(w->ssl);
    w->ssl = next;
}

struct tls_conn *tls_conn_open(struct tls_worker *w, struct stream *lower)
{
    struct tls_conn *c = pool_get(w->conns);

    if (c == NULL)
        return NULL;
    take_offer(w);
    *c = (struct tls_conn){ .lower = lower, .worker = w };
    c->upper = (struct stream){ .ops = &tls_stream_ops,
                                .ready_list = lower->ready_list,
                                .owner = lower->owner,
                                .local = lower->local,
                                .peer = lower->peer };
    list_node_init(&c->upper.ready_link);
    list_node_init(&c->sign_link);
    list_init(&c->held);
    c->ssl_ctx = w->ssl;
    SSL_CTX_up_ref(c->ssl_ctx);
    c->ssl = SSL_new(c->ssl_ctx);
    if (c->ssl == NULL || !SSL_set_app_data(c->ssl, c) ||
        !tls_ctx_set_note(c->ssl, &c->credential) || !tls_bio_attach(c)) {
        tls_conn_free(c);
        return NULL;
    }
    SSL_set_accept_state(c->ssl);
    SSL_set_shed_handshake_config(c->ssl, 1);
    tls_error_forget(); /* SSL_new can succeed and still have complained */
    return c;
}

void tls_conn_free(struct tls_conn *c)
{
    struct tls_worker *w = c->worker;

    ASSERT(c->out == NULL);
    tls_sign_forget(c);
    tls_hint_forget(c);
    tls_verify_forget(c);
    tls_awake_rest(c);
    tls_layer_own_drop(c);
    OPENSSL_cleanse(&c->own, sizeof(c->own));
    SSL_free(c->ssl);
    SSL_CTX_free(c->ssl_ctx);
    tls_error_forget();
    seg_release_all(&c->held);
    if (list_linked(&c->upper.ready_link))
        list_remove(&c->upper.ready_link);
    pool_put(w->conns, c);
}

struct stream *tls_conn_stream(struct tls_conn *c)
{
    return &c->upper;
}

struct stream *tls_conn_detach(struct tls_conn *c)
{
    struct stream *lower = c->lower;

    tls_conn_free(c);
    return lower;
}

/* Prefers what the client sent a key share for, ours first among those: never a HelloRetryRequest
 * for taste. */
static bool order_groups(const SSL_CLIENT_HELLO *hello)
{
    static const uint16_t ours[] = { SSL_GROUP_X25519_MLKEM768, SSL_GROUP_X25519,
                                     SSL_GROUP_SECP256R1 };
    enum { OURS = sizeof(ours) / sizeof(ours[0]) };
    uint16_t order[OURS];
    size_t count = 0;
    bool offered[OURS] = { false };
    const uint8_t *extension;
    size_t extension_len;
    CBS all, shares, share;
    uint16_t group;

    if (!SSL_early_callback_ctx_extension_get(hello, TLSEXT_TYPE_key_share, &extension,
                                              &extension_len))
        return true;
    CBS_init(&all, extension, extension_len);
    if (!CBS_get_u16_length_prefixed(&all, &shares))
        return true; /* malformed: BoringSSL finds the words and the alert for it */
    while (CBS_get_u16(&shares, &group) && CBS_get_u16_length_prefixed(&shares, &share))
        for (unsigned i = 0; i < OURS; i++)
            offered[i] = offered[i] || ours[i] == group;
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < OURS; i++)
            if (offered[i] == (pass == 0))
                order[count++] = ours[i];
    ASSERT(count == OURS);
    return SSL_set1_group_ids(hello->ssl, order, count);
}

enum ssl_select_cert_result_t tls_conn_on_hello(const SSL_CLIENT_HELLO *hello)
{
    struct tls_conn *c = tls_conn_of(hello->ssl);

    if (!order_groups(hello))
        return ssl_select_cert_error;
    /* After a stop for hints all this comes again: certificates are offered once, at last. */
    if (c != NULL && tls_hint_on_hello(c, hello) == ssl_select_cert_retry)
        return ssl_select_cert_retry;
    return tls_ctx_offer_certificates(hello->ssl) ? ssl_select_cert_success : ssl_select_cert_error;
}

void tls_conn_on_info(const SSL *ssl, int what, int value)
{
    struct tls_conn *c = tls_conn_of(ssl);
    int level = value >> 8;
    uint8_t alert = (uint8_t)(value & 0xff);

    if (c != NULL && what == SSL_CB_HANDSHAKE_DONE)
        c->credential = tls_ctx_shown(ssl);
    if (c == NULL || level != SSL3_AL_FATAL)
        return;
    if (what == SSL_CB_WRITE_ALERT)
        c->alert_sent = alert;
    else if (what == SSL_CB_READ_ALERT)
        c->alert_received = alert;
}

/*
 * TLS_DONE: a record that may begin a handshake is there with its header. A first byte that is no
 * handshake record or a major version that is not 3 (an SSL 2 hello, "EHLO", "GET /") is somebody
 * who speaks no TLS.
 */
static enum tls_outcome look_at_first_bytes(struct tls_conn *c)
{
    uint8_t head[RECORD_HEADER_BYTES];
    uint32_t n = tls_bio_available(c, sizeof(head), head, sizeof(head));

    if ((n > 0 && head[0] != RECORD_HANDSHAKE) || (n > 1 && head[1] != SSL3_VERSION_MAJOR)) {
        tls_error_set(&c->error, TLS_FAULT_PEER, "no TLS record");
        c->error.not_tls = true;
        tls_conn_set_state(c, TLS_STATE_FAILED);
        return TLS_FAILED;
    }
    if (n == sizeof(head)) {
        c->hello_need = RECORD_HEADER_BYTES + ((uint32_t)head[3] << 8 | head[4]);
        tls_conn_set_state(c, TLS_STATE_HANDSHAKE);
        return TLS_DONE;
    }
    return TLS_WANT_INPUT;
}

/* The transport ended or failed: waiting for it would be for ever. All that is there has been
 * looked at. */
static enum tls_outcome wait_below(struct tls_conn *c, enum tls_outcome outcome)
{
    uint32_t ready = c->lower->ready;

    if (ready & STREAM_FAILED) {
        tls_conn_fail(c, TLS_FAULT_TRANSPORT, "connection lost in the handshake");
        return TLS_FAILED;
    }
    if (outcome == TLS_WANT_INPUT && (ready & STREAM_ENDED)) {
        tls_conn_fail(c, TLS_FAULT_TRANSPORT, "connection closed in the handshake");
        return TLS_FAILED;
    }
    return outcome;
}

static enum tls_outcome stopped(struct tls_conn *c, int ret)
{
    switch (SSL_get_error(c->ssl, ret)) {
    case SSL_ERROR_WANT_READ: return wait_below(c, TLS_WANT_INPUT);
    case SSL_ERROR_WANT_WRITE: return wait_below(c, TLS_WANT_OUTPUT);
    case SSL_ERROR_PENDING_CERTIFICATE:
    case SSL_ERROR_WANT_PRIVATE_KEY_OPERATION: return wait_below(c, TLS_WANT_SIGNATURE);
    case SSL_ERROR_WANT_CERTIFICATE_VERIFY:
        return wait_below(c, tls_verify_is_posted(c) ? TLS_WANT_SIGNATURE : TLS_WANT_TURN);
    case SSL_ERROR_SYSCALL:
        tls_conn_fail(c, TLS_FAULT_TRANSPORT,
                      c->lower->ready & STREAM_FAILED ? "connection lost in the handshake"
                                                      : "connection closed in the handshake");
        return TLS_FAILED;
    default:
        tls_conn_fail(c, TLS_FAULT_NONE, NULL);
        if (tls_verify_fault(c) != NULL)
            c->error.reason = tls_verify_fault(c);
        return TLS_FAILED;
    }
}

/* The ClientHello is behind us when something was answered to it, unless that was a
 * HelloRetryRequest. */
static void note_progress(struct tls_conn *c, enum tls_outcome outcome)
{
    if (c->hint != NULL || c->wants_hint || c->hello_done ||
        (c->out_bytes == 0 && outcome == TLS_WANT_INPUT))
        return;
    if (!c->retried && SSL_used_hello_retry_request(c->ssl)) {
        c->retried = true;
        c->out_bytes = 0;
        c->hello_need = 0;
        return;
    }
    c->hello_done = true;
}

static void open_records(struct tls_conn *c)
{
    bool own = !c->worker->ctx->config.boringssl_records && SSL_version(c->ssl) == TLS1_3_VERSION;

    c->layer = own ? &tls_layer_take : &tls_layer_ssl;
    c->suite = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(c->ssl));
    c->group = SSL_get_group_id(c->ssl);
    c->resumed = SSL_session_reused(c->ssl);
    tls_conn_set_state(c, TLS_STATE_OPEN);
}

static enum tls_outcome step(struct tls_conn *c)
{
    enum tls_outcome outcome = TLS_DONE;
    int ret = SSL_do_handshake(c->ssl);

    tls_bio_commit(c);
    if (ret != 1)
        outcome = stopped(c, ret);
    if (outcome == TLS_DONE)
        open_records(c);
    if (outcome != TLS_FAILED)
        note_progress(c, outcome);
    tls_error_forget();
    tls_stream_update(c);
    return outcome;
}

enum tls_outcome tls_conn_handshake(struct tls_conn *c)
{
    enum tls_outcome outcome = TLS_DONE;

    if (c->state == TLS_STATE_START)
        outcome = look_at_first_bytes(c);
    if (outcome != TLS_DONE)
        return outcome == TLS_WANT_INPUT ? wait_below(c, outcome) : outcome;
    if (c->state == TLS_STATE_FAILED)
        return TLS_FAILED;
    if (c->state == TLS_STATE_OPEN)
        return TLS_DONE;
    if ((c->hint != NULL && c->hint->posted) || tls_verify_is_posted(c) || !tls_sign_may_begin(c))
        return wait_below(c, TLS_WANT_SIGNATURE);
    return step(c);
}

enum tls_outcome tls_conn_handshake_helped(struct tls_conn *c)
{
    enum tls_outcome outcome;

    if (c->hint == NULL) {
        if (c->retried || c->no_hint || tls_verify_is_due(c) || !tls_hint_has_place(c->worker))
            return TLS_WANT_TURN;
        c->wants_hint = true;
        outcome = tls_conn_handshake(c);
        c->wants_hint = false;
        if (c->hint == NULL || outcome == TLS_FAILED)
            return c->no_hint ? TLS_WANT_TURN : outcome;
    }
    if (c->hint->posted)
        return wait_below(c, TLS_WANT_SIGNATURE);
    return c->hint->done ? tls_conn_handshake(c)
                         : (tls_hint_post(c) ? TLS_WANT_SIGNATURE : TLS_WANT_TURN);
}

bool tls_conn_handshake_is_dear(const struct tls_conn *c)
{
    uint8_t head[RECORD_HEADER_BYTES];
    uint32_t n, need = c->hello_need;

    if (tls_verify_is_due(c))
        return true;
    if (c->state > TLS_STATE_HANDSHAKE || c->hello_done)
        return false;
    if (c->hint != NULL)
        return !c->hint->posted && !c->hint->done;
    if (c->no_hint)
        return true;
    if (c->state == TLS_STATE_START) {
        n = tls_bio_available(c, sizeof(head), head, sizeof(head));
        if (n < sizeof(head) || head[0] != RECORD_HANDSHAKE)
            return false;
        need = RECORD_HEADER_BYTES + ((uint32_t)head[3] << 8 | head[4]);
    }
    if (c->in_bytes >= need)
        return tls_bio_available(c, 1, head, 0) > 0;
    n = need - (uint32_t)c->in_bytes;
    return tls_bio_available(c, n, head, 0) == n;
}

const struct tls_error *tls_conn_error(const struct tls_conn *c)
{
    return &c->error;
}

bool tls_conn_truncated(const struct tls_conn *c)
{
    return c->truncated;
}

void tls_conn_update(struct tls_conn *c)
{
    c->own.partial = false;
    tls_stream_update(c);
}

/* As the TLS Supported Groups registry spells them. */
static const char *group_name(uint16_t group)
{
    switch (group) {
    case SSL_GROUP_X25519_MLKEM768: return "X25519MLKEM768";
    case SSL_GROUP_X25519: return "x25519";
    case SSL_GROUP_SECP256R1: return "secp256r1";
    default: return "";
    }
}

/* RFC 9266, 4.2 has it for TLS 1.2 too, if the peer has the extended master secret; we do without.
 */
static bool export_binding(const struct tls_conn *c, uint8_t out[TLS_BINDING_BYTES])
{
    static const char label[] = "EXPORTER-Channel-Binding";

    return SSL_version(c->ssl) == TLS1_3_VERSION &&
           SSL_export_keying_material(c->ssl, out, TLS_BINDING_BYTES, label, sizeof(label) - 1,
                                      NULL, 0, 1) == 1;
}

void tls_conn_info(const struct tls_conn *c, struct tls_info *out)
{
    const char *name =
        c->ssl != NULL ? SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name) : NULL;
    size_t len = name != NULL ? strlen(name) : 0;

    ASSERT(c->layer != NULL);
    *out = (struct tls_info){ .version = c->ssl != NULL ? SSL_get_version(c->ssl) : "TLSv1.3" };
    out->cipher = SSL_CIPHER_standard_name(SSL_get_cipher_by_value(c->suite));
    out->group = group_name(c->group);
    out->bound = c->ssl != NULL && export_binding(c, out->binding);
    out->resumed = c->resumed;
    out->identity = tls_verify_identity(c);
    if (c->credential != NULL)
        out->end_point = span_of(c->credential->end_point, c->credential->end_point_len);
    if (len > 0 && len < sizeof(out->server_name))
        memcpy(out->server_name, name, len);
}
