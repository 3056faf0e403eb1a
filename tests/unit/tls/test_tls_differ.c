/*
 * Our record layer beside BoringSSL's: the same records after the handshake, valid and broken; the
 * same bytes for the reader, the same end, the same alert for the peer. Where they part, RFC 8446
 * is on our side, and the row says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "forge.h"

static struct rig rig;
static struct forge forge;
static uint8_t got[200000];

/* What came of a case. */
struct result {
    uint32_t len; /* of what the reader got */
    uint32_t sum;
    bool ended;
    bool truncated;
    bool failed;
    uint8_t alert;       /* sent or received */
    uint32_t client_saw; /* the alert, or 0x100 for close_notify or nothing */
    uint32_t client_got; /* bytes */
};

/* --- Cases ----------------------------------------------------------------------------------- */

static void nothing(void)
{
}

static void text(void)
{
    forge_text(&forge, "EHLO me\r\n");
    forge_text(&forge, "NOOP\r\n");
}

static void padded(void)
{
    forge_send(&forge, TLS_RECORD_DATA, "QUIT\r\n", 6, 1);
    forge_send(&forge, TLS_RECORD_DATA, "NOOP\r\n", 6, 16378);
    forge_send(&forge, TLS_RECORD_DATA, "", 0, 100);
}

static uint8_t big[TLS_RECORD_PLAIN_MAX + 1];

static void full(void)
{
    for (uint32_t i = 0; i < sizeof(big); i++)
        big[i] = (uint8_t)(i * 7 >> 3);
    forge_send(&forge, TLS_RECORD_DATA, big, TLS_RECORD_PLAIN_MAX, 0);
    forge_send(&forge, TLS_RECORD_DATA, big, TLS_RECORD_PLAIN_MAX - 1, 1);
}

static void body_too_long(void)
{
    memset(forge.inner, 'x', sizeof(forge.inner));
    forge_put(&forge, forge_seal(&forge, TLS_RECORD_BODY_MAX - TLS_RECORD_TAG_BYTES + 1, NULL));
}

static void no_type(void)
{
    memset(forge.inner, 0, 100);
    forge_put(&forge, forge_seal(&forge, 100, NULL));
}

static void only_a_tag(void)
{
    forge_put(&forge, forge_seal(&forge, 0, NULL));
}

static void tiny(void)
{
    static const uint8_t bytes[] = { 23, 3, 3, 0, 3, 1, 2, 3 };

    rig_client_raw(&rig, bytes, sizeof(bytes));
}

static void other_version(void)
{
    static const uint8_t header[3] = { 23, 3, 1 };

    forge.inner[0] = 'x';
    forge.inner[1] = 23;
    forge_put(&forge, forge_seal(&forge, 2, header));
}

static void sealed_as_handshake(void)
{
    static const uint8_t header[3] = { 22, 3, 3 };

    forge.inner[0] = 'x';
    forge.inner[1] = 23;
    forge_put(&forge, forge_seal(&forge, 2, header));
}

static void plain_ccs(void)
{
    rig_client_raw(&rig, "\24\3\3\0\1\1", 6);
}

static void plain_alert(void)
{
    rig_client_raw(&rig, "\25\3\3\0\2\2\50", 7);
}

static void plain_handshake(void)
{
    rig_client_raw(&rig, "\26\3\3\0\4\0\0\0\0", 9);
}

static void key_updates(void)
{
    forge_key_update(&forge, 0);
    forge_text(&forge, "one");
    forge_key_update(&forge, 1);
    forge_key_update(&forge, 1);
    forge_text(&forge, "two");
}

static void key_update_cut(void)
{
    forge_send(&forge, TLS_RECORD_HANDSHAKE, "\30\0", 2, 0);
    forge_send(&forge, TLS_RECORD_HANDSHAKE, "\0\1\1", 3, 0);
    forge_next_key(&forge);
    forge_text(&forge, "three");
}

static void key_update_old_key(void)
{
    forge_send(&forge, TLS_RECORD_HANDSHAKE, "\30\0\0\1\0", 5, 0);
    forge_text(&forge, "under the old key");
}

static void key_update_interleaved(void)
{
    forge_send(&forge, TLS_RECORD_HANDSHAKE, "\30\0", 2, 0);
    forge_text(&forge, "x");
}

static void key_update_flood(void)
{
    for (unsigned i = 0; i < 33; i++)
        forge_key_update(&forge, 0);
}

static void key_updates_at_the_limit(void)
{
    for (unsigned i = 0; i < 32; i++)
        forge_key_update(&forge, 0);
    forge_text(&forge, "x");
    forge_key_update(&forge, 0);
    forge_text(&forge, "y");
}

