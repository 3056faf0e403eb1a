/*
 * One certificate from its files: chain, key, and what a responder says of it; and the names that
 * it is good for.
 *
 * Failure modes: a file that is missing, garbled, encrypted, of a kind that we do not serve, a key
 * or a response that is not the certificate's: false, and a sentence that begins with the file's
 * name.
 */
#include "tls/tls_conn.h"

#include <errno.h>

#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/obj.h>
#include <openssl/pem.h>
#include <openssl/pool.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "base/assert.h"
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

static bool fill(SSL_CREDENTIAL *credential, const struct tls_certificate *from,
                 const struct chain *chain, EVP_PKEY *key, struct buf *why)
{
    if (credential == NULL)
        return refuse(why, from->chain_path, "memory is short");
    if (!SSL_CREDENTIAL_set1_cert_chain(credential, chain->certs, chain->count))
        return refuse(why, from->chain_path, "the first certificate cannot be used for TLS");
    if (!SSL_CREDENTIAL_set1_private_key(credential, key)) {
        buf_printf(why, "%s: is not the key of the certificate in %s", from->key_path,
                   from->chain_path);
        tls_error_forget();
        return false;
    }
    if (EVP_PKEY_id(key) == EVP_PKEY_RSA && !use_tls_sign(credential))
        return refuse(why, from->chain_path, "memory is short");
    return true;
}

/* NULL: *why has it. */
static SSL_CREDENTIAL *make_credential(const struct tls_certificate *from,
                                       const struct chain *chain, EVP_PKEY *key, struct buf *why)
{
    SSL_CREDENTIAL *credential = SSL_CREDENTIAL_new_x509();

    if (fill(credential, from, chain, key, why))
        return credential;
    SSL_CREDENTIAL_free(credential);
    return NULL;
}

/* `to` owns what is put into it, also when this fails. */
static bool fill_credential(struct tls_credential *to, const struct tls_certificate *from,
                            const struct chain *chain, EVP_PKEY *key, struct buf *why)
{
    to->credential = make_credential(from, chain, key, why);
    if (to->credential == NULL)
        return false;
    if (EVP_PKEY_id(key) == EVP_PKEY_RSA) {
        EVP_PKEY_up_ref(key);
        to->rsa = key;
    }
    return true;
}

/* --- what a responder says ---------------------------------------------------------------------
 */

/* The same credential with the response at its side, for as long as that is current. */
static bool keep_response(struct tls_credential *to, const struct tls_certificate *from,
                          const struct chain *chain, EVP_PKEY *key, struct span der,
                          struct buf *why)
{
    CRYPTO_BUFFER *response = CRYPTO_BUFFER_new(der.ptr, der.len, NULL);
    bool kept = false;

    to->stapled = make_credential(from, chain, key, why);
    if (to->stapled != NULL && response != NULL)
        kept = SSL_CREDENTIAL_set1_ocsp_response(to->stapled, response) != 0;
    CRYPTO_BUFFER_free(response);
    return kept || refuse(why, from->ocsp_path, "memory is short");
}

static bool load_response(struct tls_credential *to, const struct tls_certificate *from,
                          const struct chain *chain, EVP_PKEY *key, struct buf *why)
{
    uint8_t bytes[LIMIT_TLS_OCSP_BYTES + 1];
    BIO *file = open_pem(from->ocsp_path, why);
    const char *fault;
    struct span der;
    int len;

    if (file == NULL)
        return false;
    len = BIO_read(file, bytes, sizeof(bytes));
    BIO_free(file);
    if (len <= 0 || len > LIMIT_TLS_OCSP_BYTES)
        return refuse(why, from->ocsp_path,
                      len <= 0 ? "cannot be read, or is empty" : "is too large");
    der = span_of(bytes, (uint32_t)len);
    fault = tls_ocsp_read(&to->ocsp, der, chain->certs[0]);
    if (fault != NULL)
        return refuse(why, from->ocsp_path, fault);
    return keep_response(to, from, chain, key, der, why);
}

static enum tls_staple staple_now(const struct tls_credential *c, uint64_t unix_s)
{
    if (c->stapled == NULL)
        return TLS_STAPLE_NONE;
    if ((int64_t)unix_s < c->ocsp.from_s)
        return TLS_STAPLE_EARLY;
    return (int64_t)unix_s < c->ocsp.until_s ? TLS_STAPLE_CURRENT : TLS_STAPLE_LATE;
}

const SSL_CREDENTIAL *tls_cert_to_show(const struct tls_credential *c, uint64_t unix_s)
{
    return staple_now(c, unix_s) == TLS_STAPLE_CURRENT ? c->stapled : c->credential;
}

bool tls_cert_news(struct tls_credential *c, const struct tls_certificate *from, uint64_t unix_s,
                   struct buf *out)
{
    static const char *const words[] = {
        [TLS_STAPLE_NONE] = "has no OCSP response beside it",
        [TLS_STAPLE_EARLY] = "is not valid yet, and is not stapled",
        [TLS_STAPLE_LATE] = "is past its nextUpdate, and is not stapled any more",
    };
    enum tls_staple now = staple_now(c, unix_s);

