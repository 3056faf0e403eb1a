/*
 * Records into segments, and what a failing disk makes of messages: rules W2 to W9 of FORMAT.md.
 * The oracle is the disk itself: the power goes, or the process dies, and a reader looks.
 */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "unit/spool/rig.h"
#include "unit/spool/world.h"

#define SEEDS 10

static const uint32_t sizes[] = { 100, 60000, 20000, 0, 130000, 17000, 5, 70000 };

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* W4: whatever was answered at any moment is there when the power goes at that moment. */
static void w4_durable_before_the_answer(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct spool_reader *reader;
        struct rig r;
        uint64_t answered = 0;

        rig_make(&r, seed);
        assert_true(rig_open(&r));
        for (unsigned i = 0; i < SIZES; i++)
            rig_send(&r, i + 1, sizes[i]);
        while (answered <= seed % SIZES) {
            assert_int_equal(rig_answer(&r), SPOOL_DURABLE);
            answered++;
        }
        sim_disk_crash(r.disk);
        rig_close(&r);
        reader = rig_read(&r);
        for (unsigned i = 0; i < answered; i++)
            assert_true(rig_reads(reader, i + 1, sizes[i]));
        spool_reader_close(reader);
        rig_unmake(&r);
    }
}

/* What comes while a batch is under way is the next batch. */
static void commits_go_in_groups(void **state)
{
    struct rig r;

    (void)state;
    rig_make(&r, 1);
    assert_true(rig_open(&r));
    rig_settle(&r);
    rig_send(&r, 1, 10);
    spool_turn(r.spool);
    for (uint64_t id = 2; id <= 6; id++) {
        rig_send(&r, id, 10);
        spool_turn(r.spool);
    }
    for (uint64_t id = 1; id <= 6; id++)
        assert_int_equal(rig_answer(&r), SPOOL_DURABLE);
    assert_int_equal(counter_get(&r.counters, COUNTER_SPOOL_WRITES), 2);
    assert_int_equal(counter_get(&r.counters, COUNTER_SPOOL_COMMITS), 6);
    rig_unmake(&r);
}

/* So do large extents: neither they nor the commits behind them cost a write each. */
static void extents_go_in_groups(void **state)
{
    struct rig r;

    (void)state;
    rig_make(&r, 1);
    assert_true(rig_open(&r));
    rig_settle(&r);
    rig_send(&r, 1, 10);
    spool_turn(r.spool);
    for (uint64_t id = 2; id <= 3; id++) {
        rig_send(&r, id, LIMIT_EXTENT_BYTES);
        spool_turn(r.spool);
    }
    for (uint64_t id = 1; id <= 3; id++)
        assert_int_equal(rig_answer(&r), SPOOL_DURABLE);
    assert_int_equal(counter_get(&r.counters, COUNTER_SPOOL_WRITES), 2);
    rig_unmake(&r);
}

/* --- a write fails (W6, W7) ------------------------------------------------------------------ */

/* Did the first segment keep what was refused? */
static bool kept(struct rig *r)
{
    uint8_t magic[4] = { 0 };
    int file = r->io->ops->open(r->io, "segment-00000001", SPOOL_IO_READ, 0);

    assert_true(file >= 0);
    assert_int_equal(r->io->ops->read(r->io, file, SPOOL_BLOCK_BYTES, magic, 4), 4);
    r->io->ops->close(r->io, file);
    return memcmp(magic, "PREC", 4) == 0;
}

/* FAILED is said when a restart will not find it, although the disk may have kept it. */
static void w6_failed_before_the_answer(void **state)
{
    unsigned kept_all_the_same = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rig r;

        rig_make(&r, seed);
        assert_true(rig_open(&r));
        rig_settle(&r);
        rig_fail_nth(&r, 1);
        rig_send(&r, 1, 10);
        assert_int_equal(rig_answer(&r), SPOOL_FAILED);
        assert_int_equal(counter_get(&r.counters, COUNTER_SPOOL_UNCUT), 0);
        sim_disk_kill(r.disk);
        rig_close(&r);
        assert_true(rig_open(&r)); /* the restart: the disk works again */
        assert_int_equal(r.recovery.messages, 0);
        assert_int_equal(r.recovery.damaged, 0);
        kept_all_the_same += kept(&r);
        rig_unmake(&r);
    }
    assert_true(kept_all_the_same > 0);
}

/* Who is still filling is told, and may only go. Who comes then is let in. */
static void w6_the_others(void **state)
{
    struct spool_message *filling;
    struct spool_extent *e;
    struct rig r;

    (void)state;
    rig_make(&r, 1);
    assert_true(rig_open(&r));
    rig_settle(&r);
    filling = spool_message_begin(r.port, NULL);
    e = spool_extent_get(r.port);
    e->len = 10;
    spool_message_append(r.port, filling, e);
    rig_fail_nth(&r, 1);
    rig_send(&r, 1, 10);
    assert_int_equal(rig_answer(&r), SPOOL_FAILED);
    assert_int_equal(filling->state, SPOOL_FAILED);
    spool_message_abort(r.port, filling);
    rig_send(&r, 2, 70000);
    assert_int_equal(rig_answer(&r), SPOOL_DURABLE);
    assert_true(rig_holds(&r, 2, 70000));
    rig_unmake(&r);
}

