/* tls/tls_conn.c: the handshake, against a BoringSSL client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"

static const struct rig_config ecdsa = { .connections = 1 };
static const struct rig_config rsa = { .rsa_only = true };

static void expect_info(struct rig *r, const char *version, const char *cipher, const char *group)
{
    struct tls_info info;

    tls_conn_info(r->conn, &info);
    assert_string_equal(info.version, version);
    assert_string_equal(info.cipher, cipher);
    assert_string_equal(info.group, group);
}

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

/* A handshake that fails; what the client saw is the alert, if there is one. */
static void expect_failure(struct rig *r, void (*setup)(SSL *), uint8_t alert, const char *reason)
{
    rig_connect(r, setup);
    assert_false(rig_handshake(r));
    assert_int_equal(r->outcome, TLS_FAILED);
    assert_int_equal(tls_conn_error(r->conn)->alert, alert);
    assert_string_equal(tls_conn_error(r->conn)->reason, reason);
    assert_int_equal(tls_conn_handshake(r->conn), TLS_FAILED);
}

/* --- Clients --------------------------------------------------------------------------------- */

static void use_sni(SSL *client)
{
    assert_true(SSL_set_tlsext_host_name(client, "mail.example.org"));
}

static void use_tls12(SSL *client)
{
    assert_true(SSL_set_max_proto_version(client, TLS1_2_VERSION));
}

static void use_tls11(SSL *client)
{
    assert_true(SSL_set_min_proto_version(client, TLS1_VERSION));
    assert_true(SSL_set_max_proto_version(client, TLS1_1_VERSION));
}

static void use_tls10(SSL *client)
{
    assert_true(SSL_set_min_proto_version(client, TLS1_VERSION));
    assert_true(SSL_set_max_proto_version(client, TLS1_VERSION));
}

static void use_tls12_cbc(SSL *client)
{
    use_tls12(client);
    assert_true(SSL_set_strict_cipher_list(client, "ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256"));
}

static void use_tls12_chacha(SSL *client)
{
    use_tls12(client);
    assert_true(SSL_set_strict_cipher_list(
        client, "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256"));
}

/* OpenSSL's order. */
static void use_tls12_aes256(SSL *client)
{
    use_tls12(client);
    assert_true(SSL_set_strict_cipher_list(
        client, "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256"));
}

static void use_rsa_signatures(SSL *client)
{
    static const uint16_t prefs[] = { SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PKCS1_SHA256 };

    assert_true(SSL_set_verify_algorithm_prefs(client, prefs, 2));
}

static void use_sha1_signatures(SSL *client)
{
    static const uint16_t prefs[] = { SSL_SIGN_RSA_PKCS1_SHA1 };

    use_tls12(client);
    assert_true(SSL_set_verify_algorithm_prefs(client, prefs, 1));
}

static void use_groups(SSL *client, uint16_t first, uint16_t second, uint16_t third)
{
    uint16_t groups[] = { first, second, third };

    assert_true(SSL_set1_group_ids(client, groups, third != 0 ? 3 : second != 0 ? 2 : 1));
}

static void use_share(SSL *client, uint16_t share)
{
    assert_true(SSL_set1_client_key_shares(client, &share, 1));
}

static void use_pq(SSL *client)
{
    use_groups(client, SSL_GROUP_X25519_MLKEM768, 0, 0);
}

static void use_x25519(SSL *client)
{
    use_groups(client, SSL_GROUP_X25519, 0, 0);
}

static void use_p256(SSL *client)
{
    use_groups(client, SSL_GROUP_SECP256R1, 0, 0);
}

static void use_p384(SSL *client)
{
    use_groups(client, SSL_GROUP_SECP384R1, 0, 0);
}

/* Both shares, the classical first: ours counts. */
static void use_x25519_then_pq(SSL *client)
{
    static const uint16_t shares[] = { SSL_GROUP_X25519, SSL_GROUP_X25519_MLKEM768 };

    use_groups(client, SSL_GROUP_X25519, SSL_GROUP_X25519_MLKEM768, 0);
    assert_true(SSL_set1_client_key_shares(client, shares, 2));
}

static void use_pq_but_share_x25519(SSL *client)
{
    use_groups(client, SSL_GROUP_X25519_MLKEM768, SSL_GROUP_X25519, SSL_GROUP_SECP256R1);
    use_share(client, SSL_GROUP_X25519);
}

static void use_pq_but_share_p256(SSL *client)
{
    use_groups(client, SSL_GROUP_X25519_MLKEM768, SSL_GROUP_X25519, SSL_GROUP_SECP256R1);
    use_share(client, SSL_GROUP_SECP256R1);
}

static void use_p256_but_share_p384(SSL *client)
{
    use_groups(client, SSL_GROUP_SECP384R1, SSL_GROUP_SECP256R1, 0);
    use_share(client, SSL_GROUP_SECP384R1);
}

static void use_alpn(SSL *client, const char *names)
{
    assert_int_equal(SSL_set_alpn_protos(client, (const uint8_t *)names, strlen(names)), 0);
}

static void use_alpn_h2_and_smtp(SSL *client)
{
    use_alpn(client, "\2h2\4smtp");
}

