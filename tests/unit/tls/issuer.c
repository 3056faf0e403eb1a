/* See issuer.h. Asserts are cmocka's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>

#include "issuer.h"
#include "rig.h"

static void add(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, NULL, nid, value);

    assert_non_null(e);
    assert_true(X509_add_ext(x, e, -1));
    X509_EXTENSION_free(e);
}

static EVP_PKEY *make_key(int curve)
{
    EC_KEY *ec = EC_KEY_new_by_curve_name(curve != 0 ? curve : NID_X9_62_prime256v1);
    EVP_PKEY *key = EVP_PKEY_new();

    assert_true(EC_KEY_generate_key(ec) && EVP_PKEY_assign_EC_KEY(key, ec));
    return key;
}

struct issuer issuer_make(const struct issuer *by, const struct issuer_wish *wish)
{
    static long serial;
    struct issuer i = { make_key(wish->curve), X509_new() };
    const char *name = wish->common_name != NULL ? wish->common_name : "client";
    X509_NAME *subject = X509_get_subject_name(i.cert);

    X509_set_version(i.cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(i.cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(i.cert), wish->from_s);
    X509_gmtime_adj(X509_getm_notAfter(i.cert), wish->until_s != 0 ? wish->until_s : 3600);
    assert_true(
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0));
    X509_set_issuer_name(i.cert, by != NULL ? X509_get_subject_name(by->cert) : subject);
    X509_set_pubkey(i.cert, i.key);
    add(i.cert, NID_basic_constraints, wish->authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!wish->authority)
        add(i.cert, NID_ext_key_usage, wish->usage != NULL ? wish->usage : "clientAuth");
    if (wish->names != NULL)
        add(i.cert, NID_subject_alt_name, wish->names);
    assert_true(X509_sign(i.cert, by != NULL ? by->key : i.key, EVP_sha256()) > 0);
    return i;
}

struct issuer issuer_root(const char *common_name)
{
    const struct issuer_wish wish = { .common_name = common_name, .authority = true };

    return issuer_make(NULL, &wish);
}

void issuer_free(struct issuer *i)
{
    EVP_PKEY_free(i->key);
    X509_free(i->cert);
}

const char *issuer_write(const struct issuer *i, const char *file)
{
    const char *path = rig_path(file);
    BIO *to = BIO_new_file(path, "w");

    assert_true(PEM_write_bio_X509(to, i->cert));
    BIO_free(to);
    return path;
}

static void set_time(X509_CRL *list, int (*set)(X509_CRL *, const ASN1_TIME *), long from_now_s)
{
    ASN1_TIME *at = X509_gmtime_adj(NULL, from_now_s);

    assert_true(set(list, at));
    ASN1_TIME_free(at);
}

const char *issuer_write_list(const struct issuer *by, const struct issuer *revoked, long until_s,
                              const char *file)
{
    const char *path = rig_path(file);
    BIO *to = BIO_new_file(path, "w");
    X509_CRL *list = X509_CRL_new();

    X509_CRL_set_version(list, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(by->cert));
    set_time(list, X509_CRL_set1_lastUpdate, -7200);
    set_time(list, X509_CRL_set1_nextUpdate, until_s);
    if (revoked != NULL) {
        X509_REVOKED *entry = X509_REVOKED_new();
        ASN1_TIME *at = X509_gmtime_adj(NULL, -60);

        assert_true(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->cert)) &&
                    X509_REVOKED_set_revocationDate(entry, at) &&
                    X509_CRL_add0_revoked(list, entry));
        ASN1_TIME_free(at);
    }
    assert_true(X509_CRL_sign(list, by->key, EVP_sha256()) > 0);
    assert_true(PEM_write_bio_X509_CRL(to, list));
    X509_CRL_free(list);
    BIO_free(to);
    return path;
}
