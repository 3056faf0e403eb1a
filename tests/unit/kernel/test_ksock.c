/* The stream's contract over loopback sockets: bytes, ends, resets, closes. */
#include "ksock_fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rng.h"

static const struct ksock_config config = { .connections_max = 256,
                                            .receive_bytes_max = 64 * 1024,
                                            .send_bytes_max = 64 * 1024 };
static struct fixture f;

static int set_up(void **state)
{
    fixture_open(&f, *state == NULL ? "127.0.0.1" : *state, &config, 1024);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

static bool is_empty(struct fixture *x)
{
    return ksock_connections(x->ksock) == 0;
}

static struct stream *held;

static bool held_is_readable(struct fixture *x)
{
    (void)x;
    return (held->ready & STREAM_READABLE) != 0;
}

static bool held_is_ended(struct fixture *x)
{
    (void)x;
    return (held->ready & STREAM_ENDED) != 0;
}

static bool held_is_failed(struct fixture *x)
{
    (void)x;
    return (held->ready & STREAM_FAILED) != 0;
}

static bool held_is_drained(struct fixture *x)
{
    (void)x;
    return (held->ready & STREAM_DRAINED) != 0;
}

static void echoes(void **state)
{
    char got[64];
    int client, end;

    (void)state;
    f.mode = FIXTURE_ECHO;
    fixture_pair(&f, &client);
    for (unsigned i = 0; i < 50; i++) {
        fixture_send(&f, client, "hello", 5);
        assert_int_equal(fixture_read(&f, client, got, 5, &end), 5);
        assert_memory_equal(got, "hello", 5);
    }
    shutdown(client, SHUT_WR);
    assert_int_equal(fixture_read(&f, client, got, 1, &end), 0);
    assert_int_equal(end, 0);
    close(client);
    fixture_run(&f, is_empty);
    assert_int_equal(counter_get(&f.counters, COUNTER_KSOCK_ACCEPTS), 1);
}

static bool has_no_work(struct fixture *x)
{
    return !ksock_has_work(x->ksock);
}

/* A loop that was told there is nothing must not sleep on what was said since. */
static void what_was_said_is_work(void **state)
{
    char got[8];
    int client, end;
    struct stream *s;

    (void)state;
    f.mode = FIXTURE_HOLD;
    s = fixture_pair(&f, &client);
    fixture_run(&f, has_no_work);
    assert_int_equal(stream_write(s, SPAN_LITERAL("421\r\n")), 5);
    assert_true(ksock_has_work(f.ksock));
    fixture_run(&f, has_no_work);
    assert_int_equal(fixture_read(&f, client, got, 5, &end), 5);
    close(client);
}

static void knows_both_addresses(void **state)
{
    int client;
    struct stream *s = fixture_pair(&f, &client);

    (void)state;
    assert_true(addr_equal(&s->local.addr, &f.at.addr));
    assert_int_equal(s->local.port, f.at.port);
    assert_true(addr_equal(&s->peer.addr, &f.at.addr));
    assert_true(s->peer.port != 0);
    assert_true(s->peer.port != f.at.port);
    close(client);
}

/* One socket for all addresses has clients of both families, each by its own address. */
static void all_addresses_are_of_both_families(void **state)
{
    static const char *const texts[] = { "127.0.0.1", "::1" };
    int client;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct stream *s;

        assert_true(addr_parse(texts[i], &f.at.addr));
        s = fixture_pair(&f, &client);
        assert_true(addr_equal(&s->local.addr, &f.at.addr));
        assert_true(addr_equal(&s->peer.addr, &f.at.addr));
        close(client);
    }
}

/* The peer ends its side, and reads on: what we say then still arrives. */
static void half_closes(void **state)
{
    char got[64];
    int client, end;

    (void)state;
    held = fixture_pair(&f, &client);
    fixture_send(&f, client, "QUIT\r\n", 6);
    shutdown(client, SHUT_WR);
    fixture_run(&f, held_is_ended);
    assert_int_equal(held->ops->read(held, (uint8_t *)got, 64), 6);
    assert_int_equal(stream_write(held, SPAN_LITERAL("221 bye\r\n")), 9);
    held->ops->shutdown(held);
    held->ops->shutdown(held);
    assert_null(held->ops->reserve(held, 1));
    assert_int_equal(fixture_read(&f, client, got, 64, &end), 9);
    assert_int_equal(end, 0);
    assert_memory_equal(got, "221 bye\r\n", 9);
    assert_int_equal(held->ready & (STREAM_FAILED | STREAM_WRITABLE), 0);
    held->ops->close(held);
    fixture_run(&f, is_empty);
    close(client);
}

