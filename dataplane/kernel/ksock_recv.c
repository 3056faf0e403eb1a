/*
 * Receiving. An idle connection has one receive in flight and holds no memory for it: the kernel
 * takes a segment out of the group that we lend when bytes are there. When it says that more bytes
 * wait behind them, they come by one recvmsg into as many segments as the connection's bound
 * leaves, and so on until the socket is empty.
 *
 * Failure modes: the group is empty (ENOBUFS) or the pool: the connection waits on `shorts` until a
 * segment came home, and its window closes meanwhile. The bound is reached: no receive until the
 * owner consumed.
 */
#include <errno.h>
#include <sys/mman.h>

#include "dataplane/kernel/ksock_priv.h"

#define BUFFERS_BYTES (KSOCK_BUFFERS_MAX * sizeof(struct io_uring_buf))
/* Bytes that one receive of a closed connection drops. */
#define DROP_BYTES (1024 * 1024)

STATIC_ASSERT((KSOCK_BUFFERS_MAX & (KSOCK_BUFFERS_MAX - 1)) == 0,
              "the kernel wants a power of two");

bool ksock_recv_init(struct ksock *k)
{
    struct io_uring_buf_reg group = { .ring_entries = KSOCK_BUFFERS_MAX,
                                      .bgid = KSOCK_BUFFER_GROUP };
    uint32_t share = k->env.pool->ops->available(k->env.pool) / 4;
    int result;

    k->buffers =
        mmap(NULL, BUFFERS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (k->buffers == MAP_FAILED)
        return false;
    group.ring_addr = (uintptr_t)k->buffers;
    result = io_uring_register_buf_ring(&k->ring, &group, 0);
    if (result != 0) {
        munmap(k->buffers, BUFFERS_BYTES);
        errno = -result;
        return false;
    }
    io_uring_buf_ring_init(k->buffers);
    k->buffer_count = share < KSOCK_BUFFERS_MAX ? share : KSOCK_BUFFERS_MAX;
    if (k->buffer_count == 0)
        k->buffer_count = 1;
    for (uint32_t id = 0; id < k->buffer_count; id++)
        k->buffer_free[id] = (uint16_t)id;
    k->buffer_free_count = k->buffer_count;
    return true;
}

void ksock_recv_destroy(struct ksock *k)
{
    for (uint32_t id = 0; id < k->buffer_count; id++) {
        if (k->buffer_segs[id] != NULL)
            seg_release(k->buffer_segs[id]);
    }
    io_uring_unregister_buf_ring(&k->ring, KSOCK_BUFFER_GROUP);
    munmap(k->buffers, BUFFERS_BYTES);
}

void ksock_recv_refill(struct ksock *k)
{
    bool was_dry = k->dry;
    int lent = 0;

    while (k->buffer_free_count > 0) {
        struct seg *s = seg_alloc(k->env.pool);
        uint16_t id;

        if (s == NULL) {
            k->dry = true;
            break;
        }
        id = k->buffer_free[--k->buffer_free_count];
        k->buffer_segs[id] = s;
        io_uring_buf_ring_add(k->buffers, s->data, seg_tailroom(s), id,
                              io_uring_buf_ring_mask(KSOCK_BUFFERS_MAX), lent);
        lent++;
    }
    if (lent > 0)
        io_uring_buf_ring_advance(k->buffers, lent);
    if (k->dry)
        k->dry = k->env.pool->ops->available(k->env.pool) == 0;
    /* Who waits for memory of the kernel is woken by the tick: each turn would ask it in vain. */
    if (lent > 0 || (was_dry && !k->dry))
        ksock_conn_wake_waiting(k);
}

/* Out of the group: the kernel has put bytes into it, or was given it in vain. */
static struct seg *take_buffer(struct ksock *k, uint32_t id)
{
    struct seg *s;

    ASSERT(id < k->buffer_count);
    s = k->buffer_segs[id];
    ASSERT(s != NULL);
    k->buffer_segs[id] = NULL;
    k->buffer_free[k->buffer_free_count++] = (uint16_t)id;
    return s;
}

bool ksock_recv_wanted(const struct ksock_conn *c)
{
    if (c->recv_busy || c->recv_short || c->ended)
        return false;
    return c->closed || c->unread_bytes < c->ksock->config.receive_bytes_max;
}

/* Segments for what the bound leaves; returns how many there are. */
static unsigned take_segs(struct ksock_conn *c)
{
    uint32_t left = c->ksock->config.receive_bytes_max - c->unread_bytes;
    uint32_t room = 0;
    unsigned count = 0;

    while (count < KSOCK_IOV_MAX && room < left) {
        struct seg *s = seg_alloc(c->ksock->env.pool);

        if (s == NULL)
            break;
        list_append(&c->recv_segs, &s->link);
        c->recv_iov[count] = (struct iovec){ s->data, seg_tailroom(s) };
        room += seg_tailroom(s);
        count++;
    }
    return count;
}

/* Into the segments that were taken. */
static bool arm_segs(struct ksock_conn *c, unsigned count)
{
    struct io_uring_sqe *sqe = ksock_conn_sqe(c, KSOCK_OP_RECV_SEGS);

    if (sqe == NULL) {
        seg_release_all(&c->recv_segs);
        return false;
    }
    c->recv_busy = true;
    c->recv_msg = (struct msghdr){ .msg_iov = c->recv_iov, .msg_iovlen = count };
    io_uring_prep_recvmsg(sqe, c->fd, &c->recv_msg, MSG_DONTWAIT);
    return true;
}

bool ksock_recv_arm(struct ksock_conn *c)
{
    struct io_uring_sqe *sqe;
    unsigned count = c->recv_more && !c->closed ? take_segs(c) : 0;

    if (count > 0)
        return arm_segs(c, count);
    sqe = ksock_conn_sqe(c, c->closed ? KSOCK_OP_RECV_DROP : KSOCK_OP_RECV_BUFFER);
    if (sqe == NULL)
        return false;
    c->recv_busy = true;
    if (c->closed) {
        /* With MSG_TRUNC, TCP drops bytes without copying them (tcp(7)). */
        io_uring_prep_recv(sqe, c->fd, NULL, DROP_BYTES, MSG_TRUNC);
        return true;
    }
    /* A length of 0: as long as the buffer is. */
    io_uring_prep_recv(sqe, c->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = KSOCK_BUFFER_GROUP;
    return true;
}

/* A few bytes go behind those that wait already, or somebody who sends one by one would soon have
 * all our segments. */
static bool copy_behind(struct ksock_conn *c, struct seg *s, uint32_t len)
{
    struct seg *last = LIST_ENTRY(c->unread.head.prev, struct seg, link);

    if (list_empty(&c->unread) || len > seg_tailroom(last) || len > s->cap / 2)
        return false;
    memcpy(last->data + last->len, s->data, len);
    last->len += len;
    seg_release(s);
    return true;
}

/* Takes s, filled with len bytes. */
static void keep(struct ksock_conn *c, struct seg *s, uint32_t len)
{
    if (c->failed || c->closed) {
        c->reset = true;
        seg_release(s);
        return;
    }
    c->unread_bytes += len;
    if (copy_behind(c, s, len))
        return;
    s->len = len;
    list_append(&c->unread, &s->link);
}

/* Spreads the bytes of a recvmsg over its segments; those left empty go home. */
static void keep_segs(struct ksock_conn *c, uint32_t bytes)
{
    struct list_node *n;

    while (bytes > 0 && (n = list_pop(&c->recv_segs)) != NULL) {
        struct seg *s = LIST_ENTRY(n, struct seg, link);
        uint32_t room = seg_tailroom(s);
        uint32_t part = bytes < room ? bytes : room;

        keep(c, s, part);
        bytes -= part;
    }
    ASSERT(bytes == 0);
    seg_release_all(&c->recv_segs);
}

/* What a receive that brought no bytes means. */
static void handle_error(struct ksock_conn *c, int32_t result)
{
    c->recv_more = false;
    switch (result) {
    case 0:
        c->ended = true;
        ksock_conn_tell(c, STREAM_ENDED);
        return;
    case -EAGAIN:
    case -EINTR:
    case -ECANCELED: return;
    case -ENOBUFS:
    case -ENOMEM:
        c->recv_short = true;
        ksock_conn_wait(c);
        return;
    default: ksock_conn_fail(c, false); return;
    }
}

void ksock_recv_done(struct ksock_conn *c, enum ksock_op op, const struct io_uring_cqe *cqe)
{
    uint32_t bytes = cqe->res > 0 ? (uint32_t)cqe->res : 0;

    ASSERT(c->recv_busy);
    c->recv_busy = false;
    ksock_conn_touch(c);
    if ((cqe->flags & IORING_CQE_F_BUFFER) != 0) {
        struct seg *s = take_buffer(c->ksock, cqe->flags >> IORING_CQE_BUFFER_SHIFT);

        if (bytes > 0)
            keep(c, s, bytes);
        else
            seg_release(s);
    }
    if (op == KSOCK_OP_RECV_SEGS)
        keep_segs(c, bytes);
    if (op == KSOCK_OP_RECV_DROP && bytes > 0)
        c->reset = true;
    if (c->failed)
        return;
    if (bytes == 0) {
        handle_error(c, cqe->res);
        return;
    }
    c->recv_more = (cqe->flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
    if (c->closed)
        return;
    if (c->handed && (c->stream.ready & STREAM_READABLE) != 0)
        stream_requeue(&c->stream); /* more came behind what was not taken yet */
    ksock_conn_tell(c, STREAM_READABLE);
}
