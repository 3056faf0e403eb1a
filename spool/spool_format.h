/*
 * What stands on disk, as FORMAT.md says it: structs, their encoding and the checks of one header
 * or record. Pure: bytes in, verdict out; nothing here is asserted about bytes that come from a
 * disk.
 *
 * A test compares these structs with the tables of FORMAT.md.
 */
#ifndef POSTERN_SPOOL_FORMAT_H
#define POSTERN_SPOOL_FORMAT_H

#include <stddef.h>

#include "base/assert.h"
#include "base/span.h"

#define SPOOL_BLOCK_BYTES   4096
#define SPOOL_RECORD_ALIGN  8
#define SPOOL_VERSION       1
#define SPOOL_SEGMENT_MAGIC 0x534e524554534f50ULL /* "POSTERNS" */
#define SPOOL_RECORD_MAGIC  0x43455250u           /* "PREC" */
#define SPOOL_NAME_BYTES    20                    /* "segment-00000001" and NUL, and some room */
#define SPOOL_NUMBER_MAX    99999999u

enum spool_segment_flag {
    SEGMENT_CUTS = 1, /* the previous segment was sealed by a failure */
};

enum spool_record_type {
    RECORD_EXTENT = 1,
    RECORD_COMMIT = 2,
    RECORD_RESUME = 3,
};

struct spool_segment_header {
    uint64_t magic;
    uint32_t version;
    uint32_t flags; /* enum spool_segment_flag */
    uint64_t sequence;
    uint64_t generation;
    uint64_t segment_bytes;
    uint64_t previous;     /* sequence, 0: none */
    uint64_t previous_end; /* offset up to which it counts */
    uint32_t reserved;
    uint32_t crc;
};

struct spool_record {
    uint32_t magic;
    uint16_t type; /* enum spool_record_type */
    uint16_t flags;
    uint64_t generation;
    uint64_t offset;
    uint64_t ticket;
    uint32_t number;
    uint32_t body_bytes;
    uint32_t span_bytes;
    uint32_t body_crc;
    uint32_t reserved_0;
    uint32_t reserved_1;
    uint32_t reserved_2;
    uint32_t crc;
};

struct spool_commit {
    uint64_t id;
    uint64_t body_bytes;
    uint64_t stored_bytes;
    uint32_t extents;
    uint32_t extents_crc;
    uint32_t flags; /* enum mail_flag */
    uint32_t envelope_bytes;
    uint32_t header_bytes;
    uint32_t reserved;
};

struct spool_resume {
    uint64_t generation;
    uint64_t previous_end;
};

STATIC_ASSERT(sizeof(struct spool_segment_header) == 64, "FORMAT.md 3");
STATIC_ASSERT(offsetof(struct spool_segment_header, generation) == 24, "FORMAT.md 3");
STATIC_ASSERT(offsetof(struct spool_segment_header, crc) == 60, "FORMAT.md 3");
STATIC_ASSERT(sizeof(struct spool_record) == 64, "FORMAT.md 3");
STATIC_ASSERT(offsetof(struct spool_record, ticket) == 24, "FORMAT.md 3");
STATIC_ASSERT(offsetof(struct spool_record, body_crc) == 44, "FORMAT.md 3");
STATIC_ASSERT(offsetof(struct spool_record, crc) == 60, "FORMAT.md 3");
STATIC_ASSERT(sizeof(struct spool_commit) == 48, "FORMAT.md 3");
STATIC_ASSERT(offsetof(struct spool_commit, extents_crc) == 28, "FORMAT.md 3");
STATIC_ASSERT(sizeof(struct spool_resume) == 16, "FORMAT.md 3");

enum spool_verdict {
    SPOOL_VALID,
    SPOOL_NONE,    /* no header or record here */
    SPOOL_SPOILED, /* its header is good, its body is not */
    SPOOL_UNKNOWN, /* good, and from a newer Postern */
};

/* The CRC of `data`, run over the 8 bytes of `seed` first. */
uint32_t spool_format_crc(uint64_t seed, const void *data, uint32_t len);
/* Adds one extent to the extents_crc of a commit; `sum` is 0 before the first one. */
uint32_t spool_format_extents_crc(uint32_t sum, uint64_t ticket, uint32_t number,
                                  uint32_t body_crc);

/* Fills magic, version, reserved and crc, and a block: the header, then zeros. */
void spool_format_header_encode(struct spool_segment_header *h, uint8_t block[SPOOL_BLOCK_BYTES]);
/* By V1 and V2, from the first 64 bytes of a segment. SPOOL_SPOILED: not zero, and no header. */
enum spool_verdict spool_format_header_check(const uint8_t *bytes,
                                             struct spool_segment_header *out);

/* Bytes from a record's start to the next, when its body is body_bytes long. */
static inline uint32_t spool_format_span(uint32_t body_bytes)
{
    return (uint32_t)(sizeof(struct spool_record) + body_bytes + SPOOL_RECORD_ALIGN - 1) &
           ~(uint32_t)(SPOOL_RECORD_ALIGN - 1);
}

static inline uint64_t spool_format_block_up(uint64_t offset)
{
    return (offset + SPOOL_BLOCK_BYTES - 1) & ~(uint64_t)(SPOOL_BLOCK_BYTES - 1);
}

/* Fills magic, flags, reserved, body_crc and crc from the other fields and the body. */
void spool_format_record_seal(struct spool_record *r, const void *body);
/* Makes a sealed record reach further, over padding. */
void spool_format_record_stretch(struct spool_record *r, uint32_t span_bytes);
/* Where a record is looked for. */
struct spool_format_place {
    uint64_t generation;
    uint64_t offset;
    uint64_t end; /* of what may belong to it: the segment's end, or an earlier one */
};
/* By V3, V4 and V6, from at least 64 bytes; the body is not looked at. */
enum spool_verdict spool_format_record_check(const uint8_t *bytes,
                                             const struct spool_format_place *at,
                                             struct spool_record *out);
/* By V5. */
bool spool_format_body_check(const struct spool_record *r, const void *body);
/* By V6, what a body says of itself. */
bool spool_format_body_known(const struct spool_record *r, const void *body);

struct spool_format_parts {
    struct spool_commit commit;
    struct span envelope;
    struct span header;
};
/* A commit's body taken apart; false when its lengths do not fit together. */
bool spool_format_commit_decode(struct span body, struct spool_format_parts *out);
bool spool_format_resume_decode(struct span body, struct spool_resume *out);

/* "segment-00000007"; number from 1 to SPOOL_NUMBER_MAX. */
void spool_format_name(uint32_t number, char out[SPOOL_NAME_BYTES]);
/* False: not the name of a segment. */
bool spool_format_name_parse(const char *name, uint32_t *number);

#endif
