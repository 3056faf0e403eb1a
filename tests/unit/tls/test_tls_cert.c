/*
 * tls/tls_cert.c, and what tls/tls_ctx.c makes of it: which certificate whom, what is stapled, and
 * what a reload changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pool.h>
#include <openssl/x509.h>

#include "rig.h"

enum { FIRST, FIRST_RSA, WILD, OTHER, OTHER_RSA, NAMELESS, CERTIFICATES };

static struct tls_certificate certificates[CERTIFICATES + 1];
static const char *host;
static bool client_without_ecdsa;

static void make_certificates(void)
{
    static const struct {
        enum rig_cert kind;
        const char *file;
        const char *names;
    } rows[CERTIFICATES] = {
        [FIRST] = { RIG_ECDSA, "first", "DNS:mail.example.org,DNS:smtp.example.org" },
        [FIRST_RSA] = { RIG_RSA, "first_rsa", "email:a@b,DNS:mail.example.org" },
        [WILD] = { RIG_ECDSA, "wild", "DNS:*.example.net" },
        [OTHER] = { RIG_ECDSA, "other", "DNS:other.example" },
        [OTHER_RSA] = { RIG_RSA, "other_rsa", "DNS:other.example" },
        [NAMELESS] = { RIG_ECDSA, "nameless", NULL },
    };

    for (int i = 0; i < CERTIFICATES; i++)
        certificates[i] = rig_make_certificate(rows[i].kind, rows[i].file, rows[i].names);
}

static void set_client(SSL *client)
{
    static const uint16_t rsa[] = { SSL_SIGN_RSA_PSS_RSAE_SHA256 };

    SSL_enable_ocsp_stapling(client);
    if (host != NULL)
        assert_true(SSL_set_tlsext_host_name(client, host));
    if (client_without_ecdsa)
        assert_true(SSL_set_verify_algorithm_prefs(client, rsa, 1));
}

static void read_file(const char *path, char *to, size_t cap)
{
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    to[fread(to, 1, cap - 1, f)] = 0;
    fclose(f);
}

/* The certificate that the client was shown is that of the file. */
static bool shown(const struct rig *r, const struct tls_certificate *c)
{
    X509 *leaf = SSL_get_peer_certificate(r->client);
    BIO *out = BIO_new(BIO_s_mem());
    const uint8_t *pem;
    size_t len;
    char text[8192];
    bool same;

    assert_true(PEM_write_bio_X509(out, leaf));
    assert_true(BIO_mem_contents(out, &pem, &len));
    read_file(c->chain_path, text, sizeof(text));
    same = strlen(text) == len && memcmp(text, pem, len) == 0;
    BIO_free(out);
    X509_free(leaf);
    return same;
}

static void expect(struct rig *r, const char *name, int which)
{
    host = name;
    rig_establish(r, set_client);
    if (!shown(r, &certificates[which]))
        fail_msg("%s: not %s", name != NULL ? name : "-", certificates[which].chain_path);
    rig_talk(r);
    rig_disconnect(r);
}

static void by_name(void **state)
{
    const struct rig_config config = { .certificates = certificates };
    struct rig r;

    (void)state;
    rig_open(&r, &config);
    expect(&r, NULL, FIRST);
    expect(&r, "mail.example.org", FIRST);
    expect(&r, "SMTP.example.ORG", FIRST);
    expect(&r, "a.example.net", WILD);
    expect(&r, "example.net", FIRST);
    expect(&r, "a.b.example.net", FIRST);
    expect(&r, ".example.net", FIRST);
    expect(&r, "other.example", OTHER);
    expect(&r, "nobody.example", FIRST);
    expect(&r, "*.example.net", WILD);
    client_without_ecdsa = true;
    expect(&r, NULL, FIRST_RSA);
    expect(&r, "other.example", OTHER_RSA);
    client_without_ecdsa = false;
    rig_close(&r);
}

/* A client that can verify none of those for its name is not shown another's. */
static void none_that_fits(void **state)
{
    const struct rig_config config = { .certificates = certificates };
    struct rig r;

    (void)state;
    rig_open(&r, &config);
    client_without_ecdsa = true;
    host = "a.example.net";
    rig_connect(&r, set_client);
    assert_false(rig_handshake(&r));
    client_without_ecdsa = false;
    rig_close(&r);
}

