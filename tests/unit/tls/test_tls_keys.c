/*
 * tls/tls_layer_own.c, tls_awake.c: keys that are renewed, and keys that idle connections do
 * without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "forge.h"
#include "tls/tls_conn.h"

static const struct rig_config ecdsa = { .connections = 2 };

static uint64_t count(const struct rig *r, enum counter_id id)
{
    return counter_get(&r->counters, id);
}

/* RFC 8446, 5.5: the peer's key is used up, so it is asked for another, once. */
static void test_asks_for_a_new_key(void **state)
{
    struct rig r;
    char text[64];
    uint64_t real;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    rig_talk(&r);
    real = r.conn->own.in.sequence;
    r.conn->own.in.sequence = LIMIT_TLS_RECORDS_PER_KEY;
    rig_server_send(&r, "one");
    rig_server_send(&r, "two");
    assert_int_equal(count(&r, COUNTER_TLS_KEY_UPDATES), 1);
    r.conn->own.in.sequence = real;
    assert_int_equal(rig_client_read(&r, text, sizeof(text)), 3);
    assert_int_equal(rig_client_read(&r, text, sizeof(text)), 3);
    assert_string_equal(text, "two");
    assert_true(r.conn->own.asked);
    rig_talk(&r); /* the client's answer goes before its next data */
    assert_false(r.conn->own.asked);
    assert_int_equal(r.conn->own.in.sequence, 1);
    rig_close(&r);
}

/* Ours is used up: KeyUpdate is the last record under it, and data the first under the next. */
static void test_renews_its_key(void **state)
{
    struct rig r;
    struct tls_record_secret out;
    struct tls_record_key key;
    uint8_t raw[256], scratch[TLS_RECORD_BODY_MAX], to[64];
    struct tls_record_job job = { .to = to, .cap = sizeof(to), .scratch = scratch };
    struct span run;
    struct stream *s;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    rig_talk(&r);
    out = r.conn->own.out;
    out.sequence = r.conn->own.out.sequence = LIMIT_TLS_RECORDS_PER_KEY;
    s = tls_conn_stream(r.conn);
    assert_int_equal(stream_write(s, SPAN_LITERAL("x")), 1);
    mem_stream_step(r.wire);
    run = span_of(raw, rig_client_take_raw(&r, raw, sizeof(raw)));
    job.runs = &run;
    assert_true(tls_record_key_make(&key, &out));
    assert_null(tls_record_open_header(run.ptr, &job.len));
    assert_null(tls_record_open(&key, &out, &job));
    assert_int_equal(job.type, TLS_RECORD_HANDSHAKE);
    assert_memory_equal(scratch, "\30\0\0\1\0", 5);
    tls_record_key_wipe(&key);
    assert_true(tls_record_secret_next(&out) && tls_record_key_make(&key, &out));
    run = span_skip(run, job.len);
    assert_null(tls_record_open_header(run.ptr, &job.len));
    assert_null(tls_record_open(&key, &out, &job));
    assert_int_equal(job.type, TLS_RECORD_DATA);
    assert_int_equal(job.given, 1);
    tls_record_key_wipe(&key);
    rig_close(&r);
}

/* The peer wants our key changed, and there is no room for the KeyUpdate that goes before the
 * reply: the reply waits. */
static void test_key_update_waits_for_room(void **state)
{
    static const struct rig_config narrow = { .room = 20000 };
    static struct forge f;
    struct rig r;
    struct stream *s;
    struct seg *seg;
    char text[20100];

    (void)state;
    rig_open(&r, &narrow);
    forge_begin(&f, &r, NULL);
    s = tls_conn_stream(r.conn);
    mem_stream_set_stall(r.wire, 0, true);
    forge_key_update(&f, 1);
    tls_conn_update(r.conn);
    assert_int_equal(s->ops->read(s, (uint8_t *)text, sizeof(text)), 0);
    assert_true(r.conn->own.update_due);
    seg = s->ops->reserve(s, 1);
    for (struct seg *other; (other = r.conn->lower->ops->reserve(r.conn->lower, 100)) != NULL;) {
        other->len = seg_tailroom(other); /* the transport is filled by what is not to be read */
        r.conn->lower->ops->commit(r.conn->lower, other);
    }
    seg->data[0] = 'x';
    seg->len = 1;
    s->ops->commit(s, seg);
    assert_false(list_empty(&r.conn->held));
    assert_false(s->ready & (STREAM_WRITABLE | STREAM_DRAINED));
    mem_stream_set_stall(r.wire, 0, false);
    mem_stream_step(r.wire);
    while (rig_client_take_raw(&r, (uint8_t *)text, sizeof(text)) > 0) {
    }
    tls_conn_update(r.conn);
    assert_true(list_empty(&r.conn->held));
    assert_false(r.conn->own.update_due);
    assert_int_equal(count(&r, COUNTER_TLS_KEY_UPDATES), 1);
    forge_end(&f);
    rig_close(&r);
}

/* --- Hibernation ----------------------------------------------------------------------------- */

static void test_hibernates(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    rig_talk(&r);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(count(&r, COUNTER_TLS_WAKES), i);
        tls_awake_rest(r.conn);
        tls_awake_rest(r.conn);
        assert_null(r.conn->own.awake);
        assert_int_equal(pool_used(r.worker->awake), 0);
        rig_talk(&r);
    }
    print_message("bytes of an idle connection: %zu\n", sizeof(struct tls_conn));
    assert_true(sizeof(struct tls_conn) <= 512);
    rig_close(&r);
}

/* No place left: the connection that was silent longest gives its up, and comes back. */
static void test_gives_its_place(void **state)
{
    struct rig r, other;
    void *taken;

    (void)state;
    rig_open(&r, &ecdsa);
    taken = pool_get(r.worker->awake); /* one place is left for two */
    rig_establish(&r, NULL);
    rig_talk(&r);
    other = r;
    r.wire = NULL;
    r.conn = NULL;
    r.client = NULL;
    rig_establish(&r, NULL);
    for (unsigned i = 0; i < 3; i++) {
        rig_talk(&r);
        assert_non_null(r.conn->own.awake);
        assert_null(other.conn->own.awake);
        rig_talk(&other);
        assert_null(r.conn->own.awake);
    }
    rig_disconnect(&other);
    pool_put(r.worker->awake, taken);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asks_for_a_new_key),        cmocka_unit_test(test_renews_its_key),
        cmocka_unit_test(test_key_update_waits_for_room), cmocka_unit_test(test_hibernates),
        cmocka_unit_test(test_gives_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
