/* tls/tls_sign.c: RSA signatures by helpers that the test plays itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "base/limits.h"
#include "hand.h"
#include "rig.h"

static struct rig_config config_of(struct hand *h)
{
    return (struct rig_config){ .rsa_only = true, .jobs = &h->queue, .connections = 16 };
}

static void use_tls12(SSL *client)
{
    assert_true(SSL_set_max_proto_version(client, TLS1_2_VERSION));
}

static void one_signature(void (*setup)(SSL *))
{
    struct hand h = hand_of(1);
    struct rig_config config = config_of(&h);
    struct stream *lower;
    struct rig r;

    rig_open(&r, &config);
    rig_connect(&r, setup);
    assert_false(rig_handshake(&r));
    assert_int_equal(r.outcome, TLS_WANT_SIGNATURE);
    assert_int_equal(h.count, 1);
    assert_false(tls_conn_handshake_is_dear(r.conn));
    /* Asked again before it is done: the same answer, no second job. */
    assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_SIGNATURE);
    assert_int_equal(h.count, 1);
    lower = mem_stream_end(r.wire, 0);
    if (list_linked(&lower->ready_link))
        list_remove(&lower->ready_link);
    hand_work(&h);
    assert_true(list_linked(&lower->ready_link)); /* to be run again */
    assert_true(rig_handshake(&r));
    assert_int_equal(h.count, 0);
    rig_close(&r);
}

static void test_off_the_loop(void **state)
{
    (void)state;
    one_signature(NULL);
    one_signature(use_tls12);
}

static void test_inline_without_helpers(void **state)
{
    static const struct rig_config rsa = { .rsa_only = true };
    struct rig r;

    (void)state;
    rig_open(&r, &rsa);
    rig_establish(&r, NULL);
    rig_establish(&r, use_tls12);
    rig_close(&r);
}

static void test_ecdsa_needs_no_helper(void **state)
{
    struct hand h = hand_of(0);
    struct rig_config config = { .both = true, .jobs = &h.queue };
    struct rig r;

    (void)state;
    rig_open(&r, &config);
    rig_establish(&r, NULL);
    assert_int_equal(h.refused, 0);
    rig_close(&r);
}

static void test_connection_gone(void **state)
{
    struct hand h = hand_of(4);
    struct rig_config config = config_of(&h);
    struct rig r;

    (void)state;
    rig_open(&r, &config);
    rig_connect(&r, NULL);
    rig_handshake(&r);
    assert_int_equal(h.count, 1);
    rig_disconnect(&r);    /* the wire, too, is gone */
    rig_connect(&r, NULL); /* the same slot of the pool, another signature */
    rig_handshake(&r);
    assert_int_equal(h.count, 2);
    hand_work(&h); /* the orphan: nobody is told */
    assert_int_equal(tls_conn_handshake(r.conn), TLS_WANT_SIGNATURE);
    hand_work(&h);
    r.outcome = TLS_WANT_SIGNATURE;
    assert_true(rig_handshake(&r));
    rig_close(&r); /* the pools are whole */
}

/* --- Several connections --------------------------------------------------------------------- */

#define SEVERAL 8
#define CROWD   (LIMIT_TLS_SIGNATURES + SEVERAL)

struct several {
    struct rig r;
    unsigned count;
    struct mem_pair *wires[CROWD];
    struct tls_conn *conns[CROWD];
    uint8_t hello[4096];
    uint32_t hello_len;
};

static void add(struct several *s)
{
    unsigned i = s->count++;

    s->wires[i] = mem_stream_create(&s->r.wire_config);
    s->conns[i] = tls_conn_open(s->r.worker, mem_stream_end(s->wires[i], 0));
    assert_non_null(s->conns[i]);
    mem_stream_end(s->wires[i], 0)->owner = s->conns[i];
    assert_int_equal(stream_write(mem_stream_end(s->wires[i], 1), span_of(s->hello, s->hello_len)),
                     s->hello_len);
}

static void take_hello(struct several *s, void (*setup)(SSL *))
{
    rig_connect(&s->r, NULL);
    s->hello_len = rig_record_hello(&s->r, setup, s->hello, sizeof(s->hello));
    rig_disconnect(&s->r);
}

static void open_several(struct several *s, const struct rig_config *config)
{
    s->count = 0;
    rig_open(&s->r, config);
    take_hello(s, NULL);
    for (unsigned i = 0; i < SEVERAL; i++)
        add(s);
}

static void drop(struct several *s, unsigned i)
{
    tls_conn_detach(s->conns[i]);
    s->conns[i] = NULL;
    mem_stream_destroy(s->wires[i]);
    s->wires[i] = NULL;
}

static void close_several(struct several *s)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->conns[i] != NULL)
            drop(s, i);
    rig_close(&s->r);
}

/* One turn of the loop: what is on the ready list now is stepped once. */
static void turn(struct several *s)
{
    struct list now;
    struct list_node *n;

    list_init(&now);
    while ((n = list_pop(&s->r.ready)) != NULL)
        list_append(&now, n);
    while ((n = list_pop(&now)) != NULL) {
        struct stream *lower = LIST_ENTRY(n, struct stream, ready_link);

        if (lower->owner != NULL)
            tls_conn_handshake(lower->owner);
    }
}

static unsigned answered(const struct several *s)
{
    unsigned count = 0;

    for (unsigned i = 0; i < s->count; i++)
        count +=
            s->wires[i] != NULL && (mem_stream_end(s->wires[i], 1)->ready & STREAM_READABLE) != 0;
    return count;
}

