/*
 * BoringSSL's error queue and alerts, turned into struct tls_error.
 *
 * Happy path: a call failed; the first error of the queue has a row in the table below. Errors
 * without a row keep BoringSSL's own static name. Nothing here fails.
 */
#include "tls/tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

struct wording {
    int code;
    const char *text;
};

/* By SSL_R_*: those that foreign bytes reach. */
static const struct wording reasons[] = {
    { SSL_R_UNSUPPORTED_PROTOCOL, "unsupported version" },
    { SSL_R_WRONG_VERSION_NUMBER, "wrong version in a record" },
    { SSL_R_INAPPROPRIATE_FALLBACK, "inappropriate fallback to an older version" },
    { SSL_R_NO_SHARED_CIPHER, "no shared cipher" },
    { SSL_R_NO_SHARED_GROUP, "no shared group" },
    { SSL_R_NO_APPLICATION_PROTOCOL, "other protocols offered, and not smtp" },
    { SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS, "no shared signature algorithm" },
    { SSL_R_UNKNOWN_CERTIFICATE_TYPE, "no certificate fits the client" },
    { SSL_R_MISSING_KEY_SHARE, "no key share" },
    { SSL_R_DUPLICATE_KEY_SHARE, "key share twice" },
    { SSL_R_WRONG_CURVE, "key share of another group than asked for" },
    { SSL_R_BAD_ECPOINT, "bad key share" },
    { SSL_R_CLIENTHELLO_PARSE_FAILED, "malformed ClientHello" },
    { SSL_R_DECODE_ERROR, "malformed handshake message" },
    { SSL_R_PARSE_TLSEXT, "malformed extension" },
    { SSL_R_ERROR_PARSING_EXTENSION, "malformed extension" },
    { SSL_R_CLIENTHELLO_TLSEXT, "malformed extension" },
    { SSL_R_DUPLICATE_EXTENSION, "extension twice" },
    { SSL_R_PRE_SHARED_KEY_MUST_BE_LAST, "pre_shared_key is not the last extension" },
    { SSL_R_EXCESSIVE_MESSAGE_SIZE, "handshake message too long" },
    { SSL_R_ENCRYPTED_LENGTH_TOO_LONG, "record too long" },
    { SSL_R_DATA_LENGTH_TOO_LONG, "record too long" },
    { SSL_R_BAD_HANDSHAKE_RECORD, "empty handshake record" },
    { SSL_R_UNEXPECTED_MESSAGE, "unexpected handshake message" },
    { SSL_R_UNEXPECTED_RECORD, "unexpected record" },
    { SSL_R_INVALID_OUTER_RECORD_TYPE, "unexpected record" },
    { SSL_R_APP_DATA_IN_HANDSHAKE, "data in the handshake" },
    { SSL_R_EXCESS_HANDSHAKE_DATA, "handshake bytes across a change of keys" },
    { SSL_R_CCS_RECEIVED_EARLY, "ChangeCipherSpec too early" },
    { SSL_R_BAD_CHANGE_CIPHER_SPEC, "malformed ChangeCipherSpec" },
    { SSL_R_DIGEST_CHECK_FAILED, "Finished does not match" },
    { SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, "record does not decrypt" },
    { SSL_R_NO_RENEGOTIATION, "renegotiation refused" },
    { SSL_R_TOO_MANY_KEY_UPDATES, "too many key updates" },
    { SSL_R_TOO_MANY_EMPTY_FRAGMENTS, "too many empty records" },
    { SSL_R_TOO_MANY_WARNING_ALERTS, "too many warning alerts" },
    { SSL_R_TOO_MUCH_SKIPPED_EARLY_DATA, "too much early data" },
    { SSL_R_BAD_ALERT, "malformed alert" },
    { SSL_R_UNKNOWN_ALERT_TYPE, "malformed alert" },
    { SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "no certificate of the client" },
    { SSL_R_CERTIFICATE_VERIFY_FAILED, "certificate of the client refused" },
    { SSL_R_CANNOT_PARSE_LEAF_CERT, "client's certificate cannot be read" },
    { SSL_R_BAD_SIGNATURE, "signature of the client does not match" },
    { SSL_R_WRONG_SIGNATURE_TYPE, "signature of another kind than asked for" },
    { SSL_R_PRIVATE_KEY_OPERATION_FAILED, "signing failed" },
    { SSL_R_TICKET_ENCRYPTION_FAILED, "sealing a ticket failed" },
};

