/* tls/tls_ctx.c: what start-up says about certificate files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "rig.h"

static char said[512];

static struct tls_ctx *create(const char *chain, const char *key)
{
    struct tls_config config = { .certificates = { { chain, key, NULL } }, .certificate_count = 1 };
    struct buf why = { (uint8_t *)said, 0, sizeof(said) - 1 };
    struct tls_ctx *ctx = tls_ctx_create(&config, &why);

    said[why.len] = 0;
    assert_int_equal(ERR_peek_error(), 0);
    return ctx;
}

/* Refused, with a sentence that begins with `path` and goes on with `text`. */
static void expect_refusal(const char *chain, const char *key, const char *path, const char *text)
{
    char sentence[512];

    assert_null(create(chain, key));
    snprintf(sentence, sizeof(sentence), "%s: %s", path, text);
    assert_string_equal(said, sentence);
}

static void read_text(const char *path, char *to, size_t cap)
{
    FILE *f = fopen(path, "r");
    size_t n;

    assert_non_null(f);
    n = fread(to, 1, cap - 1, f);
    to[n] = 0;
    fclose(f);
}

static void test_good(void **state)
{
    struct tls_ctx *ctx;

    (void)state;
    for (unsigned i = 0; i < RIG_CERTS; i++) {
        ctx = create(rig_chain_path(i), rig_key_path(i));
        assert_non_null(ctx);
        assert_string_equal(said, "");
        tls_ctx_destroy(ctx);
    }
    tls_ctx_destroy(NULL);
}

/* Key and chain in one file, as some tools write it, with text around. */
static void test_one_file(void **state)
{
    char text[16384] = "a comment\n";
    const char *both = rig_path("both.pem");
    struct tls_ctx *ctx;

    (void)state;
    read_text(rig_key_path(RIG_ECDSA), text + strlen(text), 8192);
    read_text(rig_chain_path(RIG_ECDSA), text + strlen(text), 8192);
    rig_write_file(both, text);
    ctx = create(both, both);
    assert_string_equal(said, "");
    assert_non_null(ctx);
    tls_ctx_destroy(ctx);
}

static void test_missing(void **state)
{
    const char *none = rig_path("none.pem");

    (void)state;
    expect_refusal(none, rig_key_path(RIG_ECDSA), none, "No such file or directory");
    expect_refusal(rig_chain_path(RIG_ECDSA), none, none, "No such file or directory");
    assert_null(create(NULL, none));
    assert_string_equal(said, "a certificate needs a chain file and a key file");
}

static void test_garbled(void **state)
{
    char text[8192];
    const char *bad = rig_path("bad.pem");
    const char *chain = rig_chain_path(RIG_ECDSA), *key = rig_key_path(RIG_ECDSA);

    (void)state;
    rig_write_file(bad, "");
    expect_refusal(bad, key, bad, "holds no PEM certificate (BEGIN CERTIFICATE)");
    expect_refusal(chain, bad, bad, "holds no PEM private key (BEGIN PRIVATE KEY)");
    expect_refusal(key, key, key, "holds no PEM certificate (BEGIN CERTIFICATE)");
    expect_refusal(chain, chain, chain, "holds no PEM private key (BEGIN PRIVATE KEY)");
    read_text(chain, text, sizeof(text));
    text[strlen(text) / 2] = 0; /* cut in the middle */
    rig_write_file(bad, text);
    expect_refusal(bad, key, bad, "damaged PEM");
    rig_write_file(bad, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    expect_refusal(bad, key, bad, "the first certificate cannot be used for TLS");
    rig_write_file(bad, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    expect_refusal(chain, bad, bad, "damaged private key");
}

static void test_mismatch(void **state)
{
    const char *chain = rig_chain_path(RIG_ECDSA), *key = rig_key_path(RIG_RSA);
    char text[256];

    (void)state;
    snprintf(text, sizeof(text), "is not the key of the certificate in %s", chain);
    expect_refusal(chain, key, key, text);
    chain = rig_chain_path(RIG_RSA);
    key = rig_key_path(RIG_ECDSA);
    snprintf(text, sizeof(text), "is not the key of the certificate in %s", chain);
    expect_refusal(chain, key, key, text);
}

static void write_key(const char *path, EVP_PKEY *key, const char *passphrase)
{
    BIO *file = BIO_new_file(path, "w");

    assert_true(PEM_write_bio_PKCS8PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : NULL,
                                              passphrase, passphrase ? (int)strlen(passphrase) : 0,
                                              NULL, NULL));
    BIO_free(file);
}

static EVP_PKEY *make_rsa(unsigned bits)
{
    EVP_PKEY *key = EVP_PKEY_new();
    RSA *rsa = RSA_new();
    BIGNUM *e = BN_new();

    assert_true(BN_set_word(e, RSA_F4) && RSA_generate_key_ex(rsa, (int)bits, e, NULL) &&
                EVP_PKEY_assign_RSA(key, rsa));
    BN_free(e);
    return key;
}

static void test_keys_that_we_do_not_serve(void **state)
{
    static const uint8_t seed[32] = { 1, 2, 3 };
    const char *path = rig_path("odd.key"), *chain = rig_chain_path(RIG_ECDSA);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));

    (void)state;
    write_key(path, key, NULL);
    expect_refusal(chain, path, path, "is neither an ECDSA nor an RSA key");
    EVP_PKEY_free(key);
    key = make_rsa(1024);
    write_key(path, key, NULL);
    expect_refusal(chain, path, path, "RSA key of less than 2048 bits");
    write_key(path, key, "secret");
    expect_refusal(chain, path, path, "is protected by a passphrase; give a key without one");
    EVP_PKEY_free(key);
}

static void test_long_chain(void **state)
{
    static char text[65536];
    char one[8192];
    const char *path = rig_path("long.pem");
    struct tls_ctx *ctx;

    (void)state;
    read_text(rig_chain_path(RIG_ECDSA), one, sizeof(one));
    text[0] = 0;
    for (unsigned i = 0; i < 16; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", one);
    rig_write_file(path, text);
    ctx = create(path, rig_key_path(RIG_ECDSA));
    assert_non_null(ctx);
    tls_ctx_destroy(ctx);
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", one);
    rig_write_file(path, text);
    expect_refusal(path, rig_key_path(RIG_ECDSA), path, "too many certificates for a chain");
}

static void test_counts(void **state)
{
    struct tls_config config = { .certificate_count = 0 };
    struct buf why = { (uint8_t *)said, 0, sizeof(said) };

    (void)state;
    assert_null(tls_ctx_create(&config, &why));
    assert_memory_equal(said, "1 to 16 certificates are needed", why.len);
    why.len = 0;
    config.certificate_count = LIMIT_CERTIFICATES + 1;
    assert_null(tls_ctx_create(&config, &why));
    /* No room for the sentence is no reason to fall. */
    why = (struct buf){ (uint8_t *)said, 0, 3 };
    assert_null(tls_ctx_create(&config, &why));
    assert_int_equal(why.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_one_file),
        cmocka_unit_test(test_missing),    cmocka_unit_test(test_garbled),
        cmocka_unit_test(test_mismatch),   cmocka_unit_test(test_keys_that_we_do_not_serve),
        cmocka_unit_test(test_long_chain), cmocka_unit_test(test_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
