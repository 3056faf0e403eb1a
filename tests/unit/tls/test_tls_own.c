/*
 * tls/tls_layer_take.c, tls_layer_own.c: taking over from BoringSSL, and what our own layer moves
 * where. What both layers do alike is in test_tls_stream*, test_tls_differ; keys in test_tls_keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "forge.h"
#include "tls/tls_conn.h"

static const struct rig_config ecdsa = { .connections = 2 };

static void use_sni(SSL *client)
{
    assert_true(SSL_set_tlsext_host_name(client, "mail.example.org"));
}

static void use_tls12(SSL *client)
{
    assert_true(SSL_set_max_proto_version(client, TLS1_2_VERSION));
}

static uint64_t count(const struct rig *r, enum counter_id id)
{
    return counter_get(&r->counters, id);
}

/* --- Taking over ----------------------------------------------------------------------------- */

static void test_take_by_writing(void **state)
{
    struct rig r;
    struct tls_info info;
    char text[64];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, use_sni);
    assert_non_null(r.conn->ssl);
    rig_server_send(&r, "220 x\r\n");
    assert_null(r.conn->ssl);
    assert_int_equal(rig_client_read(&r, text, sizeof(text)), 7);
    assert_int_equal(r.tickets, 1);
    tls_conn_info(r.conn, &info);
    assert_string_equal(info.version, "TLSv1.3");
    assert_string_equal(info.cipher, "TLS_AES_128_GCM_SHA256");
    assert_string_equal(info.group, "X25519MLKEM768");
    assert_string_equal(info.server_name, ""); /* it went with the SSL object */
    assert_false(info.resumed);
    rig_talk(&r);
    rig_close(&r);
}

/* The client speaks first, as after STARTTLS; its bytes came with its Finished. */
static void test_take_by_reading(void **state)
{
    struct rig r;
    char text[64];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_connect(&r, NULL);
    while (!r.client_done) {
        r.client_done = SSL_do_handshake(r.client) == 1;
        if (r.client_done)
            assert_int_equal(SSL_write(r.client, "EHLO me\r\n", 9), 9);
        rig_move(&r);
        r.outcome = tls_conn_handshake(r.conn);
    }
    assert_int_equal(r.outcome, TLS_DONE);
    assert_int_equal(rig_server_read(&r, text, sizeof(text)), 9);
    assert_string_equal(text, "EHLO me\r\n");
    assert_null(r.conn->ssl);
    rig_move(&r);
    assert_int_equal(rig_client_read(&r, text, sizeof(text)), 0);
    assert_int_equal(r.tickets, 1); /* it did not wait for a reply */
    rig_talk(&r);
    rig_close(&r);
}

static void test_take_by_closing(void **state)
{
    struct rig r;
    struct stream *s;
    char text[8];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    s = tls_conn_stream(r.conn);
    s->ops->shutdown(s);
    while (rig_move(&r) > 0) {
    }
    assert_int_equal(rig_client_read(&r, text, sizeof(text)), 0);
    assert_int_equal(r.client_error, SSL_ERROR_ZERO_RETURN);
    rig_close(&r);
}

/* The ticket finds no room below: nothing is written before it, and nothing is lost. */
static void test_take_without_room(void **state)
{
    static const struct rig_config narrow = { .room = STREAM_RESERVE_MAX };
    struct rig r;
    struct stream *s, *lower;
    struct seg *seg;
    uint8_t filling[STREAM_RESERVE_MAX];
    char text[8];

    (void)state;
    rig_open(&r, &narrow);
    rig_establish(&r, NULL);
    s = tls_conn_stream(r.conn);
    lower = mem_stream_end(r.wire, 0);
    mem_stream_set_stall(r.wire, 0, true);
    seg = lower->ops->reserve(lower, STREAM_RESERVE_MAX); /* of the transport's own: all its room */
    seg->len = STREAM_RESERVE_MAX;
    lower->ops->commit(lower, seg);
    assert_int_equal(stream_write(s, SPAN_LITERAL("220 x\r\n")), 0);
    assert_non_null(r.conn->ssl);
    assert_false(s->ready & STREAM_WRITABLE);
    mem_stream_set_stall(r.wire, 0, false);
    mem_stream_step(r.wire);
    assert_int_equal(rig_client_take_raw(&r, filling, sizeof(filling)), STREAM_RESERVE_MAX);
    tls_conn_update(r.conn);
    rig_server_send(&r, "220 x\r\n");
    assert_int_equal(rig_client_read(&r, text, sizeof(text)), 7);
    assert_int_equal(r.tickets, 1);
    rig_talk(&r);
    rig_close(&r);
}

