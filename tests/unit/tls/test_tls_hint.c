/* tls/tls_hint.c: handshakes whose dear part a helper does, played by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "base/limits.h"
#include "hand.h"
#include "rig.h"

static struct rig *current;

static void use_tls12(SSL *client)
{
    assert_true(SSL_set_max_proto_version(client, TLS1_2_VERSION));
}

static void use_rsa(SSL *client)
{
    static const uint16_t prefs[] = { SSL_SIGN_RSA_PSS_RSAE_SHA256 };

    assert_true(SSL_set_verify_algorithm_prefs(client, prefs, 1));
}

static void use_ticket(SSL *client)
{
    assert_true(SSL_set_session(client, current->session));
}

/* Asks for a group that we want, and brings a share of another: a HelloRetryRequest. */
static void use_retry(SSL *client)
{
    static const uint16_t groups[] = { SSL_GROUP_SECP384R1, SSL_GROUP_SECP256R1 };

    assert_true(SSL_set1_group_ids(client, groups, 2));
}

static void use_nothing_shared(SSL *client)
{
    static const uint16_t groups[] = { SSL_GROUP_SECP384R1 };

    assert_true(SSL_set1_group_ids(client, groups, 1));
}

static void open_rig(struct rig *r, struct hand *h)
{
    struct rig_config config = { .both = true, .jobs = &h->queue, .connections = 4 };

    rig_open(r, &config);
    current = r;
}

/* The ClientHello is below, and there is no time for it. */
static enum tls_outcome begin(struct rig *r, void (*setup)(SSL *))
{
    rig_connect(r, setup);
    r->outcome = TLS_WANT_SIGNATURE; /* not for the rig to step */
    SSL_do_handshake(r->client);
    ERR_clear_error();
    while (rig_move(r) > 0) {
    }
    assert_true(tls_conn_handshake_is_dear(r->conn));
    return tls_conn_handshake_helped(r->conn);
}

static uint64_t hints(const struct rig *r)
{
    return counter_get(&r->counters, COUNTER_TLS_HINTS);
}

static void expect_helped(struct rig *r, struct hand *h, void (*setup)(SSL *))
{
    struct stream *lower;
    uint64_t before = hints(r);

    assert_int_equal(begin(r, setup), TLS_WANT_SIGNATURE);
    assert_int_equal(h->count, 1);
    assert_false(tls_conn_handshake_is_dear(r->conn));
    /* Asked again before it is done: the same answer, no second job. */
    assert_int_equal(tls_conn_handshake(r->conn), TLS_WANT_SIGNATURE);
    assert_int_equal(tls_conn_handshake_helped(r->conn), TLS_WANT_SIGNATURE);
    assert_int_equal(h->count, 1);
    lower = mem_stream_end(r->wire, 0);
    if (list_linked(&lower->ready_link))
        list_remove(&lower->ready_link);
    hand_work(h);
    assert_true(list_linked(&lower->ready_link)); /* to be run again */
    assert_false(tls_conn_handshake_is_dear(r->conn));
    assert_true(rig_handshake(r));
    assert_int_equal(h->count, 0); /* RSA too: nothing is left to sign */
    assert_int_equal(hints(r), before + 1);
}

static void test_helped(void **state)
{
    struct hand h = hand_of(1);
    struct rig r;
    char text[8];

    (void)state;
    open_rig(&r, &h);
    expect_helped(&r, &h, NULL);
    rig_server_send(&r, "x");
    assert_int_equal(rig_client_read(&r, text, sizeof(text)), 1);
    expect_helped(&r, &h, use_ticket);
    assert_true(SSL_session_reused(r.client));
    expect_helped(&r, &h, use_rsa);
    expect_helped(&r, &h, use_tls12);
    rig_close(&r);
}

/* The second ClientHello has no hint, and nobody is asked again. */
static void test_retry(void **state)
{
    struct hand h = hand_of(1);
    struct rig r;

    (void)state;
    open_rig(&r, &h);
    assert_int_equal(begin(&r, use_retry), TLS_WANT_SIGNATURE);
    hand_work(&h);
    r.outcome = tls_conn_handshake(r.conn);
    assert_int_equal(r.outcome, TLS_WANT_INPUT);
    r.outcome = TLS_WANT_SIGNATURE;
    while (rig_move(&r) > 0) {
    }
    SSL_do_handshake(r.client);
    ERR_clear_error();
    while (rig_move(&r) > 0) {
    }
    assert_true(SSL_used_hello_retry_request(r.client));
    assert_true(tls_conn_handshake_is_dear(r.conn));
    assert_int_equal(tls_conn_handshake_helped(r.conn), TLS_WANT_TURN);
    assert_true(rig_handshake(&r));
    rig_close(&r);
}

