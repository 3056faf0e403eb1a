/*
 * Whatever can fail, failed once for each n-th time: BoringSSL's allocations (its weak hooks are
 * defined here) and the segments of the lower stream. Held: a named outcome, an empty error queue,
 * no leak, and with segments no lost byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/mem.h>

#include "lib/fault.h"
#include "rig.h"

/* --- BoringSSL's memory ---------------------------------------------------------------------- */

#define HEADER 16

static struct fault memory;
static bool armed; /* only while code of ours runs: the client's memory is never short */
static long live;

void *OPENSSL_memory_alloc(size_t size);
void OPENSSL_memory_free(void *p);
size_t OPENSSL_memory_get_size(void *p);

void *OPENSSL_memory_alloc(size_t size)
{
    uint8_t *p;

    if (armed && fault_now(&memory))
        return NULL;
    p = malloc(size + HEADER);
    if (p == NULL)
        return NULL;
    live++;
    memcpy(p, &size, sizeof(size));
    return p + HEADER;
}

void OPENSSL_memory_free(void *p)
{
    if (p == NULL)
        return;
    live--;
    free((uint8_t *)p - HEADER);
}

size_t OPENSSL_memory_get_size(void *p)
{
    size_t size = 0;

    if (p != NULL)
        memcpy(&size, (uint8_t *)p - HEADER, sizeof(size));
    return size;
}

static struct rig *current;

static void resume(SSL *client)
{
    assert_true(SSL_set_session(client, current->session));
}

static void use_tls12(SSL *client)
{
    assert_true(SSL_set_max_proto_version(client, TLS1_2_VERSION));
}

static void resume_tls12(SSL *client)
{
    use_tls12(client);
    resume(client);
}

/* As rig_handshake, with our memory short. */
static void handshake_in_need(struct rig *r)
{
    bool moving = true;

    while (moving) {
        ERR_clear_error();
        r->client_done = r->client_done || SSL_do_handshake(r->client) == 1;
        ERR_clear_error();
        moving = rig_move(r) > 0;
        armed = true;
        if (r->outcome == TLS_WANT_INPUT)
            r->outcome = tls_conn_handshake(r->conn);
        armed = false;
        assert_int_equal(ERR_peek_error(), 0);
        moving |= rig_move(r) > 0;
    }
}

static void talk_in_need(struct rig *r)
{
    struct stream *s = tls_conn_stream(r->conn);
    char text[64];

    if (SSL_write(r->client, "NOOP\r\n", 6) != 6)
        return;
    while (rig_move(r) > 0) {
    }
    armed = true;
    rig_server_read(r, text, sizeof(text));
    stream_write(s, SPAN_LITERAL("250 Ok\r\n"));
    s->ops->shutdown(s);
    armed = false;
    assert_int_equal(ERR_peek_error(), 0);
}

/* One connection whose n-th allocation fails; false: it needs fewer. */
static bool nth_allocation(struct rig *r, void (*setup)(SSL *), uint64_t n, unsigned *failed)
{
    long before;

    rig_disconnect(r);
    before = live;
    fault_set(&memory, 0, 0);
    rig_connect(r, setup);
    tls_conn_detach(r->conn);
    fault_set(&memory, n, 1);
    armed = true;
    r->conn = tls_conn_open(r->worker, mem_stream_end(r->wire, 0));
    armed = false;
    assert_int_equal(ERR_peek_error(), 0);
    if (r->conn != NULL) {
        handshake_in_need(r);
        if (r->outcome == TLS_DONE && r->client_done)
            talk_in_need(r);
        if (r->outcome == TLS_FAILED) {
            assert_int_not_equal(tls_conn_error(r->conn)->fault, TLS_FAULT_NONE);
            assert_non_null(tls_conn_error(r->conn)->reason);
        }
    }
    *failed += r->conn == NULL || r->outcome == TLS_FAILED;
    rig_disconnect(r);
    assert_int_equal(live, before);
    return memory.hit;
}

static void every_allocation(void (*setup)(SSL *), void (*again)(SSL *))
{
    static const struct rig_config both = { .both = true };
    unsigned failed = 0;
    uint64_t n = 1;
    struct rig r;
    char text[8];

    current = &r;
    rig_open(&r, &both);
    rig_establish(&r, setup); /* what is made once a key is made by now */
    if (again != NULL) {
        rig_server_send(&r, "x");
        assert_int_equal(rig_client_read(&r, text, sizeof(text)), 1);
        assert_non_null(r.session);
    }
    SSL_CTX_sess_set_new_cb(r.client_ctx, NULL); /* no more sessions: they would count as leaks */
    while (nth_allocation(&r, again != NULL ? again : setup, n, &failed))
        n++;
    assert_true(n > 20); /* it did go through the hooks */
    assert_true(failed > n / 4);
    rig_close(&r);
}

static void use_rsa(SSL *client)
{
    static const uint16_t prefs[] = { SSL_SIGN_RSA_PSS_RSAE_SHA256 };

    assert_true(SSL_set_verify_algorithm_prefs(client, prefs, 1));
}

static void test_memory(void **state)
{
    (void)state;
    every_allocation(NULL, NULL);
    every_allocation(use_tls12, NULL);
    every_allocation(use_rsa, NULL);
    every_allocation(NULL, resume);
    every_allocation(use_tls12, resume_tls12);
}

/* --- Segments -------------------------------------------------------------------------------- */

static void nth_segment(struct rig *r, struct fault_pool *pool, uint64_t n, uint64_t count)
{
    struct stream *s;
    uint32_t sent = 0;
    char text[64];

    rig_disconnect(r);
    r->wire_config.pool[0] = &pool->pool;
    rig_connect(r, NULL);
    fault_set(&pool->fault, n, count);
    for (unsigned i = 0; i < count + 1 && !rig_handshake(r); i++) {
        assert_int_equal(r->outcome, TLS_WANT_OUTPUT);
    }
    assert_int_equal(r->outcome, TLS_DONE);
    assert_true(r->client_done);
    s = tls_conn_stream(r->conn);
    while (sent < 30) {
        sent += stream_write(s, span_of(&"220 mail.example.org ESMTP ok\n"[sent], 30 - sent));
        rig_move(r);
    }
    s->ops->shutdown(s);
    for (uint64_t i = 0; i < count + 2; i++)
        while (rig_move(r) > 0) {
        }
    assert_int_equal(rig_client_read(r, text, sizeof(text)), 30);
    assert_string_equal(text, "220 mail.example.org ESMTP ok\n");
    assert_int_equal(rig_client_read(r, text, sizeof(text)), 0);
    assert_int_equal(r->client_error, SSL_ERROR_ZERO_RETURN);
    rig_disconnect(r);
}

static void test_segments(void **state)
{
    static const struct rig_config ecdsa = { .connections = 1 };
    struct fault_pool pool;
    struct rig r;

    (void)state;
    rig_open(&r, &ecdsa);
    fault_pool_init(&pool, r.pool);
    for (uint64_t count = 1; count < 4; count++) {
        uint64_t n = 1;

        do {
            nth_segment(&r, &pool, n++, count);
        } while (pool.fault.hit);
        assert_true(n > 5);
    }
    rig_close(&r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_segments),
    };

    rig_boringssl_records = argc > 1 && strcmp(argv[1], "boringssl") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
