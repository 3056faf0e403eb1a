/* tls/tls_stream.c: plaintext above, records below, much and little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rig.h"

static const struct rig_config ecdsa = { .connections = 1 };

static uint32_t bits(const struct rig *r)
{
    return tls_conn_stream(r->conn)->ready;
}

static void move_all(struct rig *r)
{
    while (rig_move(r) > 0) {
    }
}

/* --- Bits ------------------------------------------------------------------------------------ */

static void test_bits(void **state)
{
    struct rig r;
    char text[64];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    assert_int_equal(bits(&r), STREAM_WRITABLE | STREAM_DRAINED);
    assert_int_equal(rig_server_read(&r, text, sizeof(text)), 0);
    rig_client_send(&r, "EHLO me\r\n");
    assert_int_equal(bits(&r), STREAM_READABLE | STREAM_WRITABLE | STREAM_DRAINED);
    /* Part of a record: the rest waits, decrypted in BoringSSL, or for us as it came. */
    assert_int_equal(rig_server_read(&r, text, 3), 2);
    assert_int_equal(!(mem_stream_end(r.wire, 0)->ready & STREAM_READABLE), rig_boringssl_records);
    assert_true(bits(&r) & STREAM_READABLE);
    assert_int_equal(rig_server_read(&r, text, sizeof(text)), 7);
    assert_string_equal(text, "LO me\r\n");
    assert_false(bits(&r) & STREAM_READABLE);
    /* News come by the lower stream only. */
    assert_false(list_linked(&tls_conn_stream(r.conn)->ready_link));
    stream_requeue(tls_conn_stream(r.conn));
    assert_true(list_linked(&tls_conn_stream(r.conn)->ready_link));
    rig_close(&r); /* off the list again */
    assert_true(list_empty(&r.ready));
}

/* One read takes many records. */
static void test_read_joins_records(void **state)
{
    struct rig r;
    char text[64];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    rig_client_send(&r, "one ");
    rig_client_send(&r, "two ");
    rig_client_send(&r, "three");
    assert_int_equal(rig_server_read(&r, text, sizeof(text)), 13);
    assert_string_equal(text, "one two three");
    rig_close(&r);
}

/* A reply is one record in one segment; the ticket goes with the first, and leaves in the same
 * packet (a transport joins small segments). */
static void test_reply_is_one_segment(void **state)
{
    struct rig r;
    struct span runs[8];
    struct stream *s, *client;

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    s = tls_conn_stream(r.conn);
    client = mem_stream_end(r.wire, 1);
    assert_int_equal(stream_write(s, SPAN_LITERAL("220 mail.example.org ESMTP\r\n")), 28);
    if (rig_boringssl_records) {
        assert_int_equal(client->ops->peek(client, runs, 8), 1);
        assert_true(runs[0].len > 28 + 22);
    } else {
        assert_int_equal(client->ops->peek(client, runs, 8), 2);
        assert_true(runs[0].len > 22);
        assert_int_equal(runs[1].len, 5 + 28 + 1 + 16);
    }
    move_all(&r);
    assert_int_equal(stream_write(s, SPAN_LITERAL("250 2.0.0 Ok\r\n")), 14);
    assert_int_equal(client->ops->peek(client, runs, 8), 1);
    assert_int_equal(runs[0].len, 5 + 14 + 1 + 16); /* header, text, type, tag */
    rig_close(&r);
}

static void test_reserve_without_commit(void **state)
{
    struct rig r;
    struct stream *s;
    struct seg *seg;
    char text[8];

    (void)state;
    rig_open(&r, &ecdsa);
    rig_establish(&r, NULL);
    s = tls_conn_stream(r.conn);
    seg = s->ops->reserve(s, STREAM_RESERVE_MAX);
    assert_non_null(seg);
    assert_true(seg_tailroom(seg) >= STREAM_RESERVE_MAX);
    seg_release(seg);
    seg = s->ops->reserve(s, 1);
    s->ops->commit(s, seg); /* empty: nothing to say, nothing sent */
    move_all(&r);
    assert_int_equal(rig_client_read(&r, text, sizeof(text)), 0);
    assert_int_equal(r.client_error, SSL_ERROR_WANT_READ);
    rig_close(&r);
}

/* --- Much, through little -------------------------------------------------------------------- */

static uint8_t pattern(uint32_t i)
{
    return (uint8_t)(i * 2654435761u >> 24);
}

/* One turn of the server: reads into `piece`-sized places, writes while there is room. */
static uint32_t server_turn(struct rig *r, uint32_t *got, uint32_t *sent, uint32_t total,
                            uint32_t piece)
{
    struct stream *s = tls_conn_stream(r->conn);
    uint8_t place[20000];
    uint32_t n, moved = 0;

    tls_conn_update(r->conn);
    while (s->ready & STREAM_READABLE && (n = s->ops->read(s, place, piece)) > 0) {
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(place[i], pattern(*got + i));
        *got += n;
        moved += n;
    }
    for (uint32_t i = 0; i < 5000; i++)
        place[i] = pattern(*sent + i);
    if (*sent < total && (n = stream_write(s, span_of(place, 5000))) > 0) {
        *sent += n;
        moved += n;
    }
    assert_false(s->ready & STREAM_FAILED);
    return moved;
}