static void empty_records(void)
{
    for (unsigned i = 0; i < 32; i++)
        forge_text(&forge, "");
    forge_text(&forge, "x");
    forge_text(&forge, "");
    forge_text(&forge, "y");
}

static void empty_flood(void)
{
    forge_text(&forge, "x");
    for (unsigned i = 0; i < 33; i++)
        forge_text(&forge, "");
}

static void close_notify(void)
{
    forge_text(&forge, "QUIT\r\n");
    forge_send(&forge, TLS_RECORD_ALERT, "\1\0", 2, 0);
    forge_text(&forge, "after the end");
}

static void fatal_alert(void)
{
    forge_text(&forge, "x");
    forge_send(&forge, TLS_RECORD_ALERT, "\2\52", 2, 10);
}

static void user_cancelled(void)
{
    for (unsigned i = 0; i < 4; i++)
        forge_send(&forge, TLS_RECORD_ALERT, "\1\132", 2, 0);
    forge_text(&forge, "x");
    forge_send(&forge, TLS_RECORD_ALERT, "\1\132", 2, 0);
    forge_send(&forge, TLS_RECORD_ALERT, "\1\0", 2, 0);
}

static void user_cancelled_flood(void)
{
    for (unsigned i = 0; i < 5; i++)
        forge_send(&forge, TLS_RECORD_ALERT, "\1\132", 2, 0);
}

static void half_an_alert(void)
{
    forge_send(&forge, TLS_RECORD_ALERT, "\1", 1, 0);
    forge_send(&forge, TLS_RECORD_ALERT, "\0", 1, 0);
}

static void end_of_transport(void)
{
    struct stream *client = mem_stream_end(rig.wire, 1);

    forge_text(&forge, "DATA\r\n");
    client->ops->shutdown(client);
}

static void end_in_a_record(void)
{
    struct stream *client = mem_stream_end(rig.wire, 1);

    forge_text(&forge, "DATA\r\n");
    memcpy(forge.inner, "x\27", 2);
    forge_put(&forge, forge_seal(&forge, 2, NULL) - 1);
    client->ops->shutdown(client);
}

static void replayed(void)
{
    forge_text(&forge, "x");
    forge_put(&forge, 5 + 2 + TLS_RECORD_TAG_BYTES);
}

struct row {
    const char *name;
    void (*send)(void); /* NULL: one record */
    uint8_t type;
    const void *content;
    uint32_t len;
    uint32_t padding;
    uint8_t alert;      /* ours; 0: no fault */
    uint8_t theirs;     /* BoringSSL's, where it is another */
    const char *reason; /* why ours is another */
};

#define UNEXPECTED  SSL_AD_UNEXPECTED_MESSAGE
#define ANOTHER_END 0xff /* for `theirs`: no alert on one side, and what follows from that */
#define PLAINTEXT   "5: an unexpected record type; theirs is decrypted first"

#define ONE(type, content, len, padding) NULL, type, content, len, padding
#define MANY(send)                       send, 0, NULL, 0, 0