static void test_tls12_stays(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, use_tls12);
    rig_talk(&r);
    assert_non_null(r.conn->ssl);
    assert_ptr_equal(r.conn->layer, &tls_layer_ssl);
    rig_close(&r);
}

/* --- What is moved, and where to ------------------------------------------------------------- */

static void test_moves(void **state)
{
    static struct forge f;
    static uint8_t text[TLS_RECORD_PLAIN_MAX + 1], to[sizeof(text)];
    struct rig r;
    struct stream *s;

    (void)state;
    rig_open(&r, &ecdsa);
    forge_begin(&f, &r, NULL);
    s = tls_conn_stream(r.conn);
    memset(text, 'a', sizeof(text));
    /* A record in one segment: one move for each byte of it. */
    for (unsigned i = 0; i < 10; i++) {
        forge_send(&f, TLS_RECORD_DATA, text, 900 + i, i);
        tls_conn_update(r.conn);
        assert_int_equal(s->ops->read(s, to, LIMIT_READ_BYTES), 900 + i);
    }
    assert_int_equal(count(&r, COUNTER_TLS_IN_BYTES), 9045);
    assert_int_equal(count(&r, COUNTER_TLS_IN_MOVED), 9045);
    /* A full one in many segments: one more for the gather, which takes type and tag along. */
    forge_send(&f, TLS_RECORD_DATA, text, TLS_RECORD_PLAIN_MAX, 0);
    tls_conn_update(r.conn);
    assert_int_equal(s->ops->read(s, to, LIMIT_READ_BYTES), TLS_RECORD_PLAIN_MAX);
    assert_memory_equal(to, text, TLS_RECORD_PLAIN_MAX);
    assert_int_equal(count(&r, COUNTER_TLS_IN_BYTES), 9045 + TLS_RECORD_PLAIN_MAX);
    assert_int_equal(count(&r, COUNTER_TLS_IN_MOVED),
                     9045 + 2 * TLS_RECORD_PLAIN_MAX + TLS_RECORD_TRAILER_BYTES);
    forge_end(&f);
    rig_close(&r);
}

/* What does not fit behind something waits for a reader with more room; what fits nowhere is read
 * in parts. */
static void test_small_places(void **state)
{
    static struct forge f;
    struct rig r;
    struct stream *s;
    uint8_t to[64];

    (void)state;
    rig_open(&r, &ecdsa);
    forge_begin(&f, &r, NULL);
    s = tls_conn_stream(r.conn);
    forge_text(&f, "0123456789");
    forge_text(&f, "abcdefghij");
    tls_conn_update(r.conn);
    assert_int_equal(s->ops->read(s, to, 15), 10);
    assert_true(s->ready & STREAM_READABLE);
    assert_int_equal(s->ops->read(s, to, 4), 4);
    assert_true(s->ready & STREAM_READABLE);
    assert_int_equal(s->ops->read(s, to + 4, 60), 6);
    assert_memory_equal(to, "abcdefghij", 10);
    assert_false(s->ready & STREAM_READABLE);
    assert_int_equal(s->ops->read(s, to, 0), 0);
    forge_end(&f);
    rig_close(&r);
}

/* A record whose tag does not fit: the reader's place holds nothing of it, and no byte is counted.
 */
static void test_forged_text_is_not_seen(void **state)
{
    static struct forge f;
    static uint8_t to[LIMIT_READ_BYTES], text[12000];
    static const uint32_t lengths[] = { 500, sizeof(text) };
    struct rig r;
    struct stream *s;

    (void)state;
    rig_open(&r, &ecdsa);
    memset(text, 'a', sizeof(text));
    for (unsigned i = 0; i < 2; i++) {
        uint32_t len;

        forge_begin(&f, &r, NULL);
        s = tls_conn_stream(r.conn);
        memset(to, 0xee, sizeof(to));
        memcpy(f.inner, text, sizeof(text));
        f.inner[lengths[i]] = TLS_RECORD_DATA;
        len = forge_seal(&f, lengths[i] + 1, NULL);
        f.record[len - 1] ^= 0x80;
        forge_put(&f, len);
        tls_conn_update(r.conn);
        assert_int_equal(s->ops->read(s, to, sizeof(to)), 0);
        for (uint32_t at = 0; at < sizeof(to); at++)
            assert_int_not_equal(to[at], 'a');
        assert_true(s->ready & STREAM_FAILED);
        forge_end(&f);
    }
    assert_int_equal(count(&r, COUNTER_TLS_IN_BYTES), 0);
    rig_close(&r);
}