static void use_alpn_http(SSL *client)
{
    use_alpn(client, "\2h2\x08http/1.1");
}

static void use_alpn_nearly_smtp(SSL *client)
{
    use_alpn(client, "\5smtps\4SMTP\3smt");
}

static void use_alpn_http_in_tls12(SSL *client)
{
    use_tls12(client);
    use_alpn_http(client);
}

/* --- What is agreed on ----------------------------------------------------------------------- */

static void test_tls13(void **state)
{
    struct rig r;
    struct tls_info info;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, use_sni);
    tls_conn_info(r.conn, &info);
    assert_string_equal(info.version, "TLSv1.3");
    assert_string_equal(info.cipher, "TLS_AES_128_GCM_SHA256");
    assert_string_equal(info.group, "X25519MLKEM768");
    assert_string_equal(info.server_name, "mail.example.org");
    assert_false(info.resumed);
    assert_ptr_equal(tls_conn_stream(r.conn)->owner, &r);
    assert_int_equal(tls_conn_stream(r.conn)->peer.port, mem_stream_end(r.wire, 0)->peer.port);
    assert_int_equal(tls_conn_error(r.conn)->fault, TLS_FAULT_NONE);
    expect_talk(&r);
    assert_int_equal(counter_get(&r.counters, COUNTER_TLS_HANDSHAKES), 1);
    assert_int_equal(counter_get(&r.counters, COUNTER_TLS_HANDSHAKE_ERRORS), 0);
    rig_close(&r);
}

static void test_tls12(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, use_tls12);
    expect_info(&r, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "x25519");
    expect_talk(&r);
    rig_establish(&r, use_tls12_aes256);
    expect_info(&r, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "x25519");
    rig_establish(&r, use_tls12_chacha); /* the client's order */
    expect_info(&r, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "x25519");
    rig_close(&r);
}

static void test_groups(void **state)
{
    static const struct {
        void (*setup)(SSL *);
        const char *group;
        bool retry;
    } rows[] = {
        { use_pq, "X25519MLKEM768", false },
        { use_x25519, "x25519", false },
        { use_p256, "secp256r1", false },
        { use_x25519_then_pq, "X25519MLKEM768", false },
        { use_pq_but_share_x25519, "x25519", false },
        { use_pq_but_share_p256, "secp256r1", false },
        { use_p256_but_share_p384, "secp256r1", true },
    };
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig_establish(&r, rows[i].setup);
        expect_info(&r, "TLSv1.3", "TLS_AES_128_GCM_SHA256", rows[i].group);
        assert_int_equal(SSL_used_hello_retry_request(r.client), rows[i].retry);
        expect_talk(&r);
    }
    rig_close(&r);
}

/* RFC 9266: both ends have the same, another connection has another, TLS 1.2 has none. */
static void test_binding(void **state)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    uint8_t clients[TLS_BINDING_BYTES];
    struct tls_info first;
    struct tls_info second;
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    tls_conn_info(r.conn, &first);
    assert_true(first.bound);
    assert_int_equal(SSL_export_keying_material(r.client, clients, sizeof(clients), label,
                                                sizeof(label) - 1, NULL, 0, 1),
                     1);
    assert_memory_equal(first.binding, clients, sizeof(clients));
    rig_establish(&r, NULL);
    tls_conn_info(r.conn, &second);
    assert_memory_not_equal(first.binding, second.binding, sizeof(first.binding));
    rig_establish(&r, use_tls12);
    tls_conn_info(r.conn, &second);
    assert_false(second.bound);
    rig_close(&r);
}

static int client_key_kind(const struct rig *r)
{
    return SSL_get_signature_algorithm_key_type(SSL_get_peer_signature_algorithm(r->client));
}