/* The header that cuts fails as well (S10): said and counted; the next one names the same end. */
static void w7_the_cut_fails_too(void **state)
{
    static const struct sim_disk_faults all = { .eio_ppm = 1000000, .headers = true };
    const struct spool_found_segment *newest;

    (void)state;
    assert_true(rig_open(&world.rig));
    rig_settle(&world.rig);
    rig_send(&world.rig, 1, 10);
    assert_int_equal(rig_answer(&world.rig), SPOOL_DURABLE);
    sim_disk_set_faults(world.rig.disk, &all);
    rig_send(&world.rig, 2, 10);
    assert_int_equal(rig_answer(&world.rig), SPOOL_FAILED);
    rig_fail_nth(&world.rig, 0);
    assert_int_equal(counter_get(&world.rig.counters, COUNTER_SPOOL_UNCUT), 1);
    rig_send(&world.rig, 3, 10);
    assert_int_equal(rig_answer(&world.rig), SPOOL_DURABLE);
    rig_settle(&world.rig);
    rig_close(&world.rig);
    assert_true(world_load());
    newest = spool_recover_newest(&world.found);
    assert_int_equal(newest->header.previous, 1);
    assert_int_equal(newest->header.flags, SEGMENT_CUTS);
    assert_int_equal(newest->header.previous_end, world_segment(1)->end);
    assert_true(world_has(1));
    assert_false(world_has(2));
    assert_true(world_has(3));
}

/* --- no room --------------------------------------------------------------------------------- */

static void fill_up(struct rig *r)
{
    struct spool_reader *reader;
    uint64_t durable = 0;
    enum spool_state last;

    assert_true(rig_open(r));
    do {
        rig_send(r, durable + 1, 50000);
        last = rig_answer(r);
        durable += last == SPOOL_DURABLE;
    } while (last == SPOOL_DURABLE);
    assert_int_equal(last, SPOOL_FULL);
    assert_true(durable >= 8);
    reader = rig_read(r);
    for (uint64_t id = 1; id <= durable; id++)
        assert_true(rig_reads(reader, id, 50000));
    assert_int_equal(spool_reader_count(reader), durable);
    spool_reader_close(reader);
    rig_settle(r);
    rig_close(r);
    assert_true(rig_open(r)); /* full is no reason not to start */
    assert_int_equal(r->recovery.messages, durable);
}

static void full_by_its_size(void **state)
{
    struct rig r;

    (void)state;
    rig_make(&r, 1);
    r.config.bytes_max = 2 * RIG_SEGMENT_BYTES;
    fill_up(&r);
    rig_unmake(&r);
}

static void full_by_the_disk(void **state)
{
    struct sim_disk_faults faults = { .space_bytes = 2 * RIG_SEGMENT_BYTES };
    struct rig r;

    (void)state;
    rig_make(&r, 1);
    sim_disk_set_faults(r.disk, &faults);
    fill_up(&r);
    rig_unmake(&r);
}

/* W9: where only messages stood that were given up, segments are used again. */
static void w9_room_comes_back(void **state)
{
    struct rig r;

    (void)state;
    rig_make(&r, 1);
    r.config.bytes_max = 3 * RIG_SEGMENT_BYTES;
    assert_true(rig_open(&r));
    for (unsigned i = 0; i < 24; i++) {
        struct spool_message *m = spool_message_begin(r.port, NULL);
        struct spool_extent *e = spool_extent_get(r.port);

        e->len = e->cap;
        spool_message_append(r.port, m, e);
        rig_settle(&r);
        spool_message_begin(r.port, NULL); /* takes the replies */
        assert_int_equal(m->state, SPOOL_FILLING);
        spool_message_abort(r.port, m);
        rig_settle(&r);
        rig_close(&r);
        assert_true(rig_open(&r));
    }
    rig_send(&r, 1, 100000);
    assert_int_equal(rig_answer(&r), SPOOL_DURABLE);
    rig_unmake(&r);
}

/* A message of one large extent is begun, written and given up. */
static void write_in_vain(struct rig *r)
{
    struct spool_message *m = spool_message_begin(r->port, NULL);
    struct spool_extent *e = spool_extent_get(r->port);

    assert_non_null(m);
    e->len = e->cap;
    spool_message_append(r->port, m, e);
    spool_message_abort(r->port, m);
    while ((e = spool_extent_get(r->port)) == NULL)
        if (spool_turn(r->spool) == 0)
            rig_step(r); /* time passes only when there is nothing else to do */
    spool_extent_put(r->port, e);
}

