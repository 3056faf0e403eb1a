/* What happens at every bound: connections, descriptors, segments, unread bytes; and at shut-down.
 */
#include "ksock_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/kernel/ksock_priv.h"

static const struct ksock_config config = { .connections_max = 2,
                                            .receive_bytes_max = 8 * 1024,
                                            .send_bytes_max = 8 * 1024 };
static struct fixture f;
static struct stream *held;

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    fixture_open(&f, "127.0.0.1", &config, 256);
    return 0;
}

static int set_up_few_segs(void **state)
{
    (void)state;
    fixture_open(&f, "127.0.0.1", &config, 8);
    return 0;
}

static bool is_empty(struct fixture *x)
{
    return ksock_connections(x->ksock) == 0;
}

static bool has_two(struct fixture *x)
{
    return x->accepted == 2;
}

static bool has_three(struct fixture *x)
{
    return x->accepted == 3;
}

static bool held_is_readable(struct fixture *x)
{
    (void)x;
    return (held->ready & STREAM_READABLE) != 0;
}

static void end_stream(struct stream *s)
{
    s->ops->shutdown(s);
    fixture_forget(&f, s);
    s->ops->close(s);
}

/* The third client waits, and is taken when one of the two is gone. */
static void accepts_no_more_than_it_may(void **state)
{
    char got[8];
    int clients[3];
    int end;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        clients[i] = fixture_connect(&f);
    fixture_run(&f, has_two);
    fixture_settle(&f);
    assert_int_equal(f.accepted, 2);
    assert_int_equal(ksock_connections(f.ksock), 2);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(fixture_turn(&f), 0); /* and nothing spins meanwhile */
    shutdown(clients[0], SHUT_WR);
    end_stream(f.streams[0]);
    fixture_read(&f, clients[0], got, 8, &end);
    fixture_run(&f, has_three);
    for (unsigned i = 0; i < 3; i++)
        close(clients[i]);
}

/* No descriptor left: nothing spins, and the client is taken when there is one again. */
static void waits_for_descriptors(void **state)
{
    struct rlimit before, none;
    unsigned turns = 0;
    int client;
    int probe;

    (void)state;
    client = fixture_connect(&f);
    probe = dup(0);
    assert_true(probe >= 0);
    close(probe);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)probe;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    /* Ten ticks: two completions each at most. */
    for (unsigned work = 0; work < 10; turns++)
        work += fixture_turn(&f);
    assert_int_equal(f.accepted, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    held = NULL;
    while (f.accepted == 0)
        fixture_turn(&f);
    assert_true(turns > 10); /* turns without work: it waited for ticks */
    close(client);
}

static void stops_receiving_at_its_bound(void **state)
{
    enum { BYTES = 4 * 1024 * 1024 };
    static uint8_t bytes[65536];
    static uint8_t got[65536];
    uint64_t sent = 0;
    uint64_t read = 0;
    struct span runs[64];
    unsigned count;
    uint32_t unread = 0;
    int client;

    (void)state;
    memset(bytes, 'u', sizeof(bytes));
    held = fixture_pair(&f, &client);
    /* Until the kernel's buffers are full too. */
    for (unsigned idle = 0; idle < 100;) {
        ssize_t n = send(client, bytes, sizeof(bytes), MSG_NOSIGNAL);

        sent += n > 0 ? (uint64_t)n : 0;
        idle = fixture_turn(&f) + (n > 0) > 0 ? 0 : idle + 1;
    }
    count = held->ops->peek(held, runs, 64);
    for (unsigned i = 0; i < count; i++)
        unread += runs[i].len;
    assert_in_range(unread, config.receive_bytes_max, config.receive_bytes_max + 2047);
    shutdown(client, SHUT_WR);
    while (read < sent) {
        fixture_run(&f, held_is_readable);
        read += held->ops->read(held, got, sizeof(got));
    }
    assert_true(read == sent);
    end_stream(held);
    close(client);
    fixture_run(&f, is_empty);
}

