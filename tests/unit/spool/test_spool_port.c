/* A worker's side: what it gets, when it gets nothing, and in what order the answers come. */
#include "lib/unit.h"

#include <string.h>

#include "base/limits.h"
#include "base/mail.h"
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

static void extents_go_out_and_come_home(void **state)
{
    struct spool_extent *e[8];
    struct spool_message *m;

    (void)state;
    assert_true(rig_open(&rig));
    m = spool_message_begin(rig.port, NULL);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 8; i++) {
            e[i] = spool_extent_get(rig.port);
            assert_non_null(e[i]);
            assert_int_equal(e[i]->len, 0);
            assert_true(e[i]->cap >= LIMIT_READ_BYTES);
            e[i]->len = i % 2 == 0 ? 100 : e[i]->cap;
        }
        assert_null(spool_extent_get(rig.port));
        spool_extent_put(rig.port, e[7]);
        assert_ptr_equal(spool_extent_get(rig.port), e[7]);
        assert_int_equal(e[7]->len, 0);
        e[7]->len = 1;
        for (unsigned i = 0; i < 8; i++)
            spool_message_append(rig.port, m, e[i]);
        assert_null(spool_extent_get(rig.port));
        rig_settle(&rig);
    }
    spool_message_abort(rig.port, m);
    rig_settle(&rig);
    assert_false(rig_holds(&rig, 1, 0));
}

static void messages_go_out_and_come_home(void **state)
{
    struct spool_message *m[8];

    (void)state;
    assert_true(rig_open(&rig));
    for (unsigned i = 0; i < 8; i++)
        assert_non_null(m[i] = spool_message_begin(rig.port, &rig));
    assert_null(spool_message_begin(rig.port, NULL));
    assert_ptr_equal(m[0]->owner, &rig);
    spool_message_abort(rig.port, m[0]);
    assert_null(spool_message_begin(rig.port, NULL)); /* the writer has not said so yet */
    rig_settle(&rig);
    assert_non_null(m[0] = spool_message_begin(rig.port, NULL));
    for (unsigned i = 0; i < 8; i++)
        spool_message_abort(rig.port, m[i]);
    rig_settle(&rig);
}

static void answers_come_in_order(void **state)
{
    static const uint32_t sizes[] = { 0, 60000, 1, 130000, 20000, 5, 17000, 0 };
    struct spool_message *sent[8];

    (void)state;
    assert_true(rig_open(&rig));
    for (unsigned i = 0; i < 8; i++)
        sent[i] = rig_send(&rig, i + 1, sizes[i]);
    rig_settle(&rig);
    for (unsigned i = 0; i < 8; i++) {
        struct spool_message *m = spool_port_poll(rig.port);

        assert_ptr_equal(m, sent[i]);
        assert_int_equal(m->state, SPOOL_DURABLE);
        spool_message_release(rig.port, m);
    }
    assert_null(spool_port_poll(rig.port));
    for (unsigned i = 0; i < 8; i++)
        assert_true(rig_holds(&rig, i + 1, sizes[i]));
}

static void what_was_given_up_is_not_there(void **state)
{
    struct spool_message *m;

    (void)state;
    assert_true(rig_open(&rig));
    for (uint64_t id = 1; id <= 20; id++) {
        struct spool_extent *e = spool_extent_get(rig.port);

        m = spool_message_begin(rig.port, NULL);
        e->len = id % 2 == 0 ? e->cap : 10;
        spool_message_append(rig.port, m, e);
        if (id % 3 == 0)
            spool_turn(rig.spool); /* the abort comes while it is under way */
        spool_message_abort(rig.port, m);
        rig_settle(&rig);
    }
    rig_send(&rig, 77, 10);
    assert_int_equal(rig_answer(&rig), SPOOL_DURABLE);
    rig_close(&rig);
    assert_true(rig_open(&rig));
    assert_int_equal(rig.recovery.messages, 1);
    assert_int_equal(rig.recovery.id_max, 77);
    assert_true(rig.recovery.dropped > 0);
}

/* --- the ring of envelopes ------------------------------------------------------------------- */

#define LARGE_COUNT 200

static struct mail large_mail(uint64_t id)
{
    static uint8_t text[LIMIT_ENVELOPE_BYTES];

    rig_fill(id, 0, text, sizeof(text));
    return (struct mail){ .envelope = span_of(text, (uint32_t)(sizeof(text) - id * 7)), .id = id };
}

static void envelopes_are(struct spool_reader *reader)
{
    assert_int_equal(spool_reader_count(reader), LARGE_COUNT);
    for (uint64_t id = 1; id <= LARGE_COUNT; id++) {
        struct mail want = large_mail(id);
        struct mail got;

        assert_true(spool_reader_at(reader, id - 1, &got));
        assert_int_equal(got.id, id);
        assert_true(span_equal(got.envelope, want.envelope));
    }
}

/* Three times around the ring: false when it is full, and then it goes on. */
static void a_full_ring_of_envelopes(void **state)
{
    struct spool_reader *reader;
    struct spool_message *m = NULL;
    unsigned full = 0;
    uint64_t id = 1;

    (void)state;
    rig.config.messages_per_port = 2 * LARGE_COUNT;
    rig.config.segment_bytes = 8 * RIG_SEGMENT_BYTES;
    rig.config.bytes_max = 80 * RIG_SEGMENT_BYTES;
    assert_true(rig_open(&rig));
    while (id <= LARGE_COUNT) {
        struct mail mail = large_mail(id);

        if (m == NULL)
            m = spool_message_begin(rig.port, NULL);
        if (spool_message_commit(rig.port, m, &mail)) {
            assert_int_equal(m->state, SPOOL_COMMITTING);
            m = NULL;
            id++;
            continue;
        }
        assert_int_equal(m->state, SPOOL_FILLING);
        full++;
        rig_step(&rig);
    }
    assert_true(full >= 2);
    for (id = 1; id <= LARGE_COUNT; id++)
        assert_int_equal(rig_answer(&rig), SPOOL_DURABLE);
    reader = rig_read(&rig);
    envelopes_are(reader);
    spool_reader_close(reader);
}

static void contracts(void **state)
{
    struct spool_message *m;
    struct spool_extent *e;
    struct mail mail = { .id = 1, .body_bytes = 1 };

    (void)state;
    assert_true(rig_open(&rig));
    m = spool_message_begin(rig.port, NULL);
    e = spool_extent_get(rig.port);
    unit_catch_asserts();
    expect_assert_failure(spool_message_append(rig.port, m, e));     /* empty */
    expect_assert_failure(spool_message_commit(rig.port, m, &mail)); /* more than was given */
    mail.body_bytes = 0;
    assert_true(spool_message_commit(rig.port, m, &mail));
    expect_assert_failure(spool_message_abort(rig.port, m));
    e->len = 1;
    expect_assert_failure(spool_message_append(rig.port, m, e));
    spool_extent_put(rig.port, e);
    rig_settle(&rig);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(extents_go_out_and_come_home), CASE(messages_go_out_and_come_home),
        CASE(answers_come_in_order),        CASE(what_was_given_up_is_not_there),
        CASE(a_full_ring_of_envelopes),     CASE(contracts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