static const struct row rows[] = {
    { "nothing", MANY(nothing), 0, 0, NULL },
    { "text", MANY(text), 0, 0, NULL },
    { "padded", MANY(padded), 0, 0, NULL },
    { "full", MANY(full), 0, 0, NULL },
    { "plain too long", ONE(TLS_RECORD_DATA, big, TLS_RECORD_PLAIN_MAX + 1, 0),
      SSL_AD_RECORD_OVERFLOW, 0, NULL },
    { "padding too long", ONE(TLS_RECORD_DATA, "x", 1, TLS_RECORD_PLAIN_MAX),
      SSL_AD_RECORD_OVERFLOW, 0, NULL },
    { "body too long", MANY(body_too_long), SSL_AD_RECORD_OVERFLOW, 0, NULL },
    { "no type", MANY(no_type), UNEXPECTED, SSL_AD_DECRYPT_ERROR, "5.4 says unexpected_message" },
    { "only a tag", MANY(only_a_tag), UNEXPECTED, SSL_AD_DECRYPT_ERROR,
      "5.4 says unexpected_message" },
    { "tiny", MANY(tiny), SSL_AD_BAD_RECORD_MAC, 0, NULL },
    { "other version", MANY(other_version), SSL_AD_PROTOCOL_VERSION, 0, NULL },
    { "sealed as handshake", MANY(sealed_as_handshake), UNEXPECTED, SSL_AD_DECODE_ERROR,
      PLAINTEXT },
    { "plain CCS", MANY(plain_ccs), UNEXPECTED, SSL_AD_BAD_RECORD_MAC, PLAINTEXT },
    { "plain alert", MANY(plain_alert), UNEXPECTED, SSL_AD_BAD_RECORD_MAC, PLAINTEXT },
    { "plain handshake", MANY(plain_handshake), UNEXPECTED, SSL_AD_BAD_RECORD_MAC, PLAINTEXT },
    { "sealed CCS", ONE(TLS_RECORD_CHANGE_CIPHER_SPEC, "\1", 1, 0), UNEXPECTED, 0, NULL },
    { "unknown type", ONE(99, "x", 1, 0), UNEXPECTED, 0, NULL },
    { "ClientHello", ONE(TLS_RECORD_HANDSHAKE, "\1\0\0\2\3\3", 6, 0), UNEXPECTED, 0, NULL },
    { "Finished", ONE(TLS_RECORD_HANDSHAKE, "\24\0\0\2\3\3", 6, 0), UNEXPECTED, 0, NULL },
    { "empty handshake", ONE(TLS_RECORD_HANDSHAKE, "", 0, 0), UNEXPECTED, ANOTHER_END,
      "5.4 says unexpected_message; theirs lets it pass" },
    { "KeyUpdates", MANY(key_updates), 0, 0, NULL },
    { "KeyUpdate cut", MANY(key_update_cut), 0, 0, NULL },
    { "KeyUpdate, old key", MANY(key_update_old_key), SSL_AD_BAD_RECORD_MAC, 0, NULL },
    { "KeyUpdate, bad", ONE(TLS_RECORD_HANDSHAKE, "\30\0\0\1\2", 5, 0), SSL_AD_ILLEGAL_PARAMETER,
      SSL_AD_DECODE_ERROR, "4.6.3 says illegal_parameter" },
    { "KeyUpdate, long", ONE(TLS_RECORD_HANDSHAKE, "\30\0\0\2\0\0", 6, 0), SSL_AD_DECODE_ERROR, 0,
      NULL },
    { "KeyUpdate, short", ONE(TLS_RECORD_HANDSHAKE, "\30\0\0\0", 4, 0), SSL_AD_DECODE_ERROR, 0,
      NULL },
    { "KeyUpdate and more", ONE(TLS_RECORD_HANDSHAKE, "\30\0\0\1\0\30\0\0\1\0", 10, 0), UNEXPECTED,
      0, NULL },
    { "KeyUpdate, interleaved", MANY(key_update_interleaved), UNEXPECTED, 0, NULL },
    { "KeyUpdate flood", MANY(key_update_flood), UNEXPECTED, 0, NULL },
    { "KeyUpdates at the limit", MANY(key_updates_at_the_limit), 0, 0, NULL },
    { "empty records", MANY(empty_records), 0, 0, NULL },
    { "empty flood", MANY(empty_flood), UNEXPECTED, 0, NULL },
    { "close_notify", MANY(close_notify), 0, 0, NULL },
    { "fatal close_notify", ONE(TLS_RECORD_ALERT, "\2\0", 2, 0), 0, ANOTHER_END,
      "6: the level can be ignored; theirs fails without an alert" },
    { "fatal alert", MANY(fatal_alert), 42, 0, NULL },
    { "warning of an error", ONE(TLS_RECORD_ALERT, "\1\52", 2, 0), 42, SSL_AD_DECODE_ERROR,
      "6.2: an error alert at any level" },
    { "unknown alert", ONE(TLS_RECORD_ALERT, "\2\310", 2, 0), 200, 0, NULL },
    { "user_canceled", MANY(user_cancelled), 0, 0, NULL },
    { "user_canceled flood", MANY(user_cancelled_flood), UNEXPECTED, 0, NULL },
    { "half an alert", MANY(half_an_alert), SSL_AD_DECODE_ERROR, 0, NULL },
    { "two alerts", ONE(TLS_RECORD_ALERT, "\1\0\1\0", 4, 0), SSL_AD_DECODE_ERROR, 0, NULL },
    { "empty alert", ONE(TLS_RECORD_ALERT, "", 0, 0), UNEXPECTED, SSL_AD_DECODE_ERROR,
      "5.4 says unexpected_message" },
    { "odd level", ONE(TLS_RECORD_ALERT, "\7\52", 2, 0), 42, SSL_AD_ILLEGAL_PARAMETER,
      "6: the level can be ignored" },
    { "end of transport", MANY(end_of_transport), 0, 0, NULL },
    { "end in a record", MANY(end_in_a_record), 0, 0, NULL },
    { "replayed", MANY(replayed), SSL_AD_BAD_RECORD_MAC, 0, NULL },
};

/* --- Comparing ------------------------------------------------------------------------------- */