/* An idle connection holds no segment but those lent to all. */
static void idle_connections_hold_nothing(void **state)
{
    uint32_t before;
    int clients[2];

    (void)state;
    fixture_settle(&f);
    before = f.pool->ops->available(f.pool);
    clients[0] = fixture_connect(&f);
    clients[1] = fixture_connect(&f);
    fixture_run(&f, has_two);
    fixture_settle(&f);
    assert_int_equal(f.pool->ops->available(f.pool), before);
    close(clients[0]);
    close(clients[1]);
}

/* Bytes that come one by one, and wait for a reader, share segments. */
static void keeps_single_bytes_together(void **state)
{
    enum { BYTES = 60 };
    struct span runs[BYTES];
    uint32_t before;
    int client;

    (void)state;
    held = fixture_pair(&f, &client);
    fixture_settle(&f);
    before = f.pool->ops->available(f.pool);
    for (uint8_t i = 0; i < BYTES; i++) {
        assert_int_equal(send(client, &i, 1, MSG_NOSIGNAL), 1);
        fixture_settle(&f);
    }
    assert_int_equal(held->ops->peek(held, runs, BYTES), 1);
    assert_int_equal(runs[0].len, BYTES);
    for (uint8_t i = 0; i < BYTES; i++)
        assert_int_equal(runs[0].ptr[i], i);
    assert_int_equal(f.pool->ops->available(f.pool), before - 1);
    end_stream(held);
    close(client);
    fixture_run(&f, is_empty);
}

/* All segments elsewhere: neither receive nor reserve; both go on when they are back. */
static void waits_for_segments(void **state)
{
    static char bytes[20000];
    static char got[20000];
    struct list taken;
    struct seg *s;
    int client, end;

    (void)state;
    list_init(&taken);
    held = fixture_pair(&f, &client);
    fixture_settle(&f);
    while ((s = seg_alloc(f.pool)) != NULL)
        list_append(&taken, &s->link);
    assert_null(held->ops->reserve(held, 1));
    assert_int_equal(held->ready & STREAM_WRITABLE, 0);
    f.mode = FIXTURE_ECHO;
    memset(bytes, 'w', sizeof(bytes));
    assert_int_equal(send(client, bytes, sizeof(bytes), MSG_NOSIGNAL), sizeof(bytes));
    fixture_settle(&f);
    assert_int_equal(recv(client, got, 1, 0), -1);
    seg_release_all(&taken);
    assert_int_equal(fixture_read(&f, client, got, sizeof(got), &end), sizeof(got));
    assert_memory_equal(got, bytes, sizeof(got));
    shutdown(client, SHUT_WR);
    fixture_run(&f, is_empty);
    close(client);
}

/* The kernel had no memory for a receive: it is not asked again in each turn, but at the tick. */
static void waits_for_memory_of_the_kernel(void **state)
{
    struct ksock_conn *c;
    int client;

    (void)state;
    held = fixture_pair(&f, &client);
    fixture_settle(&f);
    c = LIST_ENTRY(held, struct ksock_conn, stream);
    c->recv_short = true;
    ksock_conn_wait(c);
    ksock_recv_refill(f.ksock); /* segments are there, and none is wanted */
    assert_true(c->recv_short);
    fixture_settle(&f);
    assert_false(c->recv_short);
    end_stream(held);
    close(client);
    fixture_run(&f, is_empty);
}

/* Each n-th allocation fails once: the echo is whole all the same. */
static void survives_each_failed_allocation(void **state)
{
    static char bytes[30000];
    static char got[30000];
    uint64_t n = 0;

    (void)state;
    memset(bytes, 'n', sizeof(bytes));
    f.mode = FIXTURE_ECHO;
    do {
        int client, end;

        fault_set(&f.faults.fault, ++n, 2);
        fixture_pair(&f, &client);
        fixture_send(&f, client, bytes, sizeof(bytes));
        assert_int_equal(fixture_read(&f, client, got, sizeof(got), &end), sizeof(got));
        assert_memory_equal(got, bytes, sizeof(got));
        shutdown(client, SHUT_WR);
        fixture_run(&f, is_empty);
        close(client);
    } while (f.faults.fault.hit);
    assert_true(n > 20);
}

