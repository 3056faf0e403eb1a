/*
 * Sending: one sendmsg in flight, of the first segments of the queue, so that bytes keep their
 * order without linked requests. The segments stay until the kernel has copied their bytes.
 *
 * Failure modes: a full socket buffer: the request waits in the kernel, and the queue's bound
 * closes the stream's WRITABLE. The kernel is short of memory: again at the next tick. A broken
 * connection: the stream is FAILED.
 */
#include <errno.h>

#include "dataplane/kernel/ksock_priv.h"

bool ksock_send_arm(struct ksock_conn *c)
{
    struct io_uring_sqe *sqe = ksock_conn_sqe(c, KSOCK_OP_SEND);
    unsigned count = 0;

    if (sqe == NULL)
        return false;
    for (struct list_node *n = c->sendq.head.next; n != &c->sendq.head && count < KSOCK_IOV_MAX;
         n = n->next) {
        struct seg *s = LIST_ENTRY(n, struct seg, link);

        c->send_iov[count++] = (struct iovec){ s->data, s->len };
    }
    c->send_msg = (struct msghdr){ .msg_iov = c->send_iov, .msg_iovlen = count };
    io_uring_prep_sendmsg(sqe, c->fd, &c->send_msg, MSG_NOSIGNAL);
    c->send_busy = true;
    return true;
}

/* Takes the first bytes off the queue: they are with the kernel. */
static void drop_sent(struct ksock_conn *c, uint32_t bytes)
{
    ASSERT(bytes <= c->queued_bytes);
    c->queued_bytes -= bytes;
    while (bytes > 0) {
        struct seg *s = LIST_ENTRY(c->sendq.head.next, struct seg, link);
        uint32_t part = bytes < s->len ? bytes : s->len;

        seg_pull(s, part);
        bytes -= part;
        if (s->len == 0) {
            list_remove(&s->link);
            seg_release(s);
        }
    }
}

void ksock_send_done(struct ksock_conn *c, int32_t result)
{
    ASSERT(c->send_busy);
    c->send_busy = false;
    ksock_conn_touch(c);
    if (c->failed)
        return;
    if (result > 0) {
        drop_sent(c, (uint32_t)result);
    } else if (result == -ENOBUFS || result == -ENOMEM) {
        c->send_short = true;
        ksock_conn_wait(c);
    } else if (result != -EAGAIN && result != -EINTR) {
        ksock_conn_fail(c, false);
    }
    if (!c->failed && list_empty(&c->sendq))
        ksock_conn_tell(c, STREAM_DRAINED);
    ksock_send_update_writable(c);
}

void ksock_send_update_writable(struct ksock_conn *c)
{
    struct ksock *k = c->ksock;

    if (c->failed || c->shut || c->queued_bytes + STREAM_RESERVE_MAX > k->config.send_bytes_max) {
        stream_clear(&c->stream, STREAM_WRITABLE);
    } else if (k->dry) {
        stream_clear(&c->stream, STREAM_WRITABLE);
        ksock_conn_wait(c);
    } else {
        ksock_conn_tell(c, STREAM_WRITABLE);
    }
}
