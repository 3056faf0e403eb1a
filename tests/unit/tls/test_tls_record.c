/* tls/tls_record_*.c: keys, sealing, opening, and what may come beside data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/byteorder.h"
#include "base/limits.h"
#include "tls/tls_record.h"

#define ROOM (TLS_RECORD_MAX + 64)

static const uint16_t suites[] = { 0x1301, 0x1302, 0x1303 };

/* A direction: one end seals, the other opens. */
struct way {
    struct tls_record_secret out, in;
    struct tls_record_key key;
};

static void way_open(struct way *w, uint16_t suite)
{
    uint8_t secret[TLS_RECORD_SECRET_MAX];
    uint32_t len = suite == 0x1302 ? 48 : 32;

    memset(secret, 0x5a, sizeof(secret));
    assert_true(tls_record_secret_set(&w->out, suite, span_of(secret, len), 7));
    w->in = w->out;
    assert_true(tls_record_key_make(&w->key, &w->out));
}

static uint8_t pattern(uint32_t i)
{
    return (uint8_t)(i * 2654435761u >> 24);
}

/*
 * A record as anybody with the key can make it: `inner` is content, type and padding.
 * tls_record_seal makes only good ones.
 */
static uint32_t forge(struct way *w, const uint8_t *inner, uint32_t len, uint8_t *record)
{
    uint8_t nonce[12];
    size_t sealed;

    record[0] = TLS_RECORD_DATA;
    store_be16(record + 1, 0x0303);
    store_be16(record + 3, (uint16_t)(len + TLS_RECORD_TAG_BYTES));
    tls_record_nonce(&w->key, w->out.sequence++, nonce);
    assert_true(EVP_AEAD_CTX_seal(&w->key.aead, record + 5, &sealed, len + 16, nonce, 12, inner,
                                  len, record, 5));
    return 5 + (uint32_t)sealed;
}

/* Opens what lies in pieces of `piece` bytes. */
static const struct tls_record_fault *open_pieces(struct way *w, const uint8_t *record,
                                                  uint32_t piece, struct tls_record_job *job)
{
    static struct span runs[ROOM];
    const struct tls_record_fault *fault = tls_record_open_header(record, &job->len);
    uint32_t count = 0;

    if (fault != NULL)
        return fault;
    for (uint32_t at = 0; at < job->len; at += piece)
        runs[count++] = span_first(span_of(record + at, job->len - at), piece);
    job->runs = runs;
    return tls_record_open(&w->key, &w->in, job);
}

/* --- Keys ------------------------------------------------------------------------------------ */

/* RFC 8448, 3: the client's application traffic secret, its key's IV, and its record of 50 bytes.
 */
static void test_rfc8448(void **state)
{
    static const uint8_t secret[32] = {
        0x9e, 0x40, 0x64, 0x6c, 0xe7, 0x9a, 0x7f, 0x9d, 0xc0, 0x5a, 0xf8,
        0x88, 0x9b, 0xce, 0x65, 0x52, 0x87, 0x5a, 0xfa, 0x0b, 0x06, 0xdf,
        0x00, 0x87, 0xf7, 0x92, 0xeb, 0xb7, 0xc1, 0x75, 0x04, 0xa5,
    };
    static const uint8_t iv[12] = { 0x5b, 0x78, 0x92, 0x3d, 0xee, 0x08,
                                    0x57, 0x90, 0x33, 0xe5, 0x23, 0xd9 };
    static const uint8_t record[72] = {
        0x17, 0x03, 0x03, 0x00, 0x43, 0xa2, 0x3f, 0x70, 0x54, 0xb6, 0x2c, 0x94, 0xd0, 0xaf, 0xfa,
        0xfe, 0x82, 0x28, 0xba, 0x55, 0xcb, 0xef, 0xac, 0xea, 0x42, 0xf9, 0x14, 0xaa, 0x66, 0xbc,
        0xab, 0x3f, 0x2b, 0x98, 0x19, 0xa8, 0xa5, 0xb4, 0x6b, 0x39, 0x5b, 0xd5, 0x4a, 0x9a, 0x20,
        0x44, 0x1e, 0x2b, 0x62, 0x97, 0x4e, 0x1f, 0x5a, 0x62, 0x92, 0xa2, 0x97, 0x70, 0x14, 0xbd,
        0x1e, 0x3d, 0xea, 0xe6, 0x3a, 0xee, 0xbb, 0x21, 0x69, 0x49, 0x15, 0xe4,
    };
    uint8_t text[5 + 50 + 17];
    struct way w;

    (void)state;
    assert_true(tls_record_secret_set(&w.out, 0x1301, span_of(secret, 32), 0));
    assert_true(tls_record_key_make(&w.key, &w.out));
    assert_memory_equal(w.key.iv, iv, sizeof(iv));
    for (uint8_t i = 0; i < 50; i++)
        text[5 + i] = i;
    tls_record_seal(&w.key, &w.out, TLS_RECORD_DATA, text + 5, 50);
    assert_memory_equal(text, record, sizeof(record));
    assert_int_equal(w.out.sequence, 1);
}