/* Room for two: the others wait in order, and none is signed on the loop. */
static void test_queue_is_full(void **state)
{
    struct hand h = hand_of(2);
    struct rig_config config = config_of(&h);
    struct several s;

    (void)state;
    open_several(&s, &config);
    turn(&s);
    assert_int_equal(h.count, 2);
    assert_int_equal(answered(&s), 0);
    turn(&s);
    assert_true(list_empty(&s.r.ready)); /* nobody spins while two are out */
    for (unsigned done = 1; done <= SEVERAL; done++) {
        hand_work(&h);
        turn(&s);
        assert_int_equal(answered(&s), done);
    }
    assert_int_equal(h.count, 0);
    close_several(&s);
}

/* Others fill the helpers' queue, none of ours is out: one asks each turn, the rest sleep. */
static void test_queue_is_full_of_others(void **state)
{
    struct hand h = hand_of(0);
    struct rig_config config = config_of(&h);
    struct several s;

    (void)state;
    open_several(&s, &config);
    turn(&s);
    assert_int_equal(h.count, 0);
    for (unsigned i = 0; i < 5; i++) {
        unsigned before = h.refused;

        turn(&s);
        assert_int_equal(h.refused, before + 1);
    }
    h.room = SEVERAL;
    for (unsigned i = 0; i < SEVERAL; i++)
        turn(&s);
    assert_int_equal(h.count, SEVERAL); /* all went as room was there */
    while (h.count > 0)
        hand_work(&h);
    turn(&s);
    assert_int_equal(answered(&s), SEVERAL);
    close_several(&s);
}

/* Who asks for all others goes away: the next one asks. */
static void test_caller_goes_away(void **state)
{
    struct hand h = hand_of(0);
    struct rig_config config = config_of(&h);
    struct several s;
    unsigned before;

    (void)state;
    open_several(&s, &config);
    turn(&s);
    for (unsigned i = 0; i + 1 < SEVERAL; i++) {
        drop(&s, i);
        before = h.refused;
        turn(&s);
        assert_int_equal(h.refused, before + 1);
    }
    h.room = 1;
    turn(&s);
    hand_work(&h);
    turn(&s);
    assert_int_equal(answered(&s), 1);
    close_several(&s);
}

/* Dropped while waiting, and while a helper has it: what is left goes on. */
static void test_drop_in_every_place(void **state)
{
    struct hand h = hand_of(2);
    struct rig_config config = config_of(&h);

    (void)state;
    for (unsigned victim = 0; victim < SEVERAL; victim++) {
        struct several s;

        open_several(&s, &config);
        turn(&s);
        drop(&s, victim);
        for (unsigned i = 0; i < 2 * SEVERAL && h.count > 0; i++) {
            hand_work(&h);
            turn(&s);
        }
        assert_int_equal(answered(&s), SEVERAL - 1);
        close_several(&s);
    }
}

static void use_ecdsa_or_rsa(SSL *client)
{
    static const uint16_t x25519[] = { SSL_GROUP_X25519 };

    assert_true(SSL_set1_group_ids(client, x25519, 1));
}

static void use_rsa(SSL *client)
{
    static const uint16_t prefs[] = { SSL_SIGN_RSA_PSS_RSAE_SHA256 };

    use_ecdsa_or_rsa(client);
    assert_true(SSL_set_verify_algorithm_prefs(client, prefs, 1));
}

/* All objects for signatures are out: handshakes wait before their hello is read, also those that
 * turn out to need none, and nobody is forgotten. */
static void test_crowd(void **state)
{
    static struct several s;
    struct hand h = hand_of(0);
    struct rig_config config = { .both = true, .jobs = &h.queue, .connections = CROWD };

    (void)state;
    s.count = 0;
    rig_open(&s.r, &config);
    take_hello(&s, use_rsa);
    while (s.count < LIMIT_TLS_SIGNATURES)
        add(&s);
    take_hello(&s, use_ecdsa_or_rsa);
    while (s.count < CROWD)
        add(&s);
    turn(&s);
    turn(&s);
    assert_int_equal(answered(&s), 0);
    assert_true(tls_conn_handshake_is_dear(s.conns[CROWD - 1]));
    h.room = HAND_ROOM_MAX;
    for (unsigned i = 0; i < 2 * CROWD && answered(&s) < CROWD; i++) {
        turn(&s);
        while (h.count > 0)
            hand_work(&h);
    }
    assert_int_equal(answered(&s), CROWD);
    close_several(&s);
}

/* The one who is to ask for all turns out to need no signature: the next one asks. */
static void test_caller_needs_none(void **state)
{
    static struct several s;
    struct hand h = hand_of(0);
    struct rig_config config = { .both = true, .jobs = &h.queue, .connections = CROWD };

    (void)state;
    s.count = 0;
    rig_open(&s.r, &config);
    take_hello(&s, use_rsa);
    while (s.count < LIMIT_TLS_SIGNATURES)
        add(&s);
    take_hello(&s, use_ecdsa_or_rsa);
    add(&s);
    take_hello(&s, use_rsa);
    add(&s);
    turn(&s);
    for (unsigned i = 0; i < LIMIT_TLS_SIGNATURES; i++)
        drop(&s, i);
    h.room = 1;
    turn(&s);
    assert_int_equal(answered(&s), 1);
    turn(&s);
    assert_int_equal(h.count, 1);
    hand_work(&h);
    turn(&s);
    assert_int_equal(answered(&s), 2);
    close_several(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off_the_loop),
        cmocka_unit_test(test_inline_without_helpers),
        cmocka_unit_test(test_ecdsa_needs_no_helper),
        cmocka_unit_test(test_connection_gone),
        cmocka_unit_test(test_queue_is_full),
        cmocka_unit_test(test_queue_is_full_of_others),
        cmocka_unit_test(test_caller_goes_away),
        cmocka_unit_test(test_drop_in_every_place),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_caller_needs_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
