/* See tls_secrets.h: no more than a change of language. */
#include <openssl/ssl.h>

extern "C" {
#include "tls/tls_secrets.h"
}

bool tls_secrets_get(const SSL *ssl, const uint8_t **read, const uint8_t **write, size_t *len)
{
    bssl::Span<const uint8_t> in, out;

    if (!bssl::SSL_get_traffic_secrets(ssl, &in, &out) || in.size() != out.size())
        return false;
    *read = in.data();
    *write = out.data();
    *len = in.size();
    return true;
}
