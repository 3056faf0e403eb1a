/* Envelopes and queue ids as values: mail.h says how they look. */
#include "base/mail.h"

#include "base/assert.h"
#include "base/byteorder.h"

#define FIELD_HEADER_BYTES 3

#define ID_SEQUENCE_BITS 15
#define ID_WORKER_BITS   6
#define ID_MS_BITS       42
#define ID_DIGITS        13

STATIC_ASSERT(ID_DIGITS + 1 == MAIL_ID_TEXT, "digits and NUL");
STATIC_ASSERT(ID_SEQUENCE_BITS + ID_WORKER_BITS + ID_MS_BITS == 63, "the top bit stays 0");

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

bool mail_field_put(struct buf *envelope, enum mail_field_type type, struct span value)
{
    uint8_t header[FIELD_HEADER_BYTES];
    bool put;

    if (value.len > UINT16_MAX || buf_room(envelope) < FIELD_HEADER_BYTES ||
        buf_room(envelope) - FIELD_HEADER_BYTES < value.len)
        return false;
    header[0] = (uint8_t)type;
    store_le16(header + 1, (uint16_t)value.len);
    put = buf_put(envelope, span_of(header, sizeof(header))) && buf_put(envelope, value);
    ASSERT(put);
    return true;
}

bool mail_field_next(struct span *rest, struct mail_field *out)
{
    uint32_t len;

    if (rest->len < FIELD_HEADER_BYTES)
        return false;
    len = load_le16(rest->ptr + 1);
    if (rest->len - FIELD_HEADER_BYTES < len)
        return false;
    out->type = rest->ptr[0];
    out->value = span_of(rest->ptr + FIELD_HEADER_BYTES, len);
    *rest = span_skip(*rest, FIELD_HEADER_BYTES + len);
    return true;
}

const char *mail_field_name(uint8_t type)
{
    static const char *const names[UINT8_MAX + 1] = {
        [MAIL_FIELD_SENDER] = "sender",
        [MAIL_FIELD_RECIPIENT] = "recipient",
        [MAIL_FIELD_USER] = "user",
        [MAIL_FIELD_CLIENT] = "client",
        [MAIL_FIELD_HELO] = "helo",
        [MAIL_FIELD_BODY] = "body",
        [MAIL_FIELD_AUTH] = "auth",
        [MAIL_FIELD_TLS] = "tls",
        [MAIL_FIELD_RET] = "ret",
        [MAIL_FIELD_ENVID] = "envid",
        [MAIL_FIELD_NOTIFY] = "notify",
        [MAIL_FIELD_ORCPT] = "orcpt",
        [MAIL_FIELD_PRIORITY] = "priority",
        [MAIL_FIELD_SMTPUTF8] = "smtputf8",
        [MAIL_FIELD_BY] = "by",
        [MAIL_FIELD_REQUIRETLS] = "requiretls",
        [MAIL_FIELD_HOLD] = "hold",
    };

    return names[type];
}

void mail_id_init(struct mail_id_gen *g, uint32_t worker, uint64_t floor)
{
    uint64_t floor_ms = floor >> (ID_SEQUENCE_BITS + ID_WORKER_BITS);

    ASSERT(worker < 1u << ID_WORKER_BITS);
    g->worker = worker;
    /* The floor may be another worker's, so all of its millisecond counts as used. */
    g->last = floor == 0 ? 0 : (floor_ms << ID_SEQUENCE_BITS) | ((1u << ID_SEQUENCE_BITS) - 1);
}

uint64_t mail_id_make(struct mail_id_gen *g, uint64_t unix_ms)
{
    uint64_t next = unix_ms << ID_SEQUENCE_BITS;
    uint64_t ms;

    /* A clock that stands or steps back, or a full millisecond: go on from the last one. */
    if (next <= g->last)
        next = g->last + 1;
    g->last = next;
    ms = next >> ID_SEQUENCE_BITS;
    ASSERT(ms >> ID_MS_BITS == 0);
    return (ms << (ID_SEQUENCE_BITS + ID_WORKER_BITS)) | ((uint64_t)g->worker << ID_SEQUENCE_BITS) |
           (next & ((1u << ID_SEQUENCE_BITS) - 1));
}

void mail_id_format(uint64_t id, char out[MAIL_ID_TEXT])
{
    out[ID_DIGITS] = '\0';
    for (unsigned i = ID_DIGITS; i > 0; i--) {
        out[i - 1] = digits[id & 31];
        id >>= 5;
    }
}

bool mail_id_parse(struct span text, uint64_t *out)
{
    uint64_t id = 0;

    if (text.len != ID_DIGITS)
        return false;
    for (unsigned i = 0; i < ID_DIGITS; i++) {
        const char *digit = memchr(digits, text.ptr[i], sizeof(digits) - 1);

        if (digit == NULL)
            return false;
        if (id >> (63 - 5) != 0)
            return false;
        id = id << 5 | (uint64_t)(digit - digits);
    }
    *out = id;
    return id != 0;
}
