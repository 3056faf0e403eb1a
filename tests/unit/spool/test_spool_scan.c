/* The walk through one segment: rules V3 to V9 of FORMAT.md, each broken in its turn. */
#include "lib/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "spool/spool_scan.h"
#include "unit/spool/rig.h"

#define RECORDS_MAX 256
#define GENERATION  1000
#define OPEN_ENDED  UINT64_MAX /* no later segment names this one */

struct walk {
    struct spool_record records[RECORDS_MAX];
    unsigned count;
    enum spool_scan_step end;
    struct spool_scan scan;
};

/* Walks the image as it stands on the disk; named_end by V8. */
static void walk_disk(struct walk *w, struct rig *r, const struct rig_image *g, uint64_t named_end)
{
    uint8_t *window = aligned_alloc(SPOOL_BLOCK_BYTES, SPOOL_SCAN_WINDOW_BYTES);
    struct span body;

    assert_non_null(window);
    memset(w, 0, sizeof(*w));
    w->scan = (struct spool_scan){
        .io = r->io,
        .file = r->io->ops->open(r->io, "segment-00000001", SPOOL_IO_READ, 0),
        .end = named_end == OPEN_ENDED ? g->header.segment_bytes : named_end,
        .closed = named_end != OPEN_ENDED,
        .generation = g->header.generation,
        .window = window,
    };
    assert_true(w->scan.file >= 0);
    spool_scan_begin(&w->scan);
    while ((w->end = spool_scan_next(&w->scan, &w->records[w->count], &body)) == SCAN_RECORD) {
        assert_true(spool_format_body_check(&w->records[w->count], body.ptr));
        assert_true(++w->count < RECORDS_MAX);
    }
    r->io->ops->close(r->io, w->scan.file);
    free(window);
}

static void walk_image(struct walk *w, const struct rig_image *g, uint64_t named_end)
{
    struct rig r;

    rig_make(&r, 1);
    rig_image_put(g, &r, 1);
    walk_disk(w, &r, g, named_end);
    rig_unmake(&r);
}

static struct walk walked;

/* Four extents: where each begins, and the end, in at[]. The third begins a block. */
static void make_four(struct rig_image *g, uint64_t at[5])
{
    struct rig_mail m = { .ticket = 5 };
    struct spool_record second;

    rig_image_make(g, 1, GENERATION);
    at[0] = rig_image_extent(g, &m, "the first");
    at[1] = rig_image_extent(g, &m, "the second");
    g->at = spool_format_block_up(g->at);
    at[2] = rig_image_extent(g, &m, "the third");
    at[3] = rig_image_extent(g, &m, "the fourth");
    at[4] = g->at;
    memcpy(&second, g->bytes + at[1], sizeof(second));
    spool_format_record_stretch(&second, (uint32_t)(at[2] - at[1]));
    memcpy(g->bytes + at[1], &second, sizeof(second));
}

static void expect(unsigned count, enum spool_scan_step end, uint64_t position)
{
    assert_int_equal(walked.count, count);
    assert_int_equal(walked.end, end);
    assert_int_equal(walked.scan.position, position);
}

static void v7_one_after_the_other(void **state)
{
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    walk_image(&walked, &g, OPEN_ENDED);
    expect(4, SCAN_END, at[4]);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(walked.records[i].number, i);
        assert_int_equal(walked.records[i].offset, at[i]);
    }
    assert_int_equal(walked.scan.lost_bytes, 0);
    rig_image_free(&g);
}

static void v3_v7_a_bad_header_ends_it(void **state)
{
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    g.bytes[at[1] + 30] ^= 1;
    walk_image(&walked, &g, OPEN_ENDED);
    expect(1, SCAN_END, at[1]);
    rig_image_free(&g);
}

static void v5_v7_a_bad_body_ends_it(void **state)
{
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    g.bytes[at[1] + sizeof(struct spool_record)] ^= 1;
    walk_image(&walked, &g, OPEN_ENDED);
    expect(1, SCAN_END, at[1]);
    rig_image_free(&g);
}

