/* See rig.h. Asserts are cmocka's: a rig that cannot stand fails its test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "rig.h"

#define SEG_ROOM  1448
#define SEG_COUNT 4096

#define PATHS_MAX 32

bool rig_boringssl_records;

static char folder[] = "/tmp/postern-tls-XXXXXX";
static char paths[PATHS_MAX][128];
static unsigned path_count;

static void remove_folder(void)
{
    for (unsigned i = 0; i < path_count; i++)
        unlink(paths[i]);
    if (rmdir(folder) != 0)
        fprintf(stderr, "rig: %s is left\n", folder);
}

const char *rig_path(const char *name)
{
    char *path = paths[path_count];

    if (path_count == 0) {
        assert_non_null(mkdtemp(folder));
        atexit(remove_folder);
    }
    assert_true(path_count < PATHS_MAX);
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    for (unsigned i = 0; i < path_count; i++)
        if (strcmp(paths[i], path) == 0)
            return paths[i];
    path_count++;
    return path;
}

void rig_write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static EVP_PKEY *make_key(enum rig_cert which)
{
    EVP_PKEY *key = EVP_PKEY_new();

    if (which == RIG_ECDSA) {
        EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);

        assert_true(EC_KEY_generate_key(ec) && EVP_PKEY_assign_EC_KEY(key, ec));
    } else {
        RSA *rsa = RSA_new();
        BIGNUM *e = BN_new();

        assert_true(BN_set_word(e, RSA_F4) && RSA_generate_key_ex(rsa, 2048, e, NULL) &&
                    EVP_PKEY_assign_RSA(key, rsa));
        BN_free(e);
    }
    return key;
}

static void add_names(X509 *x, const char *names)
{
    X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, NULL, NID_subject_alt_name, names);

    assert_non_null(e);
    assert_true(X509_add_ext(x, e, -1));
    X509_EXTENSION_free(e);
}

static void make_cert(EVP_PKEY *key, const char *names, const char *chain_path,
                      const char *key_path)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    BIO *file;

    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"mail.example.org", -1,
                               -1, 0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    if (names != NULL)
        add_names(x, names);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    file = BIO_new_file(chain_path, "w");
    assert_true(PEM_write_bio_X509(file, x));
    BIO_free(file);
    file = BIO_new_file(key_path, "w");
    assert_true(PEM_write_bio_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    BIO_free(file);
    X509_free(x);
}

static const char *const files[RIG_CERTS][2] = {
    [RIG_ECDSA] = { "ecdsa.pem", "ecdsa.key" },
    [RIG_RSA] = { "rsa.pem", "rsa.key" },
};

static const char *file_of(enum rig_cert which, unsigned part)
{
    static bool made[RIG_CERTS];

    if (!made[which]) {
        EVP_PKEY *key = make_key(which);

        make_cert(key, NULL, rig_path(files[which][0]), rig_path(files[which][1]));
        EVP_PKEY_free(key);
        made[which] = true;
    }
    return rig_path(files[which][part]);
}

struct tls_certificate rig_make_certificate(enum rig_cert which, const char *name,
                                            const char *names)
{
    EVP_PKEY *key = make_key(which);
    struct tls_certificate made = { 0 };
    char file[64];

    snprintf(file, sizeof(file), "%s.pem", name);
    made.chain_path = rig_path(file);
    snprintf(file, sizeof(file), "%s.key", name);
    made.key_path = rig_path(file);
    make_cert(key, names, made.chain_path, made.key_path);
    EVP_PKEY_free(key);
    return made;
}

const char *rig_chain_path(enum rig_cert which)
{
    return file_of(which, 0);
}

const char *rig_key_path(enum rig_cert which)
{
    return file_of(which, 1);
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct rig *r = SSL_get_app_data(ssl);

    SSL_SESSION_free(r->session);
    r->session = session;
    r->tickets++;
    return 1;
}

static enum ssl_verify_result_t trust(SSL *ssl, uint8_t *alert)
{
    (void)ssl;
    (void)alert;
    return ssl_verify_ok;
}

static void make_client_ctx(struct rig *r)
{
    static const uint16_t groups[] = { SSL_GROUP_X25519_MLKEM768, SSL_GROUP_X25519,
                                       SSL_GROUP_SECP256R1 };

    r->client_ctx = SSL_CTX_new(TLS_method());
    assert_non_null(r->client_ctx);
    SSL_CTX_set_custom_verify(r->client_ctx, SSL_VERIFY_PEER, trust);
    SSL_CTX_set_session_cache_mode(r->client_ctx,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(r->client_ctx, keep_session);
    SSL_CTX_set_early_data_enabled(r->client_ctx, 1);
    assert_true(SSL_CTX_set1_group_ids(r->client_ctx, groups, 3));
}

static struct tls_ctx *make_ctx(const struct rig_config *config)
{
    struct tls_config c = { .tls12 = !config->tls13_only,
                            .boringssl_records = rig_boringssl_records,
                            .ticket_lifetime_s = config->no_tickets ? 0 : 3600,
                            .ticket_keys_path = config->ticket_keys_path,
                            .clients = config->clients,
                            .client_ca_path = config->client_ca_path,
                            .client_crl_path = config->client_crl_path,
                            .identity = config->identity };
    uint8_t text[512];
    struct buf why = { text, 0, sizeof(text) };
    struct tls_ctx *ctx;

    for (const struct tls_certificate *one = config->certificates;
         one != NULL && one->chain_path != NULL; one++)
        c.certificates[c.certificate_count++] = *one;
    /* RSA first in the file: the order there must not matter. */
    if (config->rsa_only || config->both)
        c.certificates[c.certificate_count++] =
            (struct tls_certificate){ rig_chain_path(RIG_RSA), rig_key_path(RIG_RSA), NULL };
    if (!config->rsa_only && config->certificates == NULL)
        c.certificates[c.certificate_count++] =
            (struct tls_certificate){ rig_chain_path(RIG_ECDSA), rig_key_path(RIG_ECDSA), NULL };
    ctx = tls_ctx_create(&c, &why);
    if (ctx == NULL)
        fail_msg("%.*s", (int)why.len, (char *)why.ptr);
    return ctx;
}

