/*
 * A reader's view of bodies: from any offset, in any piece, checked again when it is asked for,
 * since the disk may change behind its back.
 */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "unit/spool/rig.h"

static struct rig rig;

static int set_up(void **state)
{
    (void)state;
    rig_make(&rig, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_unmake(&rig);
    return 0;
}

#define BODY_BYTES 150000

/* Bytes from an offset, at most `room` of them; they must be the ones that rig_send gave. */
static int64_t read_at(struct spool_reader *reader, uint64_t index, uint64_t offset, uint32_t room)
{
    static uint8_t got[LIMIT_EXTENT_BYTES];
    static uint8_t want[LIMIT_EXTENT_BYTES];
    struct buf out = { got, 0, room };
    int64_t n = spool_reader_body(reader, index, offset, &out);
    struct mail m;

    if (n <= 0)
        return n;
    assert_int_equal(out.len, n);
    assert_true(spool_reader_at(reader, index, &m));
    rig_fill(m.id, offset, want, (uint32_t)n);
    assert_memory_equal(got, want, (size_t)n);
    return n;
}

static void from_any_offset(void **state)
{
    struct spool_reader *reader;
    struct rng rng;

    (void)state;
    assert_true(rig_open(&rig));
    for (uint64_t id = 1; id <= 3; id++) {
        rig_send(&rig, id, BODY_BYTES);
        assert_int_equal(rig_answer(&rig), SPOOL_DURABLE);
    }
    reader = rig_read(&rig);
    rng_seed(&rng, 1);
    for (unsigned i = 0; i < 500; i++) {
        uint64_t offset = rng_below(&rng, BODY_BYTES);
        uint32_t room = 1 + (uint32_t)rng_below(&rng, LIMIT_EXTENT_BYTES);
        int64_t n = read_at(reader, rng_below(&rng, 3), offset, room);

        assert_true(n > 0);
        assert_true((uint64_t)n <= BODY_BYTES - offset);
    }
    assert_int_equal(read_at(reader, 0, BODY_BYTES, 100), 0);
    assert_int_equal(read_at(reader, 0, UINT64_MAX, 100), 0);
    assert_int_equal(read_at(reader, 0, BODY_BYTES - 1, 100), 1);
    spool_reader_close(reader);
}

static void what_is_there(void **state)
{
    struct spool_recovery totals;
    struct spool_reader *reader;
    struct mail m;
    uint64_t index;

    (void)state;
    reader = rig_read(&rig); /* an empty directory is a spool */
    assert_int_equal(spool_reader_count(reader), 0);
    assert_false(spool_reader_at(reader, 0, &m));
    spool_reader_close(reader);
    assert_true(rig_open(&rig));
    rig_send(&rig, 7, 10);
    rig_answer(&rig);
    reader = rig_read(&rig);
    assert_true(spool_reader_at(reader, 0, &m));
    assert_int_equal(m.id, 7);
    assert_int_equal(m.body_bytes, 10);
    assert_true(span_equal(m.header, SPAN_LITERAL("Received: by a test\r\n")));
    assert_false(spool_reader_at(reader, 1, &m));
    assert_true(spool_reader_find(reader, 7, &index));
    assert_int_equal(index, 0);
    assert_false(spool_reader_find(reader, 8, &index));
    spool_reader_totals(reader, &totals);
    assert_int_equal(totals.messages, 1);
    assert_int_equal(totals.id_max, 7);
    assert_true(totals.segments >= 1);
    spool_reader_close(reader);
}

/* The disk loses a part after the reader was opened. */
static void damage_behind_its_back(void **state)
{
    struct spool_reader *reader;

    (void)state;
    assert_true(rig_open(&rig));
    rig_send(&rig, 1, BODY_BYTES);
    rig_answer(&rig);
    rig_settle(&rig);
    reader = rig_read(&rig);
    assert_true(read_at(reader, 0, 0, 100) > 0);
    assert_true(sim_disk_rot(rig.disk, "segment-00000001", SPOOL_BLOCK_BYTES + 70000, 1));
    assert_int_equal(read_at(reader, 0, 70000, 100), -1);
    assert_true(read_at(reader, 0, 0, 100) > 0);
    assert_true(read_at(reader, 0, BODY_BYTES - 1, 100) > 0);
    sim_disk_cut(rig.disk, "segment-00000001", SPOOL_BLOCK_BYTES);
    assert_int_equal(read_at(reader, 0, 0, 100), -1);
    spool_reader_close(reader);
}

/* V4 lets a record be 1 MB long and begin anywhere in a block. */
static void the_largest_record(void **state)
{
    static uint8_t body[LIMIT_SPOOL_RECORD_BYTES];
    struct spool_record r = { .type = RECORD_EXTENT, .ticket = 5, .body_bytes = sizeof(body) - 64 };
    struct rig_mail m = { .ticket = 5, .id = 5, .extents = 1, .bytes = r.body_bytes };
    struct spool_reader *reader;
    struct rig_image g;

    (void)state;
    rig_image_make_sized(&g, 1, 2 * LIMIT_SPOOL_RECORD_BYTES);
    rig_image_message(&g, 1, "so that the next one begins inside of a block");
    rig_fill(5, 0, body, r.body_bytes);
    m.crc = spool_format_extents_crc(0, 5, 0, spool_format_crc(1, body, r.body_bytes));
    rig_image_record(&g, r, body);
    rig_image_commit(&g, &m);
    rig_image_put(&g, &rig, 1);
    reader = rig_read(&rig);
    assert_int_equal(spool_reader_count(reader), 2);
    assert_false(spool_reader_damaged(reader, 1));
    assert_int_equal(read_at(reader, 1, r.body_bytes - 100, 1000), 100);
    spool_reader_close(reader);
    rig_image_free(&g);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(from_any_offset),
        CASE(what_is_there),
        CASE(damage_behind_its_back),
        CASE(the_largest_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
