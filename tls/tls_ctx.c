/*
 * What all connections share: certificates with their keys, suites, groups, versions, ticket keys.
 *
 * Happy path: tls_ctx_create reads the PEM files once, at start; then the context is read-only but
 * for the ticket keys, which main rotates.
 *
 * Failure modes: a file that is missing, garbled, encrypted, of a kind that we do not serve, or a
 * key that is not its certificate's: NULL, and a sentence that begins with the file's name.
 */
#include <errno.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/pool.h>

#include "base/assert.h"
#include "tls/tls_conn.h"
#include "tls/tls_error.h"

/* A chain as it is read. */
struct chain {
    CRYPTO_BUFFER *certs[LIMIT_TLS_CHAIN];
    unsigned count;
};

static bool refuse(struct buf *why, const char *path, const char *what)
{
    buf_printf(why, "%s: %s", path, what);
    tls_error_forget();
    return false;
}

static BIO *open_pem(const char *path, struct buf *why)
{
    BIO *file;

    if (path == NULL) {
        buf_printf(why, "a certificate needs a chain file and a key file");
        return NULL;
    }
    errno = 0;
    file = BIO_new_file(path, "r");
    if (file == NULL)
        refuse(why, path, strerror(errno));
    return file;
}

/* One PEM block into the chain, if it is a certificate: a file may hold the key too. */
static bool add_block(struct chain *chain, const char *name, const uint8_t *der, long len)
{
    CRYPTO_BUFFER *cert;

    if (strcmp(name, PEM_STRING_X509) != 0)
        return true;
    if (chain->count == LIMIT_TLS_CHAIN)
        return false;
    cert = CRYPTO_BUFFER_new(der, (size_t)len, NULL);
    if (cert == NULL)
        return false;
    chain->certs[chain->count++] = cert;
    return true;
}

static bool read_chain(struct chain *chain, const char *path, struct buf *why)
{
    BIO *file = open_pem(path, why);
    char *name = NULL, *header = NULL;
    uint8_t *der = NULL;
    long len = 0;
    bool fits = true;
    uint32_t end;

    if (file == NULL)
        return false;
    while (fits && PEM_read_bio(file, &name, &header, &der, &len)) {
        fits = add_block(chain, name, der, len);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    end = ERR_peek_last_error();
    BIO_free(file);
    if (!fits)
        return refuse(why, path, "too many certificates for a chain");
    if (ERR_GET_LIB(end) != ERR_LIB_PEM || ERR_GET_REASON(end) != PEM_R_NO_START_LINE)
        return refuse(why, path, "damaged PEM");
    if (chain->count == 0)
        return refuse(why, path, "holds no PEM certificate (BEGIN CERTIFICATE)");
    tls_error_forget();
    return true;
}

static void free_chain(struct chain *chain)
{
    for (unsigned i = 0; i < chain->count; i++)
        CRYPTO_BUFFER_free(chain->certs[i]);
}

/* We never ask for a passphrase: nobody is there when the service starts again. */
static int no_passphrase(char *to, int cap, int writing, void *asked)
{
    (void)to;
    (void)cap;
    (void)writing;
    *(bool *)asked = true;
    return 0;
}

static EVP_PKEY *read_key(const char *path, struct buf *why)
{
    BIO *file = open_pem(path, why);
    EVP_PKEY *key;
    bool asked = false;
    uint32_t error;

    if (file == NULL)
        return NULL;
    key = PEM_read_bio_PrivateKey(file, NULL, no_passphrase, &asked);
    error = ERR_peek_last_error();
    BIO_free(file);
    if (key != NULL)
        return key;
    if (asked)
        refuse(why, path, "is protected by a passphrase; give a key without one");
    else if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE)
        refuse(why, path, "holds no PEM private key (BEGIN PRIVATE KEY)");
    else
        refuse(why, path, "damaged private key");
    return NULL;
}

static bool check_key(EVP_PKEY *key, const char *path, struct buf *why)
{
    int kind = EVP_PKEY_id(key);
    int bits = EVP_PKEY_bits(key);

    if (kind == EVP_PKEY_EC)
        return true;
    if (kind != EVP_PKEY_RSA)
        return refuse(why, path, "is neither an ECDSA nor an RSA key");
    if (bits < 2048)
        return refuse(why, path, "RSA key of less than 2048 bits");
    if (bits > LIMIT_TLS_SIGNATURE_BYTES * 8)
        return refuse(why, path, "RSA key of more than 4096 bits");
    return true;
}

/* RSA keys are used through tls_sign, and that one makes these; no SHA-1. */
static bool use_tls_sign(SSL_CREDENTIAL *credential)
{
    static const uint16_t prefs[] = {
        SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA512,
        SSL_SIGN_RSA_PKCS1_SHA256,    SSL_SIGN_RSA_PKCS1_SHA384,    SSL_SIGN_RSA_PKCS1_SHA512,
    };

    return SSL_CREDENTIAL_set1_signing_algorithm_prefs(credential, prefs,
                                                       sizeof(prefs) / sizeof(prefs[0])) &&
           SSL_CREDENTIAL_set_private_key_method(credential, &tls_sign_method);
}

