/*
 * Happy path: the signature's algorithm names a hash, or its parameters do (RSASSA-PSS), and all of
 * the certificate is hashed by it; by SHA-256 where the signature's is MD5 or SHA-1.
 */
#include "tls/tls_end_point.h"

#include <openssl/bytestring.h>
#include <openssl/digest.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/obj.h>

#include "base/assert.h"
#include "tls/tls_error.h"

/* RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] HashAlgorithm DEFAULT sha1, ... } (RFC
 * 4055, 3.1)
 */
static const EVP_MD *digest_of_pss(const X509_ALGOR *algorithm)
{
    CBS params, body, hash;
    const void *value;
    int type, present;

    X509_ALGOR_get0(NULL, &type, &value, algorithm);
    if (type != V_ASN1_SEQUENCE)
        return NULL;
    CBS_init(&params, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    if (!CBS_get_asn1(&params, &body, CBS_ASN1_SEQUENCE) ||
        !CBS_get_optional_asn1(&body, &hash, &present,
                               CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0))
        return NULL;
    return present ? EVP_parse_digest_algorithm(&hash) : EVP_sha1();
}

static const EVP_MD *digest_of(const X509 *certificate)
{
    const X509_ALGOR *algorithm;
    int nid = X509_get_signature_nid(certificate);
    int digest = NID_undef;

    if (nid == NID_rsassaPss) {
        X509_get0_signature(NULL, &algorithm, certificate);
        return digest_of_pss(algorithm);
    }
    return OBJ_find_sigid_algs(nid, &digest, NULL) && digest != NID_undef
               ? EVP_get_digestbynid(digest)
               : NULL;
}

uint32_t tls_end_point_of(const X509 *certificate, uint8_t out[TLS_END_POINT_MAX])
{
    const EVP_MD *digest = digest_of(certificate);
    unsigned len = 0;

    if (digest != NULL && (EVP_MD_type(digest) == NID_md5 || EVP_MD_type(digest) == NID_sha1))
        digest = EVP_sha256();
    if (digest != NULL && EVP_MD_size(digest) <= TLS_END_POINT_MAX &&
        !X509_digest(certificate, digest, out, &len))
        len = 0;
    tls_error_forget();
    return len;
}
