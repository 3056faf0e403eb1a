/*
 * Happy path: each PEM block of the authorities' file becomes a trusted certificate and a name to
 * ask for; each of the lists' file a list. With lists, each certificate of a chain must be on a
 * current one of its signer's, as not revoked.
 *
 * Failure modes: a file that is missing, garbled, empty or has too much in it: false, and a
 * sentence that begins with the file's name.
 */
#include "tls/tls_trust.h"

#include <errno.h>
#include <string.h>

#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/pool.h>

#include "tls/tls_error.h"

static bool refuse(struct buf *why, const char *path, const char *what)
{
    buf_printf(why, "%s: %s", path, what);
    tls_error_forget();
    return false;
}

/* All PEM blocks of a file; NULL: *why has it. */
static STACK_OF(X509_INFO) * read_blocks(const char *path, struct buf *why)
{
    STACK_OF(X509_INFO) *blocks = NULL;
    BIO *file;

    errno = 0;
    file = BIO_new_file(path, "r");
    if (file == NULL) {
        refuse(why, path, strerror(errno));
        return NULL;
    }
    blocks = PEM_X509_INFO_read_bio(file, NULL, NULL, NULL);
    BIO_free(file);
    if (blocks == NULL)
        refuse(why, path, "damaged PEM");
    return blocks;
}

static bool add_name(struct tls_trust *t, X509 *authority)
{
    uint8_t *der = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(authority), &der);
    CRYPTO_BUFFER *name = len > 0 ? CRYPTO_BUFFER_new(der, (size_t)len, NULL) : NULL;

    OPENSSL_free(der);
    if (name != NULL && sk_CRYPTO_BUFFER_push(t->names, name) != 0)
        return true;
    CRYPTO_BUFFER_free(name);
    return false;
}

static bool add_authorities(struct tls_trust *t, const STACK_OF(X509_INFO) * blocks,
                            const char *path, struct buf *why)
{
    for (size_t i = 0; i < sk_X509_INFO_num(blocks); i++) {
        X509 *authority = sk_X509_INFO_value(blocks, i)->x509;

        if (authority == NULL)
            continue;
        if (sk_CRYPTO_BUFFER_num(t->names) == LIMIT_TLS_AUTHORITIES)
            return refuse(why, path, "too many authorities for clients to choose by");
        if (!X509_STORE_add_cert(t->store, authority) || !add_name(t, authority))
            return refuse(why, path, "memory is short");
    }
    return sk_CRYPTO_BUFFER_num(t->names) > 0 ||
           refuse(why, path, "holds no PEM certificate (BEGIN CERTIFICATE)");
}

static bool add_lists(struct tls_trust *t, const STACK_OF(X509_INFO) * blocks, const char *path,
                      struct buf *why)
{
    unsigned count = 0;

    for (size_t i = 0; i < sk_X509_INFO_num(blocks); i++) {
        X509_CRL *list = sk_X509_INFO_value(blocks, i)->crl;

        if (list == NULL)
            continue;
        if (!X509_STORE_add_crl(t->store, list))
            return refuse(why, path, "memory is short");
        count++;
    }
    return count > 0 || refuse(why, path, "holds no PEM revocation list (BEGIN X509 CRL)");
}

typedef bool add_blocks(struct tls_trust *t, const STACK_OF(X509_INFO) * blocks, const char *path,
                        struct buf *why);

static bool read_file(struct tls_trust *t, const char *path, add_blocks *add, struct buf *why)
{
    STACK_OF(X509_INFO) *blocks = read_blocks(path, why);
    bool good = blocks != NULL && add(t, blocks, path, why);

    sk_X509_INFO_pop_free(blocks, X509_INFO_free);
    return good;
}

bool tls_trust_load(struct tls_trust *t, const struct tls_config *config, struct buf *why)
{
    if (config->clients == TLS_CLIENTS_OFF)
        return true;
    t->store = X509_STORE_new();
    t->names = sk_CRYPTO_BUFFER_new_null();
    if (t->store == NULL || t->names == NULL)
        return refuse(why, config->client_ca_path, "memory is short");
    if (!read_file(t, config->client_ca_path, add_authorities, why))
        return false;
    if (config->client_crl_path == NULL)
        return true;
    X509_STORE_set_flags(t->store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return read_file(t, config->client_crl_path, add_lists, why);
}

void tls_trust_free(struct tls_trust *t)
{
    X509_STORE_free(t->store);
    sk_CRYPTO_BUFFER_pop_free(t->names, CRYPTO_BUFFER_free);
}