/* A record comes byte by byte: nothing is given until it is whole, and nothing is left below; or,
 * if there is no buffer for it, all. */
static void test_partial(void **state)
{
    static struct forge f;
    struct rig r;
    struct stream *s;
    uint32_t len;
    uint8_t to[64];
    void *taken[2] = { NULL, NULL };

    (void)state;
    rig_open(&r, &ecdsa);
    forge_begin(&f, &r, NULL);
    s = tls_conn_stream(r.conn);
    for (unsigned round = 0; round < 2; round++) {
        memcpy(f.inner, "NOOP\r\n\27", 7);
        len = forge_seal(&f, 7, NULL);
        for (uint32_t at = 0; at < len; at++) {
            assert_int_equal(s->ops->read(s, to, sizeof(to)), 0);
            assert_false(s->ready & STREAM_READABLE);
            assert_int_equal(pool_used(r.worker->gathers), round == 0 ? at > 0 : 2);
            assert_int_equal(!(r.conn->lower->ready & STREAM_READABLE), round == 0 || at == 0);
            rig_client_raw(&r, f.record + at, 1);
            tls_conn_update(r.conn);
            assert_true(s->ready & STREAM_READABLE);
        }
        /* Whole, and read in two parts. */
        assert_int_equal(s->ops->read(s, to, 2), 2);
        assert_true(s->ready & STREAM_READABLE);
        assert_int_equal(s->ops->read(s, to + 2, sizeof(to) - 2), 4);
        assert_memory_equal(to, "NOOP\r\n", 6);
        for (unsigned i = 0; i < 2 && round == 0; i++)
            taken[i] = pool_get(r.worker->gathers);
    }
    for (unsigned i = 0; i < 2; i++)
        pool_put(r.worker->gathers, taken[i]);
    forge_end(&f);
    rig_close(&r);
}

/* The rest of a record comes with another behind it, which is none of its. */
static void test_partial_and_more(void **state)
{
    static struct forge f;
    struct rig r;
    struct stream *s;
    uint32_t len;
    uint8_t to[64];

    (void)state;
    rig_open(&r, &ecdsa);
    forge_begin(&f, &r, NULL);
    s = tls_conn_stream(r.conn);
    for (uint32_t cut = 1; cut < 26; cut++) {
        memcpy(f.inner, "NOOP\r\n\27", 7);
        len = forge_seal(&f, 7, NULL);
        rig_client_raw(&r, f.record, cut);
        assert_int_equal(s->ops->read(s, to, sizeof(to)), 0);
        rig_client_raw(&r, f.record + cut, len - cut);
        forge_text(&f, "QUIT\r\n");
        assert_int_equal(s->ops->read(s, to, sizeof(to)), 12);
        assert_memory_equal(to, "NOOP\r\nQUIT\r\n", 12);
    }
    forge_end(&f);
    rig_close(&r);
}

/* More pieces than anybody sends who wants to be understood, and no buffer to make them one. */
static void test_too_many_pieces(void **state)
{
    static const struct rig_config crumbs = { .run_max = 1 };
    static struct forge f;
    static uint8_t text[LIMIT_TLS_RECORD_RUNS];
    struct rig r;
    struct stream *s;
    void *taken;

    (void)state;
    rig_open(&r, &crumbs);
    forge_begin(&f, &r, NULL);
    s = tls_conn_stream(r.conn);
    forge_send(&f, TLS_RECORD_DATA, text, sizeof(text), 0);
    tls_conn_update(r.conn);
    assert_int_equal(s->ops->read(s, text, sizeof(text)), sizeof(text));
    taken = pool_get(r.worker->gathers);
    forge_send(&f, TLS_RECORD_DATA, text, sizeof(text), 0);
    tls_conn_update(r.conn);
    assert_int_equal(s->ops->read(s, text, sizeof(text)), 0);
    assert_int_equal(tls_conn_error(r.conn)->fault, TLS_FAULT_SELF);
    assert_int_equal(tls_conn_error(r.conn)->alert, SSL_AD_INTERNAL_ERROR);
    pool_put(r.worker->gathers, taken);
    forge_end(&f);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_by_writing), cmocka_unit_test(test_take_by_reading),
        cmocka_unit_test(test_take_by_closing), cmocka_unit_test(test_take_without_room),
        cmocka_unit_test(test_tls12_stays),     cmocka_unit_test(test_moves),
        cmocka_unit_test(test_small_places),    cmocka_unit_test(test_forged_text_is_not_seen),
        cmocka_unit_test(test_partial),         cmocka_unit_test(test_partial_and_more),
        cmocka_unit_test(test_too_many_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