static void stops_listening(void **state)
{
    char got[8];
    int client, late, end;

    (void)state;
    f.mode = FIXTURE_ECHO;
    fixture_pair(&f, &client);
    ksock_listen_stop(f.ksock);
    ksock_listen_stop(f.ksock);
    late = fixture_connect(&f);
    fixture_settle(&f);
    assert_int_equal(f.accepted, 1);
    fixture_read(&f, late, got, 8, &end);
    assert_int_equal(end, ECONNREFUSED);
    close(late);
    /* Those inside stay. */
    fixture_send(&f, client, "still", 5);
    assert_int_equal(fixture_read(&f, client, got, 5, &end), 5);
    /* And it can listen again. */
    assert_true(ksock_listen(f.ksock, &f.at, &f));
    late = fixture_connect(&f);
    fixture_run(&f, has_two);
    close(late);
    close(client);
}

static void says_why_it_cannot_listen(void **state)
{
    struct endpoint nowhere = f.at;

    (void)state;
    nowhere.addr = addr_from_v4(0xc0000201); /* TEST-NET-1: not ours */
    assert_false(ksock_listen(f.ksock, &nowhere, NULL));
    assert_int_equal(errno, EADDRNOTAVAIL);
}

/* Destroyed with receives and sends in flight, unread bytes and unsent ones: all segments come
 * home. */
static void is_destroyed_at_any_moment(void **state)
{
    static uint8_t bytes[65536];
    int clients[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++)
        clients[i] = fixture_connect(&f);
    fixture_run(&f, has_two);
    while (stream_write(f.streams[0], span_of(bytes, 8192)) > 0 || fixture_turn(&f) > 0)
        continue;
    fixture_send(&f, clients[1], bytes, sizeof(bytes));
    fixture_turn(&f);
    stream_write(f.streams[1], span_of(bytes, 8192));
    fixture_close(&f);
    fixture_open(&f, "127.0.0.1", &config, 256); /* for tear_down: never polled */
    close(clients[0]);
    close(clients[1]);
}

/* A last word said in the very turn before the end. */
static void says_its_last_word_when_destroyed(void **state)
{
    static uint8_t bytes[8000];
    static char got[9000];
    size_t n = 0;
    ssize_t part;
    int client;

    (void)state;
    held = fixture_pair(&f, &client);
    assert_int_equal(stream_write(held, span_of(bytes, sizeof(bytes))), sizeof(bytes));
    held->ops->shutdown(held);
    held->ops->close(held);
    fixture_close(&f);
    fixture_open(&f, "127.0.0.1", &config, 256);
    while ((part = recv(client, got + n, sizeof(got) - n, 0)) > 0)
        n += (size_t)part;
    assert_int_equal(part, 0);
    assert_int_equal(n, sizeof(bytes));
    close(client);
}

static void *poll_and_leave(void *argument)
{
    struct fixture *x = argument;

    fixture_run(x, has_two);
    stream_write(x->streams[0], SPAN_LITERAL("sent"));
    x->streams[1]->ops->abort(x->streams[1]);
    ksock_poll(x->ksock);
    return NULL;
}

/* The worker's thread is gone when main takes its ksock down: its requests still let go of their
 * segments. */
static void is_destroyed_by_another_thread(void **state)
{
    pthread_t thread;
    char got[8];
    int clients[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++)
        clients[i] = fixture_connect(&f);
    assert_int_equal(pthread_create(&thread, NULL, poll_and_leave, &f), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    fixture_close(&f);
    fixture_open(&f, "127.0.0.1", &config, 256);
    for (unsigned i = 0; i < 2; i++) {
        ssize_t n = recv(clients[i], got, sizeof(got), 0);

        assert_true(n == 4 || (n < 0 && errno == ECONNRESET));
        close(clients[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(accepts_no_more_than_it_may, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stops_receiving_at_its_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(idle_connections_hold_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_single_bytes_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_segments, set_up_few_segs, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_memory_of_the_kernel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_each_failed_allocation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stops_listening, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_why_it_cannot_listen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_destroyed_at_any_moment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_its_last_word_when_destroyed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_destroyed_by_another_thread, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
