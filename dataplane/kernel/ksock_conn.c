/*
 * The life of a connection: accepted, owned, closed, gone. ksock_conn_update is its one decision.
 *
 * Happy path after close: the bytes still queued are sent; FIN; what the peer still sends is read
 * and dropped until its FIN comes; the socket is closed. So the last reply is not lost to the RST
 * that a close with unread bytes causes (RFC 2525, 2.17, warns of leaving it out; RFC
 * 1122, 4.2.2.13, asks for it: it comes at the end).
 *
 * Failure modes: the peer takes too long over that (limits.h): RST, or when nothing was lost to us
 * a plain close. A close without a shutdown, an abort, an error of the socket: RST at once.
 * Requests in flight are cancelled first and the socket closed when the last of them is back, as
 * they hold it open.
 */
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "dataplane/kernel/ksock_priv.h"

static struct endpoint to_endpoint(const struct sockaddr_storage *name)
{
    const struct sockaddr_in *v4 = (const void *)name;
    const struct sockaddr_in6 *v6 = (const void *)name;
    struct endpoint e;

    if (name->ss_family == AF_INET)
        return (struct endpoint){ addr_from_v4(ntohl(v4->sin_addr.s_addr)), ntohs(v4->sin_port) };
    memcpy(e.addr.octets, &v6->sin6_addr, sizeof(e.addr.octets));
    e.port = ntohs(v6->sin6_port);
    return e;
}

/* False: the peer is gone already. */
static bool get_names(struct ksock_conn *c)
{
    struct sockaddr_storage name = { 0 };
    socklen_t len = sizeof(name);

    if (getpeername(c->fd, (struct sockaddr *)&name, &len) != 0)
        return false;
    c->stream.peer = to_endpoint(&name);
    len = sizeof(name);
    if (getsockname(c->fd, (struct sockaddr *)&name, &len) != 0)
        return false;
    c->stream.local = to_endpoint(&name);
    return true;
}

void ksock_conn_open(struct ksock *k, int fd, void *cookie)
{
    struct ksock_conn *c = pool_get(k->conns);
    uint32_t index;

    ASSERT(c != NULL);
    index = pool_index(k->conns, c);
    k->generations[index]++;
    ASSERT((k->generations[index] & 1) == 1); /* odd: alive */
    *c = (struct ksock_conn){
        .stream = { .ops = &ksock_stream_ops, .ready_list = k->env.ready },
        .ksock = k,
        .cookie = cookie,
        .fd = fd,
        .generation = k->generations[index],
    };
    list_node_init(&c->stream.ready_link);
    list_node_init(&c->work_link);
    list_node_init(&c->phase_link);
    list_node_init(&c->short_link);
    list_init(&c->unread);
    list_init(&c->recv_segs);
    list_init(&c->sendq);
    if (!get_names(c)) {
        ksock_conn_destroy(c);
        return;
    }
    counter_inc(k->env.counters, COUNTER_KSOCK_ACCEPTS);
    list_append(&k->accepted, &c->phase_link);
    ksock_conn_tell(c, STREAM_DRAINED);
    ksock_send_update_writable(c);
    ksock_conn_touch(c);
}

void ksock_conn_touch(struct ksock_conn *c)
{
    if (!list_linked(&c->work_link))
        list_append(&c->ksock->work, &c->work_link);
}

void ksock_conn_tell(struct ksock_conn *c, uint32_t bits)
{
    if (c->handed && !c->closed)
        stream_set(&c->stream, bits);
    else
        c->stream.ready |= bits;
}

static void unlink_if_linked(struct list_node *n)
{
    if (list_linked(n))
        list_remove(n);
}

