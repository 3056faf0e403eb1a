/* tls/tls_stream.c: how a connection ends: in order, cut, lost, or for a rule that the peer broke.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/aead.h>
#include <openssl/err.h>

#include "base/byteorder.h"
#include "rig.h"

static const struct rig_config ecdsa = { .connections = 1 };

static uint32_t bits(const struct rig *r)
{
    return tls_conn_stream(r->conn)->ready;
}

static void use_tls12(SSL *client)
{
    assert_true(SSL_set_max_proto_version(client, TLS1_2_VERSION));
}

static void move_all(struct rig *r)
{
    while (rig_move(r) > 0) {
    }
}

/* --- Ends ------------------------------------------------------------------------------------ */

static void test_close_notify_from_client(void **state)
{
    struct rig r;
    char text[64];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    assert_int_equal(SSL_write(r.client, "QUIT\r\n", 6), 6);
    assert_int_equal(SSL_shutdown(r.client), 0);
    move_all(&r);
    assert_true(bits(&r) & STREAM_READABLE);
    assert_int_equal(rig_server_read(&r, text, sizeof(text)), 6);
    assert_true(bits(&r) & STREAM_ENDED);
    assert_false(bits(&r) & STREAM_READABLE);
    assert_false(tls_conn_truncated(r.conn));
    /* The other way stays open (RFC 8446, 6.1). */
    rig_server_send(&r, "221 bye\r\n");
    assert_int_equal(rig_client_read(&r, text, sizeof(text)), 9);
    rig_close(&r);
}

static void test_close_notify_from_server(void **state)
{
    struct rig r;
    struct stream *s, *client;
    char text[64];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    s = tls_conn_stream(r.conn);
    client = mem_stream_end(r.wire, 1);
    rig_server_send(&r, "221 bye\r\n");
    s->ops->shutdown(s);
    s->ops->shutdown(s);
    assert_null(s->ops->reserve(s, 1));
    assert_false(bits(&r) & STREAM_WRITABLE);
    move_all(&r);
    assert_true(bits(&r) & STREAM_DRAINED);
    assert_true(client->ready & STREAM_ENDED); /* FIN behind it */
    assert_int_equal(rig_client_read(&r, text, sizeof(text)), 9);
    assert_int_equal(rig_client_read(&r, text, sizeof(text)), 0);
    assert_int_equal(r.client_error, SSL_ERROR_ZERO_RETURN);
    /* What the client still says is still read. */
    rig_client_send(&r, "NOOP\r\n");
    assert_int_equal(rig_server_read(&r, text, sizeof(text)), 6);
    s->ops->close(s);
    r.conn = NULL;
    rig_close(&r);
}

static void test_truncation(void **state)
{
    struct rig r;
    struct stream *client;
    char text[64];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    client = mem_stream_end(r.wire, 1);
    assert_int_equal(SSL_write(r.client, "DATA\r\n", 6), 6);
    move_all(&r);
    client->ops->shutdown(client);
    move_all(&r);
    assert_false(bits(&r) & STREAM_ENDED); /* something is left to read */
    assert_int_equal(rig_server_read(&r, text, sizeof(text)), 6);
    assert_true(bits(&r) & STREAM_ENDED);
    assert_true(tls_conn_truncated(r.conn));
    rig_close(&r);
}

/* The end comes inside a record. */
static void test_truncation_in_a_record(void **state)
{
    struct rig r;
    struct stream *client;
    const uint8_t *bytes;
    size_t len;
    char text[64];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    client = mem_stream_end(r.wire, 1);
    assert_int_equal(SSL_write(r.client, "DATA\r\n", 6), 6);
    assert_true(BIO_mem_contents(SSL_get_wbio(r.client), &bytes, &len));
    rig_client_raw(&r, bytes, (uint32_t)len - 1);
    client->ops->shutdown(client);
    assert_int_equal(rig_server_read(&r, text, sizeof(text)), 0);
    assert_true(bits(&r) & STREAM_ENDED);
    assert_true(tls_conn_truncated(r.conn));
    rig_close(&r);
}

static void test_abort(void **state)
{
    struct rig r;
    struct stream *s;
    char text[8];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    s = tls_conn_stream(r.conn);
    s->ops->abort(s);
    s->ops->abort(s);
    assert_int_equal(bits(&r), STREAM_FAILED);
    assert_true(mem_stream_end(r.wire, 1)->ready & STREAM_FAILED);
    assert_null(s->ops->reserve(s, 1));
    assert_int_equal(rig_server_read(&r, text, sizeof(text)), 0);
    s->ops->shutdown(s);
    s->ops->close(s);
    r.conn = NULL;
    rig_close(&r);
}

static void test_lost_below(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    mem_stream_break(r.wire);
    tls_conn_update(r.conn);
    assert_int_equal(bits(&r), STREAM_FAILED);
    assert_int_equal(tls_conn_error(r.conn)->fault, TLS_FAULT_TRANSPORT);
    rig_close(&r);
}

/* --- Rules that a peer breaks ---------------------------------------------------------------- */

