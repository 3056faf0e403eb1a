/*
 * What all connections share: suites, groups, versions, ticket keys; and what was read from files,
 * which hangs on the SSL_CTX that serves it.
 *
 * Happy path: tls_ctx_create reads the files at start; tls_ctx_reload reads them again into a new
 * SSL_CTX, and offers it to each worker, whose next connection begins with it. Connections and
 * helpers hold the SSL_CTX that they began with, and the last of them frees it.
 *
 * Failure modes: see tls_cert.c; a reload that fails changes nothing.
 */
#include <stdlib.h>

#include <openssl/mem.h>

#include "base/assert.h"
#include "tls/tls_conn.h"
#include "tls/tls_error.h"

/* --- what is read from files -------------------------------------------------------------------
 */

/* The index of an SSL_CTX's struct tls_files; set by the first tls_ctx_create. */
static int files_index = -1;
/* That of an SSL's note; likewise. */
static int note_index = -1;

static void files_destroy(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl,
                          void *argp)
{
    struct tls_files *f = ptr;

    (void)parent;
    (void)ad;
    (void)index;
    (void)argl;
    (void)argp;
    if (f == NULL)
        return;
    for (unsigned i = 0; i < f->credential_count; i++)
        tls_cert_free(&f->credentials[i]);
    tls_trust_free(&f->trust);
    OPENSSL_cleanse(&f->tickets, sizeof(f->tickets));
    free(f);
}

struct tls_files *tls_ctx_files(const SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), files_index);
}

bool tls_ctx_set_note(SSL *ssl, const struct tls_credential **note)
{
    return SSL_set_ex_data(ssl, note_index, (void *)note) != 0;
}

const struct tls_credential *tls_ctx_shown(const SSL *ssl)
{
    const struct tls_credential *const *note = SSL_get_ex_data(ssl, note_index);
    const SSL_CREDENTIAL *selected = SSL_get0_selected_credential(ssl);
    const struct tls_files *f = tls_ctx_files(ssl);

    if (SSL_session_reused(ssl))
        return *note;
    for (unsigned i = 0; i < f->credential_count; i++) {
        if (f->credentials[i].credential == selected || f->credentials[i].stapled == selected)
            return &f->credentials[i];
    }
    return NULL;
}

bool tls_ctx_note(const SSL *ssl, const uint8_t id[TLS_CERT_ID_BYTES])
{
    const struct tls_credential **note = SSL_get_ex_data(ssl, note_index);
    const struct tls_files *f = tls_ctx_files(ssl);

    for (unsigned i = 0; i < f->credential_count; i++) {
        if (memcmp(f->credentials[i].id, id, TLS_CERT_ID_BYTES) != 0)
            continue;
        *note = &f->credentials[i];
        return true;
    }
    return false;
}

static bool load_certificates(struct tls_files *f, const struct tls_config *config, struct buf *why)
{
    if (config->certificate_count == 0 || config->certificate_count > LIMIT_CERTIFICATES) {
        buf_printf(why, "1 to %d certificates are needed", LIMIT_CERTIFICATES);
        return false;
    }
    for (unsigned i = 0; i < config->certificate_count; i++) {
        struct tls_credential *to = &f->credentials[f->credential_count++];

        if (!tls_cert_load(to, &config->certificates[i], why))
            return false;
        f->has_rsa = f->has_rsa || to->rsa != NULL;
    }
    return true;
}

/*
 * Asks clients for a certificate, of one of the authorities that are named to them. What the loop
 * checks is what is cheap to check: no P-384 (1 ms). A ticket holds only where as much is asked
 * as where it was sealed: its context says so.
 */
static bool ask_clients(SSL_CTX *ssl, struct tls_files *f, struct buf *why)
{
    static const uint16_t prefs[] = {
        SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ED25519,
        SSL_SIGN_RSA_PSS_RSAE_SHA256,    SSL_SIGN_RSA_PSS_RSAE_SHA384,
        SSL_SIGN_RSA_PSS_RSAE_SHA512,    SSL_SIGN_RSA_PKCS1_SHA256,
        SSL_SIGN_RSA_PKCS1_SHA384,       SSL_SIGN_RSA_PKCS1_SHA512,
    };
    uint8_t clients = (uint8_t)f->ctx->config.clients;
    int mode = SSL_VERIFY_PEER;

    if (!SSL_CTX_set_session_id_context(ssl, &clients, sizeof(clients)) ||
        !SSL_CTX_set_verify_algorithm_prefs(ssl, prefs, sizeof(prefs) / sizeof(prefs[0]))) {
        buf_printf(why, "BoringSSL: %s", tls_error_text());
        return false;
    }
    if (clients == TLS_CLIENTS_OFF)
        return true;
    if (clients == TLS_CLIENTS_REQUIRE)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_custom_verify(ssl, mode, tls_verify_on_chain);
    SSL_CTX_set_max_cert_list(ssl, LIMIT_TLS_CLIENT_CHAIN_BYTES);
    SSL_CTX_set0_client_CAs(ssl, f->trust.names);
    f->trust.names = NULL; /* the SSL_CTX has them */
    return true;
}

