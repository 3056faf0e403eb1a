/* A connection's way into TLS and out of it: a turn's budgets, STARTTLS, records that are broken.
 */
#include "lib/unit.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <string.h>

#include "conn_rig.h"
#include "unit/tls/rig.h"

#include "base/limits.h"

#define CLIENTS 8
#define HELPED  LIMIT_HINTS_PER_HANDSHAKE /* a turn of the rig makes one handshake itself */

static struct conn_rig rig;
static struct rig certs; /* its context is the listener's, its client context the clients' */

struct client {
    struct conn_rig_client *c;
    SSL *ssl;
};

static struct client clients[CLIENTS];
static unsigned client_count;

static int begin_with(bool starttls)
{
    static const struct rig_config config = { .connections = 1 };

    rig_open(&certs, &config);
    conn_rig_open(&rig, certs.ctx, starttls);
    client_count = 0;
    return 0;
}

static int begin(void **state)
{
    (void)state;
    return begin_with(false);
}

static int begin_starttls(void **state)
{
    (void)state;
    return begin_with(true);
}

static int end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < client_count; i++)
        SSL_free(clients[i].ssl);
    ERR_clear_error();
    conn_rig_close(&rig);
    rig_close(&certs);
    return 0;
}

/* A client whose ClientHello is on the wire; no turn of the loop was made. */
static struct client *say_hello(struct conn_rig_client *c, void (*setup)(SSL *))
{
    struct client *k = &clients[client_count++];
    uint8_t hello[LIMIT_READ_BYTES];
    uint32_t n = rig_record_hello(&certs, setup, hello, sizeof(hello));

    *k = (struct client){ .c = c, .ssl = certs.client };
    certs.client = NULL;
    assert_int_equal(stream_write(c->end, span_of(hello, n)), n);
    return k;
}

static struct client *come(void (*setup)(SSL *))
{
    return say_hello(conn_rig_connect(&rig, 0), setup);
}

/* So many at once. */
static void come_together(unsigned count, void (*setup)(SSL *))
{
    struct conn_rig_client *c[CLIENTS];

    for (unsigned i = 0; i < count; i++)
        c[i] = conn_rig_connect(&rig, 0);
    for (unsigned i = 0; i < count; i++)
        say_hello(c[i], setup);
}

/* What came goes into the client, and what it has to say onto the wire. */
static void move(struct client *k)
{
    BIO *out = SSL_get_wbio(k->ssl);
    const uint8_t *bytes;
    size_t len;

    if (k->c->len > 0)
        assert_int_equal(BIO_write(SSL_get_rbio(k->ssl), k->c->text, (int)k->c->len),
                         (int)k->c->len);
    k->c->len = 0;
    if (!SSL_in_init(k->ssl) || SSL_do_handshake(k->ssl) == 1)
        ERR_clear_error();
    while (BIO_mem_contents(out, &bytes, &len) && len > 0) {
        uint8_t copy[LIMIT_READ_BYTES];
        int n = BIO_read(out, copy, sizeof(copy));

        conn_rig_send(&rig, k->c, copy, (uint32_t)n);
    }
    ERR_clear_error();
}

/* To the end of the handshake, which must be well. */
static void agree(struct client *k)
{
    for (int flights = 0; flights < 4; flights++) {
        conn_rig_settle(&rig);
        move(k);
    }
    assert_false(SSL_in_init(k->ssl));
}

static void hear(struct client *k, const char *want)
{
    char text[2048];
    int n;

    move(k);
    n = SSL_read(k->ssl, text, sizeof(text) - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, want));
}

static unsigned served(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < client_count; i++) {
        struct stream *s = clients[i].c->end;
        struct span run;

        n += s->ops->peek(s, &run, 1) > 0;
    }
    return n;
}

/* Of those that come at once, a turn serves one itself, gives some to helpers, and lets the others
 * wait for turns of theirs. */