/* What the server does with bytes that are no good record: an alert, FAILED, FIN. */
static void expect_alert(struct rig *r, uint8_t alert, const char *reason)
{
    char text[64];

    tls_conn_update(r->conn);
    assert_int_equal(rig_server_read(r, text, sizeof(text)), 0);
    assert_int_equal(bits(r), STREAM_FAILED);
    assert_int_equal(tls_conn_error(r->conn)->fault, TLS_FAULT_PEER);
    assert_int_equal(tls_conn_error(r->conn)->alert, alert);
    assert_string_equal(tls_conn_error(r->conn)->reason, reason);
    assert_int_equal(ERR_peek_error(), 0);
    r->outcome = TLS_FAILED;
    move_all(r);
    assert_true(mem_stream_end(r->wire, 1)->ready & STREAM_ENDED);
    assert_int_equal(SSL_read(r->client, text, sizeof(text)), -1);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_AD_REASON_OFFSET + alert);
    ERR_clear_error();
}

static void test_garbage(void **state)
{
    static const uint8_t record[5 + 32] = { 23, 3, 3, 0, 32, 0xab, 0xcd };
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    rig_client_raw(&r, record, sizeof(record));
    expect_alert(&r, SSL_AD_BAD_RECORD_MAC, "record does not decrypt");
    rig_establish(&r, use_tls12);
    rig_client_raw(&r, record, sizeof(record));
    expect_alert(&r, SSL_AD_BAD_RECORD_MAC, "record does not decrypt");
    rig_establish(&r, NULL);
    rig_client_raw(&r, "EHLO me\r\n", 9);
    expect_alert(&r, SSL_AD_PROTOCOL_VERSION, "wrong version in a record");
    rig_close(&r);
}

/* One bit of a good record is flipped. */
static void test_altered_record(void **state)
{
    struct rig r;
    const uint8_t *bytes;
    size_t len;
    uint8_t altered[256];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    assert_int_equal(SSL_write(r.client, "RCPT TO:<a@example.org>\r\n", 25), 25);
    assert_true(BIO_mem_contents(SSL_get_wbio(r.client), &bytes, &len));
    memcpy(altered, bytes, len);
    altered[len - 1] ^= 1;
    BIO_reset(SSL_get_wbio(r.client));
    rig_client_raw(&r, altered, (uint32_t)len);
    expect_alert(&r, SSL_AD_BAD_RECORD_MAC, "record does not decrypt");
    rig_close(&r);
}

/*
 * Renegotiation (RFC 5246, 7.4.1.2): a TLS 1.2 record of type handshake after the handshake, sealed
 * with the client's own keys (AES-128-GCM: 16-byte keys and 4-byte salts, client first).
 */
static void test_renegotiation(void **state)
{
    static const uint8_t hello[] = { 1, 0, 0, 2, 3, 3 };
    struct rig r;
    uint8_t block[40], nonce[12], aad[13] = { 0 }, record[64] = { 22, 3, 3 };
    EVP_AEAD_CTX aead;
    size_t sealed = 0;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, use_tls12);
    assert_int_equal(SSL_get_key_block_len(r.client), sizeof(block));
    assert_true(SSL_generate_key_block(r.client, block, sizeof(block)));
    memcpy(nonce, block + 32, 4);
    aad[7] = nonce[11] = (uint8_t)SSL_get_write_sequence(r.client);
    memset(nonce + 4, 0, 7);
    memcpy(aad + 8, record, 3);
    aad[12] = sizeof(hello);
    assert_true(EVP_AEAD_CTX_init(&aead, EVP_aead_aes_128_gcm(), block, 16, 16, NULL));
    assert_true(EVP_AEAD_CTX_seal(&aead, record + 13, &sealed, sizeof(record) - 13, nonce, 12,
                                  hello, sizeof(hello), aad, sizeof(aad)));
    EVP_AEAD_CTX_cleanup(&aead);
    memcpy(record + 5, nonce + 4, 8);
    store_be16(record + 3, (uint16_t)(8 + sealed));
    rig_client_raw(&r, record, (uint32_t)(13 + sealed));
    expect_alert(&r, SSL_AD_NO_RENEGOTIATION, "renegotiation refused");
    rig_close(&r);
}

static void test_key_update(void **state)
{
    struct rig r;
    char text[64];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(SSL_key_update(r.client, SSL_KEY_UPDATE_REQUESTED));
        rig_client_send(&r, "NOOP\r\n");
        assert_int_equal(rig_server_read(&r, text, sizeof(text)), 6);
        rig_server_send(&r, "250 Ok\r\n"); /* under a new key of ours */
        assert_int_equal(rig_client_read(&r, text, sizeof(text)), 8);
    }
    rig_close(&r);
}

static void test_key_update_flood(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    for (unsigned i = 0; i < 40; i++) {
        assert_true(SSL_key_update(r.client, SSL_KEY_UPDATE_NOT_REQUESTED));
        assert_int_equal(SSL_write(r.client, "", 0), 0); /* sends it alone */
    }
    move_all(&r);
    expect_alert(&r, SSL_AD_UNEXPECTED_MESSAGE, "too many key updates");
    rig_close(&r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_close_notify_from_client),
        cmocka_unit_test(test_close_notify_from_server),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_truncation_in_a_record),
        cmocka_unit_test(test_abort),
        cmocka_unit_test(test_lost_below),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_altered_record),
        cmocka_unit_test(test_renegotiation),
        cmocka_unit_test(test_key_update),
        cmocka_unit_test(test_key_update_flood),
    };

    rig_boringssl_records = argc > 1 && strcmp(argv[1], "boringssl") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
