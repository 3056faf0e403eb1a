/* tls/tls_ticket.c: keys that seal tickets, alone and through whole handshakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rig.h"
#include "tls/tls_ticket.h"

#define HOUR_MS 3600000ULL
#define START   1700000000000ULL

static const struct rig_config ecdsa = { .connections = 1 };

/* --- The keys alone -------------------------------------------------------------------------- */

struct ticket {
    uint8_t bytes[256];
    uint32_t len;
};

static struct ticket seal(struct tls_ticket_keys *keys, const char *text)
{
    struct ticket t;
    struct buf to = { t.bytes, 0, sizeof(t.bytes) };

    assert_true(tls_ticket_seal(keys, span_str(text), &to));
    t.len = to.len;
    assert_int_equal(t.len, strlen(text) + TLS_TICKET_OVERHEAD);
    return t;
}

static bool opens(struct tls_ticket_keys *keys, const struct ticket *t, const char *text)
{
    uint8_t bytes[256];
    struct buf to = { bytes, 0, sizeof(bytes) };
    bool ok = tls_ticket_open(keys, span_of(t->bytes, t->len), &to);

    if (ok)
        assert_true(span_equal(span_of(bytes, to.len), span_str(text)));
    else
        assert_int_equal(to.len, 0);
    return ok;
}

static void test_seal_and_open(void **state)
{
    struct tls_ticket_keys keys, others;
    struct ticket t, again;
    uint8_t place[256];
    struct buf to;

    (void)state;
    tls_ticket_init(&keys);
    tls_ticket_init(&others);
    t = seal(&keys, "session");
    again = seal(&keys, "session");
    assert_memory_not_equal(t.bytes, again.bytes, t.len); /* another nonce */
    assert_true(opens(&keys, &t, "session"));
    assert_false(opens(&others, &t, "session"));
    for (uint32_t i = 0; i < t.len; i++) { /* a bit anywhere */
        t.bytes[i] ^= 0x10;
        assert_false(opens(&keys, &t, "session"));
        t.bytes[i] ^= 0x10;
    }
    for (uint32_t len = 0; len < t.len; len++) { /* cut anywhere */
        struct ticket cut = t;

        cut.len = len;
        assert_false(opens(&keys, &cut, "session"));
    }
    /* No room: nothing is written. In place: as BoringSSL may ask. */
    to = (struct buf){ place, 0, 7 + TLS_TICKET_OVERHEAD - 1 };
    assert_false(tls_ticket_seal(&keys, span_str("session"), &to));
    memcpy(place, "session", 7);
    to = (struct buf){ place, 0, sizeof(place) };
    assert_true(tls_ticket_seal(&keys, span_of(place, 7), &to));
    t.len = to.len;
    memcpy(t.bytes, place, to.len);
    to.len = 0;
    assert_true(tls_ticket_open(&keys, span_of(place, t.len), &to));
    assert_true(span_equal(span_of(place, to.len), span_str("session")));
}

static void test_rotation(void **state)
{
    struct tls_ticket_keys keys;
    struct ticket old, middle;

    (void)state;
    tls_ticket_init(&keys);
    old = seal(&keys, "old");
    tls_ticket_rotate(&keys, START, HOUR_MS); /* notes the birth only */
    tls_ticket_rotate(&keys, START + HOUR_MS - 1, HOUR_MS);
    assert_memory_equal(seal(&keys, "x").bytes, old.bytes, TLS_TICKET_NAME_BYTES);
    tls_ticket_rotate(&keys, START + HOUR_MS, HOUR_MS);
    middle = seal(&keys, "middle");
    assert_memory_not_equal(middle.bytes, old.bytes, TLS_TICKET_NAME_BYTES);
    assert_true(opens(&keys, &old, "old"));
    tls_ticket_rotate(&keys, START + 2 * HOUR_MS - 1, HOUR_MS);
    assert_true(opens(&keys, &old, "old"));
    tls_ticket_rotate(&keys, START + 2 * HOUR_MS, HOUR_MS);
    assert_false(opens(&keys, &old, "old"));
    assert_true(opens(&keys, &middle, "middle"));
    /* The clock steps back: the key begins its life anew. */
    tls_ticket_rotate(&keys, START, HOUR_MS);
    tls_ticket_rotate(&keys, START + HOUR_MS - 1, HOUR_MS);
    assert_true(opens(&keys, &middle, "middle"));
    for (unsigned i = 0; i < 10; i++) { /* through all slots */
        struct ticket now = seal(&keys, "now");

        tls_ticket_rotate(&keys, START + (i + 2) * HOUR_MS, HOUR_MS);
        assert_true(opens(&keys, &now, "now"));
    }
    assert_false(opens(&keys, &middle, "middle"));
}

/* --- Through handshakes ---------------------------------------------------------------------- */

static struct rig *current;

static void resume(SSL *client)
{
    assert_non_null(current->session);
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

static void get_ticket(struct rig *r)
{
    char text[64];

    rig_server_send(r, "220 x\r\n");
    assert_int_equal(rig_client_read(r, text, sizeof(text)), 7);
}

static bool resumed(struct rig *r)
{
    struct tls_info info;

    tls_conn_info(r->conn, &info);
    assert_int_equal(info.resumed, SSL_session_reused(r->client));
    return info.resumed;
}

static void resumption(void (*first)(SSL *), void (*again)(SSL *))
{
    struct rig r;

    current = &r;
    rig_open(&r, &ecdsa);
    tls_ctx_rotate(r.ctx, START);
    rig_establish(&r, first);
    get_ticket(&r);
    assert_int_equal(r.tickets, 1); /* one, not two */
    assert_false(SSL_SESSION_early_data_capable(r.session));
    assert_false(resumed(&r));
    rig_establish(&r, again);
    assert_true(resumed(&r));
    get_ticket(&r);
    tls_ctx_rotate(r.ctx, START + HOUR_MS); /* the key before still opens */
    rig_establish(&r, again);
    assert_true(resumed(&r));
    assert_int_equal(counter_get(&r.counters, COUNTER_TLS_RESUMED), 2);
    rig_close(&r);
}

static void test_resumption(void **state)
{
    (void)state;
    resumption(NULL, resume);
    resumption(use_tls12, resume_tls12);
}

static void test_too_old(void **state)
{
    struct rig r;
    char text[64];

    (void)state;
    current = &r;
    rig_open(&r, &ecdsa);
    tls_ctx_rotate(r.ctx, START);
    rig_establish(&r, NULL);
    get_ticket(&r);
    tls_ctx_rotate(r.ctx, START + HOUR_MS);
    tls_ctx_rotate(r.ctx, START + 2 * HOUR_MS);
    rig_establish(&r, resume); /* a full handshake, no error */
    assert_false(resumed(&r));
    rig_client_send(&r, "NOOP\r\n");
    assert_int_equal(rig_server_read(&r, text, sizeof(text)), 6);
    rig_close(&r);
}

static void test_no_tickets(void **state)
{
    static const struct rig_config none = { .no_tickets = true };
    struct rig r;

    (void)state;
    rig_open(&r, &none);
    tls_ctx_rotate(r.ctx, START);
    rig_establish(&r, NULL);
    get_ticket(&r);
    assert_int_equal(r.tickets, 0);
    rig_establish(&r, use_tls12);
    get_ticket(&r);
    assert_int_equal(r.tickets, 0);
    rig_close(&r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seal_and_open), cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_resumption),    cmocka_unit_test(test_too_old),
        cmocka_unit_test(test_no_tickets),
    };

    rig_boringssl_records = argc > 1 && strcmp(argv[1], "boringssl") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