static void a_turn_has_a_budget(void **state)
{
    (void)state;
    rig.jobs.idle = true;
    come_together(CLIENTS, NULL);
    conn_rig_turn(&rig);
    assert_int_equal(served(), 1);
    assert_int_equal(rig.jobs.count, HELPED);
    for (unsigned turns = 1; turns <= CLIENTS - 1 - HELPED; turns++) {
        assert_true(conns_next_ns(rig.conns) == rig.clock.now_ns); /* no sleep while they wait */
        conn_rig_turn(&rig);
        assert_int_equal(served(), 1 + turns);
    }
    assert_true(conns_next_ns(rig.conns) > rig.clock.now_ns);
    assert_int_equal(rig.jobs.count, HELPED);
    conn_rig_work(&rig);
    conn_rig_turn(&rig);
    assert_int_equal(served(), CLIENTS);
    assert_int_equal(conn_rig_count(&rig, COUNTER_TLS_HINTS), HELPED);
    for (unsigned i = 0; i < CLIENTS; i++)
        agree(&clients[i]);
    hear(&clients[CLIENTS - 1], "220 mx.example.org");
}

/* Helpers without room: all get their turn. */
static void the_helpers_queue_is_full(void **state)
{
    (void)state;
    rig.jobs.idle = true;
    rig.jobs.most = 1;
    come_together(CLIENTS, NULL);
    conn_rig_settle(&rig);
    assert_int_equal(rig.jobs.count, 1);
    conn_rig_work(&rig);
    for (unsigned i = 0; i < CLIENTS; i++)
        agree(&clients[i]);
    assert_int_equal(conn_rig_count(&rig, COUNTER_TLS_HANDSHAKES), CLIENTS);
}

/* Longer than what helpers take. */
static void pad(SSL *client)
{
    static uint8_t protocols[LIMIT_TLS_HINT_HELLO_BYTES];

    protocols[0] = 4;
    memcpy(protocols + 1, "smtp", 4);
    for (unsigned i = 5; i + 1 < sizeof(protocols); i += 2) {
        protocols[i] = 1;
        protocols[i + 1] = 'x';
    }
    SSL_set_alpn_protos(client, protocols, sizeof(protocols) - 1);
}

static void long_hellos_wait_for_their_turn(void **state)
{
    (void)state;
    come_together(CLIENTS, pad);
    for (unsigned turns = 1; turns <= CLIENTS; turns++) {
        conn_rig_turn(&rig);
        assert_int_equal(served(), turns);
    }
    assert_int_equal(rig.jobs.count, 0);
    for (unsigned i = 0; i < CLIENTS; i++)
        agree(&clients[i]);
}

/* Offers a group of ours, and brings a share of another one: HelloRetryRequest. */
static void use_retry(SSL *client)
{
    static const uint16_t groups[] = { SSL_GROUP_SECP384R1, SSL_GROUP_SECP256R1 };

    assert_true(SSL_set1_group_ids(client, groups, 2));
}

static void asked_for_another_share(void **state)
{
    (void)state;
    come_together(CLIENTS, use_retry);
    conn_rig_settle(&rig);
    for (unsigned i = 0; i < CLIENTS; i++)
        agree(&clients[i]);
    assert_true(SSL_used_hello_retry_request(clients[0].ssl));
    hear(&clients[0], "220 mx.example.org");
}

static void gone_while_a_helper_works(void **state)
{
    (void)state;
    rig.jobs.idle = true;
    come_together(1 + HELPED, NULL);
    conn_rig_turn(&rig);
    assert_int_equal(rig.jobs.count, HELPED);
    for (unsigned i = 0; i < client_count; i++)
        mem_stream_break(clients[i].c->wire);
    conn_rig_settle(&rig);
    assert_int_equal(conns_count(rig.conns), 0);
    conn_rig_work(&rig);
    conn_rig_settle(&rig);
    assert_int_equal(conn_rig_count(&rig, COUNTER_TLS_HANDSHAKES), 0);
}

static void who_says_no_hello_is_cut(void **state)
{
    (void)state;
    conn_rig_connect(&rig, 0);
    conn_rig_pass(&rig, 32);
    assert_int_equal(conns_count(rig.conns), 0);
    assert_int_equal(conn_rig_count(&rig, COUNTER_CONN_TIMEOUTS), 1);
    assert_true(conn_rig_logged(&rig, "result=\"handshake timed out\""));
}

