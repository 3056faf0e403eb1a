/*
 * Handshakes of BoringSSL with itself, in memory: the server's part is the limit that a gateway's
 * session is divided by, the client's part what a load generator pays.
 *
 * Happy path: two contexts for each case, a BIO pair for each handshake, the counter read around
 * each call of the side that is measured. Failure: any error of BoringSSL; the task says 0 and its
 * error stands on standard error.
 */
#include <x86intrin.h>

#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "bench/limit.h"

#define BATCH_US 1000

enum { ECDSA, RSA2048, KEYS };
enum { FULL, RESUMED, PQ, RSA_CERT, CASES };

struct tls_case {
    SSL_CTX *server;
    SSL_CTX *client;
    SSL_SESSION *session; /* resumed from, NULL: full handshakes */
};

struct side {
    struct tls_case *of;
    bool server; /* this side's cycles count */
};

static EVP_PKEY *keys[KEYS];
static X509 *certs[KEYS];
static struct tls_case cases[CASES];
static struct side sides[CASES][2];

struct pair {
    SSL *server;
    SSL *client;
    uint64_t server_cycles;
    uint64_t client_cycles;
};

/* One call of SSL_do_handshake; false: it failed. */
static bool step(SSL *ssl, uint64_t *cycles, bool *done)
{
    uint64_t begin = __rdtsc();
    int result = SSL_do_handshake(ssl);

    *cycles += __rdtsc() - begin;
    *done = result == 1;
    return result == 1 || SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ;
}

static bool open_pair(struct pair *p, const struct tls_case *c)
{
    BIO *server_bio, *client_bio;
    uint64_t begin = __rdtsc();

    p->server = SSL_new(c->server);
    p->server_cycles = __rdtsc() - begin;
    p->client = SSL_new(c->client);
    if (p->server == NULL || p->client == NULL || !BIO_new_bio_pair(&server_bio, 0, &client_bio, 0))
        return false;
    SSL_set_bio(p->server, server_bio, server_bio);
    SSL_set_bio(p->client, client_bio, client_bio);
    SSL_set_accept_state(p->server);
    SSL_set_connect_state(p->client);
    return c->session == NULL || SSL_set_session(p->client, c->session) == 1;
}

static bool shake(struct pair *p)
{
    bool client_done = false, server_done = false;

    while (!client_done || !server_done)
        if (!step(p->client, &p->client_cycles, &client_done) ||
            !step(p->server, &p->server_cycles, &server_done))
            return false;
    return true;
}

static void close_pair(struct pair *p)
{
    uint64_t begin = __rdtsc();

    SSL_free(p->server);
    p->server_cycles += __rdtsc() - begin;
    SSL_free(p->client);
}

static uint64_t handshakes(void *arg, uint64_t count)
{
    const struct side *s = arg;
    uint64_t cycles = 0;
    bool ok = true;

    for (uint64_t i = 0; i < count && ok; i++) {
        struct pair p = { 0 };

        ok = open_pair(&p, s->of) && shake(&p) &&
             SSL_session_reused(p.server) == (s->of->session != NULL);
        close_pair(&p);
        cycles += s->server ? p.server_cycles : p.client_cycles;
    }
    if (!ok)
        ERR_print_errors_fp(stderr);
    return ok ? cycles : 0;
}

static bool make_key(unsigned which)
{
    EC_KEY *ec;

    if (which == RSA2048) {
        keys[which] = EVP_RSA_gen(2048);
        return keys[which] != NULL;
    }
    keys[which] = EVP_PKEY_new();
    ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    return keys[which] != NULL && ec != NULL && EC_KEY_generate_key(ec) &&
           EVP_PKEY_assign_EC_KEY(keys[which], ec);
}

static bool make_cert(unsigned which)
{
    X509 *x = X509_new();
    X509_NAME *name;

    certs[which] = x;
    if (x == NULL)
        return false;
    name = X509_get_subject_name(x);
    return X509_set_version(x, X509_VERSION_3) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
           X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(x), 86400) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"bench", -1, -1,
                                      0) &&
           X509_set_issuer_name(x, name) && X509_set_pubkey(x, keys[which]) &&
           X509_sign(x, keys[which], EVP_sha256()) > 0;
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_case *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    if (c->session != NULL)
        return 0;
    c->session = session;
    return 1;
}

static bool make_case(struct tls_case *c, unsigned key, uint16_t group)
{
    c->server = SSL_CTX_new(TLS_method());
    c->client = SSL_CTX_new(TLS_method());
    return c->server != NULL && c->client != NULL &&
           SSL_CTX_set_min_proto_version(c->server, TLS1_3_VERSION) &&
           SSL_CTX_set_num_tickets(c->server, 1) &&
           SSL_CTX_use_certificate(c->server, certs[key]) &&
           SSL_CTX_use_PrivateKey(c->server, keys[key]) &&
           SSL_CTX_set1_group_ids(c->client, &group, 1) &&
           SSL_CTX_set1_group_ids(c->server, &group, 1);
}

/* One full handshake, and one byte that carries the ticket to the client. */
static bool get_ticket(struct tls_case *c)
{
    struct pair p = { 0 };
    uint8_t byte = 0;
    bool ok;

    SSL_CTX_set_app_data(c->client, c);
    SSL_CTX_set_session_cache_mode(c->client, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(c->client, keep_session);
    ok = open_pair(&p, c) && shake(&p) && SSL_write(p.server, &byte, 1) == 1 &&
         SSL_read(p.client, &byte, 1) == 1 && c->session != NULL;
    close_pair(&p);
    return ok;
}

static void add(struct timing *t, unsigned which, const char *name)
{
    struct timing_task task = { .run = handshakes, .batch_us = BATCH_US };

    for (unsigned i = 0; i < 2; i++) {
        sides[which][i] = (struct side){ &cases[which], i == 0 };
        task.arg = &sides[which][i];
        snprintf(task.name, sizeof(task.name), "handshake/%s/%s", name,
                 i == 0 ? "server" : "client");
        timing_add(t, &task);
    }
}

bool limit_tls_open(struct timing *t, const char *directory, struct buf *why)
{
    bool ok = true;

    (void)directory;
    for (unsigned i = 0; i < KEYS; i++)
        ok = ok && make_key(i) && make_cert(i);
    ok = ok && make_case(&cases[FULL], ECDSA, SSL_GROUP_X25519) &&
         make_case(&cases[RESUMED], ECDSA, SSL_GROUP_X25519) && get_ticket(&cases[RESUMED]) &&
         make_case(&cases[PQ], ECDSA, SSL_GROUP_X25519_MLKEM768) &&
         make_case(&cases[RSA_CERT], RSA2048, SSL_GROUP_X25519);
    if (!ok) {
        buf_printf(why, "BoringSSL: %s", ERR_reason_error_string(ERR_peek_error()));
        return false;
    }
    add(t, FULL, "x25519-ecdsa");
    add(t, RESUMED, "resumed");
    add(t, PQ, "x25519mlkem768-ecdsa");
    add(t, RSA_CERT, "x25519-rsa2048");
    return true;
}

void limit_tls_close(void)
{
    for (unsigned i = 0; i < CASES; i++) {
        SSL_SESSION_free(cases[i].session);
        SSL_CTX_free(cases[i].server);
        SSL_CTX_free(cases[i].client);
    }
    for (unsigned i = 0; i < KEYS; i++) {
        X509_free(certs[i]);
        EVP_PKEY_free(keys[i]);
    }
}
