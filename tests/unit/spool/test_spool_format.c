/*
 * The bytes on disk: the tables of FORMAT.md against the structs, then seal and check. Its argument
 * is FORMAT.md.
 */
#include "lib/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mail.h"
#include "spool/spool_format.h"

#define GENERATION 0x1122334455667788ULL

static const char *format_md;

/* --- the tables ------------------------------------------------------------------------------ */

struct field {
    const char *owner;
    const char *name;
    size_t offset;
    size_t size;
};

#define FIELD(s, f)                                               \
    {                                                             \
#s, #f, offsetof(struct s, f), sizeof(((struct s *)0)->f) \
    }

static const struct field fields[] = {
    FIELD(spool_segment_header, magic),
    FIELD(spool_segment_header, version),
    FIELD(spool_segment_header, flags),
    FIELD(spool_segment_header, sequence),
    FIELD(spool_segment_header, generation),
    FIELD(spool_segment_header, segment_bytes),
    FIELD(spool_segment_header, previous),
    FIELD(spool_segment_header, previous_end),
    FIELD(spool_segment_header, reserved),
    FIELD(spool_segment_header, crc),
    FIELD(spool_record, magic),
    FIELD(spool_record, type),
    FIELD(spool_record, flags),
    FIELD(spool_record, generation),
    FIELD(spool_record, offset),
    FIELD(spool_record, ticket),
    FIELD(spool_record, number),
    FIELD(spool_record, body_bytes),
    FIELD(spool_record, span_bytes),
    FIELD(spool_record, body_crc),
    FIELD(spool_record, reserved_0),
    FIELD(spool_record, reserved_1),
    FIELD(spool_record, reserved_2),
    FIELD(spool_record, crc),
    FIELD(spool_commit, id),
    FIELD(spool_commit, body_bytes),
    FIELD(spool_commit, stored_bytes),
    FIELD(spool_commit, extents),
    FIELD(spool_commit, extents_crc),
    FIELD(spool_commit, flags),
    FIELD(spool_commit, envelope_bytes),
    FIELD(spool_commit, header_bytes),
    FIELD(spool_commit, reserved),
    FIELD(spool_resume, generation),
    FIELD(spool_resume, previous_end),
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

/* Rows come in the order of the structs, each beginning where the one before ends. */
static void tables_are_the_structs(void **state)
{
    char owner[64] = "";
    char line[512];
    size_t row = 0;
    FILE *f = fopen(format_md, "r");

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        char name[64];
        size_t offset;
        size_t size;

        if (sscanf(line, "### struct %63s", owner) == 1)
            continue;
        if (line[0] == '#')
            owner[0] = '\0';
        if (sscanf(line, "| %zu | %zu | %63s |", &offset, &size, name) != 3)
            continue;
        assert_true(row < FIELD_COUNT);
        assert_string_equal(owner, fields[row].owner);
        assert_string_equal(name, fields[row].name);
        assert_int_equal(offset, fields[row].offset);
        assert_int_equal(size, fields[row].size);
        row++;
    }
    fclose(f);
    assert_int_equal(row, FIELD_COUNT);
}

static void structs_have_no_holes(void **state)
{
    size_t sum = 0;

    (void)state;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (i > 0 && strcmp(fields[i].owner, fields[i - 1].owner) == 0)
            assert_int_equal(fields[i].offset, fields[i - 1].offset + fields[i - 1].size);
        else
            assert_int_equal(fields[i].offset, 0);
        sum += fields[i].size;
    }
    assert_int_equal(sum, sizeof(struct spool_segment_header) + sizeof(struct spool_record) +
                              sizeof(struct spool_commit) + sizeof(struct spool_resume));
}

/* --- a segment's header ---------------------------------------------------------------------- */

static void make_header(struct spool_segment_header *h, uint8_t block[SPOOL_BLOCK_BYTES])
{
    *h = (struct spool_segment_header){
        .flags = SEGMENT_CUTS,
        .sequence = 7,
        .generation = GENERATION,
        .segment_bytes = 1024 * 1024,
        .previous = 5,
        .previous_end = 8192,
    };
    spool_format_header_encode(h, block);
}