static void test_secrets(void **state)
{
    uint8_t bytes[48] = { 1 };
    struct tls_record_secret s;

    (void)state;
    assert_false(tls_record_secret_set(&s, 0x1304, span_of(bytes, 32), 0));
    assert_false(tls_record_secret_set(&s, 0x1301, span_of(bytes, 48), 0));
    assert_false(tls_record_secret_set(&s, 0x1302, span_of(bytes, 32), 0));
    assert_true(tls_record_secret_set(&s, 0x1302, span_of(bytes, 48), 5));
    assert_true(tls_record_secret_next(&s));
    assert_int_equal(s.sequence, 0);
    assert_memory_not_equal(s.bytes, bytes, sizeof(bytes));
}

/* 5.3: the number is in network order, in the last eight bytes. */
static void test_nonce(void **state)
{
    struct tls_record_key k = { .iv = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 } };
    uint8_t nonce[12];
    static const uint8_t expected[12] = { 1, 2, 3, 4, 5 ^ 1, 6, 7, 8 ^ 2, 9, 10, 11, 12 ^ 3 };

    (void)state;
    tls_record_nonce(&k, 0x0100000200000003, nonce);
    assert_memory_equal(nonce, expected, sizeof(nonce));
}

/* --- Opening --------------------------------------------------------------------------------- */

static uint8_t record[ROOM], inner[ROOM], to[ROOM], scratch[TLS_RECORD_BODY_MAX];

/* One good record of `len` bytes and `padding`, read in places of `cap` bytes. */
static void roundtrip(uint16_t suite, uint32_t len, uint32_t padding, uint32_t piece, uint32_t cap)
{
    struct tls_record_job job = { .to = to, .cap = cap, .scratch = scratch };
    uint32_t first_moved = 0;
    struct way w;

    way_open(&w, suite);
    memset(inner, 0, sizeof(inner));
    for (uint32_t i = 0; i < len; i++)
        inner[i] = pattern(i);
    inner[len] = TLS_RECORD_DATA;
    forge(&w, inner, len + 1 + padding, record);
    do {
        memset(to, 0xee, sizeof(to));
        assert_null(open_pieces(&w, record, piece, &job));
        assert_int_equal(job.type, TLS_RECORD_DATA);
        assert_int_equal(job.content, len);
        assert_int_equal(job.given, len - job.from < cap ? len - job.from : cap);
        assert_memory_equal(to, inner + job.from, job.given);
        assert_int_equal(to[cap], 0xee); /* nothing is written behind its room */
        if (job.from == 0)
            first_moved = job.moved;
        job.from += job.given;
    } while (job.from < len);
    /* One move from one segment; one more for the gather. */
    if (cap > len + padding)
        assert_int_equal(first_moved, piece >= job.len ? len : len + job.len - 5);
    tls_record_key_wipe(&w.key);
}