static void reset_socket(int fd)
{
    struct linger at_once = { 1, 0 };

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    close(fd);
}

static void peer_resets(void **state)
{
    int client;

    (void)state;
    held = fixture_pair(&f, &client);
    fixture_send(&f, client, "DATA", 4);
    fixture_run(&f, held_is_readable);
    reset_socket(client);
    fixture_run(&f, held_is_failed);
    assert_int_equal(held->ready, STREAM_FAILED);
    assert_null(held->ops->reserve(held, 1));
    assert_int_equal(held->ops->read(held, (uint8_t[1]){ 0 }, 1), 0);
    held->ops->close(held);
    fixture_run(&f, is_empty);
}

/* Committed into a connection that breaks meanwhile: the segment goes home. */
static void commits_into_the_broken(void **state)
{
    int client;
    struct seg *seg;

    (void)state;
    held = fixture_pair(&f, &client);
    seg = held->ops->reserve(held, 10);
    assert_non_null(seg);
    memset(seg->data, 'x', 10);
    seg->len = 10;
    reset_socket(client);
    fixture_run(&f, held_is_failed);
    held->ops->commit(held, seg);
    held->ops->close(held);
    fixture_run(&f, is_empty);
}

static void aborts(void **state)
{
    char got[8];
    int client, end;

    (void)state;
    held = fixture_pair(&f, &client);
    held->ops->abort(held);
    held->ops->abort(held);
    assert_int_equal(held->ready, STREAM_FAILED);
    fixture_read(&f, client, got, 8, &end);
    assert_int_equal(end, ECONNRESET);
    held->ops->close(held);
    fixture_run(&f, is_empty);
    close(client);
}

/* With a send that waits for the peer, which does not read. */
static void aborts_while_sending(void **state)
{
    static uint8_t bytes[16384];
    int client;

    (void)state;
    held = fixture_pair(&f, &client);
    while (stream_write(held, span_of(bytes, sizeof(bytes))) > 0 || fixture_turn(&f) > 0)
        continue;
    assert_int_equal(held->ready & STREAM_DRAINED, 0);
    held->ops->abort(held);
    held->ops->close(held);
    fixture_run(&f, is_empty);
    close(client);
}

static void close_without_shutdown_resets(void **state)
{
    char got[8];
    int client, end;

    (void)state;
    held = fixture_pair(&f, &client);
    held->ops->close(held);
    fixture_read(&f, client, got, 8, &end);
    assert_int_equal(end, ECONNRESET);
    fixture_run(&f, is_empty);
    close(client);
}

/* The last reply arrives although the peer goes on sending and its bytes are never read. */
static void close_with_unread_data_loses_no_reply(void **state)
{
    static uint8_t flood[200000];
    char got[64];
    int client, end;

    (void)state;
    held = fixture_pair(&f, &client);
    fixture_send(&f, client, flood, 30000);
    fixture_run(&f, held_is_readable);
    assert_int_equal(stream_write(held, SPAN_LITERAL("421 go away\r\n")), 13);
    held->ops->shutdown(held);
    held->ops->close(held);
    fixture_send(&f, client, flood, sizeof(flood));
    fixture_settle(&f);
    assert_int_equal(fixture_read(&f, client, got, 64, &end), 13);
    assert_memory_equal(got, "421 go away\r\n", 13);
    assert_int_equal(end, 0);
    shutdown(client, SHUT_WR);
    fixture_run(&f, is_empty);
    close(client);
}

/* A peer that never ends costs its slot for a bounded time only; bytes that nobody read end in RST.
 */
static void linger_is_bounded(void **state)
{
    char got[8];
    int client, silent, end;
    struct stream *s;

    (void)state;
    s = fixture_pair(&f, &silent);
    s->ops->shutdown(s);
    s->ops->close(s);
    held = fixture_pair(&f, &client);
    fixture_send(&f, client, "unread", 6);
    fixture_run(&f, held_is_readable);
    held->ops->shutdown(held);
    held->ops->close(held);
    assert_int_equal(fixture_read(&f, client, got, 8, &end), 0);
    assert_int_equal(end, 0);
    assert_int_equal(ksock_connections(f.ksock), 2);
    fixture_run(&f, is_empty);
    assert_int_equal(send(client, "x", 1, MSG_NOSIGNAL), -1);
    assert_true(errno == ECONNRESET || errno == EPIPE);
    close(client);
    close(silent);
}

