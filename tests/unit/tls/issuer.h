/*
 * An authority and what it issues, made at run time: certificates of clients, with whatever is
 * wrong with them, and revocation lists.
 */
#ifndef POSTERN_TESTS_UNIT_TLS_ISSUER_H
#define POSTERN_TESTS_UNIT_TLS_ISSUER_H

#include <stdbool.h>

#include <openssl/x509.h>

struct issuer {
    EVP_PKEY *key;
    X509 *cert;
};

/* Times count from now. */
struct issuer_wish {
    const char *common_name; /* NULL: "client" */
    const char *names;       /* subjectAltName, as "email:a@b"; NULL: none */
    const char *usage;       /* extendedKeyUsage; NULL: "clientAuth" */
    long from_s;
    long until_s; /* 0: an hour */
    int curve;    /* 0: P-256 */
    bool authority;
};

/* By itself when `by` is NULL. To be freed by issuer_free. */
struct issuer issuer_make(const struct issuer *by, const struct issuer_wish *wish);
/* An authority that is its own. */
struct issuer issuer_root(const char *common_name);
void issuer_free(struct issuer *i);
/* PEM, at rig_path(file). */
const char *issuer_write(const struct issuer *i, const char *file);
/* A list that revokes one certificate, or none (NULL), and is good until then. */
const char *issuer_write_list(const struct issuer *by, const struct issuer *revoked, long until_s,
                              const char *file);

#endif