static void client_reads(struct result *r)
{
    int n;
    uint32_t packed;

    while ((n = SSL_read(rig.client, got, sizeof(got))) > 0)
        r->client_got += (uint32_t)n;
    packed = ERR_peek_error();
    if (packed != 0)
        r->client_saw = (uint32_t)ERR_GET_REASON(packed) - SSL_AD_REASON_OFFSET;
    else if (SSL_get_error(rig.client, n) == SSL_ERROR_ZERO_RETURN)
        r->client_saw = 0x100;
    ERR_clear_error();
}

/* The server reads in places of `cap` bytes, answers, and closes. */
static struct result run(const struct row *row, bool boringssl, uint32_t cap)
{
    struct result r = { 0 };
    struct stream *s;
    uint32_t n;

    rig_boringssl_records = boringssl;
    rig_open(&rig, &(struct rig_config){ .tls13_only = true });
    forge_begin(&forge, &rig, NULL);
    s = tls_conn_stream(rig.conn);
    if (row->send != NULL)
        row->send();
    else
        forge_send(&forge, row->type, row->content, row->len, row->padding);
    tls_conn_update(rig.conn);
    while ((n = s->ops->read(s, got + r.len, cap)) > 0)
        r.len += n;
    for (uint32_t i = 0; i < r.len; i++)
        r.sum = r.sum * 31 + got[i];
    assert_int_equal(ERR_peek_error(), 0);
    r.ended = s->ready & STREAM_ENDED;
    r.failed = s->ready & STREAM_FAILED;
    r.truncated = tls_conn_truncated(rig.conn);
    stream_write(s, SPAN_LITERAL("250 Ok\r\n"));
    if (!r.failed)
        s->ops->shutdown(s);
    r.alert = tls_conn_error(rig.conn)->alert;
    rig.outcome = TLS_FAILED; /* no updates: the wire may be closed */
    while (rig_move(&rig) > 0) {
    }
    client_reads(&r);
    forge_end(&forge);
    rig_close(&rig);
    return r;
}

static void compare(const struct row *row, const struct result *ours, const struct result *theirs)
{
    struct result expected = *theirs;

    assert_int_equal(ours->alert, row->alert);
    if (row->theirs != 0)
        assert_non_null(row->reason);
    if (row->theirs == ANOTHER_END) {
        assert_int_not_equal(ours->failed, theirs->failed);
        return;
    }
    if (row->theirs != 0) {
        /* The same but for the alert. */
        assert_int_equal(theirs->alert, row->theirs);
        expected.alert = ours->alert;
        expected.client_saw = ours->client_saw;
    }
    assert_memory_equal(ours, &expected, sizeof(expected));
}

static void test_rows(void **state)
{
    static const uint32_t caps[] = { 16384, 3 };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (unsigned c = 0; c < 2; c++) {
            struct result ours, theirs;

            if (c > 0 && rows[i].send == full)
                continue; /* slow, and test_tls_record has it */
            ours = run(&rows[i], false, caps[c]);
            theirs = run(&rows[i], true, caps[c]);
            print_message("%s\n", rows[i].name);
            compare(&rows[i], &ours, &theirs);
        }
}

/* Each byte of a record's header, content and tag, one bit of it flipped. */
static uint32_t flipped;

static void flip(void)
{
    uint32_t len;

    forge_text(&forge, "before");
    memcpy(forge.inner, "RSET\r\n\27", 7);
    len = forge_seal(&forge, 7, NULL);
    forge.record[flipped / 8] ^= (uint8_t)(1 << flipped % 8);
    forge_put(&forge, len);
    if (flipped / 8 == 3 || flipped / 8 == 4) { /* a longer record: give it what it waits for */
        memset(forge.record, 'x', FORGE_RECORD_MAX);
        forge_put(&forge, FORGE_RECORD_MAX);
    }
}

static void test_flips(void **state)
{
    static const struct row header = { "header", MANY(flip), UNEXPECTED, SSL_AD_BAD_RECORD_MAC,
                                       PLAINTEXT };
    static const struct row version = { "version", MANY(flip), SSL_AD_PROTOCOL_VERSION, 0, NULL };
    static const struct row length = { "length", MANY(flip), SSL_AD_RECORD_OVERFLOW, 0, NULL };
    static const struct row body = { "body", MANY(flip), SSL_AD_BAD_RECORD_MAC, 0, NULL };

    (void)state;
    for (flipped = 1; flipped < (5 + 7 + TLS_RECORD_TAG_BYTES) * 8;
         flipped += flipped < 40 ? 2 : 7) {
        struct result ours = run(&body, false, 16384);
        struct result theirs = run(&body, true, 16384);
        bool overflow = flipped / 8 == 3 && flipped % 8 >= 6; /* 0x4000 and more */

        compare(flipped < 8    ? &header
                : flipped < 24 ? &version
                : overflow     ? &length
                               : &body,
                &ours, &theirs);
        assert_int_equal(ours.len, 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_flips),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