static void close_socket(struct ksock_conn *c)
{
    struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

    if (c->fd < 0)
        return;
    /* Can fail only for a socket that is no socket; then close is all there is to do. */
    if (c->reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(c->fd);
    c->fd = -1;
}

void ksock_conn_destroy(struct ksock_conn *c)
{
    struct ksock *k = c->ksock;

    ASSERT(!c->recv_busy);
    ASSERT(!c->send_busy);
    close_socket(c);
    seg_release_all(&c->unread);
    seg_release_all(&c->recv_segs);
    seg_release_all(&c->sendq);
    unlink_if_linked(&c->stream.ready_link);
    unlink_if_linked(&c->work_link);
    unlink_if_linked(&c->phase_link);
    unlink_if_linked(&c->short_link);
    k->generations[pool_index(k->conns, c)]++;
    pool_put(k->conns, c);
}

static void drop_unread(struct ksock_conn *c)
{
    seg_release_all(&c->unread);
    c->unread_bytes = 0;
    stream_clear(&c->stream, STREAM_READABLE);
}

void ksock_conn_wait(struct ksock_conn *c)
{
    if (!list_linked(&c->short_link))
        list_append(&c->ksock->shorts, &c->short_link);
}

void ksock_conn_wake_waiting(struct ksock *k)
{
    struct list_node *n;

    while ((n = list_pop(&k->shorts)) != NULL) {
        struct ksock_conn *c = LIST_ENTRY(n, struct ksock_conn, short_link);

        c->recv_short = false;
        c->send_short = false;
        ksock_conn_touch(c);
    }
}

void ksock_conn_fail(struct ksock_conn *c, bool reset)
{
    if (c->failed)
        return;
    c->failed = true;
    c->reset = c->reset || reset;
    drop_unread(c);
    /* While a send is in flight the kernel reads the segments: they go when it is back. */
    if (!c->send_busy)
        seg_release_all(&c->sendq);
    stream_clear(&c->stream, STREAM_WRITABLE | STREAM_DRAINED);
    unlink_if_linked(&c->short_link);
    ksock_conn_tell(c, STREAM_FAILED);
    ksock_conn_touch(c);
}

/* Waits for what is in flight, then closes the socket; the object stays until the owner lets go. */
static bool update_failed(struct ksock_conn *c)
{
    if (c->recv_busy || c->send_busy) {
        struct io_uring_sqe *sqe;

        if (c->cancelled)
            return true;
        sqe = ksock_conn_sqe(c, KSOCK_OP_CANCEL);
        if (sqe == NULL)
            return false;
        io_uring_prep_cancel_fd(sqe, c->fd, IORING_ASYNC_CANCEL_ALL);
        c->cancelled = true;
        return true;
    }
    seg_release_all(&c->sendq);
    close_socket(c);
    if (c->closed)
        ksock_conn_destroy(c);
    return true;
}

static void set_deadline(struct ksock_conn *c, struct list *phase, uint64_t ticks)
{
    unlink_if_linked(&c->phase_link);
    c->deadline_tick = c->ksock->tick + ticks + 1; /* the current one may be nearly over */
    list_append(phase, &c->phase_link);
}

/* The last byte is with the kernel: the FIN follows it. */
static void send_fin(struct ksock_conn *c)
{
    c->fin_sent = true;
    /* ENOTCONN: reset meanwhile; the receive in flight says so. */
    shutdown(c->fd, SHUT_WR);
    if (c->closed)
        set_deadline(c, &c->ksock->lingering, KSOCK_LINGER_TICKS);
}

bool ksock_conn_update(struct ksock_conn *c)
{
    if (c->failed)
        return update_failed(c);
    ksock_send_update_writable(c);
    if (!c->send_busy && !c->send_short && !list_empty(&c->sendq) && !ksock_send_arm(c))
        return false;
    if (c->shut && !c->fin_sent && list_empty(&c->sendq))
        send_fin(c);
    if (c->closed && c->fin_sent && c->ended) {
        /* Both ends were said. A reset now could only take back what the kernel still sends for us.
         */
        c->reset = false;
        ksock_conn_destroy(c);
        return true;
    }
    return !ksock_recv_wanted(c) || ksock_recv_arm(c);
}

void ksock_conn_close(struct ksock_conn *c)
{
    ASSERT(!c->closed);
    ASSERT(c->handed);
    c->closed = true;
    unlink_if_linked(&c->stream.ready_link);
    /* The peer is to learn that not all of its bytes were read: by RST, after our last ones. */
    if (c->unread_bytes > 0)
        c->reset = true;
    drop_unread(c);
    if (!c->shut)
        ksock_conn_fail(c, true);
    else if (!c->failed)
        set_deadline(c, c->fin_sent ? &c->ksock->lingering : &c->ksock->closing,
                     c->fin_sent ? KSOCK_LINGER_TICKS : KSOCK_SEND_TICKS);
    ksock_conn_touch(c);
}

/* The lists are in order of deadline: only their fronts are looked at. */
static void expire_list(struct ksock *k, struct list *phase, bool reset)
{
    while (!list_empty(phase)) {
        struct ksock_conn *c = LIST_ENTRY(phase->head.next, struct ksock_conn, phase_link);

        if (c->deadline_tick > k->tick)
            return;
        list_remove(&c->phase_link);
        ksock_conn_fail(c, reset);
    }
}

void ksock_conn_expire(struct ksock *k)
{
    expire_list(k, &k->closing, true);
    /* The kernel goes on with what it has, by itself; RST only when bytes were dropped unread. */
    expire_list(k, &k->lingering, false);
}
