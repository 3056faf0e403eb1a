/*
 * Happy path: OCSPResponse, ResponseBytes, BasicOCSPResponse, ResponseData; of its SingleResponses
 * the one with the certificate's serial number. Failure modes: what is not so, all the way, is
 * refused; nothing is taken from a response of which a part cannot be read.
 */
#include "tls/tls_ocsp.h"

#include <openssl/bytestring.h>
#include <openssl/pool.h>
#include <openssl/posix_time.h>
#include <time.h>

#define EXPLICIT(n) (CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | (n))

/* Takes a SEQUENCE's content. */
static bool enter(CBS *from, CBS *to)
{
    return CBS_get_asn1(from, to, CBS_ASN1_SEQUENCE) != 0;
}

/* From OCSPResponse to the SingleResponses; false: it is none, or tells of an error. */
static bool find_responses(CBS all, CBS *responses)
{
    CBS response, status, bytes, basic, data, skipped;
    uint8_t code;

    return enter(&all, &response) && CBS_len(&all) == 0 &&
           CBS_get_asn1(&response, &status, CBS_ASN1_ENUMERATED) && CBS_get_u8(&status, &code) &&
           code == 0 && CBS_get_asn1(&response, &bytes, EXPLICIT(0)) && enter(&bytes, &bytes) &&
           CBS_get_asn1(&bytes, &skipped, CBS_ASN1_OBJECT) &&
           CBS_get_asn1(&bytes, &basic, CBS_ASN1_OCTETSTRING) && enter(&basic, &basic) &&
           enter(&basic, &data) && CBS_get_optional_asn1(&data, NULL, NULL, EXPLICIT(0)) &&
           CBS_get_any_asn1(&data, &skipped, NULL) && /* responderID */
           CBS_get_asn1(&data, &skipped, CBS_ASN1_GENERALIZEDTIME) && enter(&data, responses);
}

/* The one for the certificate with this serial number, as it stands in DER; past its certID. */
static bool find_single(CBS responses, const CBS *serial, CBS *single)
{
    CBS id, skipped, number;

    while (enter(&responses, single)) {
        if (enter(single, &id) && enter(&id, &skipped) &&
            CBS_get_asn1(&id, &skipped, CBS_ASN1_OCTETSTRING) &&
            CBS_get_asn1(&id, &skipped, CBS_ASN1_OCTETSTRING) &&
            CBS_get_asn1(&id, &number, CBS_ASN1_INTEGER) &&
            CBS_mem_equal(&number, CBS_data(serial), CBS_len(serial)))
            return true;
    }
    return false;
}

static bool find_serial(const CRYPTO_BUFFER *leaf, CBS *serial)
{
    CBS all, certificate, tbs;

    CRYPTO_BUFFER_init_CBS(leaf, &all);
    return enter(&all, &certificate) && enter(&certificate, &tbs) &&
           CBS_get_optional_asn1(&tbs, NULL, NULL, EXPLICIT(0)) &&
           CBS_get_asn1(&tbs, serial, CBS_ASN1_INTEGER);
}

static bool read_time(CBS *from, int64_t *to_s)
{
    struct tm tm;
    CBS time;

    return CBS_get_asn1(from, &time, CBS_ASN1_GENERALIZEDTIME) &&
           CBS_parse_generalized_time(&time, &tm, 0) && OPENSSL_tm_to_posix(&tm, to_s);
}

/* certStatus, thisUpdate, and perhaps [0] nextUpdate. */
static bool read_times(CBS single, struct tls_ocsp *out)
{
    CBS status, next;
    int present;

    out->until_s = INT64_MAX;
    return CBS_get_any_asn1(&single, &status, NULL) && read_time(&single, &out->from_s) &&
           CBS_get_optional_asn1(&single, &next, &present, EXPLICIT(0)) &&
           (!present || read_time(&next, &out->until_s));
}

const char *tls_ocsp_read(struct tls_ocsp *out, struct span der, const CRYPTO_BUFFER *leaf)
{
    CBS all, responses, serial, single;

    CBS_init(&all, der.ptr, der.len);
    if (!find_responses(all, &responses))
        return "is no OCSP response in DER, or one that tells of an error";
    if (!find_serial(leaf, &serial) || !find_single(responses, &serial, &single))
        return "is the OCSP response for another certificate";
    return read_times(single, out) ? NULL : "is an OCSP response whose times cannot be read";
}
