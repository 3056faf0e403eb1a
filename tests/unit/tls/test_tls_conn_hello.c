/* tls/tls_conn.c: the first bytes: plain text, and ClientHellos in parts, cut, too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/byteorder.h"
#include "rig.h"

static const struct rig_config ecdsa = { .connections = 1 };
static void expect_talk(struct rig *r)
{
    char text[64];

    rig_server_send(r, "220 mail.example.org ESMTP\r\n");
    assert_int_equal(rig_client_read(r, text, sizeof(text)), 28);
    assert_string_equal(text, "220 mail.example.org ESMTP\r\n");
    rig_client_send(r, "EHLO me\r\n");
    assert_int_equal(rig_server_read(r, text, sizeof(text)), 9);
    assert_string_equal(text, "EHLO me\r\n");
}

static void use_x25519(SSL *client)
{
    static const uint16_t groups[] = { SSL_GROUP_X25519 };

    assert_true(SSL_set1_group_ids(client, groups, 1));
}

/* --- Plain text ------------------------------------------------------------------------------ */

static void expect_not_tls(struct rig *r, const char *bytes, uint32_t len, uint32_t first)
{
    struct stream *lower;
    uint8_t back[64];

    rig_connect(r, NULL);
    rig_client_raw(r, bytes, first);
    if (first < len) {
        assert_int_equal(tls_conn_handshake(r->conn), TLS_WANT_INPUT);
        rig_client_raw(r, bytes + first, len - first);
    }
    assert_int_equal(tls_conn_handshake(r->conn), TLS_FAILED);
    assert_true(tls_conn_error(r->conn)->not_tls);
    assert_int_equal(tls_conn_error(r->conn)->alert, 0);
    assert_int_equal(rig_client_take_raw(r, back, sizeof(back)), 0); /* nothing was written */
    lower = tls_conn_detach(r->conn);
    r->conn = NULL;
    assert_ptr_equal(lower, mem_stream_end(r->wire, 0));
    assert_int_equal(lower->ops->read(lower, back, sizeof(back)), len); /* nothing was taken */
    assert_memory_equal(back, bytes, len);
    assert_int_equal(stream_write(lower, SPAN_LITERAL("554 5.7.0 TLS\r\n")), 15);
}

static void test_plain_text(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    expect_not_tls(&r, "EHLO me\r\n", 9, 9);
    expect_not_tls(&r, "E", 1, 1);
    expect_not_tls(&r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, 27);
    expect_not_tls(&r, "\x80\x2e\x01\x00\x02", 5, 5);   /* SSL 2 */
    expect_not_tls(&r, "\x16\x02\x00\x00\x02", 5, 1);   /* no such version */
    expect_not_tls(&r, "\x17\x03\x03\x00\x02hi", 7, 7); /* a record, but no handshake */
    expect_not_tls(&r, "\r\n", 2, 2);
    assert_int_equal(counter_get(&r.counters, COUNTER_TLS_NOT_TLS), 7);
    assert_int_equal(counter_get(&r.counters, COUNTER_TLS_HANDSHAKE_ERRORS), 0);
    rig_close(&r);
}

/* --- ClientHellos in parts ------------------------------------------------------------------- */

static void test_hello_split_at_every_byte(void **state)
{
    uint8_t hello[4096];
    struct rig r;
    uint32_t len;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_connect(&r, NULL);
    len = rig_record_hello(&r, NULL, hello, sizeof(hello));
    assert_true(len > STREAM_RESERVE_MAX); /* X25519MLKEM768's spans two segments */
    for (uint32_t i = 1; i < len; i++) {
        rig_connect(&r, NULL);
        rig_client_raw(&r, hello, i);
        assert_false(tls_conn_handshake_is_dear(r.conn));
        assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_INPUT);
        rig_client_raw(&r, hello + i, len - i);
        assert_true(tls_conn_handshake_is_dear(r.conn));
        if (i % 16 == 0) { /* the dear part needs not be run 1,500 times */
            assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_INPUT);
            assert_false(tls_conn_handshake_is_dear(r.conn));
            assert_true(mem_stream_end(r.wire, 1)->ready & STREAM_READABLE);
        }
    }
    rig_close(&r);
}

