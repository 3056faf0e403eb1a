/* See carrier.h: the kernel's TCP, with epoll. */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "bench/carrier.h"
#include "bench/timing.h"

#define EVENTS 256

struct sockets {
    struct carrier carrier;
    struct sockaddr_storage to;
    socklen_t to_len;
    int epoll;
};

static bool connect_socket(struct carrier *carrier, struct carried *c)
{
    struct sockets *s = (struct sockets *)carrier;
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                 .data.ptr = c->owner };
    int one = 1;

    c->fd = socket(s->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
        return false;
    if (connect(c->fd, (struct sockaddr *)&s->to, s->to_len) != 0 && errno != EINPROGRESS)
        return false;
    return epoll_ctl(s->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0;
}

static bool socket_connected(struct carried *c)
{
    socklen_t len = sizeof(int);
    int error = 0;

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return false;
    errno = error;
    return error == 0;
}

static ssize_t socket_receive(struct carried *c, void *to, size_t cap)
{
    return recv(c->fd, to, cap, 0);
}

static ssize_t socket_send(struct carried *c, const void *from, size_t len)
{
    return send(c->fd, from, len, 0);
}

static void close_socket(struct carried *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static bool wait_sockets(struct carrier *carrier, uint64_t due_ns)
{
    struct sockets *s = (struct sockets *)carrier;
    struct epoll_event events[EVENTS];
    uint64_t now = carrier->clock->now_ns;
    struct timespec ts = { 0 };
    int n;

    if (due_ns > now) {
        ts.tv_sec = (time_t)((due_ns - now) / NS_PER_S);
        ts.tv_nsec = (long)((due_ns - now) % NS_PER_S);
    }
    n = epoll_pwait2(s->epoll, events, EVENTS, &ts, NULL);
    carrier->clock->now_ns = timing_now_ns();
    for (int i = 0; i < n; i++)
        carrier->news(events[i].data.ptr);
    return n >= 0 || errno == EINTR;
}

static void destroy_sockets(struct carrier *carrier)
{
    struct sockets *s = (struct sockets *)carrier;

    close(s->epoll);
    free(s);
}

static const struct carrier_ops socket_ops = {
    .connect = connect_socket,
    .connected = socket_connected,
    .receive = socket_receive,
    .send = socket_send,
    .close = close_socket,
    .wait = wait_sockets,
    .destroy = destroy_sockets,
};

static void lift_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* a connection too many is counted with its errno */
}

struct carrier *carrier_socket_create(const struct sockaddr_storage *to, socklen_t to_len,
                                      struct clock *clock, void (*news)(void *owner),
                                      struct buf *why)
{
    struct sockets *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        buf_printf(why, "memory is short");
        return NULL;
    }
    lift_descriptor_limit();
    s->carrier = (struct carrier){ &socket_ops, clock, news };
    s->to = *to;
    s->to_len = to_len;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll >= 0)
        return &s->carrier;
    buf_printf(why, "epoll: %s", strerror(errno));
    free(s);
    return NULL;
}