/* A header whose crc is right, whatever it says. */
static enum spool_verdict judge(struct spool_segment_header h)
{
    struct spool_segment_header out;

    h.crc = spool_format_crc(0, &h, offsetof(struct spool_segment_header, crc));
    return spool_format_header_check((const uint8_t *)&h, &out);
}

static void v1_header(void **state)
{
    uint8_t block[SPOOL_BLOCK_BYTES];
    struct spool_segment_header h;
    struct spool_segment_header out;

    (void)state;
    make_header(&h, block);
    assert_memory_equal(block, "POSTERNS", 8);
    assert_int_equal(spool_format_header_check(block, &out), SPOOL_VALID);
    assert_memory_equal(&out, &h, sizeof(h));
    for (size_t i = sizeof(h); i < sizeof(block); i++)
        assert_int_equal(block[i], 0);
    for (unsigned bit = 0; bit < 8 * sizeof(h); bit++) {
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(spool_format_header_check(block, &out), SPOOL_SPOILED);
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    memset(block, 0, sizeof(block));
    assert_int_equal(spool_format_header_check(block, &out), SPOOL_NONE);
    make_header(&h, block);
    h.version = SPOOL_VERSION + 1;
    assert_int_equal(judge(h), SPOOL_UNKNOWN);
}

static void v2_header(void **state)
{
    uint8_t block[SPOOL_BLOCK_BYTES];
    struct spool_segment_header good;
    struct spool_segment_header h;

    (void)state;
    make_header(&good, block);
    assert_int_equal(judge(good), SPOOL_VALID);
    h = good;
    h.segment_bytes = SPOOL_BLOCK_BYTES;
    assert_int_equal(judge(h), SPOOL_SPOILED);
    h = good;
    h.segment_bytes += 512;
    assert_int_equal(judge(h), SPOOL_SPOILED);
    h = good;
    h.previous = h.sequence;
    assert_int_equal(judge(h), SPOOL_SPOILED);
    h = good;
    h.sequence = 0;
    h.previous = 0;
    assert_int_equal(judge(h), SPOOL_SPOILED);
    h = good;
    h.flags = 2;
    assert_int_equal(judge(h), SPOOL_UNKNOWN);
    h = good;
    h.reserved = 1;
    assert_int_equal(judge(h), SPOOL_UNKNOWN);
}

/* --- a record -------------------------------------------------------------------------------- */

static const char body[] = "Subject: a body of some length\r\n";

static struct spool_record make_record(uint32_t body_bytes)
{
    struct spool_record r = {
        .type = RECORD_EXTENT,
        .generation = GENERATION,
        .offset = 8192,
        .ticket = 99,
        .number = 3,
        .body_bytes = body_bytes,
        .span_bytes = spool_format_span(body_bytes),
    };

    spool_format_record_seal(&r, body);
    return r;
}

static enum spool_verdict check(const struct spool_record *r, uint64_t end)
{
    struct spool_format_place at = { GENERATION, 8192, end };
    struct spool_record out;
    enum spool_verdict verdict = spool_format_record_check((const uint8_t *)r, &at, &out);

    assert_memory_equal(&out, r, sizeof(out));
    return verdict;
}

/* The same with its crc made right again. */
static enum spool_verdict check_resealed(struct spool_record r)
{
    r.crc = spool_format_crc(r.generation, &r, offsetof(struct spool_record, crc));
    return check(&r, 1 << 30);
}

static void v3_each_bit_of_a_record(void **state)
{
    struct spool_record r = make_record(sizeof(body));
    uint8_t *bytes = (uint8_t *)&r;

    (void)state;
    assert_memory_equal(bytes, "PREC", 4);
    assert_int_equal(check(&r, 1 << 30), SPOOL_VALID);
    for (unsigned bit = 0; bit < 8 * sizeof(r); bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(check(&r, 1 << 30), SPOOL_NONE);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void v3_its_place(void **state)
{
    struct spool_record r = make_record(sizeof(body));
    struct spool_format_place at = { GENERATION, 8192, 1 << 30 };
    struct spool_record out;
    const uint8_t *bytes = (const uint8_t *)&r;

    (void)state;
    at.offset = 4096;
    assert_int_equal(spool_format_record_check(bytes, &at, &out), SPOOL_NONE);
    at.offset = 8192;
    at.generation++;
    assert_int_equal(spool_format_record_check(bytes, &at, &out), SPOOL_NONE);
    at.generation--;
    assert_int_equal(spool_format_record_check(bytes, &at, &out), SPOOL_VALID);
    r.offset = at.offset = 8196;
    r.crc = spool_format_crc(GENERATION, &r, offsetof(struct spool_record, crc));
    assert_int_equal(spool_format_record_check(bytes, &at, &out), SPOOL_NONE);
}

static void v4_spans(void **state)
{
    struct spool_record good = make_record(sizeof(body));
    struct spool_record r;

    (void)state;
    assert_int_equal(spool_format_span(0), 64);
    assert_int_equal(spool_format_span(1), 72);
    assert_int_equal(spool_format_span(8), 72);
    assert_int_equal(spool_format_block_up(1), 4096);
    assert_int_equal(spool_format_block_up(4096), 4096);
    assert_int_equal(check(&good, 8192 + good.span_bytes), SPOOL_VALID);
    assert_int_equal(check(&good, 8192 + good.span_bytes - 1), SPOOL_NONE);
    assert_int_equal(check(&good, 8191), SPOOL_NONE);
    r = good;
    r.span_bytes += 4;
    assert_int_equal(check_resealed(r), SPOOL_NONE);
    r = good;
    r.span_bytes = 64;
    assert_int_equal(check_resealed(r), SPOOL_NONE);
    r = good;
    r.span_bytes = 8;
    assert_int_equal(check_resealed(r), SPOOL_NONE);
    r = good;
    r.span_bytes = LIMIT_SPOOL_RECORD_BYTES;
    assert_int_equal(check_resealed(r), SPOOL_VALID);
    r = good;
    r.span_bytes = LIMIT_SPOOL_RECORD_BYTES + 8;
    assert_int_equal(check_resealed(r), SPOOL_NONE);
    r = good;
    r.body_bytes = UINT32_MAX;
    assert_int_equal(check_resealed(r), SPOOL_NONE);
}

static void v4_stretch(void **state)
{
    struct spool_record r = make_record(sizeof(body));
    uint32_t body_crc = r.body_crc;

    (void)state;
    spool_format_record_stretch(&r, 4096);
    assert_int_equal(r.span_bytes, 4096);
    assert_int_equal(r.body_crc, body_crc);
    assert_int_equal(check(&r, 8192 + 4096), SPOOL_VALID);
    assert_int_equal(check(&r, 8192 + 4088), SPOOL_NONE);
    assert_true(spool_format_body_check(&r, body));
    unit_catch_asserts();
    expect_assert_failure(spool_format_record_stretch(&r, 64));
    expect_assert_failure(spool_format_record_stretch(&r, LIMIT_SPOOL_RECORD_BYTES + 8));
}

static void v5_each_bit_of_a_body(void **state)
{
    struct spool_record r = make_record(sizeof(body));
    char copy[sizeof(body)];

    (void)state;
    memcpy(copy, body, sizeof(body));
    assert_true(spool_format_body_check(&r, copy));
    for (unsigned bit = 0; bit < 8 * sizeof(copy); bit++) {
        copy[bit / 8] ^= (char)(1u << bit % 8);
        assert_false(spool_format_body_check(&r, copy));
        copy[bit / 8] ^= (char)(1u << bit % 8);
    }
    r.generation++;
    assert_false(spool_format_body_check(&r, copy));
}

static void v6_newer_records(void **state)
{
    struct spool_record good = make_record(sizeof(body));
    struct spool_record r;

    (void)state;
    r = good;
    r.type = 0;
    assert_int_equal(check_resealed(r), SPOOL_UNKNOWN);
    r = good;
    r.type = RECORD_RESUME + 1;
    assert_int_equal(check_resealed(r), SPOOL_UNKNOWN);
    r = good;
    r.flags = 1;
    assert_int_equal(check_resealed(r), SPOOL_UNKNOWN);
    r = good;
    r.reserved_0 = 1;
    assert_int_equal(check_resealed(r), SPOOL_UNKNOWN);
    r = good;
    r.reserved_1 = 1;
    assert_int_equal(check_resealed(r), SPOOL_UNKNOWN);
    r = good;
    r.reserved_2 = 1;
    assert_int_equal(check_resealed(r), SPOOL_UNKNOWN);
}

/* --- a commit, a resume, a name -------------------------------------------------------------- */

static struct span commit_body(uint8_t room[256], struct spool_commit c, uint32_t texts)
{
    memset(room, 'x', 256);
    memcpy(room, &c, sizeof(c));
    return span_of(room, (uint32_t)sizeof(c) + texts);
}

static void commits_come_apart(void **state)
{
    struct spool_commit good = {
        .id = 1,
        .body_bytes = 10,
        .stored_bytes = 13,
        .flags = MAIL_DOT_STUFFED,
        .envelope_bytes = 20,
        .header_bytes = 30,
    };
    struct spool_format_parts parts;
    struct spool_commit c;
    uint8_t room[256];

    (void)state;
    assert_true(spool_format_commit_decode(commit_body(room, good, 50), &parts));
    assert_ptr_equal(parts.envelope.ptr, room + sizeof(good));
    assert_int_equal(parts.envelope.len, 20);
    assert_ptr_equal(parts.header.ptr, room + sizeof(good) + 20);
    assert_int_equal(parts.header.len, 30);
    assert_false(spool_format_commit_decode(commit_body(room, good, 49), &parts));
    assert_false(spool_format_commit_decode(commit_body(room, good, 51), &parts));
    assert_false(spool_format_commit_decode(span_of(room, sizeof(good) - 1), &parts));
    c = good;
    c.envelope_bytes = UINT32_MAX - 29; /* the sum runs over to 50 */
    assert_false(spool_format_commit_decode(commit_body(room, c, 50), &parts));
    c = good;
    c.id = 0;
    assert_false(spool_format_commit_decode(commit_body(room, c, 50), &parts));
    c = good;
    c.body_bytes = 14;
    assert_false(spool_format_commit_decode(commit_body(room, c, 50), &parts));
}

static void resumes_have_one_size(void **state)
{
    struct spool_resume want = { 17, 8192 };
    struct spool_resume got;

    (void)state;
    assert_true(spool_format_resume_decode(span_of(&want, sizeof(want)), &got));
    assert_memory_equal(&got, &want, sizeof(got));
    assert_false(spool_format_resume_decode(span_of(&want, sizeof(want) - 1), &got));
}

static void names(void **state)
{
    static const char *const foreign[] = {
        "",
        "lock",
        "segment-",
        "segment-1",
        "segment-00000000",
        "segment-0000001x",
        "segment-000000001",
        "segment-+0000001",
        "Segment-00000001",
        "segment-00000001 ",
    };
    char name[SPOOL_NAME_BYTES];
    uint32_t number;

    (void)state;
    spool_format_name(SPOOL_NUMBER_MAX, name);
    assert_string_equal(name, "segment-99999999");
    spool_format_name(7, name);
    assert_string_equal(name, "segment-00000007");
    assert_true(spool_format_name_parse(name, &number));
    assert_int_equal(number, 7);
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        assert_false(spool_format_name_parse(foreign[i], &number));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_the_structs),
        cmocka_unit_test(structs_have_no_holes),
        cmocka_unit_test(v1_header),
        cmocka_unit_test(v2_header),
        cmocka_unit_test(v3_each_bit_of_a_record),
        cmocka_unit_test(v3_its_place),
        cmocka_unit_test(v4_spans),
        cmocka_unit_test(v4_stretch),
        cmocka_unit_test(v5_each_bit_of_a_body),
        cmocka_unit_test(v6_newer_records),
        cmocka_unit_test(commits_come_apart),
        cmocka_unit_test(resumes_have_one_size),
        cmocka_unit_test(names),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: test_spool_format FORMAT.md\n");
        return 2;
    }
    format_md = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
