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

/* The old ones serve whom they began with, new ones all others. */
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

static void add_time(CBB *to, const char *text)
{
    CBB time;

    assert_true(CBB_add_asn1(to, &time, CBS_ASN1_GENERALIZEDTIME) &&
                CBB_add_bytes(&time, (const uint8_t *)text, strlen(text)) && CBB_flush(to));
}

/* A SingleResponse: good, since when, until when (NULL: it does not say). */
static void add_single(CBB *to, uint8_t serial, const char *from, const char *until)
{
    CBB single, id, algorithm, hash, status, next;

    assert_true(
        CBB_add_asn1(to, &single, CBS_ASN1_SEQUENCE) &&
        CBB_add_asn1(&single, &id, CBS_ASN1_SEQUENCE) &&
        CBB_add_asn1(&id, &algorithm, CBS_ASN1_SEQUENCE) &&
        CBB_add_asn1(&id, &hash, CBS_ASN1_OCTETSTRING) &&
        CBB_add_asn1(&id, &hash, CBS_ASN1_OCTETSTRING) && CBB_add_asn1_uint64(&id, serial) &&
        CBB_add_asn1(&single, &status, CBS_ASN1_CONTEXT_SPECIFIC | 0) && CBB_flush(&single));
    add_time(&single, from);
    if (until != NULL) {
        assert_true(
            CBB_add_asn1(&single, &next, CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0));
        add_time(&next, until);
    }
    assert_true(CBB_flush(to));
}

/* An OCSPResponse, as bare as it may be. */
static void write_response(const char *path, uint8_t status, uint8_t serial, const char *from,
                           const char *until)
{
    CBB cbb, response, code, explicit_bytes, bytes, type, octets, basic, data, who, responses;
    FILE *f = fopen(path, "w");
    uint8_t *der;
    size_t len;

    assert_true(CBB_init(&cbb, 256) && CBB_add_asn1(&cbb, &response, CBS_ASN1_SEQUENCE) &&
                CBB_add_asn1(&response, &code, CBS_ASN1_ENUMERATED) && CBB_add_u8(&code, status) &&
                CBB_add_asn1(&response, &explicit_bytes,
                             CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) &&
                CBB_add_asn1(&explicit_bytes, &bytes, CBS_ASN1_SEQUENCE) &&
                CBB_add_asn1(&bytes, &type, CBS_ASN1_OBJECT) &&
                CBB_add_bytes(&type, (const uint8_t *)"\x2b\6\1\5\5\x07\x30\1\1", 9) &&
                CBB_add_asn1(&bytes, &octets, CBS_ASN1_OCTETSTRING) &&
                CBB_add_asn1(&octets, &basic, CBS_ASN1_SEQUENCE) &&
                CBB_add_asn1(&basic, &data, CBS_ASN1_SEQUENCE) &&
                CBB_add_asn1(&data, &who, CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 2) &&
                CBB_flush(&data));
    add_time(&data, "20260101000000Z");
    assert_true(CBB_add_asn1(&data, &responses, CBS_ASN1_SEQUENCE));
    add_single(&responses, (uint8_t)(serial + 1), from, until);
    add_single(&responses, serial, from, until);
    assert_true(CBB_finish(&cbb, &der, &len));
    assert_non_null(f);
    assert_int_equal(fwrite(der, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    OPENSSL_free(der);
}

#define AT_2026_01_02 1767312000000 /* its first ms */
#define DAY_MS        86400000

static bool is_stapled(struct rig *r)
{
    const uint8_t *response;
    size_t len;

    rig_establish(r, set_client);
    SSL_get0_ocsp_response(r->client, &response, &len);
    return len > 0;
}

/* The news are these, once (NULL: none). */
static void expect_news(struct rig *r, const char *words)
{
    uint8_t text[256];
    struct buf out = { text, 0, sizeof(text) };

    assert_int_equal(tls_ctx_news(r->ctx, &out), words != NULL);
    if (words != NULL)
        assert_non_null(memmem(text, out.len, words, strlen(words)));
    assert_false(tls_ctx_news(r->ctx, &out));
}

static void staples_what_is_current(void **state)
{
    struct tls_certificate one[2] = { certificates[FIRST], { NULL, NULL, NULL } };
    const struct rig_config config = { .certificates = one };
    struct rig r;

    (void)state;
    one[0].ocsp_path = rig_path("first.ocsp");
    write_response(one[0].ocsp_path, 0, 1, "20260102000000Z", "20260103000000Z");
    rig_open(&r, &config);
    tls_ctx_rotate(r.ctx, AT_2026_01_02 - 1);
    assert_false(is_stapled(&r));
    expect_news(&r, "first.ocsp: is not valid yet, and is not stapled");
    tls_ctx_rotate(r.ctx, AT_2026_01_02);
    assert_true(is_stapled(&r));
    expect_news(&r, NULL);
    tls_ctx_rotate(r.ctx, AT_2026_01_02 + DAY_MS - 1);
    assert_true(is_stapled(&r));
    tls_ctx_rotate(r.ctx, AT_2026_01_02 + DAY_MS);
    assert_false(is_stapled(&r));
    expect_news(&r, "first.ocsp: is past its nextUpdate, and is not stapled any more");
    reload(&r, NULL); /* said again of what was read again */
    expect_news(&r, "first.ocsp: is past its nextUpdate");
    write_response(one[0].ocsp_path, 0, 1, "20260102000000Z", NULL);
    reload(&r, NULL);
    assert_true(is_stapled(&r));
    expect_news(&r, NULL);
    rig_close(&r);
}

static void refuses_bad_responses(void **state)
{
    struct tls_certificate one[2] = { certificates[FIRST], { NULL, NULL, NULL } };
    const struct rig_config config = { .certificates = one };
    struct rig r;

    (void)state;
    one[0].ocsp_path = rig_path("first.ocsp");
    write_response(one[0].ocsp_path, 0, 1, "20260102000000Z", NULL);
    rig_open(&r, &config);
    write_response(one[0].ocsp_path, 0, 2, "20260102000000Z", NULL);
    reload(&r, "is the OCSP response for another certificate");
    write_response(one[0].ocsp_path, 0, 1, "2026010200", NULL);
    reload(&r, "is an OCSP response whose times cannot be read");
    write_response(one[0].ocsp_path, 0, 1, "20260102000000Z", "never");
    reload(&r, "is an OCSP response whose times cannot be read");
    write_response(one[0].ocsp_path, 6, 1, "20260102000000Z", NULL);
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
        cmocka_unit_test(staples_what_is_current),
        cmocka_unit_test(refuses_bad_responses),
    };

    make_certificates();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
