/* See ksock_fixture.h. */
#include "ksock_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_S 10

static socklen_t to_sockaddr(const struct endpoint *e, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (void *)out;
    struct sockaddr_in6 *v6 = (void *)out;

    memset(out, 0, sizeof(*out));
    if (addr_is_v4(&e->addr)) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(e->port);
        v4->sin_addr.s_addr = htonl(addr_v4(&e->addr));
        return sizeof(*v4);
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(e->port);
    memcpy(&v6->sin6_addr, e->addr.octets, 16);
    return sizeof(*v6);
}

/* Bound and not listening, with SO_REUSEPORT: the port stays ours while the ksock listens on it. */
static void hold_port(struct fixture *f)
{
    struct sockaddr_storage name;
    socklen_t len = to_sockaddr(&f->at, &name);
    int on = 1;

    f->port_holder = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(f->port_holder >= 0);
    assert_int_equal(setsockopt(f->port_holder, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
    assert_int_equal(bind(f->port_holder, (struct sockaddr *)&name, len), 0);
    assert_int_equal(getsockname(f->port_holder, (struct sockaddr *)&name, &len), 0);
    f->at.port = ntohs(((struct sockaddr_in *)(void *)&name)->sin_port);
}

void fixture_open(struct fixture *f, const char *text, const struct ksock_config *config,
                  uint32_t segs)
{
    struct ksock_env env = { .counters = &f->counters, .ready = &f->ready };

    memset(f, 0, sizeof(*f));
    f->segs = segs;
    f->watch = -1;
    list_init(&f->ready);
    f->pool = seg_plain_create(segs, 128, 2048);
    assert_non_null(f->pool);
    fault_pool_init(&f->faults, f->pool);
    env.pool = &f->faults.pool;
    f->ksock = ksock_create(config, &env);
    assert_non_null(f->ksock);
    assert_true(addr_parse(text, &f->at.addr));
    hold_port(f);
    assert_true(ksock_listen(f->ksock, &f->at, f));
}

void fixture_close(struct fixture *f)
{
    ksock_destroy(f->ksock);
    assert_int_equal(f->pool->ops->available(f->pool), f->segs);
    seg_plain_destroy(f->pool);
    close(f->port_holder);
}

void fixture_forget(struct fixture *f, struct stream *s)
{
    for (uint32_t i = 0; i < f->stream_count; i++) {
        if (f->streams[i] == s) {
            f->streams[i] = f->streams[--f->stream_count];
            return;
        }
    }
    fail_msg("not a stream of ours");
}

static void echo(struct fixture *f, struct stream *s)
{
    for (;;) {
        struct span run;
        uint32_t n;

        if ((s->ready & STREAM_FAILED) != 0)
            break;
        if (s->ops->peek(s, &run, 1) == 0)
            break;
        n = stream_write(s, run);
        if (n == 0)
            return; /* WRITABLE will come */
        s->ops->consume(s, n);
    }
    if ((s->ready & (STREAM_ENDED | STREAM_FAILED)) != 0) {
        s->ops->shutdown(s);
        fixture_forget(f, s);
        s->ops->close(s);
    }
}

static void sink(struct fixture *f, struct stream *s)
{
    static uint8_t to[65536];
    uint32_t n;

    while ((n = s->ops->read(s, to, sizeof(to))) > 0)
        f->sunk_bytes += n;
}

static unsigned accept_all(struct fixture *f)
{
    struct stream *s;
    void *cookie;
    unsigned count = 0;

    while ((s = ksock_accept(f->ksock, &cookie)) != NULL) {
        assert_ptr_equal(cookie, f);
        assert_true(f->stream_count < FIXTURE_STREAMS_MAX);
        f->streams[f->stream_count++] = s;
        f->accepted++;
        count++;
    }
    return count;
}

unsigned fixture_turn(struct fixture *f)
{
    unsigned work = ksock_poll(f->ksock);
    struct list_node *n;

    work += accept_all(f);
    while ((n = list_pop(&f->ready)) != NULL) {
        struct stream *s = LIST_ENTRY(n, struct stream, ready_link);

        if (f->mode == FIXTURE_ECHO)
            echo(f, s);
        else if (f->mode == FIXTURE_SINK)
            sink(f, s);
        work++;
    }
    return work;
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Sleeps until there is news; false: none within the time. */
static bool wait_for_news(struct fixture *f, int ms)
{
    struct pollfd fds[2] = { { .fd = ksock_fd(f->ksock), .events = POLLIN },
                             { .fd = f->watch, .events = POLLIN } };

    return poll(fds, 2, ms) > 0;
}

void fixture_run(struct fixture *f, bool (*done)(struct fixture *f))
{
    uint64_t deadline = now_ms() + DEADLINE_S * 1000;

    while (!done(f)) {
        if (fixture_turn(f) == 0 && !done(f))
            wait_for_news(f, 1000);
        if (now_ms() > deadline)
            fail_msg("nothing came of it in %d s", DEADLINE_S);
    }
}

void fixture_settle(struct fixture *f)
{
    /* A tick, and the receive that it tries again in vain, are no news. */
    for (unsigned quiet = 0; quiet < 4; quiet++) {
        if (fixture_turn(f) > 2)
            quiet = 0;
        wait_for_news(f, 25);
    }
}

int fixture_connect(struct fixture *f)
{
    struct sockaddr_storage name;
    socklen_t len = to_sockaddr(&f->at, &name);
    int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&name, len) != 0)
        assert_int_equal(errno, EINPROGRESS);
    return fd;
}

static uint32_t accepted_before;

static bool has_accepted(struct fixture *f)
{
    return f->accepted > accepted_before;
}

struct stream *fixture_pair(struct fixture *f, int *client)
{
    accepted_before = f->accepted;
    *client = fixture_connect(f);
    fixture_run(f, has_accepted);
    return f->streams[f->stream_count - 1];
}

size_t fixture_read(struct fixture *f, int client, void *to, size_t cap, int *end)
{
    uint64_t deadline = now_ms() + DEADLINE_S * 1000;
    size_t done = 0;

    f->watch = client;
    *end = -1;
    while (done < cap) {
        ssize_t n = recv(client, (char *)to + done, cap - done, 0);

        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        if (n == 0 || errno != EAGAIN) {
            *end = n == 0 ? 0 : errno;
            break;
        }
        if (fixture_turn(f) == 0)
            wait_for_news(f, 100);
        if (now_ms() > deadline)
            fail_msg("no more than %zu of %zu bytes came", done, cap);
    }
    f->watch = -1;
    return done;
}

void fixture_send(struct fixture *f, int client, const void *bytes, size_t len)
{
    uint64_t deadline = now_ms() + DEADLINE_S * 1000;
    size_t done = 0;

    while (done < len) {
        ssize_t n = send(client, (const char *)bytes + done, len - done, MSG_NOSIGNAL);

        if (n > 0)
            done += (size_t)n;
        else
            assert_int_equal(errno, EAGAIN);
        if (n < 0 && fixture_turn(f) == 0)
            wait_for_news(f, 1);
        if (now_ms() > deadline)
            fail_msg("no more than %zu of %zu bytes went", done, len);
    }
}
