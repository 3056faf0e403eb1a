/*
 * A certificate with its key, as it is read from files; and all that were read at one time, which
 * is what an SSL_CTX serves. Neither ever changes: a reload makes a new set, and the old one goes
 * with the last connection that has it.
 */
#ifndef POSTERN_TLS_CERT_H
#define POSTERN_TLS_CERT_H

#include <openssl/ssl.h>

#include "tls/tls.h"
#include "tls/tls_end_point.h"
#include "tls/tls_ocsp.h"

#define TLS_CERT_ID_BYTES 32

enum tls_staple { TLS_STAPLE_CURRENT, TLS_STAPLE_NONE, TLS_STAPLE_EARLY, TLS_STAPLE_LATE };

struct tls_credential {
    SSL_CREDENTIAL *credential; /* without an OCSP response */
    SSL_CREDENTIAL *stapled;    /* the same with one; NULL: there is none */
    struct tls_ocsp ocsp;       /* when that is current */
    bool must_staple;           /* RFC 7633 */
    enum tls_staple told;       /* main's: what tls_cert_news has said */
    EVP_PKEY *rsa; /* set: signatures go through tls_sign; NULL: ECDSA, made inline by BoringSSL */
    GENERAL_NAMES *names;          /* the certificate's subjectAltName; NULL: it has none */
    uint8_t id[TLS_CERT_ID_BYTES]; /* of the certificate: its SHA-256 */
    uint32_t end_point_len;        /* 0: none */
    uint8_t end_point[TLS_END_POINT_MAX];
};

/* Fills *to. False: *why says what is wrong with which file; *to is to be freed all the same. */
bool tls_cert_load(struct tls_credential *to, const struct tls_certificate *from, struct buf *why);
void tls_cert_free(struct tls_credential *c);
/* With its OCSP response while that is current, without it before and after. */
const SSL_CREDENTIAL *tls_cert_to_show(const struct tls_credential *c, uint64_t unix_s);
/* True, and a sentence in *out, once when the response that it has is not current, or is current no
 * more, or it has none and demands one. Main's. */
bool tls_cert_news(struct tls_credential *c, const struct tls_certificate *from, uint64_t unix_s,
                   struct buf *out);
/* True when the certificate is for this host: a name of it, or one with a "*" for the first label
 * (RFC 9525, 6.3). NUL-ended. */
bool tls_cert_is_for(const struct tls_credential *c, const char *host);
/* True when the two are for the same hosts, so far as the first name of `a` says. */
bool tls_cert_is_twin(const struct tls_credential *a, const struct tls_credential *b);

#endif
