/*
 * A certificate is everybody's to show: who has not its key does not come in, whatever the helpers
 * say of the chain (RFC 8446, 4.4.3). Its owner comes in the same way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pool.h>

#include "issuer.h"
#include "rig.h"

static const struct issuer *shown;
static EVP_PKEY *signer;

static enum ssl_private_key_result_t sign_by_it(SSL *ssl, uint8_t *out, size_t *out_len,
                                                size_t max_out, uint16_t algorithm,
                                                const uint8_t *in, size_t in_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    (void)ssl;
    assert_int_equal(algorithm, SSL_SIGN_ECDSA_SECP256R1_SHA256);
    *out_len = max_out;
    assert_true(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, signer) == 1 &&
                EVP_DigestSign(ctx, out, out_len, in, in_len) == 1);
    EVP_MD_CTX_free(ctx);
    return ssl_private_key_success;
}

static void show(SSL *client)
{
    static const SSL_PRIVATE_KEY_METHOD method = { .sign = sign_by_it };
    uint8_t *der = NULL;
    int len = i2d_X509(shown->cert, &der);
    CRYPTO_BUFFER *leaf = CRYPTO_BUFFER_new(der, (size_t)len, NULL);

    OPENSSL_free(der);
    assert_true(SSL_set_chain_and_key(client, &leaf, 1, NULL, &method));
    CRYPTO_BUFFER_free(leaf);
}

static void show_tls12(SSL *client)
{
    assert_true(SSL_set_max_proto_version(client, TLS1_2_VERSION));
    show(client);
}

static void expect_refusal(struct rig *r, void (*setup)(SSL *))
{
    rig_connect(r, setup);
    assert_false(rig_handshake(r));
    assert_int_equal(r->outcome, TLS_FAILED);
    assert_int_equal(tls_conn_error(r->conn)->alert, SSL_AD_DECRYPT_ERROR);
    assert_string_equal(tls_conn_error(r->conn)->reason, "signature of the client does not match");
}

static void test_stolen(void **state)
{
    struct issuer root = issuer_root("root");
    struct issuer alice = issuer_make(&root, &(struct issuer_wish){ .names = "email:a@b.c" });
    struct issuer thief = issuer_make(&root, &(struct issuer_wish){ .names = "email:t@b.c" });
    const struct rig_config config = { .clients = TLS_CLIENTS_ASK,
                                       .client_ca_path = issuer_write(&root, "root.pem") };
    struct rig r;

    (void)state;
    shown = &alice;
    rig_open(&r, &config);
    tls_ctx_rotate(r.ctx, (uint64_t)time(NULL) * 1000);
    signer = alice.key;
    rig_establish(&r, show);
    rig_establish(&r, show_tls12);
    signer = thief.key;
    expect_refusal(&r, show);
    expect_refusal(&r, show_tls12);
    rig_close(&r);
    issuer_free(&thief);
    issuer_free(&alice);
    issuer_free(&root);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_stolen) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
