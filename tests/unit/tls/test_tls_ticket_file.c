/* tls/tls_ticket_file.c: which key seals when, what is refused, and gateways that share a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rig.h"
#include "tls/tls_ticket_file.h"

/* 48 bytes; the first character tells them apart. */
#define KEY(first) first "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static char said[512];

static bool parse(struct tls_ticket_file *f, const char *text)
{
    struct buf why = { (uint8_t *)said, 0, sizeof(said) - 1 };
    bool good = tls_ticket_file_parse(f, "keys", span_str(text), &why);

    said[why.len] = 0;
    assert_int_equal(good, why.len == 0);
    return good;
}

/* The first of a key's six bits. */
static int current(const struct tls_ticket_file *f, uint64_t unix_s)
{
    return tls_ticket_file_current(f, unix_s)->name[0] >> 2;
}

static void the_last_that_has_begun_seals(void **state)
{
    struct tls_ticket_file f;

    (void)state;
    assert_true(parse(&f, "# keys\n\n300 " KEY("D") "\n100 " KEY("B") "\n200 " KEY("C")));
    assert_int_equal(f.count, 3);
    assert_int_equal(current(&f, 0), 1);
    assert_int_equal(current(&f, 199), 1);
    assert_int_equal(current(&f, 200), 2);
    assert_int_equal(current(&f, 300), 3);
    assert_int_equal(current(&f, UINT64_MAX), 3);
}

static void all_open(void **state)
{
    struct tls_ticket_file f;
    struct tls_ticket_file other;
    uint8_t sealed[128];
    uint8_t plain[128];

    (void)state;
    assert_true(parse(&f, "100 " KEY("B") "\n200 " KEY("C") "\n"));
    assert_true(parse(&other, "100 " KEY("D") "\n"));
    for (unsigned i = 0; i < f.count; i++) {
        struct buf to = { sealed, 0, sizeof(sealed) };
        struct buf back = { plain, 0, sizeof(plain) };
        struct span text;

        assert_true(tls_ticket_seal_with(&f.keys[i].key, SPAN_LITERAL("session"), &to));
        text = span_of(sealed, to.len);
        assert_ptr_equal(tls_ticket_file_find(&f, text), &f.keys[i].key);
        assert_null(tls_ticket_file_find(&other, text));
        assert_null(tls_ticket_file_find(&f, span_first(text, TLS_TICKET_NAME_BYTES - 1)));
        assert_true(tls_ticket_open_with(&f.keys[i].key, text, &back));
        assert_true(span_equal(span_of(plain, back.len), SPAN_LITERAL("session")));
    }
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        { "", "keys: holds no ticket key" },
        { "# nothing\n", "keys: holds no ticket key" },
        { "100 " KEY("B") "\nx", "keys:2: must begin with the time" },
        { KEY("B"), "keys:1: must begin with the time" },
        { "100", "keys:1: must begin with the time" },
        { "-100 " KEY("B"), "keys:1: must begin with the time" },
        { "1000000000000 " KEY("B"), "keys:1: must begin with the time" },
        { "100 ", "keys:1: must have 48 bytes" },
        { "100 " KEY("B") "A", "keys:1: must have 48 bytes" },
        { "100 " KEY(""), "keys:1: must have 48 bytes" },
        { "100 " KEY("B") "\r\n", "keys:1: must have 48 bytes" },
        { "100 " KEY("B") "\n100 " KEY("C"), "keys:2: has the time of one before it" },
        { "100 " KEY("B") "\n200 " KEY("B"), "keys:2: has the key of one before it" },
    };
    struct tls_ticket_file f;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(parse(&f, rows[i].text));
        if (strncmp(said, rows[i].why, strlen(rows[i].why)) != 0)
            fail_msg("%s: %s", rows[i].text, said);
    }
}

static void keys_are_bounded(void **state)
{
    char text[LIMIT_TLS_TICKET_KEYS * 80 + 160];
    struct tls_ticket_file f;
    int len = 0;

    (void)state;
    for (int i = 0; i <= LIMIT_TLS_TICKET_KEYS; i++) {
        assert_int_equal(i == 0 || parse(&f, text), true);
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%d %c%s\n", i, 'A' + i, KEY(""));
    }
    assert_false(parse(&f, text));
    assert_string_equal(said, "keys:17: is one key too many: 16 are read at most");
}

/* --- Through handshakes ------------------------------------------------------------------------
 */

static SSL_SESSION *ticket;

static void resume(SSL *client)
{
    assert_true(SSL_set_session(client, ticket));
}

/* A connection to `to` with the ticket of another; true: it was resumed. Its own ticket is kept. */
static bool resumes(struct rig *to, bool with_ticket)
{
    bool reused;

    rig_establish(to, with_ticket ? resume : NULL);
    rig_talk(to);
    reused = SSL_session_reused(to->client);
    SSL_SESSION_free(ticket);
    ticket = to->session;
    to->session = NULL;
    assert_non_null(ticket);
    rig_disconnect(to);
    return reused;
}

static void reload(struct rig *r, bool good)
{
    struct buf why = { (uint8_t *)said, 0, sizeof(said) - 1 };

    assert_int_equal(tls_ctx_reload(r->ctx, &why), good);
}

static void a_fleet_shares_a_file(void **state)
{
    const char *path = rig_path("tickets");
    const struct rig_config config = { .ticket_keys_path = path };
    struct rig one, two;

    (void)state;
    rig_write_file(path, "100 " KEY("B") "\n200 " KEY("C") "\n");
    rig_open(&one, &config);
    rig_open(&two, &config);
    tls_ctx_rotate(one.ctx, 150 * 1000);
    tls_ctx_rotate(two.ctx, 250 * 1000);
    assert_false(resumes(&one, false));
    assert_true(resumes(&two, true)); /* sealed by B, where C seals by now */
    assert_true(resumes(&one, true)); /* sealed by C, where it does not yet */

    rig_write_file(path, "200 " KEY("C") "\n300 " KEY("D") "\n");
    reload(&two, true);
    assert_false(resumes(&two, true)); /* B is gone */
    rig_write_file(path, "300 half\n");
    reload(&two, false);
    assert_true(resumes(&two, true));
    rig_close(&two);
    rig_close(&one);
    SSL_SESSION_free(ticket);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_that_has_begun_seals),
        cmocka_unit_test(all_open),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(keys_are_bounded),
        cmocka_unit_test(a_fleet_shares_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