static void test_open(void **state)
{
    static const uint32_t lengths[] = { 0, 1, 15, 16, 1400, 16383, 16384 };
    static const uint32_t pieces[] = { ROOM, 1448, 6, 1 };

    (void)state;
    for (unsigned s = 0; s < 3; s++)
        for (unsigned l = 0; l < 7; l++)
            for (unsigned p = 0; p < 4; p++) {
                uint32_t len = lengths[l];

                roundtrip(suites[s], len, 0, pieces[p], TLS_RECORD_PLAIN_MAX + 1);
                roundtrip(suites[s], len, 0, pieces[p], len > 0 ? len : 1);
                roundtrip(suites[s], len, 0, pieces[p], len / 2 + 1);
                roundtrip(suites[s], len, 16384 - len, pieces[p], len / 3 + 7);
            }
}

/* The content type stands in the scratch, the content at the reader's place: an alert of 2 bytes is
 * found all the same. */
static void test_open_control(void **state)
{
    (void)state;
    for (unsigned s = 0; s < 3; s++)
        for (uint32_t cap = 1; cap < 8; cap++) {
            struct tls_record_job job = { .to = to, .cap = cap, .scratch = scratch };
            struct way w;

            way_open(&w, suites[s]);
            memcpy(inner, "\1\0\25\0\0", 5);
            forge(&w, inner, 5, record);
            assert_null(open_pieces(&w, record, cap % 2 == 0 ? ROOM : 3, &job));
            assert_int_equal(job.type, TLS_RECORD_ALERT);
            assert_int_equal(job.content, 2);
            assert_int_equal(job.given, 0);
            assert_memory_equal(scratch, "\1\0", 2);
        }
}