static void test_certificates(void **state)
{
    static const struct rig_config both = { .both = true };
    struct rig r;

    (void)state;
    rig_open(&r, &rsa);
    rig_establish(&r, NULL);
    assert_int_equal(client_key_kind(&r), EVP_PKEY_RSA);
    rig_establish(&r, use_tls12);
    expect_info(&r, "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "x25519");
    rig_close(&r);
    rig_open(&r, &both);
    rig_establish(&r, NULL);
    assert_int_equal(client_key_kind(&r), EVP_PKEY_EC); /* the cheap one first */
    rig_establish(&r, use_rsa_signatures);
    assert_int_equal(client_key_kind(&r), EVP_PKEY_RSA);
    rig_close(&r);
}

static void expect_alpn(struct rig *r, const char *want)
{
    const uint8_t *name;
    unsigned len;

    SSL_get0_alpn_selected(r->client, &name, &len);
    assert_int_equal(len, strlen(want));
    assert_memory_equal(name, want, len);
}

static void test_alpn(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    expect_alpn(&r, "");
    rig_establish(&r, use_alpn_h2_and_smtp);
    expect_alpn(&r, "smtp");
    expect_talk(&r);
    rig_close(&r);
}

/* The ALPACA attack: our bytes for those of a web server. */
static void test_alpn_of_others_is_refused(void **state)
{
    static const char reason[] = "other protocols offered, and not smtp";
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    expect_failure(&r, use_alpn_http, SSL_AD_NO_APPLICATION_PROTOCOL, reason);
    expect_failure(&r, use_alpn_nearly_smtp, SSL_AD_NO_APPLICATION_PROTOCOL, reason);
    expect_failure(&r, use_alpn_http_in_tls12, SSL_AD_NO_APPLICATION_PROTOCOL, reason);
    rig_close(&r);
}

/* --- What is refused ------------------------------------------------------------------------- */

static void test_refusals(void **state)
{
    static const struct rig_config only13 = { .tls13_only = true };
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    expect_failure(&r, use_tls10, SSL_AD_PROTOCOL_VERSION, "unsupported version");
    expect_failure(&r, use_tls11, SSL_AD_PROTOCOL_VERSION, "unsupported version");
    expect_failure(&r, use_tls12_cbc, SSL_AD_HANDSHAKE_FAILURE, "no shared cipher");
    expect_failure(&r, use_p384, SSL_AD_HANDSHAKE_FAILURE, "no shared group");
    expect_failure(&r, use_rsa_signatures, SSL_AD_HANDSHAKE_FAILURE,
                   "no shared signature algorithm");
    assert_int_equal(tls_conn_error(r.conn)->fault, TLS_FAULT_PEER);
    assert_false(tls_conn_error(r.conn)->not_tls);
    assert_int_equal(counter_get(&r.counters, COUNTER_TLS_HANDSHAKE_ERRORS), 5);
    rig_close(&r);
    rig_open(&r, &rsa);
    expect_failure(&r, use_sha1_signatures, SSL_AD_HANDSHAKE_FAILURE, "no shared cipher");
    rig_close(&r);
    rig_open(&r, &only13);
    expect_failure(&r, use_tls12, SSL_AD_PROTOCOL_VERSION, "unsupported version");
    rig_close(&r);
}

static enum ssl_verify_result_t distrust(SSL *client, uint8_t *alert)
{
    (void)client;
    *alert = SSL_AD_UNKNOWN_CA;
    return ssl_verify_invalid;
}

static void use_distrust(SSL *client)
{
    SSL_set_custom_verify(client, SSL_VERIFY_PEER, distrust);
}

static void test_alert_of_the_peer(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    expect_failure(&r, use_distrust, SSL_AD_UNKNOWN_CA, "peer says: unknown certificate authority");
    assert_int_equal(tls_conn_error(r.conn)->fault, TLS_FAULT_PEER);
    rig_close(&r);
}

/* --- The world below ------------------------------------------------------------------------- */

static void test_lost_below(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_connect(&r, NULL);
    assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_INPUT);
    mem_stream_break(r.wire);
    assert_int_equal(tls_conn_handshake(r.conn), TLS_FAILED);
    assert_int_equal(tls_conn_error(r.conn)->fault, TLS_FAULT_TRANSPORT);
    assert_string_equal(tls_conn_error(r.conn)->reason, "connection lost in the handshake");
    rig_close(&r);
}

static void test_no_room_below(void **state)
{
    static const struct rig_config narrow = { .room = STREAM_RESERVE_MAX, .both = true };
    struct rig r;
    bool waited = false;

    (void)state;
    rig_open(&r, &narrow);
    rig_connect(&r, NULL);
    mem_stream_set_stall(r.wire, 0, true);
    assert_false(rig_handshake(&r));
    waited = r.outcome == TLS_WANT_OUTPUT;
    assert_true(waited);
    assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_OUTPUT);
    assert_false(tls_conn_handshake_is_dear(r.conn));
    mem_stream_set_stall(r.wire, 0, false);
    assert_true(rig_handshake(&r));
    expect_talk(&r);
    rig_close(&r);
}

static void test_pool_is_empty(void **state)
{
    struct rig r;
    struct mem_pair *second;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_connect(&r, NULL);
    second = mem_stream_create(&r.wire_config);
    assert_null(tls_conn_open(r.worker, mem_stream_end(second, 0)));
    mem_stream_destroy(second);
    rig_close(&r);
}

/* After a HelloRetryRequest the second hello is the dear one. */
static void test_dear_after_retry(void **state)
{
    uint8_t bytes[4096];
    struct rig r;
    uint32_t len;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_connect(&r, NULL);
    len = rig_record_hello(&r, use_p256_but_share_p384, bytes, sizeof(bytes));
    rig_client_raw(&r, bytes, len);
    assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_INPUT);
    assert_false(tls_conn_handshake_is_dear(r.conn));
    while (rig_move(&r) > 0) {
    }
    assert_int_equal(SSL_do_handshake(r.client), -1);
    while (rig_move(&r) > 0) {
    }
    assert_true(tls_conn_handshake_is_dear(r.conn));
    assert_true(rig_handshake(&r));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls13),
        cmocka_unit_test(test_tls12),
        cmocka_unit_test(test_binding),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_alpn_of_others_is_refused),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_alert_of_the_peer),
        cmocka_unit_test(test_lost_below),
        cmocka_unit_test(test_no_room_below),
        cmocka_unit_test(test_pool_is_empty),
        cmocka_unit_test(test_dear_after_retry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
