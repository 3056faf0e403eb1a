/*
 * A client's certificate, whatever it holds, and what a responder says of one. Held: a login that
 * comes out of it is one that somebody may have, a hash is as long as a hash, and times are times.
 *
 * Input: the certificate's length (2 bytes), the certificate, an OCSP response.
 */
#include <openssl/err.h>
#include <openssl/pool.h>

#include "base/assert.h"
#include "base/byteorder.h"
#include "tls/tls_end_point.h"
#include "tls/tls_identity.h"
#include "tls/tls_ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_login(struct span login)
{
    ASSERT(login.len > 0 && login.len <= LIMIT_LOGIN_BYTES);
    for (uint32_t i = 0; i < login.len; i++)
        ASSERT(login.ptr[i] >= ' ' && login.ptr[i] != 127);
}

static void look_into(X509 *certificate)
{
    static const enum tls_identity kinds[] = { TLS_IDENTITY_EMAIL, TLS_IDENTITY_DNS,
                                               TLS_IDENTITY_CN };
    uint8_t login[LIMIT_LOGIN_BYTES], hash[TLS_END_POINT_MAX];

    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct buf out = { login, 0, sizeof(login) };

        if (tls_identity_of(certificate, kinds[i], &out))
            check_login(span_of(out.ptr, out.len));
        else
            ASSERT(out.len == 0);
    }
    ASSERT(tls_end_point_of(certificate, hash) <= sizeof(hash));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, (uint32_t)size);
    struct span der = span_first(span_skip(rest, 2), size >= 2 ? load_be16(data) : 0);
    CRYPTO_BUFFER *buffer = CRYPTO_BUFFER_new(der.ptr, der.len, NULL);
    X509 *certificate = X509_parse_from_buffer(buffer);
    struct tls_ocsp ocsp;

    if (certificate != NULL)
        look_into(certificate);
    X509_free(certificate);
    ERR_clear_error();
    if (tls_ocsp_read(&ocsp, span_skip(rest, 2 + der.len), buffer) == NULL)
        ASSERT(ocsp.until_s == INT64_MAX || ocsp.until_s < 253402300800); /* the year 10000 */
    CRYPTO_BUFFER_free(buffer);
    return 0;
}
