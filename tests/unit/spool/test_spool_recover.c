/*
 * What a directory holds: rules V1, V2, V8, V10 and V11 of FORMAT.md, made by hand on the simulated
 * disk; then the disk fails.
 */
#include "lib/unit.h"

#include <string.h>

#include "unit/spool/world.h"

/* The header's fields as they are, its crc right. */
static void seal_header(struct rig_image *g)
{
    g->header.crc = spool_format_crc(0, &g->header, offsetof(struct spool_segment_header, crc));
    memcpy(g->bytes, &g->header, sizeof(g->header));
}

/* --- rules ----------------------------------------------------------------------------------- */

static void v1_a_newer_segment(void **state)
{
    (void)state;
    rig_image_message(&world.a, 1, "one");
    world.a.header.version++;
    seal_header(&world.a);
    world_load_images(false);
    assert_int_equal(world_segment(1)->find, FIND_FOREIGN);
    assert_false(world_has(1));
    assert_true(world_noted("segment-00000001: from a newer Postern"));
    assert_false(rig_open(&world.rig));
    assert_non_null(strstr(world.rig.why, "segment-00000001 was written by a newer Postern"));
}

/* V6 as V1: what stands before the newer record is read, and the writer refuses. */
static void v6_a_newer_record(void **state)
{
    struct spool_record newer = { .type = RECORD_RESUME + 1 };

    (void)state;
    rig_image_message(&world.a, 1, "one");
    rig_image_record(&world.a, newer, "");
    world_load_images(false);
    assert_int_equal(world_segment(1)->find, FIND_FOREIGN);
    assert_true(world_has(1));
    assert_true(world_noted("segment-00000001: holds a record of a newer Postern"));
    assert_false(rig_open(&world.rig));
}

static void v2_a_damaged_header(void **state)
{
    (void)state;
    rig_image_message(&world.a, 1, "one");
    rig_image_message(&world.b, 2, "two");
    world.a.header.previous = 1;
    seal_header(&world.a);
    world_load_images(true);
    assert_int_equal(world_segment(1)->find, FIND_DAMAGED);
    assert_true(world_noted("segment-00000001: no segment, or its header is damaged"));
    assert_false(world_has(1));
    assert_true(world_has(2));
}

/* Damaged: never written to. */
static void v2_a_damaged_segment_is_left_alone(void **state)
{
    uint8_t byte;
    int file;

    (void)state;
    rig_image_message(&world.a, 1, "one");
    world.a.bytes[3] ^= 1;
    rig_image_put(&world.a, &world.rig, 1);
    assert_true(rig_open(&world.rig));
    rig_send(&world.rig, 7, 100000);
    assert_int_equal(rig_answer(&world.rig), SPOOL_DURABLE);
    rig_close(&world.rig);
    file = world.rig.io->ops->open(world.rig.io, "segment-00000001", SPOOL_IO_READ, 0);
    for (uint64_t i = 0; i < RIG_SEGMENT_BYTES; i += 97) {
        assert_int_equal(world.rig.io->ops->read(world.rig.io, file, i, &byte, 1), 1);
        assert_int_equal(byte, world.a.bytes[i]);
    }
    world.rig.io->ops->close(world.rig.io, file);
}

static void other_files_are_named(void **state)
{
    (void)state;
    sim_disk_put(world.rig.disk, "lock", "", 0);
    sim_disk_put(world.rig.disk, "notes.txt", "x", 1);
    sim_disk_put(world.rig.disk, "segment-00000000", "x", 1);
    rig_image_message(&world.a, 1, "one");
    world_load_images(false);
    assert_true(world_has(1));
    assert_int_equal(world.found.count, 1);
    assert_false(world_noted("lock"));
    assert_true(world_noted("notes.txt: no file of a spool"));
    assert_true(world_noted("segment-00000000: no file of a spool"));
}

/* The order of segments is that of their sequences, whatever their names say. */
static void names_are_no_order(void **state)
{
    struct rig_mail m = { .ticket = 9, .id = 9 };

    (void)state;
    rig_image_extent(&world.a, &m, "front, ");
    rig_image_follow(&world.b, 1, world.a.at, 0);
    rig_image_extent(&world.b, &m, "back");
    rig_image_commit(&world.b, &m);
    rig_image_put(&world.a, &world.rig, 2);
    rig_image_put(&world.b, &world.rig, 1);
    assert_true(world_load());
    assert_true(world_has(9));
    assert_int_equal(spool_recover_newest(&world.found)->number, 1);
    assert_int_equal(world.found.number_max, 2);
}

static void a_copy_is_left_alone(void **state)
{
    (void)state;
    rig_image_message(&world.a, 1, "one");
    rig_image_put(&world.a, &world.rig, 1);
    rig_image_put(&world.a, &world.rig, 2);
    rig_image_put(&world.a, &world.rig, 3);
    assert_true(world_load());
    assert_true(world_has(1));
    assert_int_equal(world.found.index.doubles, 0);
    assert_int_equal(world_segment(1)->find, FIND_GOOD);
    assert_int_equal(world_segment(2)->find, FIND_DAMAGED);
    assert_int_equal(world_segment(3)->find, FIND_DAMAGED);
    assert_true(world_noted("segment-00000003: has the sequence number of another"));
}