void rig_open(struct rig *r, const struct rig_config *config)
{
    struct tls_env env = { &r->counters, &r->clock, config->jobs };

    *r = (struct rig){ .outcome = TLS_WANT_INPUT };
    list_init(&r->ready);
    list_init(&r->client_ready);
    r->pool = seg_plain_create(SEG_COUNT, 128, SEG_ROOM);
    assert_non_null(r->pool);
    r->wire_config = (struct mem_stream_config){ .pool = { r->pool, r->pool },
                                                 .ready = { &r->ready, &r->client_ready },
                                                 .chunk = config->chunk,
                                                 .run_max = config->run_max,
                                                 .room = config->room };
    r->ctx = make_ctx(config);
    r->worker = tls_worker_create(r->ctx, config->connections > 0 ? config->connections : 1, &env);
    assert_non_null(r->worker);
    make_client_ctx(r);
}

void rig_disconnect(struct rig *r)
{
    SSL_free(r->client);
    r->client = NULL;
    if (r->conn != NULL)
        tls_conn_detach(r->conn);
    r->conn = NULL;
    mem_stream_destroy(r->wire);
    r->wire = NULL;
    ERR_clear_error();
}

static void make_client(struct rig *r, void (*setup)(SSL *))
{
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

    BIO_set_mem_eof_return(in, -1);
    r->client = SSL_new(r->client_ctx);
    SSL_set_app_data(r->client, r);
    SSL_set_connect_state(r->client);
    SSL_set_bio(r->client, in, out);
    r->client_done = false;
    if (setup != NULL)
        setup(r->client);
}

void rig_connect(struct rig *r, void (*setup)(SSL *))
{
    struct stream *lower;

    rig_disconnect(r);
    r->wire = mem_stream_create(&r->wire_config);
    assert_non_null(r->wire);
    lower = mem_stream_end(r->wire, 0);
    lower->owner = r;
    r->conn = tls_conn_open(r->worker, lower);
    assert_non_null(r->conn);
    r->outcome = TLS_WANT_INPUT;
    make_client(r, setup);
}

void rig_close(struct rig *r)
{
    rig_disconnect(r);
    SSL_SESSION_free(r->session);
    SSL_CTX_free(r->client_ctx);
    tls_worker_destroy(r->worker);
    tls_ctx_destroy(r->ctx);
    seg_plain_destroy(r->pool); /* asserts that every segment is home */
    assert_int_equal(ERR_peek_error(), 0);
}

static uint32_t client_out(struct rig *r)
{
    struct stream *end = mem_stream_end(r->wire, 1);
    const uint8_t *bytes;
    size_t len;
    uint8_t sink[4096];
    uint32_t taken;

    if (!BIO_mem_contents(SSL_get_wbio(r->client), &bytes, &len) || len == 0)
        return 0;
    taken = stream_write(end, span_of(bytes, (uint32_t)(len < sizeof(sink) ? len : sizeof(sink))));
    assert_int_equal(BIO_read(SSL_get_wbio(r->client), sink, (int)taken), (int)taken);
    return taken;
}