static void v6_a_newer_record_is_said(void **state)
{
    struct spool_record r = { .type = RECORD_RESUME + 1, .ticket = 5 };
    struct rig_image g;
    uint64_t at[5];
    uint64_t newer;

    (void)state;
    make_four(&g, at);
    newer = rig_image_record(&g, r, "");
    walk_image(&walked, &g, OPEN_ENDED);
    expect(4, SCAN_UNKNOWN, newer);
    rig_image_free(&g);
}

static void v6_a_newer_commit_is_said(void **state)
{
    struct spool_commit newer[] = { { .id = 1, .flags = 1u << 31 }, { .id = 1, .reserved = 1 } };
    struct spool_record r = { .type = RECORD_COMMIT, .ticket = 5, .body_bytes = sizeof(newer[0]) };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct rig_image g;
        uint64_t at[5];

        make_four(&g, at);
        rig_image_record(&g, r, &newer[i]);
        walk_image(&walked, &g, OPEN_ENDED);
        expect(4, SCAN_UNKNOWN, at[4]);
        rig_image_free(&g);
    }
}

static void v7_behind_a_resume(void **state)
{
    struct rig_mail m = { .ticket = 6 };
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    rig_image_resume(&g, at[4], GENERATION + 1);
    rig_image_extent(&g, &m, "behind it");
    walk_image(&walked, &g, OPEN_ENDED);
    expect(5, SCAN_END, g.at);
    assert_int_equal(walked.scan.generation, GENERATION + 1);
    rig_image_free(&g);
}

static void v7_a_resume_after_a_hole(void **state)
{
    struct rig_mail m = { .ticket = 6 };
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    g.bytes[at[3]] ^= 1;
    rig_image_resume(&g, at[3], GENERATION + 1);
    rig_image_extent(&g, &m, "behind it");
    walk_image(&walked, &g, OPEN_ENDED);
    expect(4, SCAN_END, g.at);
    rig_image_free(&g);
}

static void v7_a_resume_of_another_end(void **state)
{
    struct rig_mail m = { .ticket = 6 };
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    rig_image_resume(&g, at[3], GENERATION + 1);
    rig_image_extent(&g, &m, "behind it");
    walk_image(&walked, &g, OPEN_ENDED);
    expect(4, SCAN_END, at[4]);
    assert_int_equal(walked.scan.generation, GENERATION);
    rig_image_free(&g);
}

static void v7_a_resume_is_never_far(void **state)
{
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    g.at = spool_format_block_up(g.at) + SPOOL_BLOCK_BYTES;
    rig_image_resume(&g, at[4], GENERATION + 1);
    walk_image(&walked, &g, OPEN_ENDED);
    expect(4, SCAN_END, at[4]);
    rig_image_free(&g);
}

static void v8_the_named_end(void **state)
{
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    walk_image(&walked, &g, at[3]);
    expect(3, SCAN_END, at[3]);
    assert_int_equal(walked.scan.lost_bytes, 0);
    walk_image(&walked, &g, at[4]);
    expect(4, SCAN_END, at[4]);
    walk_image(&walked, &g, at[4] - 1);
    assert_int_equal(walked.count, 3);
    walk_image(&walked, &g, 0); /* names nothing of it: an end inside the header's block */
    assert_int_equal(walked.count, 0);
    assert_int_equal(walked.end, SCAN_END);
    rig_image_free(&g);
}

static void v9_a_spoiled_record_is_stepped_over(void **state)
{
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    g.bytes[at[0] + sizeof(struct spool_record)] ^= 1;
    walk_image(&walked, &g, at[4]);
    expect(3, SCAN_END, at[4]);
    assert_int_equal(walked.records[0].number, 1);
    assert_int_equal(walked.scan.lost_bytes, at[1] - at[0]);
    rig_image_free(&g);
}

static void v9_a_bad_header_to_the_next_block(void **state)
{
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    g.bytes[at[0]] ^= 1;
    walk_image(&walked, &g, at[4]);
    expect(2, SCAN_END, at[4]);
    assert_int_equal(walked.records[0].number, 2);
    assert_int_equal(walked.scan.lost_bytes, at[2] - at[0]);
    rig_image_free(&g);
}