/* By alert number (RFC 8446, 6): what a peer tells us. */
static const struct wording alerts[] = {
    { SSL_AD_CLOSE_NOTIFY, "peer closed" },
    { SSL_AD_UNEXPECTED_MESSAGE, "peer says: unexpected message" },
    { SSL_AD_BAD_RECORD_MAC, "peer says: bad record MAC" },
    { SSL_AD_RECORD_OVERFLOW, "peer says: record overflow" },
    { SSL_AD_HANDSHAKE_FAILURE, "peer says: handshake failure" },
    { SSL_AD_BAD_CERTIFICATE, "peer says: bad certificate" },
    { SSL_AD_UNSUPPORTED_CERTIFICATE, "peer says: unsupported certificate" },
    { SSL_AD_CERTIFICATE_REVOKED, "peer says: certificate revoked" },
    { SSL_AD_CERTIFICATE_EXPIRED, "peer says: certificate expired" },
    { SSL_AD_CERTIFICATE_UNKNOWN, "peer says: certificate unknown" },
    { SSL_AD_ILLEGAL_PARAMETER, "peer says: illegal parameter" },
    { SSL_AD_UNKNOWN_CA, "peer says: unknown certificate authority" },
    { SSL_AD_ACCESS_DENIED, "peer says: access denied" },
    { SSL_AD_DECODE_ERROR, "peer says: decode error" },
    { SSL_AD_DECRYPT_ERROR, "peer says: decrypt error" },
    { SSL_AD_PROTOCOL_VERSION, "peer says: protocol version" },
    { SSL_AD_INSUFFICIENT_SECURITY, "peer says: insufficient security" },
    { SSL_AD_INTERNAL_ERROR, "peer says: internal error" },
    { SSL_AD_USER_CANCELLED, "peer says: user cancelled" },
    { SSL_AD_MISSING_EXTENSION, "peer says: missing extension" },
    { SSL_AD_UNSUPPORTED_EXTENSION, "peer says: unsupported extension" },
    { SSL_AD_UNRECOGNIZED_NAME, "peer says: unrecognized name" },
    { SSL_AD_CERTIFICATE_REQUIRED, "peer says: certificate required" },
    { SSL_AD_NO_APPLICATION_PROTOCOL, "peer says: no application protocol" },
};

static const char *find(const struct wording *rows, size_t count, int code)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].code == code)
            return rows[i].text;
    return NULL;
}

/* What the queue says. */
struct story {
    const char
        *text; /* of the first error that has a row, else of the first; NULL: the queue was empty */
    bool ours;
};

/* A failed allocation or signature is ours, though it shows while we read the peer's bytes. */
static bool is_ours(uint32_t packed)
{
    int reason = ERR_GET_REASON(packed);

    return reason == ERR_R_MALLOC_FAILURE || reason == ERR_R_INTERNAL_ERROR ||
           (ERR_GET_LIB(packed) == ERR_LIB_SSL && reason == SSL_R_PRIVATE_KEY_OPERATION_FAILED);
}

/* Empties the queue. A lower layer's error comes first ("bad decrypt"), what it means for TLS after
 * it. */
static struct story empty_queue(void)
{
    struct story story = { NULL, false };
    const char *worded = NULL;
    uint32_t packed;

    while ((packed = ERR_get_error()) != 0) {
        if (worded == NULL && ERR_GET_LIB(packed) == ERR_LIB_SSL)
            worded = find(reasons, COUNT_OF(reasons), ERR_GET_REASON(packed));
        if (story.text == NULL)
            story.text = ERR_reason_error_string(packed);
        if (story.text == NULL)
            story.text = "unknown error";
        story.ours = story.ours || is_ours(packed);
    }
    if (worded != NULL)
        story.text = worded;
    return story;
}

void tls_error_forget(void)
{
    ERR_clear_error();
}

const char *tls_error_text(void)
{
    struct story story = empty_queue();

    return story.text != NULL ? story.text : "unknown error";
}

void tls_error_set(struct tls_error *out, enum tls_fault fault, const char *reason)
{
    *out = (struct tls_error){ .fault = fault, .reason = reason };
    ERR_clear_error();
}

void tls_error_take(struct tls_error *out, uint8_t sent, uint8_t received)
{
    struct story story = empty_queue();

    if (received != 0) {
        *out = (struct tls_error){ .fault = TLS_FAULT_PEER, .alert = received };
        out->reason = find(alerts, COUNT_OF(alerts), received);
        if (out->reason == NULL)
            out->reason = "peer sent an unknown alert";
        return;
    }
    *out = (struct tls_error){ .alert = sent, .reason = story.text };
    out->fault = story.ours || story.text == NULL || sent == SSL_AD_INTERNAL_ERROR ? TLS_FAULT_SELF
                                                                                   : TLS_FAULT_PEER;
    if (out->reason == NULL)
        out->reason = "unknown error";
}