/* The zeros of the third segment are still being synced when it is full, left, and wanted again. */
static void w9_not_while_it_is_synced(void **state)
{
    struct sim_disk_faults faults = { .sync_ns = 3600 * NS_PER_S };
    struct spool_message *m;
    struct spool_extent *e;
    struct rig r;

    (void)state;
    rig_make(&r, 1);
    r.config.extents_per_port = 1;
    assert_true(rig_open(&r));
    rig_settle(&r);
    m = spool_message_begin(r.port, NULL);
    e = spool_extent_get(r.port);
    e->len = 1;
    spool_message_append(r.port, m, e); /* keeps the first segment */
    rig_settle(&r);
    sim_disk_set_faults(r.disk, &faults);
    for (unsigned i = 0; i < 5; i++)
        write_in_vain(&r);
    spool_message_abort(r.port, m);
    for (unsigned i = 0; i < 30; i++)
        write_in_vain(&r);
    rig_send(&r, 1, 10);
    assert_int_equal(rig_answer(&r), SPOOL_DURABLE);
    rig_unmake(&r);
}

/* --- each nth failure ------------------------------------------------------------------------ */

/* Eight messages over several segments; what was said of each. */
static void send_all(struct rig *r, enum spool_state said[SIZES])
{
    for (unsigned i = 0; i < SIZES; i++) {
        rig_send(r, i + 1, sizes[i]);
        said[i] = rig_answer(r);
        assert_true(said[i] == SPOOL_DURABLE || said[i] == SPOOL_FAILED);
    }
}

/* I1 and I2. */
static void as_it_was_said(struct rig *r, const enum spool_state said[SIZES])
{
    bool uncut = counter_get(&r->counters, COUNTER_SPOOL_UNCUT) > 0;
    struct spool_reader *reader = rig_read(r);

    for (unsigned i = 0; i < SIZES; i++) {
        bool there = rig_reads(reader, i + 1, sizes[i]);

        assert_true(there || said[i] != SPOOL_DURABLE);
        assert_true(!there || said[i] == SPOOL_DURABLE || uncut);
    }
    spool_reader_close(reader);
}

static void writing_each_nth_failure(void **state)
{
    uint64_t refused = 1;
    unsigned rounds = 0;

    (void)state;
    for (uint64_t n = 1; refused > 0; n++, rounds++) {
        enum spool_state said[SIZES];
        struct rig r;

        rig_make(&r, n);
        assert_true(rig_open(&r));
        rig_fail_nth(&r, n);
        send_all(&r, said);
        refused = sim_disk_tally(r.disk)->refused;
        sim_disk_kill(r.disk);
        rig_close(&r);
        as_it_was_said(&r, said);
        assert_true(rig_open(&r));
        rig_close(&r);
        as_it_was_said(&r, said);
        rig_unmake(&r);
    }
    assert_true(rounds > 10);
}

/* Opens with the nth write, or the nth other call, failing: it opens, or says why. */
static bool open_with_failure(bool used_before, uint64_t write, uint64_t call)
{
    struct sim_disk_faults faults = { .nth = write, .nth_call = call };
    struct rig r;
    bool durable = false;
    bool hit;

    rig_make(&r, write + call);
    if (used_before) {
        assert_true(rig_open(&r));
        rig_send(&r, 1, 300000);
        assert_int_equal(rig_answer(&r), SPOOL_DURABLE);
        rig_close(&r);
    }
    sim_disk_set_faults(r.disk, &faults);
    if (rig_open(&r)) {
        rig_send(&r, 2, 10);
        durable = rig_answer(&r) == SPOOL_DURABLE;
        rig_settle(&r);
        assert_true(durable || sim_disk_has_failed(r.disk));
    } else {
        assert_non_null(strstr(r.why, "Input/output error"));
    }
    hit = sim_disk_has_failed(r.disk);
    rig_fail_nth(&r, 0);
    rig_close(&r);
    if (used_before)
        assert_true(rig_holds(&r, 1, 300000));
    assert_int_equal(rig_holds(&r, 2, 10), durable);
    rig_unmake(&r);
    return hit;
}

static void opening_each_nth_failure(void **state)
{
    (void)state;
    for (unsigned used_before = 0; used_before < 2; used_before++) {
        uint64_t n;

        for (n = 1; open_with_failure(used_before == 1, n, 0); n++)
            continue;
        assert_true(n > 1);
        for (n = 1; open_with_failure(used_before == 1, 0, n); n++)
            continue;
        assert_true(n > 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(w4_durable_before_the_answer),
        cmocka_unit_test(commits_go_in_groups),
        cmocka_unit_test(extents_go_in_groups),
        cmocka_unit_test(w6_failed_before_the_answer),
        cmocka_unit_test(w6_the_others),
        cmocka_unit_test_setup_teardown(w7_the_cut_fails_too, world_set_up, world_tear_down),
        cmocka_unit_test(full_by_its_size),
        cmocka_unit_test(full_by_the_disk),
        cmocka_unit_test(w9_room_comes_back),
        cmocka_unit_test(w9_not_while_it_is_synced),
        cmocka_unit_test(writing_each_nth_failure),
        cmocka_unit_test(opening_each_nth_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