static void v9_nothing_more_to_be_had(void **state)
{
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    g.bytes[at[1]] ^= 1;
    g.bytes[at[2]] ^= 1;
    walk_image(&walked, &g, at[4]);
    assert_int_equal(walked.count, 1);
    assert_int_equal(walked.end, SCAN_END);
    assert_int_equal(walked.scan.lost_bytes, at[4] - at[1]);
    rig_image_free(&g);
}

static void v9_a_newer_record_behind_damage(void **state)
{
    struct spool_commit newer = { .id = 1, .reserved = 1 };
    struct spool_record r = { .type = RECORD_COMMIT, .ticket = 5, .body_bytes = sizeof(newer) };
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    g.bytes[at[2]] ^= 1;
    g.at = spool_format_block_up(g.at);
    rig_image_record(&g, r, &newer);
    walk_image(&walked, &g, g.at);
    expect(2, SCAN_UNKNOWN, g.at - spool_format_span(sizeof(newer)));
    rig_image_free(&g);
}

/* The end that the resume names lies in the damage. */
static void v9_a_resume_behind_damage(void **state)
{
    struct rig_mail m = { .ticket = 6 };
    struct rig_image g;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    rig_image_resume(&g, at[4], GENERATION + 1);
    rig_image_extent(&g, &m, "behind it");
    g.bytes[at[2]] ^= 1;
    walk_image(&walked, &g, g.at);
    expect(3, SCAN_END, g.at);
    assert_int_equal(walked.records[2].ticket, 6);
    rig_image_free(&g);
}

/* Records of odd sizes, up to the largest, over more than two windows. */
static void records_across_windows(void **state)
{
    static uint8_t body[LIMIT_SPOOL_RECORD_BYTES];
    struct rig_image g;
    unsigned count = 0;

    (void)state;
    rig_image_make_sized(&g, 1, 3 * SPOOL_SCAN_WINDOW_BYTES);
    for (;; count++) {
        struct spool_record r = { .type = RECORD_EXTENT, .ticket = 5, .number = count };

        r.body_bytes = count % 3 == 0 ? sizeof(body) - 64 : count * 12345 % 200000;
        if (g.at + spool_format_span(r.body_bytes) > g.header.segment_bytes)
            break;
        memset(body, (int)count, r.body_bytes);
        rig_image_record(&g, r, body);
    }
    assert_true(count > 10);
    walk_image(&walked, &g, OPEN_ENDED);
    expect(count, SCAN_END, g.at);
    rig_image_free(&g);
}

static void an_error_of_the_disk(void **state)
{
    struct rig_image g;
    struct rig r;
    uint64_t at[5];

    (void)state;
    make_four(&g, at);
    rig_make(&r, 1);
    rig_image_put(&g, &r, 1);
    rig_fail_call(&r, 2); /* the open is the first */
    walk_disk(&walked, &r, &g, OPEN_ENDED);
    assert_int_equal(walked.end, SCAN_ERROR);
    assert_int_equal(walked.scan.error, EIO);
    rig_unmake(&r);
    rig_image_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v7_one_after_the_other),
        cmocka_unit_test(v3_v7_a_bad_header_ends_it),
        cmocka_unit_test(v5_v7_a_bad_body_ends_it),
        cmocka_unit_test(v6_a_newer_record_is_said),
        cmocka_unit_test(v6_a_newer_commit_is_said),
        cmocka_unit_test(v7_behind_a_resume),
        cmocka_unit_test(v7_a_resume_after_a_hole),
        cmocka_unit_test(v7_a_resume_of_another_end),
        cmocka_unit_test(v7_a_resume_is_never_far),
        cmocka_unit_test(v8_the_named_end),
        cmocka_unit_test(v9_a_spoiled_record_is_stepped_over),
        cmocka_unit_test(v9_a_bad_header_to_the_next_block),
        cmocka_unit_test(v9_nothing_more_to_be_had),
        cmocka_unit_test(v9_a_newer_record_behind_damage),
        cmocka_unit_test(v9_a_resume_behind_damage),
        cmocka_unit_test(records_across_windows),
        cmocka_unit_test(an_error_of_the_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
