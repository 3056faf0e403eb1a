/*
 * What may come beside data after the handshake: alerts (RFC 8446, 6) and KeyUpdate (4.6.3), the
 * one handshake message that a client may still send; and the limits that keep records without
 * data from being a way to burn our time.
 *
 * Nothing here fails but for the peer's fault.
 */
#include "tls/tls_record.h"

#include <openssl/ssl.h>

#include "base/limits.h"

#define KEY_UPDATE       24
#define KEY_UPDATE_BYTES 5 /* type, a length of 1, request_update */

static const struct tls_record_fault unexpected_record = { SSL_AD_UNEXPECTED_MESSAGE,
                                                           "unexpected record" };

const struct tls_record_fault *tls_record_control_data(struct tls_record_control *s, uint32_t len)
{
    static const struct tls_record_fault too_many = { SSL_AD_UNEXPECTED_MESSAGE,
                                                      "too many empty records" };

    /* 5.1: handshake messages MUST NOT be interleaved with other record types. */
    if (s->partial_len > 0)
        return &unexpected_record;
    s->warnings = 0;
    if (len == 0)
        return ++s->empty_records > LIMIT_TLS_EMPTY_RECORDS ? &too_many : NULL;
    s->empty_records = 0;
    s->key_updates = 0;
    return NULL;
}

static const struct tls_record_fault *take_alert(struct tls_record_control *s, struct span content,
                                                 struct tls_record_news *news)
{
    static const struct tls_record_fault malformed = { SSL_AD_DECODE_ERROR, "malformed alert" };
    static const struct tls_record_fault too_many = { SSL_AD_UNEXPECTED_MESSAGE,
                                                      "too many warning alerts" };

    if (content.len != 2)
        return &malformed;
    /* 6: the level can safely be ignored; an unknown alert is an error alert (6.2). */
    switch (content.ptr[1]) {
    case SSL_AD_CLOSE_NOTIFY: news->ended = true; return NULL;
    case SSL_AD_USER_CANCELLED: return ++s->warnings > LIMIT_TLS_WARNING_ALERTS ? &too_many : NULL;
    default: news->its_alert = content.ptr[1]; return NULL;
    }
}

/* Judges the message that `m` begins, as far as it is there. */
static const struct tls_record_fault *judge(const uint8_t *m, uint32_t len)
{
    static const struct tls_record_fault other = { SSL_AD_UNEXPECTED_MESSAGE,
                                                   "unexpected handshake message" };
    static const struct tls_record_fault malformed = { SSL_AD_DECODE_ERROR,
                                                       "malformed handshake message" };
    static const struct tls_record_fault illegal = { SSL_AD_ILLEGAL_PARAMETER,
                                                     "malformed handshake message" };
    static const uint8_t length[] = { 0, 0, 1 };

    if (m[0] != KEY_UPDATE)
        return &other;
    if (len >= 4 && memcmp(m + 1, length, sizeof(length)) != 0)
        return &malformed;
    if (len == KEY_UPDATE_BYTES && m[4] > 1)
        return &illegal;
    return NULL;
}

static const struct tls_record_fault *take_handshake(struct tls_record_control *s,
                                                     struct span content,
                                                     struct tls_record_news *news)
{
    static const struct tls_record_fault excess = { SSL_AD_UNEXPECTED_MESSAGE,
                                                    "handshake bytes across a change of keys" };
    static const struct tls_record_fault too_many = { SSL_AD_UNEXPECTED_MESSAGE,
                                                      "too many key updates" };
    const struct tls_record_fault *fault;
    struct span part = span_first(content, (uint32_t)KEY_UPDATE_BYTES - s->partial_len);
    uint8_t m[KEY_UPDATE_BYTES];
    uint32_t len = s->partial_len + part.len;

    memcpy(m, s->partial, s->partial_len);
    memcpy(m + s->partial_len, part.ptr, part.len);
    fault = judge(m, len);
    if (fault != NULL)
        return fault;
    if (len < KEY_UPDATE_BYTES) {
        memcpy(s->partial, m, len);
        s->partial_len = (uint8_t)len;
        return NULL;
    }
    /* 5.1: messages immediately preceding a key change MUST align with a record boundary. */
    if (part.len < content.len)
        return &excess;
    if (++s->key_updates > LIMIT_TLS_KEY_UPDATES)
        return &too_many;
    s->partial_len = 0;
    news->new_key = true;
    news->wants_ours = m[4] == 1;
    return NULL;
}

const struct tls_record_fault *tls_record_control_take(struct tls_record_control *s,
                                                       enum tls_record_type type,
                                                       struct span content,
                                                       struct tls_record_news *news)
{
    *news = (struct tls_record_news){ 0 };
    /* 5.4: an empty handshake or alert record is answered with unexpected_message. */
    if (content.len == 0)
        return &unexpected_record;
    s->empty_records = 0;
    switch (type) {
    case TLS_RECORD_HANDSHAKE: s->warnings = 0; return take_handshake(s, content, news);
    case TLS_RECORD_ALERT:
        return s->partial_len > 0 ? &unexpected_record : take_alert(s, content, news);
    case TLS_RECORD_DATA: /* not for here: it would let data pass uncounted */
    case TLS_RECORD_CHANGE_CIPHER_SPEC: break;
    }
    return &unexpected_record;
}