static uint32_t client_in(struct rig *r)
{
    struct stream *end = mem_stream_end(r->wire, 1);
    uint8_t bytes[4096];
    uint32_t n = end->ops->read(end, bytes, sizeof(bytes));

    if (n > 0)
        assert_int_equal(BIO_write(SSL_get_rbio(r->client), bytes, (int)n), (int)n);
    return n;
}

uint32_t rig_move(struct rig *r)
{
    uint32_t moved = client_out(r);

    moved += mem_stream_step(r->wire);
    moved += client_in(r);
    if (r->conn != NULL && r->outcome == TLS_DONE)
        tls_conn_update(r->conn);
    return moved;
}

static bool client_step(struct rig *r)
{
    int ret;

    if (r->client_done)
        return false;
    ERR_clear_error();
    ret = SSL_do_handshake(r->client);
    r->client_done = ret == 1;
    r->client_error = SSL_get_error(r->client, ret);
    return r->client_done;
}

bool rig_handshake(struct rig *r)
{
    bool moving = true;

    while (moving) {
        moving = client_step(r);
        ERR_clear_error(); /* the client's; tls/ must leave none of its own */
        moving |= rig_move(r) > 0;
        if (r->outcome != TLS_DONE && r->outcome != TLS_FAILED) {
            r->outcome = tls_conn_handshake(r->conn);
            moving |= r->outcome == TLS_DONE;
            assert_int_equal(ERR_peek_error(), 0);
        }
        moving |= rig_move(r) > 0;
    }
    return r->client_done && r->outcome == TLS_DONE;
}

void rig_establish(struct rig *r, void (*setup)(SSL *))
{
    rig_connect(r, setup);
    if (!rig_handshake(r))
        fail_msg("server %d (%s), client error %d", r->outcome, tls_conn_error(r->conn)->reason,
                 r->client_error);
}

void rig_client_raw(struct rig *r, const void *bytes, uint32_t len)
{
    assert_int_equal(stream_write(mem_stream_end(r->wire, 1), span_of(bytes, len)), len);
    mem_stream_step(r->wire);
}

uint32_t rig_client_take_raw(struct rig *r, uint8_t *to, uint32_t cap)
{
    struct stream *end = mem_stream_end(r->wire, 1);

    return end->ops->read(end, to, cap);
}

uint32_t rig_record_hello(struct rig *r, void (*setup)(SSL *), uint8_t *to, uint32_t cap)
{
    int n;

    SSL_free(r->client);
    make_client(r, setup);
    assert_int_equal(SSL_do_handshake(r->client), -1);
    n = BIO_read(SSL_get_wbio(r->client), to, (int)cap);
    assert_true(n > 0);
    ERR_clear_error();
    return (uint32_t)n;
}

void rig_client_send(struct rig *r, const char *text)
{
    assert_int_equal(SSL_write(r->client, text, (int)strlen(text)), (int)strlen(text));
    while (rig_move(r) > 0) {
    }
}

uint32_t rig_server_read(struct rig *r, char *to, uint32_t cap)
{
    struct stream *s = tls_conn_stream(r->conn);
    uint32_t n;

    tls_conn_update(r->conn);
    n = s->ops->read(s, (uint8_t *)to, cap - 1);
    to[n] = 0;
    assert_int_equal(ERR_peek_error(), 0);
    return n;
}

void rig_server_send(struct rig *r, const char *text)
{
    struct stream *s = tls_conn_stream(r->conn);

    assert_int_equal(stream_write(s, span_str(text)), strlen(text));
    assert_int_equal(ERR_peek_error(), 0);
    while (rig_move(r) > 0) {
    }
}

uint32_t rig_client_read(struct rig *r, char *to, uint32_t cap)
{
    int n = SSL_read(r->client, to, (int)cap - 1);

    r->client_error = SSL_get_error(r->client, n);
    ERR_clear_error();
    n = n > 0 ? n : 0;
    to[n] = 0;
    return (uint32_t)n;
}

void rig_talk(struct rig *r)
{
    char text[64];

    rig_client_send(r, "NOOP\r\n");
    assert_int_equal(rig_server_read(r, text, sizeof(text)), 6);
    rig_server_send(r, "250 Ok\r\n");
    assert_int_equal(rig_client_read(r, text, sizeof(text)), 8);
    assert_string_equal(text, "250 Ok\r\n");
}