    if (now == c->told)
        return false;
    c->told = now;
    if (now == TLS_STAPLE_CURRENT || (now == TLS_STAPLE_NONE && !c->must_staple))
        return false;
    buf_printf(out, "%s: %s%s", now == TLS_STAPLE_NONE ? from->chain_path : from->ocsp_path,
               words[now],
               c->must_staple ? ": clients will refuse the certificate, which demands one" : "");
    return true;
}

/* --- names -------------------------------------------------------------------------------------
 */

/* TLS Feature, a SEQUENCE OF INTEGER, with status_request in it (RFC 7633, 4.1). */
static bool demands_staple(const X509 *x)
{
    ASN1_OBJECT *feature = OBJ_txt2obj("1.3.6.1.5.5.7.1.24", 1);
    int at = feature != NULL ? X509_get_ext_by_OBJ(x, feature, -1) : -1;
    const ASN1_OCTET_STRING *value;
    CBS all, features;
    uint64_t one = 0;

    ASN1_OBJECT_free(feature);
    if (at < 0)
        return false;
    value = X509_EXTENSION_get_data(X509_get_ext(x, at));
    CBS_init(&all, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    if (!CBS_get_asn1(&all, &features, CBS_ASN1_SEQUENCE))
        return false;
    while (one != TLSEXT_TYPE_status_request && CBS_get_asn1_uint64(&features, &one)) {
    }
    return one == TLSEXT_TYPE_status_request;
}

static bool read_names(struct tls_credential *to, CRYPTO_BUFFER *leaf, const char *path,
                       struct buf *why)
{
    X509 *x = X509_parse_from_buffer(leaf);
    int critical = -1;

    if (x != NULL) {
        to->names = X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);
        to->end_point_len = tls_end_point_of(x, to->end_point);
        to->must_staple = demands_staple(x);
    }
    X509_free(x);
    SHA256(CRYPTO_BUFFER_data(leaf), CRYPTO_BUFFER_len(leaf), to->id);
    /* -1: it has none; -2: it has two. */
    if (x == NULL || (to->names == NULL && critical != -1))
        return refuse(why, path, "the names of the first certificate cannot be read");
    tls_error_forget();
    return true;
}

/* The n-th name for hosts; an empty one past the last. */
static struct span host_name(const struct tls_credential *c, size_t n)
{
    for (size_t i = 0; c->names != NULL && i < sk_GENERAL_NAME_num(c->names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(c->names, i);

        if (name->type != GEN_DNS || n-- > 0)
            continue;
        return span_of(ASN1_STRING_get0_data(name->d.dNSName),
                       (uint32_t)ASN1_STRING_length(name->d.dNSName));
    }
    return span_of(NULL, 0);
}

static bool name_is_for(struct span name, struct span host)
{
    const uint8_t *dot = memchr(host.ptr, '.', host.len);

    if (span_equal_nocase(name, host))
        return true;
    return dot > host.ptr && span_equal(span_first(name, 2), SPAN_LITERAL("*.")) &&
           span_equal_nocase(span_skip(name, 1), span_skip(host, (uint32_t)(dot - host.ptr)));
}

bool tls_cert_is_for(const struct tls_credential *c, const char *host)
{
    struct span wanted = span_str(host);
    struct span name;

    for (size_t i = 0; wanted.len > 0 && (name = host_name(c, i)).len > 0; i++) {
        if (name_is_for(name, wanted))
            return true;
    }
    return false;
}

bool tls_cert_is_twin(const struct tls_credential *a, const struct tls_credential *b)
{
    struct span name = host_name(a, 0);
    struct span other;

    for (size_t i = 0; (other = host_name(b, i)).len > 0; i++) {
        if (span_equal_nocase(name, other))
            return true;
    }
    return a == b || (name.len == 0 && host_name(b, 0).len == 0);
}

/* --- all of it ---------------------------------------------------------------------------------
 */

bool tls_cert_load(struct tls_credential *to, const struct tls_certificate *from, struct buf *why)
{
    struct chain chain = { .count = 0 };
    EVP_PKEY *key = NULL;
    bool ok = read_chain(&chain, from->chain_path, why);

    if (ok) {
        key = read_key(from->key_path, why);
        ok = key != NULL && check_key(key, from->key_path, why) &&
             fill_credential(to, from, &chain, key, why) &&
             read_names(to, chain.certs[0], from->chain_path, why) &&
             (from->ocsp_path == NULL || load_response(to, from, &chain, key, why));
    }
    free_chain(&chain);
    EVP_PKEY_free(key);
    return ok;
}

void tls_cert_free(struct tls_credential *c)
{
    SSL_CREDENTIAL_free(c->credential);
    SSL_CREDENTIAL_free(c->stapled);
    EVP_PKEY_free(c->rsa);
    GENERAL_NAMES_free(c->names);
}
