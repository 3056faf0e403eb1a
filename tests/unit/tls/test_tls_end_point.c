/*
 * tls-server-end-point: a certificate's hash by its signature's, and the right certificate's, also
 * when the session is another one's continued. (tests/integration/mechanisms.py has openssl(1)'s
 * word for more algorithms.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "hand.h"
#include "issuer.h"
#include "rig.h"
#include "tls/tls_end_point.h"

static void test_hash_of_the_signature(void **state)
{
    const struct {
        const EVP_MD *signature;
        const EVP_MD *expected;
    } rows[] = {
        { EVP_sha256(), EVP_sha256() },
        { EVP_sha384(), EVP_sha384() },
        { EVP_sha512(), EVP_sha512() },
        { EVP_sha1(), EVP_sha256() },
    };
    struct issuer i = issuer_root("x");
    EVP_PKEY *rsa;
    BIO *file = BIO_new_file(rig_key_path(RIG_RSA), "r");

    (void)state;
    rsa = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
    BIO_free(file);
    for (unsigned n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        uint8_t got[TLS_END_POINT_MAX], expected[EVP_MAX_MD_SIZE];
        unsigned len;

        assert_true(X509_sign(i.cert, rsa, rows[n].signature) > 0);
        assert_true(X509_digest(i.cert, rows[n].expected, expected, &len));
        assert_int_equal(tls_end_point_of(i.cert, got), len);
        assert_memory_equal(got, expected, len);
    }
    EVP_PKEY_free(rsa);
    issuer_free(&i);
}

/* Two hashes or none, who knows: RFC 5929, 4.1 defines nothing. */
static void test_ed25519(void **state)
{
    static const uint8_t seed[32] = { 7 };
    struct issuer i = issuer_root("x");
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
    uint8_t got[TLS_END_POINT_MAX];

    (void)state;
    assert_true(X509_sign(i.cert, key, NULL) > 0);
    assert_int_equal(tls_end_point_of(i.cert, got), 0);
    EVP_PKEY_free(key);
    issuer_free(&i);
}

/* --- on a connection ------------------------------------------------------------------------- */

static SSL_SESSION *to_resume;
static bool tls12, rsa_only;

static void set_up(SSL *client)
{
    static const uint16_t rsa[] = { SSL_SIGN_RSA_PSS_RSAE_SHA256 };

    if (tls12)
        assert_true(SSL_set_max_proto_version(client, TLS1_2_VERSION));
    if (rsa_only)
        assert_true(SSL_set_verify_algorithm_prefs(client, rsa, 1));
    if (to_resume != NULL)
        assert_true(SSL_set_session(client, to_resume));
}

/* The last certificate that the client was shown: with a resumed session none is. */
static uint8_t shown[SHA256_DIGEST_LENGTH];

static void assert_bound(struct rig *r, bool resumed)
{
    const STACK_OF(CRYPTO_BUFFER) *chain = SSL_get0_peer_certificates(r->client);
    const CRYPTO_BUFFER *leaf = sk_CRYPTO_BUFFER_value(chain, 0);
    struct tls_info info;

    tls_conn_info(r->conn, &info);
    assert_int_equal(info.resumed, resumed);
    if (!resumed)
        SHA256(CRYPTO_BUFFER_data(leaf), CRYPTO_BUFFER_len(leaf), shown);
    assert_int_equal(info.end_point.len, sizeof(shown));
    assert_memory_equal(info.end_point.ptr, shown, sizeof(shown));
    rig_talk(r);
    /* Our own record layer has taken over, and old files may be gone: it is still there. */
    assert_memory_equal(info.end_point.ptr, shown, sizeof(shown));
}

static void resume(struct rig *r, bool resumed)
{
    to_resume = r->session;
    rig_establish(r, set_up);
    to_resume = NULL;
    assert_bound(r, resumed);
}

static void test_resumed(void **state)
{
    struct rig_config config = { 0 };
    struct tls_certificate certificates[3] = {
        rig_make_certificate(RIG_ECDSA, "e", "DNS:a.example"),
        rig_make_certificate(RIG_RSA, "r", "DNS:a.example")
    };
    uint8_t text[256];
    struct buf why = { text, 0, sizeof(text) };
    struct rig r;

    (void)state;
    config.certificates = certificates;
    for (unsigned i = 0; i < 4; i++) {
        tls12 = (i & 1) != 0;
        rsa_only = (i & 2) != 0;
        rig_open(&r, &config);
        rig_establish(&r, set_up);
        assert_bound(&r, false);
        resume(&r, true);
        resume(&r, true); /* by the ticket of a session that was resumed */
        assert_true(tls_ctx_reload(r.ctx, &why));
        resume(&r, true);
        /* Under a new certificate the ticket is none: the client is shown it. */
        rig_make_certificate(rsa_only ? RIG_RSA : RIG_ECDSA, rsa_only ? "r" : "e", "DNS:a.example");
        assert_true(tls_ctx_reload(r.ctx, &why));
        resume(&r, false);
        rig_close(&r);
    }
    rsa_only = tls12 = false;
}

/* The ticket is opened by a helper, and not again. */
static void test_hinted(void **state)
{
    struct hand h = hand_of(1);
    struct rig_config config = { .both = true, .jobs = &h.queue };
    struct rig r;

    (void)state;
    rig_open(&r, &config);
    rig_establish(&r, set_up);
    assert_bound(&r, false);
    to_resume = r.session;
    rig_connect(&r, set_up);
    to_resume = NULL;
    r.outcome = TLS_WANT_SIGNATURE; /* not for the rig to step */
    SSL_do_handshake(r.client);
    ERR_clear_error();
    while (rig_move(&r) > 0) {
    }
    assert_int_equal(tls_conn_handshake_helped(r.conn), TLS_WANT_SIGNATURE);
    hand_work(&h);
    assert_true(rig_handshake(&r));
    assert_int_equal(counter_get(&r.counters, COUNTER_TLS_HINTS), 1);
    assert_bound(&r, true);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_of_the_signature),
        cmocka_unit_test(test_ed25519),
        cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_hinted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