static bool load_files(struct tls_ctx *ctx, SSL_CTX *ssl, struct buf *why)
{
    struct tls_files *f = calloc(1, sizeof(*f));

    if (f == NULL || !SSL_CTX_set_ex_data(ssl, files_index, f)) {
        free(f);
        buf_printf(why, "memory is short");
        return false;
    }
    f->ctx = ctx;
    return load_certificates(f, &ctx->config, why) &&
           tls_trust_load(&f->trust, &ctx->config, why) && ask_clients(ssl, f, why) &&
           (ctx->config.ticket_keys_path == NULL ||
            tls_ticket_file_read(&f->tickets, ctx->config.ticket_keys_path, why));
}

/* --- which certificate -------------------------------------------------------------------------
 */

static bool is_for_nobody(const struct tls_files *f, const char *host)
{
    for (unsigned i = 0; i < f->credential_count; i++) {
        if (tls_cert_is_for(&f->credentials[i], host))
            return false;
    }
    return true;
}

/*
 * Those for the host that the client names (RFC 6066, 3); for no host, or one that is not ours, the
 * first of the configuration and its like. BoringSSL takes the first that the client can verify.
 * ECDSA stands before RSA: a client that can do both gets the cheap signature.
 */
bool tls_ctx_offer_certificates(SSL *ssl)
{
    const struct tls_files *f = tls_ctx_files(ssl);
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    uint64_t now_s = atomic_load_explicit(&f->ctx->unix_s, memory_order_relaxed);

    if (host != NULL && is_for_nobody(f, host))
        host = NULL;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < f->credential_count; i++) {
            const struct tls_credential *one = &f->credentials[i];

            if ((one->rsa != NULL) == (pass == 1) &&
                (host != NULL ? tls_cert_is_for(one, host)
                              : tls_cert_is_twin(&f->credentials[0], one)) &&
                !SSL_add1_credential(ssl, tls_cert_to_show(one, now_s)))
                return false;
        }
    }
    return true;
}

/* --- the context -------------------------------------------------------------------------------
 */

static bool set_suites(SSL_CTX *ssl, bool tls12)
{
    static const uint16_t groups[] = { SSL_GROUP_X25519_MLKEM768, SSL_GROUP_X25519,
                                       SSL_GROUP_SECP256R1 };

    return SSL_CTX_set_min_proto_version(ssl, tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) &&
           SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) &&
           SSL_CTX_set1_group_ids(ssl, groups, sizeof(groups) / sizeof(groups[0])) &&
           /* Of TLS 1.2; those of 1.3 are fixed. Within brackets the client's order counts: it
            * knows whether it has AES in hardware. All three stand there, or a client that likes
            * AES-256 best, then ChaCha20 (OpenSSL), would get the latter, seven times dearer for
            * us. */
           SSL_CTX_set_strict_cipher_list(
               ssl, "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-AES256-GCM-SHA384|"
                    "ECDHE-ECDSA-CHACHA20-POLY1305]:"
                    "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-AES256-GCM-SHA384|"
                    "ECDHE-RSA-CHACHA20-POLY1305]");
}

static void set_tickets(SSL_CTX *ssl, uint32_t lifetime_s)
{
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    if (lifetime_s == 0) {
        SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
        return;
    }
    SSL_CTX_set_num_tickets(ssl, 1);
    SSL_CTX_set_timeout(ssl, lifetime_s);
    SSL_CTX_set_session_psk_dhe_timeout(ssl, lifetime_s);
    SSL_CTX_set_ticket_aead_method(ssl, &tls_ticket_method);
}

/*
 * A client that offers protocols and not ours was sent here by somebody who wants our bytes taken
 * for those of another service with the same certificate (ALPACA; RFC 7301, 3.2). Without an offer
 * this is not called: mail clients make none.
 */
