/*
 * Each state S1 to S13 of FORMAT.md, 6, that a crash can leave, made by hand on the simulated disk,
 * and what recovery makes of it.
 */
#include "lib/unit.h"

#include <string.h>

#include "unit/spool/world.h"

static void s1_short_or_zero(void **state)
{
    static const uint8_t zeros[SPOOL_BLOCK_BYTES];

    (void)state;
    sim_disk_put(world.rig.disk, "segment-00000001", zeros, 0);
    sim_disk_put(world.rig.disk, "segment-00000002", "POSTERNS", 8);
    sim_disk_put(world.rig.disk, "segment-00000003", zeros, sizeof(zeros));
    assert_true(world_load());
    for (uint32_t number = 1; number <= 3; number++)
        assert_int_equal(world_segment(number)->find, FIND_UNUSED);
    assert_null(spool_recover_newest(&world.found));
    assert_string_equal(world.notes, "");
}

static void s2_a_header_and_nothing_more(void **state)
{
    uint64_t end;

    (void)state;
    rig_image_message(&world.a, 1, "one");
    end = world.a.at;
    rig_image_follow(&world.b, 1, end, 0);
    world_load_images(true);
    assert_true(world_has(1));
    assert_int_equal(world_segment(1)->end, end);
    assert_int_equal(world_segment(2)->end, SPOOL_BLOCK_BYTES);
    assert_int_equal(spool_recover_newest(&world.found)->number, 2);
}

static void s3_extents_without_commit(void **state)
{
    struct rig_mail m = { .ticket = 5, .id = 5 };

    (void)state;
    rig_image_extent(&world.a, &m, "nobody said");
    rig_image_message(&world.a, 1, "one");
    world_load_images(false);
    assert_false(world_has(5));
    assert_true(world_has(1));
    assert_int_equal(spool_index_dropped(&world.found.index), 1);
    assert_int_equal(world_segment(1)->live, 2);
}

static void s4_s7_a_whole_batch(void **state)
{
    (void)state;
    rig_image_message(&world.a, 1, "one");
    world_load_images(false);
    assert_true(world_has(1));
    assert_int_equal(world_segment(1)->end, world.a.at);
    assert_int_equal(world.found.index.id_max, 1);
}

/* Any sector of the batch may be the one that is missing. */
static void s5_a_torn_batch(void **state)
{
    static char text[3000];
    uint64_t first;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    rig_image_message(&world.a, 1, "one");
    first = world.a.at;
    rig_image_message(&world.a, 2, text);
    for (uint64_t at = first / 512 * 512 + 512; at < world.a.at; at += 512) {
        uint8_t sector[512];

        memcpy(sector, world.a.bytes + at, sizeof(sector));
        memset(world.a.bytes + at, 0, sizeof(sector));
        world_load_images(false);
        assert_true(world_has(1));
        assert_false(world_has(2));
        assert_int_equal(world.found.index.damaged, 0);
        assert_true(world_segment(1)->end == first ||
                    world_segment(1)->end == first + spool_format_span(sizeof(text) - 1));
        memcpy(world.a.bytes + at, sector, sizeof(sector));
    }
    world_load_images(false);
    assert_true(world_has(2));
}

static void s6_a_hole_before_it(void **state)
{
    uint64_t hole;

    (void)state;
    rig_image_message(&world.a, 1, "one");
    hole = world.a.at = spool_format_block_up(world.a.at);
    rig_image_message(&world.a, 2, "never arrived");
    world.a.at = spool_format_block_up(world.a.at);
    rig_image_message(&world.a, 3, "confirmed behind it");
    memset(world.a.bytes + hole, 0, SPOOL_BLOCK_BYTES);
    world_load_images(false);
    assert_true(world_has(1));
    assert_false(world_has(2));
    assert_false(world_has(3));
}