static uint32_t client_turn(struct rig *r, uint32_t *got, uint32_t *sent, uint32_t total)
{
    uint8_t place[20000];
    const uint8_t *waiting;
    size_t waiting_len;
    uint32_t moved = 0;
    int n;

    while ((n = SSL_read(r->client, place, sizeof(place))) > 0) {
        for (int i = 0; i < n; i++)
            assert_int_equal(place[i], pattern(*got + (uint32_t)i));
        *got += (uint32_t)n;
        moved += (uint32_t)n;
    }
    assert_true(BIO_mem_contents(SSL_get_wbio(r->client), &waiting, &waiting_len));
    for (uint32_t i = 0; i < sizeof(place); i++)
        place[i] = pattern(*sent + i);
    if (*sent < total && waiting_len < 40000) {
        assert_int_equal(SSL_write(r->client, place, sizeof(place)), sizeof(place));
        *sent += sizeof(place);
        moved += sizeof(place);
    }
    return moved;
}

static void transfer(const struct rig_config *config, uint32_t piece, uint32_t total)
{
    struct rig r;
    uint32_t up_sent = 0, up_got = 0, down_sent = 0, down_got = 0, moved;

    rig_open(&r, config);
    rig_establish(&r, NULL);
    do {
        moved = client_turn(&r, &down_got, &up_sent, total);
        moved += rig_move(&r);
        moved += server_turn(&r, &up_got, &down_sent, total, piece);
        moved += rig_move(&r);
    } while (moved > 0);
    assert_int_equal(up_got, up_sent);
    assert_int_equal(down_got, down_sent);
    assert_true(up_got >= total && down_got >= total);
    rig_close(&r);
}

static void test_large_transfers(void **state)
{
    static const struct rig_config rows[] = {
        { .connections = 1 },
        { .room = 20000, .chunk = 700 },
        { .room = 17900, .chunk = 999, .run_max = 100 },
        /* Our own layer leaves a record below until it is whole. */
        { .room = 1200 },
        { .room = 1201, .chunk = 700 },
        { .room = 5000, .chunk = 999, .run_max = 100 },
    };
    unsigned count = rig_boringssl_records ? sizeof(rows) / sizeof(rows[0]) : 3;

    (void)state;
    for (unsigned i = 0; i < count; i++) {
        transfer(&rows[i], 16384, 400000);
        transfer(&rows[i], 777, 100000);
    }
}

/* No room below: the plaintext is held, nothing is lost, WRITABLE says when it goes on. */
static void test_stall(void **state)
{
    static const struct rig_config narrow = { .room = 2 * STREAM_RESERVE_MAX };
    struct rig r;
    struct stream *s;
    uint8_t place[1000];
    uint32_t sent = 0, got = 0;
    char text[4096];

    (void)state;
    rig_open(&r, &narrow);
    rig_establish(&r, NULL);
    s = tls_conn_stream(r.conn);
    mem_stream_set_stall(r.wire, 0, true);
    while (s->ready & STREAM_WRITABLE) {
        for (uint32_t i = 0; i < sizeof(place); i++)
            place[i] = pattern(sent + i);
        sent += stream_write(s, span_of(place, sizeof(place)));
    }
    assert_true(sent >= 1000);
    s->ops->shutdown(s); /* behind what is held */
    tls_conn_update(r.conn);
    assert_false(bits(&r) & STREAM_DRAINED);
    mem_stream_set_stall(r.wire, 0, false);
    move_all(&r);
    for (uint32_t n; (n = rig_client_read(&r, text, sizeof(text))) > 0; got += n)
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal((uint8_t)text[i], pattern(got + i));
    assert_int_equal(got, sent);
    assert_int_equal(r.client_error, SSL_ERROR_ZERO_RETURN);
    assert_true(bits(&r) & STREAM_DRAINED);
    rig_close(&r);
}

/* Closed with something held: nothing leaks (rig_close asserts it). */
static void test_close_while_held(void **state)
{
    static const struct rig_config narrow = { .room = STREAM_RESERVE_MAX };
    struct rig r;
    struct stream *s;
    uint8_t place[STREAM_RESERVE_MAX] = { 0 };

    (void)state;
    rig_open(&r, &narrow);
    rig_establish(&r, NULL);
    s = tls_conn_stream(r.conn);
    mem_stream_set_stall(r.wire, 0, true);
    while (stream_write(s, span_of(place, sizeof(place))) > 0) {
    }
    s->ops->close(s);
    r.conn = NULL;
    rig_close(&r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_read_joins_records),
        cmocka_unit_test(test_reply_is_one_segment),
        cmocka_unit_test(test_reserve_without_commit),
        cmocka_unit_test(test_large_transfers),
        cmocka_unit_test(test_stall),
        cmocka_unit_test(test_close_while_held),
    };

    rig_boringssl_records = argc > 1 && strcmp(argv[1], "boringssl") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
