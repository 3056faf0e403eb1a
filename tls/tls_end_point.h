/*
 * The channel binding tls-server-end-point (RFC 5929, 4.1): a certificate's hash, by the hash of
 * its own signature. Pure; any thread.
 */
#ifndef POSTERN_TLS_END_POINT_H
#define POSTERN_TLS_END_POINT_H

#include <openssl/x509.h>

#include <stdint.h>

#define TLS_END_POINT_MAX 64 /* SHA-512's */

/* Its length; 0: none is defined, as the signature has no one hash (EdDSA), or one that is unknown
 * here; or memory is short. */
uint32_t tls_end_point_of(const X509 *certificate, uint8_t out[TLS_END_POINT_MAX]);

#endif
