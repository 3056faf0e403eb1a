/*
 * FORMAT.md sections 3 and 4 as code. Structs are copied in and out with memcpy: bytes from a disk
 * have no alignment, and the machine is little endian (base/byteorder.h asserts it).
 */
#include "spool/spool_format.h"

#include "base/byteorder.h"
#include "base/crc32c.h"
#include "base/limits.h"
#include "base/mail.h"

#define PREFIX        "segment-"
#define PREFIX_LEN    (sizeof(PREFIX) - 1)
#define NUMBER_DIGITS 8

STATIC_ASSERT(PREFIX_LEN + NUMBER_DIGITS < SPOOL_NAME_BYTES, "a name fits");
STATIC_ASSERT(sizeof(struct spool_record) + LIMIT_EXTENT_BYTES <= LIMIT_SPOOL_BATCH_BYTES,
              "a batch has room for any extent");
STATIC_ASSERT(LIMIT_SPOOL_BATCH_BYTES <= LIMIT_SPOOL_RECORD_BYTES,
              "what a batch holds is a record");
STATIC_ASSERT(sizeof(struct spool_record) + sizeof(struct spool_commit) + LIMIT_ENVELOPE_BYTES +
                      LIMIT_HEADER_BYTES + SPOOL_RECORD_ALIGN <=
                  LIMIT_SPOOL_RECORD_BYTES,
              "a commit is a record");

uint32_t spool_format_crc(uint64_t seed, const void *data, uint32_t len)
{
    uint8_t bytes[8];

    store_le64(bytes, seed);
    return crc32c_update(crc32c_update(0, bytes, sizeof(bytes)), data, len);
}

uint32_t spool_format_extents_crc(uint32_t sum, uint64_t ticket, uint32_t number, uint32_t body_crc)
{
    uint8_t bytes[4];

    store_le32(bytes, body_crc);
    if (number == 0)
        return spool_format_crc(ticket, bytes, sizeof(bytes));
    return crc32c_update(sum, bytes, sizeof(bytes));
}

void spool_format_header_encode(struct spool_segment_header *h, uint8_t block[SPOOL_BLOCK_BYTES])
{
    ASSERT(h->sequence > h->previous);
    ASSERT((h->flags & ~(uint32_t)SEGMENT_CUTS) == 0);
    h->magic = SPOOL_SEGMENT_MAGIC;
    h->version = SPOOL_VERSION;
    h->reserved = 0;
    h->crc = spool_format_crc(0, h, offsetof(struct spool_segment_header, crc));
    memset(block, 0, SPOOL_BLOCK_BYTES);
    memcpy(block, h, sizeof(*h));
}