static int select_protocol(SSL *ssl, const uint8_t **chosen, uint8_t *chosen_len,
                           const uint8_t *offered, unsigned offered_len, void *unused)
{
    static const uint8_t ours[] = "smtp";
    CBS names, name;

    (void)ssl;
    (void)unused;
    CBS_init(&names, offered, offered_len);
    while (CBS_get_u8_length_prefixed(&names, &name)) {
        if (!CBS_mem_equal(&name, ours, sizeof(ours) - 1))
            continue;
        *chosen = ours;
        *chosen_len = sizeof(ours) - 1;
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol */
}

/* NULL: *why has the reason. Early data is off by default, and a server of BoringSSL never
 * renegotiates. */
static SSL_CTX *make_ssl(struct tls_ctx *ctx, struct buf *why)
{
    SSL_CTX *ssl = SSL_CTX_new(TLS_with_buffers_method());

    if (ssl == NULL || !set_suites(ssl, ctx->config.tls12)) {
        buf_printf(why, "BoringSSL: %s", tls_error_text());
        SSL_CTX_free(ssl);
        return NULL;
    }
    SSL_CTX_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_select_certificate_cb(ssl, tls_conn_on_hello);
    SSL_CTX_set_alpn_select_cb(ssl, select_protocol, NULL);
    SSL_CTX_set_info_callback(ssl, tls_conn_on_info);
    set_tickets(ssl, ctx->config.ticket_lifetime_s);
    if (load_files(ctx, ssl, why))
        return ssl;
    SSL_CTX_free(ssl);
    return NULL;
}

struct tls_ctx *tls_ctx_create(const struct tls_config *config, struct buf *why)
{
    struct tls_ctx *ctx = calloc(1, sizeof(*ctx));

    if (files_index < 0)
        files_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, files_destroy);
    if (note_index < 0)
        note_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    if (ctx == NULL || files_index < 0 || note_index < 0) {
        free(ctx);
        buf_printf(why, "memory is short");
        return NULL;
    }
    ctx->config = *config;
    list_init(&ctx->workers);
    tls_ticket_init(&ctx->tickets);
    ctx->bio = tls_bio_method_create();
    if (ctx->bio == NULL)
        buf_printf(why, "BoringSSL: %s", tls_error_text());
    else
        ctx->ssl = make_ssl(ctx, why);
    if (ctx->ssl != NULL)
        return ctx;
    tls_ctx_destroy(ctx);
    return NULL;
}

void tls_ctx_destroy(struct tls_ctx *ctx)
{
    if (ctx == NULL)
        return;
    ASSERT(list_empty(&ctx->workers));
    SSL_CTX_free(ctx->ssl);
    BIO_meth_free(ctx->bio);
    tls_ticket_wipe(&ctx->tickets);
    free(ctx);
}

bool tls_ctx_reload(struct tls_ctx *ctx, struct buf *why)
{
    SSL_CTX *next = make_ssl(ctx, why);

    if (next == NULL)
        return false;
    for (struct list_node *n = ctx->workers.head.next; n != &ctx->workers.head; n = n->next) {
        struct tls_worker *w = LIST_ENTRY(n, struct tls_worker, link);

        SSL_CTX_up_ref(next);
        SSL_CTX_free(atomic_exchange_explicit(&w->offered, next, memory_order_acq_rel));
    }
    SSL_CTX_free(ctx->ssl);
    ctx->ssl = next;
    return true;
}

void tls_ctx_rotate(struct tls_ctx *ctx, uint64_t unix_ms)
{
    atomic_store_explicit(&ctx->unix_s, unix_ms / 1000, memory_order_relaxed);
    if (ctx->config.ticket_lifetime_s != 0)
        tls_ticket_rotate(&ctx->tickets, unix_ms, ctx->config.ticket_lifetime_s * 1000ULL);
}

bool tls_ctx_news(struct tls_ctx *ctx, struct buf *out)
{
    struct tls_files *f = SSL_CTX_get_ex_data(ctx->ssl, files_index);
    uint64_t now_s = atomic_load_explicit(&ctx->unix_s, memory_order_relaxed);

    for (unsigned i = 0; i < f->credential_count; i++) {
        if (tls_cert_news(&f->credentials[i], &ctx->config.certificates[i], now_s, out))
            return true;
    }
    return false;
}