/* The peer learns what was wrong, by an alert that no reset eats; and so does the log. */
static void a_broken_record(void **state)
{
    struct client *k = come(NULL);
    uint8_t record[256];
    char text[16];
    int n;

    (void)state;
    agree(k);
    hear(k, "220 mx.example.org");
    assert_int_equal(SSL_write(k->ssl, "NOOP\r\n", 6), 6);
    n = BIO_read(SSL_get_wbio(k->ssl), record, sizeof(record));
    record[n - 1] ^= 1;
    conn_rig_send(&rig, k->c, record, (uint32_t)n);
    assert_int_equal(k->c->end->ready & STREAM_FAILED, 0);
    move(k);
    assert_true(SSL_read(k->ssl, text, sizeof(text)) <= 0);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
    ERR_clear_error();
    conn_rig_pass(&rig, CONN_RIG_LINGER_S + 1);
    assert_int_equal(conns_count(rig.conns), 0);
    assert_true(conn_rig_logged(&rig, "result=\"record does not decrypt\""));
}

static void name_the_server(SSL *client)
{
    assert_true(SSL_set_tlsext_host_name(client, "mail.example.org"));
}

static void the_log_has_the_name_asked_for(void **state)
{
    struct client *k = come(name_the_server);

    (void)state;
    agree(k);
    mem_stream_break(k->c->wire);
    conn_rig_settle(&rig);
    assert_true(conn_rig_logged(&rig, "sni=mail.example.org"));
    assert_true(conn_rig_logged(&rig, "result=\"connection lost\""));
}

/* --- STARTTLS -------------------------------------------------------------------------------- */

static void starttls(void **state)
{
    struct conn_rig_client *c = conn_rig_connect(&rig, 0);
    struct client *k;

    (void)state;
    conn_rig_say(&rig, c, "EHLO a.example\r\nSTARTTLS\r\n");
    assert_non_null(strstr(c->text, "\r\n220 2.0.0 "));
    conn_rig_heard(c, "220 mx.example.org*");
    k = say_hello(c, NULL);
    agree(k);
    SSL_write(k->ssl, "EHLO a.example\r\n", 16);
    move(k);
    hear(k, "250-AUTH");
}

static void no_connection_is_left_for_starttls(void **state)
{
    const struct mem_stream_config config = { .pool = { rig.segs, rig.segs },
                                              .ready = { &rig.client_ready, &rig.client_ready } };
    struct mem_pair *wire = mem_stream_create(&config);
    struct conn_rig_client *c = conn_rig_connect(&rig, 0);
    struct tls_conn *taken[CONN_RIG_CONNECTIONS];

    (void)state;
    for (unsigned i = 0; i < CONN_RIG_CONNECTIONS; i++)
        taken[i] = tls_conn_open(rig.tls, mem_stream_end(wire, 0));
    conn_rig_say(&rig, c, "EHLO a.example\r\nSTARTTLS\r\n");
    assert_non_null(strstr(c->text, "\r\n454 4.7.0 "));
    conn_rig_heard(c, "220 mx.example.org*");
    for (unsigned i = 0; i < CONN_RIG_CONNECTIONS; i++)
        tls_conn_detach(taken[i]);
    conn_rig_say(&rig, c, "STARTTLS\r\n");
    conn_rig_heard(c, "220 2.0.0 *");
    agree(say_hello(c, NULL));
    mem_stream_destroy(wire);
}

/* In the midst of STARTTLS there is nobody to say 421 to. */
static void drain_in_a_handshake(void **state)
{
    struct conn_rig_client *c = conn_rig_connect(&rig, 0);

    (void)state;
    conn_rig_say(&rig, c, "EHLO a.example\r\nSTARTTLS\r\n");
    conn_rig_heard(c, "220 mx.example.org*");
    conns_drain(rig.conns);
    assert_int_equal(conns_count(rig.conns), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_turn_has_a_budget, begin, end),
        cmocka_unit_test_setup_teardown(the_helpers_queue_is_full, begin, end),
        cmocka_unit_test_setup_teardown(long_hellos_wait_for_their_turn, begin, end),
        cmocka_unit_test_setup_teardown(asked_for_another_share, begin, end),
        cmocka_unit_test_setup_teardown(gone_while_a_helper_works, begin, end),
        cmocka_unit_test_setup_teardown(who_says_no_hello_is_cut, begin, end),
        cmocka_unit_test_setup_teardown(a_broken_record, begin, end),
        cmocka_unit_test_setup_teardown(the_log_has_the_name_asked_for, begin, end),
        cmocka_unit_test_setup_teardown(starttls, begin_starttls, end),
        cmocka_unit_test_setup_teardown(no_connection_is_left_for_starttls, begin_starttls, end),
        cmocka_unit_test_setup_teardown(drain_in_a_handshake, begin_starttls, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