/* No helper has room: the connection keeps what it would ask, and asks again or goes alone. */
static void test_queue_full(void **state)
{
    struct hand h = hand_of(0);
    struct rig r;

    (void)state;
    open_rig(&r, &h);
    assert_int_equal(begin(&r, NULL), TLS_WANT_TURN);
    assert_true(tls_conn_handshake_is_dear(r.conn));
    assert_int_equal(tls_conn_handshake_helped(r.conn), TLS_WANT_TURN);
    assert_int_equal(h.refused, 2);
    h.room = 1;
    assert_int_equal(tls_conn_handshake_helped(r.conn), TLS_WANT_SIGNATURE);
    hand_work(&h);
    assert_true(rig_handshake(&r));
    assert_int_equal(hints(&r), 1);
    h.room = 0;
    assert_int_equal(begin(&r, NULL), TLS_WANT_TURN);
    assert_true(rig_handshake(&r)); /* its turn came */
    assert_int_equal(hints(&r), 1);
    rig_close(&r);
}

/* Too long for a helper: it waits for its turn, and is dear until then. */
static void use_long_hello(SSL *client)
{
    static uint8_t protocols[LIMIT_TLS_HINT_HELLO_BYTES];

    memcpy(protocols, "\4smtp", 5);
    for (unsigned i = 5; i + 1 < sizeof(protocols); i += 2)
        memcpy(protocols + i, "\1x", 2);
    SSL_set_alpn_protos(client, protocols, sizeof(protocols) - 1);
}

static void test_long_hello(void **state)
{
    struct hand h = hand_of(1);
    struct rig r;

    (void)state;
    open_rig(&r, &h);
    assert_int_equal(begin(&r, use_long_hello), TLS_WANT_TURN);
    assert_true(tls_conn_handshake_is_dear(r.conn));
    assert_int_equal(tls_conn_handshake_helped(r.conn), TLS_WANT_TURN);
    assert_int_equal(h.count, 0);
    assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_INPUT);
    assert_false(tls_conn_handshake_is_dear(r.conn));
    assert_true(rig_handshake(&r));
    rig_close(&r);
}

static void test_no_helpers(void **state)
{
    static const struct rig_config ecdsa = { .connections = 1 };
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    assert_int_equal(begin(&r, NULL), TLS_WANT_TURN);
    assert_true(rig_handshake(&r));
    rig_close(&r);
}

static void test_connection_gone(void **state)
{
    struct hand h = hand_of(4);
    struct rig r;

    (void)state;
    open_rig(&r, &h);
    begin(&r, NULL);
    rig_disconnect(&r); /* while a helper has it */
    begin(&r, NULL);
    assert_int_equal(h.count, 2);
    hand_work(&h); /* the orphan: nobody is told */
    assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_SIGNATURE);
    hand_work(&h);
    rig_disconnect(&r); /* when it is done */
    h.room = 0;
    begin(&r, NULL);
    rig_disconnect(&r); /* before it was posted */
    h.room = 1;
    begin(&r, NULL);
    mem_stream_break(r.wire);
    assert_int_equal(tls_conn_handshake(r.conn), TLS_FAILED);
    hand_work(&h);
    rig_close(&r);
}

/* The program stops: jobs come back as they went. */
static void test_job_that_never_ran(void **state)
{
    struct hand h = hand_of(1);
    struct rig r;

    (void)state;
    open_rig(&r, &h);
    begin(&r, NULL);
    h.jobs[0]->done(h.jobs[0]);
    assert_true(rig_handshake(&r));
    assert_int_equal(hints(&r), 0);
    rig_close(&r);
}

/* What cannot be served: the helper finds nothing, the connection's own step finds the words. */
static void test_refused(void **state)
{
    struct hand h = hand_of(1);
    struct rig r;

    (void)state;
    open_rig(&r, &h);
    assert_int_equal(begin(&r, use_nothing_shared), TLS_WANT_SIGNATURE);
    hand_work(&h);
    assert_int_equal(tls_conn_handshake(r.conn), TLS_FAILED);
    assert_string_equal(tls_conn_error(r.conn)->reason, "no shared group");
    assert_int_equal(hints(&r), 0);
    rig_close(&r);
}

/* Refused before it comes to that: no helper hears of it. */
static void test_malformed_hello(void **state)
{
    static const uint8_t record[] = { 22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3 };
    struct hand h = hand_of(1);
    struct rig r;

    (void)state;
    open_rig(&r, &h);
    rig_connect(&r, NULL);
    rig_client_raw(&r, record, sizeof(record));
    assert_true(tls_conn_handshake_is_dear(r.conn));
    assert_int_equal(tls_conn_handshake_helped(r.conn), TLS_FAILED);
    assert_int_equal(h.count, 0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_helped),
        cmocka_unit_test(test_retry),
        cmocka_unit_test(test_queue_full),
        cmocka_unit_test(test_long_hello),
        cmocka_unit_test(test_no_helpers),
        cmocka_unit_test(test_connection_gone),
        cmocka_unit_test(test_job_that_never_ran),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_malformed_hello),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