static void test_hello_cut_at_every_byte(void **state)
{
    uint8_t hello[4096], back[16];
    struct rig r;
    uint32_t len;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_connect(&r, NULL);
    len = rig_record_hello(&r, NULL, hello, sizeof(hello));
    for (uint32_t i = 0; i < len; i++) {
        struct stream *client;

        rig_connect(&r, NULL);
        client = mem_stream_end(r.wire, 1);
        if (i > 0)
            rig_client_raw(&r, hello, i);
        client->ops->shutdown(client);
        assert_int_equal(tls_conn_handshake(r.conn), TLS_FAILED);
        assert_int_equal(tls_conn_error(r.conn)->fault, TLS_FAULT_TRANSPORT);
        assert_string_equal(tls_conn_error(r.conn)->reason, "connection closed in the handshake");
        assert_false(tls_conn_error(r.conn)->not_tls);
        assert_int_equal(rig_client_take_raw(&r, back, sizeof(back)), 0);
    }
    rig_close(&r);
}

/* Bytes of ours, one at a time, both ways; and runs of one byte. */
static void test_byte_by_byte(void **state)
{
    static const struct rig_config slow = { .chunk = 1 };
    static const struct rig_config runs = { .run_max = 1 };
    struct rig r;

    (void)state;
    rig_open(&r, &slow);
    rig_establish(&r, NULL);
    expect_talk(&r);
    rig_close(&r);
    rig_open(&r, &runs);
    rig_establish(&r, NULL);
    expect_talk(&r);
    rig_close(&r);
}

static void expect_bad_bytes(struct rig *r, const uint8_t *bytes, uint32_t len, uint8_t alert)
{
    rig_connect(r, NULL);
    rig_client_raw(r, bytes, len);
    assert_int_equal(tls_conn_handshake(r->conn), TLS_FAILED);
    assert_int_equal(tls_conn_error(r->conn)->alert, alert);
    assert_int_equal(tls_conn_error(r->conn)->fault, TLS_FAULT_PEER);
}

static void test_oversized(void **state)
{
    static uint8_t record[5 + 65535] = { 22, 3, 1 };
    static const uint8_t huge_message[] = { 22,   3, 1,  0, 5, 1, 0xff, 0xff,
                                            0xff, 0, 22, 3, 1, 0, 1,    0 };
    uint8_t empty[40][5];
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    record[3] = 0xff; /* a record of 65,535 bytes */
    record[4] = 0xff;
    expect_bad_bytes(&r, record, sizeof(record), SSL_AD_RECORD_OVERFLOW);
    expect_bad_bytes(&r, huge_message, sizeof(huge_message), SSL_AD_ILLEGAL_PARAMETER);
    for (unsigned i = 0; i < 40; i++)
        memcpy(empty[i], "\x16\x03\x01\x00\x00", 5);
    expect_bad_bytes(&r, empty[0], sizeof(empty), SSL_AD_UNEXPECTED_MESSAGE);
    rig_close(&r);
}

/* A hello cut short inside: every length of the message, with its headers made to fit. */
static void test_truncated_hellos(void **state)
{
    uint8_t hello[4096];
    struct rig r;
    uint32_t len;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_connect(&r, NULL);
    len = rig_record_hello(&r, use_x25519, hello, sizeof(hello));
    for (uint32_t i = 9; i < len; i++) {
        store_be16(hello + 3, (uint16_t)(i - 5));
        store_be16(hello + 7, (uint16_t)(i - 9));
        rig_connect(&r, NULL);
        rig_client_raw(&r, hello, i);
        assert_int_equal(tls_conn_handshake(r.conn), TLS_FAILED);
        assert_int_equal(tls_conn_error(r.conn)->fault, TLS_FAULT_PEER);
        assert_int_not_equal(tls_conn_error(r.conn)->alert, 0);
    }
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_text),
        cmocka_unit_test(test_hello_split_at_every_byte),
        cmocka_unit_test(test_hello_cut_at_every_byte),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_oversized),
        cmocka_unit_test(test_truncated_hellos),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
