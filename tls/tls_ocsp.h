/*
 * What an authority's responder says of a certificate (RFC 6960, 4.2.1), as far as a server that
 * staples it must know: for which certificate, and from when until when. Pure; whose signature it
 * has is the client's to judge.
 */
#ifndef POSTERN_TLS_OCSP_H
#define POSTERN_TLS_OCSP_H

#include <openssl/base.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* Seconds since 1970. */
struct tls_ocsp {
    int64_t from_s;  /* thisUpdate */
    int64_t until_s; /* nextUpdate; INT64_MAX: newer news are always to be had */
};

/* Reads an OCSPResponse in DER. NULL: *out has it; else the end of a sentence about the file. */
const char *tls_ocsp_read(struct tls_ocsp *out, struct span der, const CRYPTO_BUFFER *leaf);

#endif