static void s8_a_cut(void **state)
{
    uint64_t cut;

    (void)state;
    rig_image_message(&world.a, 1, "one");
    cut = world.a.at;
    rig_image_message(&world.a, 2, "refused, and kept by the disk all the same");
    rig_image_follow(&world.b, 1, cut, SEGMENT_CUTS);
    rig_image_message(&world.b, 3, "three");
    world_load_images(true);
    assert_true(world_has(1));
    assert_false(world_has(2));
    assert_true(world_has(3));
    assert_int_equal(world_segment(1)->end, cut);
    assert_int_equal(world_segment(1)->lost_bytes, 0);
    assert_int_equal(world_segment(2)->header.flags, SEGMENT_CUTS);
}

/* The smallest end that any later segment names is the one. */
static void s8_two_name_it(void **state)
{
    struct rig_image c;
    uint64_t cut;

    (void)state;
    rig_image_make(&c, 3, 300);
    rig_image_message(&world.a, 1, "one");
    cut = world.a.at;
    rig_image_message(&world.a, 2, "two");
    rig_image_follow(&world.b, 1, cut, SEGMENT_CUTS);
    rig_image_follow(&c, 1, world.a.at, 0);
    rig_image_put(&c, &world.rig, 3);
    world_load_images(true);
    assert_int_equal(world_segment(1)->named_end, cut);
    assert_false(world_has(2));
    rig_image_free(&c);
}

/* The cut's header is not there: what the disk kept of the refused write counts. */
static void s9_s10_no_cut(void **state)
{
    (void)state;
    rig_image_message(&world.a, 1, "one");
    rig_image_message(&world.a, 2, "refused, and kept by the disk all the same");
    rig_image_follow(&world.b, 1, SPOOL_BLOCK_BYTES, SEGMENT_CUTS);
    memset(world.b.bytes, 0, SPOOL_BLOCK_BYTES);
    world_load_images(true);
    assert_true(world_has(1));
    assert_true(world_has(2));
    assert_int_equal(world_segment(2)->find, FIND_UNUSED);
}

static void s11_a_resume_or_none(void **state)
{
    uint64_t end;

    (void)state;
    rig_image_message(&world.a, 1, "one");
    end = world.a.at;
    world_load_images(false);
    assert_int_equal(world_segment(1)->end, end);
    assert_int_equal(world_segment(1)->generation, 100);
    rig_image_resume(&world.a, end, 101);
    world_load_images(false);
    assert_true(world_has(1));
    assert_int_equal(world_segment(1)->end, world.a.at);
    assert_int_equal(world_segment(1)->generation, 101);
}

static void s12_old_records_behind_a_resume(void **state)
{
    struct rig_mail torn = { .ticket = 2, .id = 2 };
    uint64_t end;

    (void)state;
    rig_image_message(&world.a, 1, "one");
    end = world.a.at;
    rig_image_extent(&world.a, &torn, "torn away by the crash");
    memset(world.a.bytes + end, 0, world.a.at - end);
    world.a.at = spool_format_block_up(end) + SPOOL_BLOCK_BYTES;
    rig_image_message(&world.a, 3, "right behind the place of the resume");
    world.a.at = spool_format_block_up(end);
    rig_image_resume(&world.a, end, 101);
    world_load_images(false);
    assert_true(world_has(1));
    assert_false(world_has(3));
    assert_int_equal(world_segment(1)->end, spool_format_block_up(end) + SPOOL_BLOCK_BYTES);
}

static void s13_used_again(void **state)
{
    (void)state;
    rig_image_message(&world.a, 1, "of an earlier life");
    world.a.header.sequence = 8;
    world.a.header.generation = 800;
    spool_format_header_encode(&world.a.header, world.a.bytes);
    world_load_images(false);
    assert_false(world_has(1));
    assert_int_equal(world_segment(1)->end, SPOOL_BLOCK_BYTES);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(s1_short_or_zero),
        CASE(s2_a_header_and_nothing_more),
        CASE(s3_extents_without_commit),
        CASE(s4_s7_a_whole_batch),
        CASE(s5_a_torn_batch),
        CASE(s6_a_hole_before_it),
        CASE(s8_a_cut),
        CASE(s8_two_name_it),
        CASE(s9_s10_no_cut),
        CASE(s11_a_resume_or_none),
        CASE(s12_old_records_behind_a_resume),
        CASE(s13_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
