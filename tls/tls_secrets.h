/*
 * The one thing that BoringSSL tells in C++ only. This header is read by both languages.
 */
#ifndef POSTERN_TLS_SECRETS_H
#define POSTERN_TLS_SECRETS_H

#include <openssl/base.h>
#include <stdbool.h>

/*
 * The current application traffic secrets (RFC 8446, 7.1) of a TLS 1.3 connection after its
 * handshake; *len bytes each, inside `ssl`, until it changes. False: there are none.
 */
bool tls_secrets_get(const SSL *ssl, const uint8_t **read, const uint8_t **write, size_t *len);

#endif
