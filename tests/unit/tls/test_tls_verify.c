/*
 * tls/tls_verify.c: clients' certificates, looked at by helpers that the test plays itself; each
 * fault with its alert, and nothing believed that was verified once. With both record layers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/nid.h>

#include "hand.h"
#include "issuer.h"
#include "rig.h"

static struct issuer root;
static const struct issuer *shown; /* by the client; NULL: none */
static const struct issuer *between;
static unsigned between_count;
static SSL_SESSION *to_resume;

static void show(SSL *client)
{
    if (to_resume != NULL)
        assert_true(SSL_set_session(client, to_resume));
    if (shown == NULL)
        return;
    assert_true(SSL_use_certificate(client, shown->cert) && SSL_use_PrivateKey(client, shown->key));
    for (unsigned i = 0; i < between_count; i++)
        assert_true(SSL_add1_chain_cert(client, between->cert));
}

static void show_tls12(SSL *client)
{
    assert_true(SSL_set_max_proto_version(client, TLS1_2_VERSION));
    show(client);
}

static void (*const shows[])(SSL *) = { show, show_tls12 };

static void open_rig(struct rig *r, const struct rig_config *config)
{
    rig_open(r, config);
    tls_ctx_rotate(r->ctx, (uint64_t)time(NULL) * 1000);
}

static struct rig_config asking(struct hand *h)
{
    return (struct rig_config){ .clients = TLS_CLIENTS_ASK,
                                .client_ca_path = issuer_write(&root, "root.pem"),
                                .jobs = h != NULL ? &h->queue : NULL };
}

static void assert_identity(struct rig *r, const char *expected)
{
    struct tls_info info;

    tls_conn_info(r->conn, &info);
    assert_int_equal(info.identity.len, strlen(expected));
    if (info.identity.len > 0)
        assert_memory_equal(info.identity.ptr, expected, info.identity.len);
}

static void test_good(void **state)
{
    const struct issuer_wish wish = { .names = "email:alice@example.org" };
    struct issuer alice = issuer_make(&root, &wish);
    struct hand h = hand_of(1);
    struct rig_config config = asking(&h);
    struct rig r;

    (void)state;
    shown = &alice;
    open_rig(&r, &config);
    for (unsigned i = 0; i < 2; i++) {
        rig_connect(&r, shows[i]);
        assert_false(rig_handshake(&r));
        assert_int_equal(r.outcome, TLS_WANT_SIGNATURE);
        assert_int_equal(h.count, 1);
        assert_false(tls_conn_handshake_is_dear(r.conn));
        assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_SIGNATURE);
        assert_int_equal(h.count, 1);
        hand_work(&h);
        assert_true(list_linked(&mem_stream_end(r.wire, 0)->ready_link)); /* to be run again */
        /* The client's signature is still to be checked: that wants a turn, and no helper. */
        assert_true(tls_conn_handshake_is_dear(r.conn));
        assert_int_equal(tls_conn_handshake_helped(r.conn), TLS_WANT_TURN);
        assert_true(rig_handshake(&r));
        assert_identity(&r, "alice@example.org");
        rig_talk(&r);
    }
    rig_close(&r);
    issuer_free(&alice);
}

/* The key exchange by a helper, then the chain by one. */
static void test_hinted(void **state)
{
    struct issuer alice = issuer_make(&root, &(struct issuer_wish){ .names = "email:a@b.c" });
    struct hand h = hand_of(1);
    struct rig_config config = asking(&h);
    struct rig r;

    (void)state;
    shown = &alice;
    open_rig(&r, &config);
    for (unsigned i = 0; i < 2; i++) {
        rig_connect(&r, shows[i]);
        r.outcome = TLS_WANT_SIGNATURE; /* not for the rig to step */
        SSL_do_handshake(r.client);
        ERR_clear_error();
        while (rig_move(&r) > 0) {
        }
        assert_int_equal(tls_conn_handshake_helped(r.conn), TLS_WANT_SIGNATURE);
        hand_work(&h);
        r.outcome = tls_conn_handshake(r.conn);
        assert_false(rig_handshake(&r));
        assert_int_equal(counter_get(&r.counters, COUNTER_TLS_HINTS), i + 1);
        hand_work(&h);
        assert_true(rig_handshake(&r));
        assert_identity(&r, "a@b.c");
    }
    rig_close(&r);
    issuer_free(&alice);
}