/* More than all buffers hold, both ways at once, every byte in its place. */
static void moves_much_both_ways(void **state)
{
    enum { BYTES = 8 * 1024 * 1024 };
    static uint8_t sent[BYTES];
    static uint8_t got[BYTES];
    struct rng r;
    size_t in = 0;
    size_t out = 0;
    int client;

    (void)state;
    f.mode = FIXTURE_ECHO;
    rng_seed(&r, 21);
    for (size_t i = 0; i < BYTES; i++)
        sent[i] = (uint8_t)rng_next(&r);
    fixture_pair(&f, &client);
    while (out < BYTES) {
        ssize_t n = send(client, sent + in, BYTES - in, MSG_NOSIGNAL);

        if (n > 0)
            in += (size_t)n;
        n = recv(client, got + out, BYTES - out, 0);
        if (n > 0)
            out += (size_t)n;
        else
            assert_int_equal(errno, EAGAIN);
        fixture_turn(&f);
    }
    assert_memory_equal(sent, got, BYTES);
    shutdown(client, SHUT_WR);
    fixture_run(&f, is_empty);
    close(client);
}

/* A reader that stops: the queue fills to its bound, and drains when it reads again. */
static void waits_for_a_slow_reader(void **state)
{
    static uint8_t bytes[32768];
    static char got[32768];
    uint64_t written = 0;
    uint64_t read = 0;
    uint32_t n;
    int client, end;

    (void)state;
    held = fixture_pair(&f, &client);
    do {
        n = stream_write(held, span_of(bytes, sizeof(bytes)));
        written += n;
    } while (fixture_turn(&f) + n > 0);
    assert_int_equal(held->ready & (STREAM_WRITABLE | STREAM_DRAINED), 0);
    assert_null(held->ops->reserve(held, STREAM_RESERVE_MAX));
    held->ops->shutdown(held);
    do {
        n = (uint32_t)fixture_read(&f, client, got, sizeof(got), &end);
        read += n;
    } while (n > 0);
    assert_true(read == written);
    fixture_run(&f, held_is_drained);
    held->ops->close(held);
    shutdown(client, SHUT_WR);
    fixture_run(&f, is_empty);
    close(client);
}

static bool has_all(struct fixture *x)
{
    return x->accepted == 200;
}

static void serves_many(void **state)
{
    enum { COUNT = 200 };
    int clients[COUNT];

    (void)state;
    f.mode = FIXTURE_ECHO;
    for (unsigned i = 0; i < COUNT; i++)
        clients[i] = fixture_connect(&f);
    fixture_run(&f, has_all);
    assert_int_equal(ksock_connections(f.ksock), COUNT);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < COUNT; i++)
            fixture_send(&f, clients[i], &i, sizeof(i));
        for (unsigned i = 0; i < COUNT; i++) {
            unsigned got;
            int end;

            assert_int_equal(fixture_read(&f, clients[i], &got, sizeof(got), &end), sizeof(got));
            assert_int_equal(got, i);
        }
    }
    /* Half of them end, half of them break. */
    for (unsigned i = 0; i < COUNT; i++) {
        if (i % 2 == 0)
            close(clients[i]);
        else
            reset_socket(clients[i]);
    }
    fixture_run(&f, is_empty);
    assert_int_equal(f.stream_count, 0);
}

int main(void)
{
    static char v6[] = "::1";
    static char any[] = "::";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(echoes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_said_is_work, set_up, tear_down),
        cmocka_unit_test_prestate_setup_teardown(echoes, set_up, tear_down, v6),
        cmocka_unit_test_setup_teardown(knows_both_addresses, set_up, tear_down),
        cmocka_unit_test_prestate_setup_teardown(knows_both_addresses, set_up, tear_down, v6),
        cmocka_unit_test_prestate_setup_teardown(all_addresses_are_of_both_families, set_up,
                                                 tear_down, any),
        cmocka_unit_test_setup_teardown(half_closes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(peer_resets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(commits_into_the_broken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(aborts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(aborts_while_sending, set_up, tear_down),
        cmocka_unit_test_setup_teardown(close_without_shutdown_resets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(close_with_unread_data_loses_no_reply, set_up, tear_down),
        cmocka_unit_test_setup_teardown(linger_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(moves_much_both_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_a_slow_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(serves_many, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
