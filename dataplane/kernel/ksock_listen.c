/*
 * Listening sockets: a poll says that somebody waits, accept4(2) takes them one by one while there
 * is room.
 *
 * Not a multishot accept, which takes connections that we have no room for: this way those wait in
 * the kernel's queue, where the backlog and the clients' patience bound them.
 *
 * Failure modes: no room (connections_max): no poll until a connection ended. No descriptors or
 * memory (EMFILE, ENFILE, ENOBUFS, ENOMEM): none until the next tick, so nothing spins. A client
 * that went away meanwhile: the next one. All else about one connection (accept(2) passes on its
 * pending network errors): the same.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "base/sockaddr.h"
#include "dataplane/kernel/ksock_priv.h"

#define BACKLOG       4096
#define ACCEPT_BUDGET 64 /* of one listener in one turn */

void ksock_listen_init(struct ksock *k)
{
    for (unsigned i = 0; i < LIMIT_LISTENERS; i++)
        k->listeners[i].fd = -1;
}

/* A socket for all addresses is one of IPv6 that takes IPv4 clients too, as ::ffff:a.b.c.d; where
 * the kernel has no IPv6, one of IPv4. */
static int new_socket(const struct endpoint *at, union sockaddrs *name, socklen_t *len)
{
    const int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    const struct endpoint any_v4 = { addr_from_v4(INADDR_ANY), at->port };
    int fd;

    *len = sockaddr_of(at, name);
    fd = socket(name->any.sa_family, type, 0);
    if (fd >= 0 || errno != EAFNOSUPPORT || !addr_is_none(&at->addr))
        return fd;
    *len = sockaddr_of(&any_v4, name);
    return socket(AF_INET, type, 0);
}

/* Not O_NONBLOCK on what is accepted: io_uring waits in its own way then, instead of saying EAGAIN.
 */
static int open_socket(const struct endpoint *at)
{
    union sockaddrs name;
    socklen_t len;
    int fd = new_socket(at, &name, &len);
    int on = 1;
    int v6_only = !addr_is_none(&at->addr);

    if (fd < 0)
        return -1;
    /* TCP_NODELAY is inherited by what is accepted. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
        (name.any.sa_family == AF_INET ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) == 0) &&
        bind(fd, &name.any, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    on = errno;
    close(fd);
    errno = on;
    return -1;
}

bool ksock_listen(struct ksock *k, const struct endpoint *at, void *cookie)
{
    for (unsigned i = 0; i < LIMIT_LISTENERS; i++) {
        struct ksock_listener *l = &k->listeners[i];

        /* A poll of the one before may still be in flight. */
        if (l->fd >= 0 || l->armed)
            continue;
        l->fd = open_socket(at);
        l->cookie = cookie;
        l->paused = false;
        l->generation++;
        return l->fd >= 0;
    }
    errno = ENOSPC;
    return false;
}

void ksock_listen_stop(struct ksock *k)
{
    for (unsigned i = 0; i < LIMIT_LISTENERS; i++) {
        struct ksock_listener *l = &k->listeners[i];

        if (l->fd < 0)
            continue;
        /* The poll in flight holds the socket open: shutdown stops the listening now, and ends the
         * poll. */
        shutdown(l->fd, SHUT_RDWR);
        close(l->fd);
        l->fd = -1;
    }
}

static bool has_room(const struct ksock *k)
{
    return pool_used(k->conns) < pool_count(k->conns);
}

void ksock_listen_arm(struct ksock *k)
{
    if (!has_room(k))
        return;
    for (uint32_t i = 0; i < LIMIT_LISTENERS; i++) {
        struct ksock_listener *l = &k->listeners[i];
        struct io_uring_sqe *sqe;

        if (l->fd < 0 || l->armed || l->paused)
            continue;
        sqe = ksock_sqe(k, KSOCK_OP_LISTEN, l->generation, i);
        if (sqe == NULL)
            return;
        io_uring_prep_poll_add(sqe, l->fd, POLLIN);
        l->armed = true;
    }
}

static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

void ksock_listen_done(struct ksock *k, uint32_t index, uint32_t generation)
{
    struct ksock_listener *l = &k->listeners[index];

    ASSERT(l->armed);
    ASSERT(generation == (l->generation & 0xffffff));
    l->armed = false;
    if (l->fd < 0)
        return;
    for (unsigned i = 0; i < ACCEPT_BUDGET && has_room(k); i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0) {
            ksock_conn_open(k, fd, l->cookie);
            continue;
        }
        l->paused = is_shortage(errno);
        if (l->paused || errno == EAGAIN)
            return;
    }
}

bool ksock_listen_is_paused(const struct ksock *k)
{
    for (unsigned i = 0; i < LIMIT_LISTENERS; i++) {
        if (k->listeners[i].fd >= 0 && k->listeners[i].paused)
            return true;
    }
    return false;
}

void ksock_listen_unpause(struct ksock *k)
{
    for (unsigned i = 0; i < LIMIT_LISTENERS; i++)
        k->listeners[i].paused = false;
}