static void test_nobody(void **state)
{
    const struct issuer_wish wish = { .names = "DNS:example.org" };
    struct issuer host = issuer_make(&root, &wish);
    struct rig_config config = asking(NULL);
    struct rig r;

    (void)state;
    open_rig(&r, &config);
    for (unsigned i = 0; i < 2; i++) {
        shown = NULL;
        rig_establish(&r, shows[i]);
        assert_identity(&r, "");
        shown = &host; /* good, but without a name of the kind */
        rig_establish(&r, shows[i]);
        assert_identity(&r, "");
    }
    rig_close(&r);
    config.identity = TLS_IDENTITY_DNS;
    open_rig(&r, &config);
    rig_establish(&r, show);
    assert_identity(&r, "example.org");
    rig_close(&r);
    issuer_free(&host);
}

static void expect_refusal(struct rig *r, void (*setup)(SSL *), uint8_t alert, const char *reason)
{
    rig_connect(r, setup);
    assert_false(rig_handshake(r));
    assert_int_equal(r->outcome, TLS_FAILED);
    assert_int_equal(tls_conn_error(r->conn)->fault, TLS_FAULT_PEER);
    assert_int_equal(tls_conn_error(r->conn)->alert, alert);
    assert_string_equal(tls_conn_error(r->conn)->reason, reason);
}

static void test_required(void **state)
{
    struct rig_config config = asking(NULL);
    struct rig r;

    (void)state;
    shown = NULL;
    config.clients = TLS_CLIENTS_REQUIRE;
    open_rig(&r, &config);
    expect_refusal(&r, show, SSL_AD_CERTIFICATE_REQUIRED, "no certificate of the client");
    expect_refusal(&r, show_tls12, SSL_AD_HANDSHAKE_FAILURE, "no certificate of the client");
    rig_close(&r);
}

struct bad {
    struct issuer_wish wish;
    bool strange; /* by another authority of the same name */
    bool own;     /* by itself */
    uint8_t alert;
    const char *reason;
};

static const struct bad bads[] = {
    { { .until_s = -60, .from_s = -3600 },
      .alert = SSL_AD_CERTIFICATE_EXPIRED,
      .reason = "client's certificate has expired" },
    { { .from_s = 1800 },
      .alert = SSL_AD_CERTIFICATE_EXPIRED,
      .reason = "client's certificate is not valid yet" },
    { { .common_name = "x" },
      .strange = true,
      .alert = SSL_AD_BAD_CERTIFICATE,
      .reason = "client's certificate is bad" },
    { { .common_name = "x" },
      .own = true,
      .alert = SSL_AD_UNKNOWN_CA,
      .reason = "client's certificate is by itself" },
    { { .usage = "serverAuth" },
      .alert = SSL_AD_UNSUPPORTED_CERTIFICATE,
      .reason = "client's certificate is not for clients" },
};

static void test_bad(void **state)
{
    struct rig_config config = asking(NULL);
    struct issuer other = issuer_root("root");
    struct rig r;

    (void)state;
    open_rig(&r, &config);
    for (unsigned i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        const struct issuer *by = bads[i].strange ? &other : &root;
        struct issuer one = issuer_make(bads[i].own ? NULL : by, &bads[i].wish);

        shown = &one;
        expect_refusal(&r, show, bads[i].alert, bads[i].reason);
        expect_refusal(&r, show_tls12, bads[i].alert, bads[i].reason);
        issuer_free(&one);
    }
    rig_close(&r);
    issuer_free(&other);
}