static void expect_fault(const struct tls_record_fault *fault, uint8_t alert, const char *reason)
{
    assert_non_null(fault);
    assert_int_equal(fault->alert, alert);
    assert_string_equal(fault->reason, reason);
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_every_bit(void **state)
{
    (void)state;
    for (unsigned s = 0; s < 3; s++) {
        struct way w;
        uint32_t len;

        way_open(&w, suites[s]);
        memcpy(inner, "QUIT\r\n\27", 7);
        len = forge(&w, inner, 7, record);
        for (uint32_t bit = 40; bit < len * 8; bit++) {
            struct tls_record_job job = { .to = to, .cap = 64, .scratch = scratch };

            record[bit / 8] ^= (uint8_t)(1 << bit % 8);
            memset(to, 0xee, 8);
            expect_fault(open_pieces(&w, record, ROOM, &job), SSL_AD_BAD_RECORD_MAC,
                         "record does not decrypt");
            assert_memory_not_equal(to, "QUIT", 4);
            assert_int_equal(job.given, 0);
            record[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        w.in.sequence++; /* another record's number */
        expect_fault(
            open_pieces(&w, record, ROOM,
                        &(struct tls_record_job){ .to = to, .cap = 64, .scratch = scratch }),
            SSL_AD_BAD_RECORD_MAC, "record does not decrypt");
    }
}

static void test_headers(void **state)
{
    static const struct {
        uint8_t header[5];
        uint8_t alert;
        const char *reason;
    } rows[] = {
        { { 23, 3, 1, 0, 32 }, SSL_AD_PROTOCOL_VERSION, "wrong version in a record" },
        { { 22, 3, 3, 0, 32 }, SSL_AD_UNEXPECTED_MESSAGE, "unexpected record" },
        { { 21, 3, 3, 0, 2 }, SSL_AD_UNEXPECTED_MESSAGE, "unexpected record" },
        { { 20, 3, 3, 0, 1 }, SSL_AD_UNEXPECTED_MESSAGE, "unexpected record" },
        { { 23, 3, 3, 0x41, 1 }, SSL_AD_RECORD_OVERFLOW, "record too long" },
        { { 23, 3, 3, 0, 15 }, SSL_AD_BAD_RECORD_MAC, "record does not decrypt" },
        { { 23, 3, 3, 0, 0 }, SSL_AD_BAD_RECORD_MAC, "record does not decrypt" },
    };
    uint32_t len;

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_fault(tls_record_open_header(rows[i].header, &len), rows[i].alert, rows[i].reason);
    assert_null(tls_record_open_header((const uint8_t[]){ 23, 3, 3, 0x41, 0 }, &len));
    assert_int_equal(len, TLS_RECORD_MAX);
}

static void test_inner(void **state)
{
    struct tls_record_job job = { .to = to, .cap = ROOM, .scratch = scratch };
    struct way w;

    (void)state;
    way_open(&w, 0x1301);
    memset(inner, 0, sizeof(inner));
    forge(&w, inner, 1, record);
    expect_fault(open_pieces(&w, record, ROOM, &job), SSL_AD_UNEXPECTED_MESSAGE,
                 "record without a type");
    w.in = w.out;
    forge(&w, inner, 16385, record);
    expect_fault(open_pieces(&w, record, ROOM, &job), SSL_AD_UNEXPECTED_MESSAGE,
                 "record without a type");
    w.in = w.out;
    inner[0] = TLS_RECORD_DATA; /* ... and 16,385 bytes of padding */
    forge(&w, inner, 16386, record);
    expect_fault(open_pieces(&w, record, ROOM, &job), SSL_AD_RECORD_OVERFLOW, "record too long");
}

/* --- Beside data ----------------------------------------------------------------------------- */

static const struct tls_record_fault *take(struct tls_record_control *s, enum tls_record_type type,
                                           const char *bytes, uint32_t len,
                                           struct tls_record_news *news)
{
    return tls_record_control_take(s, type, span_of(bytes, len), news);
}

static void test_alerts(void **state)
{
    struct tls_record_control s = { 0 };
    struct tls_record_news news;

    (void)state;
    assert_null(take(&s, TLS_RECORD_ALERT, "\1\0", 2, &news));
    assert_true(news.ended);
    assert_null(take(&s, TLS_RECORD_ALERT, "\2\60", 2, &news));
    assert_int_equal(news.its_alert, SSL_AD_UNKNOWN_CA);
    assert_null(take(&s, TLS_RECORD_ALERT, "\1\60", 2, &news)); /* the level is nothing to go by */
    assert_int_equal(news.its_alert, SSL_AD_UNKNOWN_CA);
    expect_fault(take(&s, TLS_RECORD_ALERT, "\1", 1, &news), SSL_AD_DECODE_ERROR,
                 "malformed alert");
    expect_fault(take(&s, TLS_RECORD_ALERT, "\1\0\1", 3, &news), SSL_AD_DECODE_ERROR,
                 "malformed alert");
    expect_fault(take(&s, TLS_RECORD_ALERT, "", 0, &news), SSL_AD_UNEXPECTED_MESSAGE,
                 "unexpected record");
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < LIMIT_TLS_WARNING_ALERTS; i++)
            assert_null(take(&s, TLS_RECORD_ALERT, "\1\132", 2, &news));
        if (round == 0)
            assert_null(tls_record_control_data(&s, 1));
    }
    expect_fault(take(&s, TLS_RECORD_ALERT, "\1\132", 2, &news), SSL_AD_UNEXPECTED_MESSAGE,
                 "too many warning alerts");
}

static void test_key_updates(void **state)
{
    struct tls_record_control s = { 0 };
    struct tls_record_news news;

    (void)state;
    assert_null(take(&s, TLS_RECORD_HANDSHAKE, "\30\0\0\1\0", 5, &news));
    assert_true(news.new_key && !news.wants_ours);
    assert_null(take(&s, TLS_RECORD_HANDSHAKE, "\30\0\0\1\1", 5, &news));
    assert_true(news.new_key && news.wants_ours);
    /* Cut anywhere. */
    for (uint32_t cut = 1; cut < 5; cut++) {
        assert_null(take(&s, TLS_RECORD_HANDSHAKE, "\30\0\0\1\1", cut, &news));
        assert_false(news.new_key);
        assert_null(take(&s, TLS_RECORD_HANDSHAKE, &"\30\0\0\1\1"[cut], 5 - cut, &news));
        assert_true(news.new_key);
    }
    for (unsigned i = 6; i < LIMIT_TLS_KEY_UPDATES; i++)
        assert_null(take(&s, TLS_RECORD_HANDSHAKE, "\30\0\0\1\0", 5, &news));
    assert_null(tls_record_control_data(&s, 1));
    for (unsigned i = 0; i < LIMIT_TLS_KEY_UPDATES; i++)
        assert_null(take(&s, TLS_RECORD_HANDSHAKE, "\30\0\0\1\0", 5, &news));
    assert_null(tls_record_control_data(&s, 0)); /* no data */
    expect_fault(take(&s, TLS_RECORD_HANDSHAKE, "\30\0\0\1\0", 5, &news), SSL_AD_UNEXPECTED_MESSAGE,
                 "too many key updates");
}

static void test_bad_handshake(void **state)
{
    static const struct {
        const char *bytes;
        uint32_t len;
        uint8_t alert;
        const char *reason;
    } rows[] = {
        { "\30\0\0\1\2", 5, SSL_AD_ILLEGAL_PARAMETER, "malformed handshake message" },
        { "\30\0\0\2\1\1", 6, SSL_AD_DECODE_ERROR, "malformed handshake message" },
        { "\30\0\0\0", 4, SSL_AD_DECODE_ERROR, "malformed handshake message" },
        { "\1", 1, SSL_AD_UNEXPECTED_MESSAGE, "unexpected handshake message" },
        { "\30\0\0\1\0\30", 6, SSL_AD_UNEXPECTED_MESSAGE,
          "handshake bytes across a change of keys" },
        { "", 0, SSL_AD_UNEXPECTED_MESSAGE, "unexpected record" },
    };
    struct tls_record_news news;

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tls_record_control s = { 0 };

        expect_fault(take(&s, TLS_RECORD_HANDSHAKE, rows[i].bytes, rows[i].len, &news),
                     rows[i].alert, rows[i].reason);
    }
}