/* `to` owns what is put into it, also when this fails. */
static bool fill_credential(struct tls_credential *to, const struct tls_certificate *from,
                            const struct chain *chain, EVP_PKEY *key, struct buf *why)
{
    to->credential = SSL_CREDENTIAL_new_x509();
    if (to->credential == NULL)
        return refuse(why, from->chain_path, "memory is short");
    if (!SSL_CREDENTIAL_set1_cert_chain(to->credential, chain->certs, chain->count))
        return refuse(why, from->chain_path, "the first certificate cannot be used for TLS");
    if (!SSL_CREDENTIAL_set1_private_key(to->credential, key)) {
        buf_printf(why, "%s: is not the key of the certificate in %s", from->key_path,
                   from->chain_path);
        tls_error_forget();
        return false;
    }
    if (EVP_PKEY_id(key) != EVP_PKEY_RSA)
        return true;
    EVP_PKEY_up_ref(key);
    to->rsa = key;
    if (!use_tls_sign(to->credential))
        return refuse(why, from->chain_path, "memory is short");
    return true;
}

static bool load_certificate(struct tls_ctx *ctx, const struct tls_certificate *from,
                             struct buf *why)
{
    struct chain chain = { .count = 0 };
    EVP_PKEY *key = NULL;
    bool ok = read_chain(&chain, from->chain_path, why);

    if (ok) {
        key = read_key(from->key_path, why);
        ok = key != NULL && check_key(key, from->key_path, why) &&
             fill_credential(&ctx->credentials[ctx->credential_count++], from, &chain, key, why);
    }
    free_chain(&chain);
    EVP_PKEY_free(key);
    return ok;
}

static bool load_certificates(struct tls_ctx *ctx, const struct tls_config *config, struct buf *why)
{
    if (config->certificate_count == 0 || config->certificate_count > LIMIT_CERTIFICATES) {
        buf_printf(why, "1 to %d certificates are needed", LIMIT_CERTIFICATES);
        return false;
    }
    for (unsigned i = 0; i < config->certificate_count; i++)
        if (!load_certificate(ctx, &config->certificates[i], why))
            return false;
    /* ECDSA first: a client that can do both gets the cheap signature. */
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < ctx->credential_count; i++) {
            const struct tls_credential *one = &ctx->credentials[i];

            if ((one->rsa != NULL) == (pass == 1) &&
                !SSL_CTX_add1_credential(ctx->ssl, one->credential))
                return refuse(why, config->certificates[i].chain_path, "memory is short");
            ctx->has_rsa = ctx->has_rsa || one->rsa != NULL;
        }
    return true;
}

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

static void set_tickets(struct tls_ctx *ctx, uint32_t lifetime_s)
{
    tls_ticket_init(&ctx->tickets);
    ctx->ticket_lifetime_ms = lifetime_s * 1000ULL;
    SSL_CTX_set_session_cache_mode(ctx->ssl, SSL_SESS_CACHE_OFF);
    if (lifetime_s == 0) {
        SSL_CTX_set_options(ctx->ssl, SSL_OP_NO_TICKET);
        return;
    }
    SSL_CTX_set_num_tickets(ctx->ssl, 1);
    SSL_CTX_set_timeout(ctx->ssl, lifetime_s);
    SSL_CTX_set_session_psk_dhe_timeout(ctx->ssl, lifetime_s);
    SSL_CTX_set_ticket_aead_method(ctx->ssl, &tls_ticket_method);
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

/* Early data is off by default, and a server of BoringSSL never renegotiates. */
static bool set_up(struct tls_ctx *ctx, const struct tls_config *config, struct buf *why)
{
    ctx->bio = tls_bio_method_create();
    ctx->ssl = SSL_CTX_new(TLS_with_buffers_method());
    if (ctx->bio == NULL || ctx->ssl == NULL || !set_suites(ctx->ssl, config->tls12)) {
        buf_printf(why, "BoringSSL: %s", tls_error_text());
        return false;
    }
    ctx->own_records = !config->boringssl_records;
    SSL_CTX_set_options(ctx->ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_app_data(ctx->ssl, ctx);
    SSL_CTX_set_select_certificate_cb(ctx->ssl, tls_conn_on_hello);
    SSL_CTX_set_alpn_select_cb(ctx->ssl, select_protocol, NULL);
    SSL_CTX_set_info_callback(ctx->ssl, tls_conn_on_info);
    set_tickets(ctx, config->ticket_lifetime_s);
    return load_certificates(ctx, config, why);
}

struct tls_ctx *tls_ctx_create(const struct tls_config *config, struct buf *why)
{
    struct tls_ctx *ctx = calloc(1, sizeof(*ctx));

    if (ctx == NULL) {
        buf_printf(why, "memory is short");
        return NULL;
    }
    if (!set_up(ctx, config, why)) {
        tls_ctx_destroy(ctx);
        return NULL;
    }
    return ctx;
}

void tls_ctx_destroy(struct tls_ctx *ctx)
{
    if (ctx == NULL)
        return;
    for (unsigned i = 0; i < ctx->credential_count; i++) {
        SSL_CREDENTIAL_free(ctx->credentials[i].credential);
        EVP_PKEY_free(ctx->credentials[i].rsa);
    }
    SSL_CTX_free(ctx->ssl);
    BIO_meth_free(ctx->bio);
    tls_ticket_wipe(&ctx->tickets);
    free(ctx);
}

void tls_ctx_rotate(struct tls_ctx *ctx, uint64_t unix_ms)
{
    if (ctx->ticket_lifetime_ms != 0)
        tls_ticket_rotate(&ctx->tickets, unix_ms, ctx->ticket_lifetime_ms);
}