static void test_chain(void **state)
{
    const struct issuer_wish middle_wish = { .common_name = "middle", .authority = true };
    const struct issuer_wish wish = { .names = "email:a@example.org" };
    struct issuer middle = issuer_make(&root, &middle_wish);
    struct issuer leaf = issuer_make(&middle, &wish);
    struct rig_config config = asking(NULL);
    struct rig r;

    (void)state;
    open_rig(&r, &config);
    shown = &leaf;
    expect_refusal(&r, show, SSL_AD_UNKNOWN_CA, "client's certificate is by an unknown authority");
    between = &middle;
    for (between_count = 1; between_count < LIMIT_TLS_CLIENT_CHAIN; between_count++) {
        rig_establish(&r, show);
        assert_identity(&r, "a@example.org");
    }
    expect_refusal(&r, show, SSL_AD_BAD_CERTIFICATE, "client's chain of certificates is too long");
    expect_refusal(&r, show_tls12, SSL_AD_BAD_CERTIFICATE,
                   "client's chain of certificates is too long");
    between_count = 0;
    rig_close(&r);
    issuer_free(&leaf);
    issuer_free(&middle);
}

/* Checking a signature of it is not cheap, and the loop would have to. */
static void test_dear_key(void **state)
{
    const struct issuer_wish wish = { .curve = NID_secp384r1 };
    struct issuer dear = issuer_make(&root, &wish);
    struct rig_config config = asking(NULL);
    struct rig r;

    (void)state;
    shown = &dear;
    open_rig(&r, &config);
    expect_refusal(&r, show_tls12, SSL_AD_UNSUPPORTED_CERTIFICATE,
                   "client's key is none of P-256, Ed25519, RSA 2048 to 4096");
    rig_close(&r);
    issuer_free(&dear);
}

static void test_lists(void **state)
{
    struct issuer alice = issuer_make(&root, &(struct issuer_wish){ .names = "email:a@b.c" });
    struct issuer other = issuer_root("other");
    struct rig_config config = asking(NULL);
    uint8_t text[256];
    struct buf why = { text, 0, sizeof(text) };
    struct rig r;

    (void)state;
    shown = &alice;
    config.client_crl_path = issuer_write_list(&root, NULL, 3600, "list.pem");
    open_rig(&r, &config);
    rig_establish(&r, show);
    assert_identity(&r, "a@b.c");
    issuer_write_list(&root, &alice, 3600, "list.pem");
    rig_establish(&r, show); /* nobody has read it yet */
    assert_true(tls_ctx_reload(r.ctx, &why));
    rig_talk(&r); /* who is in stays in */
    expect_refusal(&r, show, SSL_AD_CERTIFICATE_REVOKED, "client's certificate is revoked");
    expect_refusal(&r, show_tls12, SSL_AD_CERTIFICATE_REVOKED, "client's certificate is revoked");
    issuer_write_list(&root, NULL, -60, "list.pem");
    assert_true(tls_ctx_reload(r.ctx, &why));
    expect_refusal(&r, show, SSL_AD_CERTIFICATE_UNKNOWN,
                   "the authority's revocation list has expired");
    issuer_write_list(&other, NULL, 3600, "list.pem");
    assert_true(tls_ctx_reload(r.ctx, &why));
    expect_refusal(&r, show, SSL_AD_CERTIFICATE_UNKNOWN, "no revocation list of the authority");
    rig_close(&r);
    issuer_free(&alice);
    issuer_free(&other);
}

static void test_reload(void **state)
{
    struct issuer alice = issuer_make(&root, &(struct issuer_wish){ .names = "email:a@b.c" });
    struct issuer other = issuer_root("other");
    struct hand h = hand_of(4);
    struct rig_config config = asking(&h);
    uint8_t text[256];
    struct buf why = { text, 0, sizeof(text) };
    struct rig r;

    (void)state;
    shown = &alice;
    open_rig(&r, &config);
    rig_connect(&r, show);
    assert_false(rig_handshake(&r));
    issuer_write(&other, "root.pem");
    assert_true(tls_ctx_reload(r.ctx, &why));
    hand_work(&h); /* by the authorities that it began with */
    assert_true(rig_handshake(&r));
    assert_identity(&r, "a@b.c");
    rig_connect(&r, show);
    assert_false(rig_handshake(&r));
    hand_work(&h);
    assert_false(rig_handshake(&r));
    assert_int_equal(tls_conn_error(r.conn)->alert, SSL_AD_UNKNOWN_CA);
    rig_write_file(rig_path("root.pem"), "nothing");
    assert_false(tls_ctx_reload(r.ctx, &why));
    assert_non_null(memmem(text, why.len, "holds no PEM certificate", 24));
    rig_close(&r);
    issuer_free(&alice);
    issuer_free(&other);
}