static void shorter_than_it_says(void **state)
{
    (void)state;
    rig_image_message(&world.a, 1, "one");
    rig_image_put(&world.a, &world.rig, 1);
    sim_disk_cut(world.rig.disk, "segment-00000001", 3 * SPOOL_BLOCK_BYTES + 100);
    assert_true(world_load());
    assert_true(world_has(1));
    assert_true(world_noted("segment-00000001: shorter than its header says"));
}

static void v9_what_was_lost_is_told(void **state)
{
    (void)state;
    rig_image_message(&world.a, 1, "one");
    rig_image_message(&world.a, 2, "two");
    rig_image_follow(&world.b, 1, world.a.at, 0);
    world.a.bytes[SPOOL_BLOCK_BYTES + sizeof(struct spool_record)] ^= 1;
    world_load_images(true);
    assert_false(world_has(1));
    assert_true(world_has(2));
    assert_int_equal(world_segment(1)->lost_bytes, spool_format_span(3));
    assert_true(world_noted("segment-00000001: damaged: 72 bytes"));
    assert_true(world_noted("1 messages have lost a part"));
}

static void v10_a_part_is_missing(void **state)
{
    struct rig_mail m = { .ticket = 5, .id = 5 };

    (void)state;
    m.extents = 1; /* none has the number 0 */
    rig_image_extent(&world.a, &m, "the second of two");
    rig_image_commit(&world.a, &m);
    rig_image_message(&world.a, 6, "whole");
    world_load_images(false);
    assert_false(world_has(5));
    assert_true(world_has(6));
    assert_int_equal(world.found.index.message_count, 2);
    assert_int_equal(world.found.index.damaged, 1);
}

static void v10_extents_stand_before_the_commit(void **state)
{
    struct rig_mail m = { .ticket = 5, .id = 5 };
    struct rig_mail early = { .ticket = 5, .id = 5, .extents = 1, .bytes = 4 };

    (void)state;
    early.crc = spool_format_extents_crc(0, 5, 0, spool_format_crc(100, "text", 4));
    rig_image_commit(&world.a, &early);
    rig_image_extent(&world.a, &m, "text");
    world_load_images(false);
    assert_int_equal(m.crc, early.crc);
    assert_false(world_has(5));
    assert_int_equal(world.found.index.damaged, 1);
}

static void v11_the_first_of_two_counts(void **state)
{
    struct rig_mail second = { .ticket = 99, .id = 1 };
    struct spool_reader *reader;
    uint8_t room[64];
    struct buf out = { room, 0, sizeof(room) };

    (void)state;
    rig_image_message(&world.a, 1, "first");
    rig_image_extent(&world.a, &second, "second");
    rig_image_commit(&world.a, &second);
    world_load_images(false);
    assert_int_equal(world.found.index.doubles, 1);
    assert_true(world_noted("1 ids were given twice"));
    reader = rig_read(&world.rig);
    assert_int_equal(spool_reader_count(reader), 1);
    assert_int_equal(spool_reader_body(reader, 0, 0, &out), 5);
    assert_memory_equal(room, "first", 5);
    assert_non_null(strstr(spool_reader_notes(reader), "1 ids were given twice"));
    spool_reader_close(reader);
}

/* --- the disk fails -------------------------------------------------------------------------- */

/* Each list, open and read fails in its turn: a sentence, and nothing left open (rig_unmake looks).
 */
static void each_nth_failure(void **state)
{
    unsigned refused = 0;

    (void)state;
    rig_image_message(&world.a, 1, "one");
    rig_image_follow(&world.b, 1, world.a.at, 0);
    rig_image_message(&world.b, 2, "two");
    world_load_images(true);
    for (uint64_t n = 1;; n++) {
        rig_fail_call(&world.rig, n);
        memset(world.rig.why, 0, sizeof(world.rig.why));
        if (world_load())
            break;
        assert_non_null(strstr(world.rig.why, "Input/output error"));
        refused++;
    }
    assert_true(world_has(1));
    assert_true(world_has(2));
    assert_true(refused >= 9); /* the list; open and read of each header; the same of the records */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(v1_a_newer_segment),
        CASE(v6_a_newer_record),
        CASE(v2_a_damaged_header),
        CASE(v2_a_damaged_segment_is_left_alone),
        CASE(other_files_are_named),
        CASE(names_are_no_order),
        CASE(a_copy_is_left_alone),
        CASE(shorter_than_it_says),
        CASE(v9_what_was_lost_is_told),
        CASE(v10_a_part_is_missing),
        CASE(v10_extents_stand_before_the_commit),
        CASE(v11_the_first_of_two_counts),
        CASE(each_nth_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