static void test_interleaving_and_emptiness(void **state)
{
    struct tls_record_control s = { 0 };
    struct tls_record_news news;

    (void)state;
    assert_null(take(&s, TLS_RECORD_HANDSHAKE, "\30", 1, &news));
    expect_fault(tls_record_control_data(&s, 1), SSL_AD_UNEXPECTED_MESSAGE, "unexpected record");
    expect_fault(take(&s, TLS_RECORD_ALERT, "\1\0", 2, &news), SSL_AD_UNEXPECTED_MESSAGE,
                 "unexpected record");
    expect_fault(take(&s, TLS_RECORD_CHANGE_CIPHER_SPEC, "\1", 1, &news), SSL_AD_UNEXPECTED_MESSAGE,
                 "unexpected record");
    expect_fault(take(&s, (enum tls_record_type)99, "\1", 1, &news), SSL_AD_UNEXPECTED_MESSAGE,
                 "unexpected record");
    s = (struct tls_record_control){ 0 };
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < LIMIT_TLS_EMPTY_RECORDS; i++)
            assert_null(tls_record_control_data(&s, 0));
        if (round == 0)
            assert_null(tls_record_control_data(&s, 1));
    }
    expect_fault(tls_record_control_data(&s, 0), SSL_AD_UNEXPECTED_MESSAGE,
                 "too many empty records");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc8448),       cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_nonce),         cmocka_unit_test(test_open),
        cmocka_unit_test(test_open_control),  cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_headers),       cmocka_unit_test(test_inner),
        cmocka_unit_test(test_alerts),        cmocka_unit_test(test_key_updates),
        cmocka_unit_test(test_bad_handshake), cmocka_unit_test(test_interleaving_and_emptiness),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