static bool all_zero(const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

enum spool_verdict spool_format_header_check(const uint8_t *bytes, struct spool_segment_header *out)
{
    memcpy(out, bytes, sizeof(*out));
    if (all_zero(bytes, sizeof(*out)))
        return SPOOL_NONE;
    if (out->magic != SPOOL_SEGMENT_MAGIC ||
        out->crc != spool_format_crc(0, bytes, offsetof(struct spool_segment_header, crc)))
        return SPOOL_SPOILED;
    if (out->version != SPOOL_VERSION || (out->flags & ~(uint32_t)SEGMENT_CUTS) != 0 ||
        out->reserved != 0)
        return SPOOL_UNKNOWN;
    if (out->segment_bytes % SPOOL_BLOCK_BYTES != 0 || out->segment_bytes < 2 * SPOOL_BLOCK_BYTES ||
        out->previous >= out->sequence)
        return SPOOL_SPOILED;
    return SPOOL_VALID;
}

void spool_format_record_seal(struct spool_record *r, const void *body)
{
    ASSERT(r->span_bytes >= sizeof(*r) + r->body_bytes);
    ASSERT(r->span_bytes % SPOOL_RECORD_ALIGN == 0);
    ASSERT(r->span_bytes <= LIMIT_SPOOL_RECORD_BYTES);
    ASSERT(r->offset % SPOOL_RECORD_ALIGN == 0);
    r->magic = SPOOL_RECORD_MAGIC;
    r->flags = 0;
    r->reserved_0 = 0;
    r->reserved_1 = 0;
    r->reserved_2 = 0;
    r->body_crc = spool_format_crc(r->generation, body, r->body_bytes);
    r->crc = spool_format_crc(r->generation, r, offsetof(struct spool_record, crc));
}

void spool_format_record_stretch(struct spool_record *r, uint32_t span_bytes)
{
    ASSERT(r->magic == SPOOL_RECORD_MAGIC);
    ASSERT(span_bytes >= r->span_bytes);
    ASSERT(span_bytes <= LIMIT_SPOOL_RECORD_BYTES);
    r->span_bytes = span_bytes;
    r->crc = spool_format_crc(r->generation, r, offsetof(struct spool_record, crc));
}

static bool known(const struct spool_record *r)
{
    return r->type >= RECORD_EXTENT && r->type <= RECORD_RESUME && r->flags == 0 &&
           r->reserved_0 == 0 && r->reserved_1 == 0 && r->reserved_2 == 0;
}

enum spool_verdict spool_format_record_check(const uint8_t *bytes,
                                             const struct spool_format_place *at,
                                             struct spool_record *out)
{
    memcpy(out, bytes, sizeof(*out));
    /* V3 */
    if (out->magic != SPOOL_RECORD_MAGIC || out->generation != at->generation ||
        out->offset != at->offset || at->offset % SPOOL_RECORD_ALIGN != 0)
        return SPOOL_NONE;
    if (out->crc != spool_format_crc(at->generation, bytes, offsetof(struct spool_record, crc)))
        return SPOOL_NONE;
    /* V4 */
    if (out->span_bytes % SPOOL_RECORD_ALIGN != 0 || out->span_bytes > LIMIT_SPOOL_RECORD_BYTES ||
        out->span_bytes < sizeof(*out) || out->body_bytes > out->span_bytes - sizeof(*out))
        return SPOOL_NONE;
    if (at->offset > at->end || out->span_bytes > at->end - at->offset)
        return SPOOL_NONE;
    /* V6 */
    return known(out) ? SPOOL_VALID : SPOOL_UNKNOWN;
}

bool spool_format_body_check(const struct spool_record *r, const void *body)
{
    return r->body_crc == spool_format_crc(r->generation, body, r->body_bytes);
}

bool spool_format_body_known(const struct spool_record *r, const void *body)
{
    struct spool_commit c;

    if (r->type != RECORD_COMMIT || r->body_bytes < sizeof(c))
        return true;
    memcpy(&c, body, sizeof(c));
    return c.reserved == 0 && (c.flags & ~(uint32_t)MAIL_DOT_STUFFED) == 0;
}

bool spool_format_commit_decode(struct span body, struct spool_format_parts *out)
{
    const struct spool_commit *c = &out->commit;
    uint64_t left = body.len;

    if (body.len < sizeof(*c))
        return false;
    memcpy(&out->commit, body.ptr, sizeof(*c));
    left -= sizeof(*c);
    if (c->envelope_bytes > left || c->header_bytes != left - c->envelope_bytes)
        return false;
    if (c->id == 0 || c->body_bytes > c->stored_bytes)
        return false;
    out->envelope = span_of(body.ptr + sizeof(*c), c->envelope_bytes);
    out->header = span_of(body.ptr + sizeof(*c) + c->envelope_bytes, c->header_bytes);
    return true;
}

bool spool_format_resume_decode(struct span body, struct spool_resume *out)
{
    if (body.len != sizeof(*out))
        return false;
    memcpy(out, body.ptr, sizeof(*out));
    return true;
}

void spool_format_name(uint32_t number, char out[SPOOL_NAME_BYTES])
{
    ASSERT(number > 0);
    ASSERT(number <= SPOOL_NUMBER_MAX);
    memcpy(out, PREFIX, PREFIX_LEN);
    for (unsigned i = NUMBER_DIGITS; i > 0; i--) {
        out[PREFIX_LEN + i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    out[PREFIX_LEN + NUMBER_DIGITS] = '\0';
}

bool spool_format_name_parse(const char *name, uint32_t *number)
{
    uint32_t value = 0;

    if (strlen(name) != PREFIX_LEN + NUMBER_DIGITS || memcmp(name, PREFIX, PREFIX_LEN) != 0)
        return false;
    for (const char *c = name + PREFIX_LEN; *c != '\0'; c++) {
        if (*c < '0' || *c > '9')
            return false;
        value = value * 10 + (uint32_t)(*c - '0');
    }
    *number = value;
    return value > 0;
}