static void reload(struct rig *r, const char *fault)
{
    uint8_t text[512];
    struct buf why = { text, 0, sizeof(text) - 1 };
    bool good = tls_ctx_reload(r->ctx, &why);

    text[why.len] = 0;
    if (fault != NULL)
        assert_non_null(strstr((char *)text, fault));
    assert_int_equal(good, fault == NULL);
    assert_int_equal(ERR_peek_error(), 0);
}

/* The old ones serve whom they began with, new ones all others; tickets stay good. */
static void reloads(void **state)
{
    const struct rig_config config = { .certificates = certificates };
    struct tls_certificate old;
    char text[8192];
    struct rig r;

    (void)state;
    rig_open(&r, &config);
    expect(&r, NULL, FIRST);
    read_file(certificates[FIRST].chain_path, text, sizeof(text));
    old.chain_path = rig_path("old.pem");
    rig_write_file(old.chain_path, text);

    rig_connect(&r, set_client);
    make_certificates();
    reload(&r, NULL);
    reload(&r, NULL);
    assert_true(rig_handshake(&r));
    assert_true(shown(&r, &old));
    rig_talk(&r);
    rig_disconnect(&r);
    expect(&r, NULL, FIRST);

    rig_write_file(certificates[FIRST].chain_path, "half a file");
    reload(&r, "holds no PEM certificate");
    rig_establish(&r, set_client);
    assert_true(SSL_session_reused(r.client) == 0);
    rig_talk(&r);
    rig_disconnect(&r);
    make_certificates();
    rig_close(&r);
}

/* An OCSPResponse about a certificate with this serial number, as bare as it may be. */
static void write_response(const char *path, char status, char serial)
{
    char data[] = "\x30\x4d\x0a\x01S\xa0\x48\x30\x46" /* OCSPResponse: S */
                  "\x06\x09\x2b\6\1\5\5\x07\x30\1\1"  /* id-pkix-ocsp-basic */
                  "\x04\x39\x30\x37\x30\x35"          /* BasicOCSPResponse */
                  "\xa2\3\4\1\7\x18\x0f"
                  "20260101000000Z"  /* responder, when */
                  "\x30\x1d\x30\x1b" /* responses */
                  "\x30\x0b\x30\0\4\1\1\4\1\2\2\1"
                  "N" /* certID: N */
                  "\x80\0\x18\x0a"
                  "2026010100"; /* good, since when */
    FILE *f = fopen(path, "w");

    *(char *)memchr(data, 'S', sizeof(data)) = status;
    *(char *)memchr(data, 'N', sizeof(data)) = serial;
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, sizeof(data) - 1, f), sizeof(data) - 1);
    assert_int_equal(fclose(f), 0);
}

static void staples(void **state)
{
    struct tls_certificate one[2] = { certificates[FIRST], { NULL, NULL, NULL } };
    const struct rig_config config = { .certificates = one };
    const uint8_t *response;
    size_t len;
    struct rig r;

    (void)state;
    one[0].ocsp_path = rig_path("first.ocsp");
    write_response(one[0].ocsp_path, 0, 1);
    rig_open(&r, &config);
    expect(&r, NULL, FIRST);
    rig_establish(&r, set_client);
    SSL_get0_ocsp_response(r.client, &response, &len);
    assert_int_equal(len, 79);
    rig_disconnect(&r);

    write_response(one[0].ocsp_path, 0, 2);
    reload(&r, "is the OCSP response for another certificate");
    write_response(one[0].ocsp_path, 6, 1);
    reload(&r, "is no OCSP response in DER, or one that tells of an error");
    rig_write_file(one[0].ocsp_path, "");
    reload(&r, "cannot be read, or is empty");
    rig_write_file(one[0].ocsp_path, "-----BEGIN");
    reload(&r, "is no OCSP response in DER");
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_name),
        cmocka_unit_test(none_that_fits),
        cmocka_unit_test(reloads),
        cmocka_unit_test(staples),
    };

    make_certificates();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