static void test_no_room(void **state)
{
    struct issuer alice = issuer_make(&root, &(struct issuer_wish){ .names = "email:a@b.c" });
    struct hand h = hand_of(0);
    struct rig_config config = asking(&h);
    struct rig r;

    (void)state;
    shown = &alice;
    open_rig(&r, &config);
    rig_connect(&r, show);
    assert_false(rig_handshake(&r));
    assert_int_equal(r.outcome, TLS_WANT_TURN);
    assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_TURN);
    h.room = 1;
    assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_SIGNATURE);
    hand_work(&h);
    assert_true(rig_handshake(&r));
    rig_close(&r);
    issuer_free(&alice);
}

static void test_gone(void **state)
{
    struct issuer alice = issuer_make(&root, &(struct issuer_wish){ .names = "email:a@b.c" });
    struct hand h = hand_of(4);
    struct rig_config config = asking(&h);
    struct rig r;

    (void)state;
    shown = &alice;
    config.connections = 2;
    open_rig(&r, &config);
    rig_connect(&r, show);
    assert_false(rig_handshake(&r));
    rig_disconnect(&r); /* while the helper is at it */
    rig_connect(&r, show);
    assert_false(rig_handshake(&r));
    assert_int_equal(h.count, 2);
    hand_work(&h); /* the orphan: nobody is told */
    assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_SIGNATURE);
    hand_work(&h);
    r.outcome = TLS_WANT_SIGNATURE;
    assert_true(rig_handshake(&r));
    rig_close(&r); /* the pools are whole */
    issuer_free(&alice);
}

static bool is_resumed(struct rig *r, void (*setup)(SSL *))
{
    struct tls_info info;

    rig_establish(r, setup);
    tls_conn_info(r->conn, &info);
    return info.resumed;
}

/* A ticket is for who has shown nothing, and only where as much is asked. */
static void test_tickets(void **state)
{
    struct issuer alice = issuer_make(&root, &(struct issuer_wish){ .names = "email:a@b.c" });
    struct rig_config config = asking(NULL);
    SSL_SESSION *kept;
    struct rig r;

    (void)state;
    rig_write_file(rig_path("tickets"),
                   "0 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
    config.ticket_keys_path = rig_path("tickets");
    for (unsigned i = 0; i < 2; i++) {
        config.clients = TLS_CLIENTS_ASK;
        open_rig(&r, &config);
        shown = &alice;
        rig_establish(&r, shows[i]);
        rig_talk(&r);
        assert_null(r.session);
        shown = NULL;
        rig_establish(&r, shows[i]);
        rig_talk(&r);
        assert_non_null(r.session);
        kept = to_resume = r.session;
        SSL_SESSION_up_ref(kept);
        assert_true(is_resumed(&r, shows[i]));
        rig_close(&r);
        /* Nor does it get past another gateway's demand, which shares the keys. */
        config.clients = TLS_CLIENTS_REQUIRE;
        open_rig(&r, &config);
        rig_connect(&r, shows[i]);
        assert_false(rig_handshake(&r));
        assert_int_equal(r.outcome, TLS_FAILED);
        shown = &alice;
        assert_false(is_resumed(&r, shows[i]));
        rig_close(&r);
        to_resume = NULL;
        SSL_SESSION_free(kept);
    }
    issuer_free(&alice);
}

static int make_root(void **state)
{
    (void)state;
    root = issuer_root("root");
    return 0;
}

static int free_root(void **state)
{
    (void)state;
    issuer_free(&root);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),     cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_hinted),   cmocka_unit_test(test_required),
        cmocka_unit_test(test_bad),      cmocka_unit_test(test_chain),
        cmocka_unit_test(test_dear_key), cmocka_unit_test(test_lists),
        cmocka_unit_test(test_reload),   cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_gone),     cmocka_unit_test(test_tickets),
    };

    rig_boringssl_records = argc > 1 && strcmp(argv[1], "boringssl") == 0;
    return cmocka_run_group_tests(tests, make_root, free_root);
}
