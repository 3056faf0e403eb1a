/*
 * Shared by the files of this folder: the io_uring, the connection, and who may call whom.
 *
 * One rule carries the folder: nobody submits where something happens. What happens (a completion,
 * a commit, a consume, a close) changes the connection and puts it on the work list; ksock_poll
 * walks that list, and ksock_conn_update alone derives from the state what is to be asked of the
 * kernel next. So a full submission queue is no error: the connection stays on the list.
 *
 * A connection's object goes back to the pool only when it has no request in flight; and each
 * user_data carries the generation of its object. So a late completion never touches a connection
 * that came after.
 */
#ifndef POSTERN_KSOCK_PRIV_H
#define POSTERN_KSOCK_PRIV_H

#include <liburing.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/pool.h"
#include "dataplane/kernel/ksock.h"

#define KSOCK_IOV_MAX 16 /* segments of one sendmsg or recvmsg */
#define KSOCK_BUFFERS_MAX                                                   \
    256 /* segments lent to the kernel for idle connections; a power of two \
         */
#define KSOCK_BUFFER_GROUP 0

#define KSOCK_TICK_NS (20 * 1000 * 1000)
/* How long a closed connection may take, in ticks: see limits.h. */
#define KSOCK_SEND_TICKS   (LIMIT_KSOCK_CLOSE_MS / 20)
#define KSOCK_LINGER_TICKS (LIMIT_KSOCK_LINGER_MS / 20)

/* What a completion is of: the low byte of its user_data. */
enum ksock_op {
    KSOCK_OP_RECV_BUFFER, /* one buffer of the group, taken by the kernel when bytes are there */
    KSOCK_OP_RECV_SEGS,   /* recvmsg into our segments: bytes are known to be there */
    KSOCK_OP_RECV_DROP,   /* bytes that nobody will read */
    KSOCK_OP_SEND,
    KSOCK_OP_LISTEN, /* index: the listener */
    KSOCK_OP_TICK,
    KSOCK_OP_CANCEL,
};

struct ksock_listener {
    int fd; /* -1: none */
    void *cookie;
    bool armed;  /* a poll is in flight */
    bool paused; /* no descriptors or memory: again at the next tick */
    uint32_t generation;
};

struct ksock_conn {
    struct stream stream;
    struct ksock *ksock;
    struct list_node work_link; /* in ksock->work */
    struct list_node
        phase_link; /* in ksock->accepted, or after close in ->closing or ->lingering */
    struct list_node
        short_link; /* in ksock->shorts: waits for segments, or for memory of the kernel */
    void *cookie;
    uint64_t deadline_tick; /* after close */
    int fd;                 /* -1: closed */
    uint32_t generation;

    /* Receiving. */
    struct list unread;
    uint32_t unread_bytes;
    bool recv_busy;
    bool recv_short; /* not before those on shorts are woken */
    bool recv_more;  /* the kernel said that more is waiting */
    bool ended;
    struct list recv_segs; /* of the recvmsg in flight */
    struct msghdr recv_msg;
    struct iovec recv_iov[KSOCK_IOV_MAX];

    /* Sending. */
    struct list sendq;
    uint32_t queued_bytes;
    bool send_busy;
    bool send_short;
    bool shut;     /* the owner said shutdown */
    bool fin_sent; /* the kernel was told */
    struct msghdr send_msg;
    struct iovec send_iov[KSOCK_IOV_MAX];

    /* Life. */
    bool handed; /* ksock_accept gave it out */
    bool closed; /* the owner let go */
    bool failed;
    bool reset; /* the socket's close is an RST */
    bool cancelled;
};

struct ksock {
    struct ksock_config config;
    struct ksock_env env;
    struct io_uring ring;
    uint32_t in_flight;

    struct pool *conns;
    uint32_t *generations; /* of each object of conns */
    struct list work;      /* connections to be looked at by the next poll */
    struct list accepted;  /* not yet handed out */
    struct list closing;   /* closed, with bytes still to send; in order of deadline */
    struct list lingering; /* closed and FIN sent; in order of deadline */
    struct list shorts;    /* waiting for memory */
    bool dry;              /* the pool had no segment when we last asked */

    struct ksock_listener listeners[LIMIT_LISTENERS];

    /* Segments lent to the kernel. */
    struct io_uring_buf_ring *buffers;
    struct seg *buffer_segs[KSOCK_BUFFERS_MAX]; /* by buffer id; NULL: not lent */
    uint16_t buffer_free[KSOCK_BUFFERS_MAX];    /* ids not lent */
    uint32_t buffer_free_count;
    uint32_t buffer_count; /* that we try to lend */

    uint64_t tick;
    bool tick_armed;
};

/* ksock.c */

/* A request to fill in, with its user_data set and counted as in flight; NULL: the queue is full,
 * try next turn. */
struct io_uring_sqe *ksock_sqe(struct ksock *k, enum ksock_op op, uint32_t generation,
                               uint32_t index);
struct io_uring_sqe *ksock_conn_sqe(struct ksock_conn *c, enum ksock_op op);

/* ksock_listen.c */

void ksock_listen_init(struct ksock *k);
/* Asks for news of each listener that may accept. */
void ksock_listen_arm(struct ksock *k);
void ksock_listen_done(struct ksock *k, uint32_t index, uint32_t generation);
/* Whether a listener waits for descriptors. */
bool ksock_listen_is_paused(const struct ksock *k);
void ksock_listen_unpause(struct ksock *k);

/* ksock_conn.c */

/* Takes fd. The caller has seen that the pool has room. */
void ksock_conn_open(struct ksock *k, int fd, void *cookie);
/* To be looked at by the next poll. */
void ksock_conn_touch(struct ksock_conn *c);
/* Bits that turned true; the ready list hears of them when there is an owner. */
void ksock_conn_tell(struct ksock_conn *c, uint32_t bits);
/* Broken: FAILED, and all that waits either way is dropped. `reset`: the peer is told by RST. */
void ksock_conn_fail(struct ksock_conn *c, bool reset);
/* On the list of those who wait for memory. */
void ksock_conn_wait(struct ksock_conn *c);
/* All of that list look again; who still gets nothing comes back to it. */
void ksock_conn_wake_waiting(struct ksock *k);
/* Does what the state asks for next. False: the submission queue is full, call again. May free c.
 */
bool ksock_conn_update(struct ksock_conn *c);
/* The owner let go. */
void ksock_conn_close(struct ksock_conn *c);
/* Ends the closed connections whose time is over. */
void ksock_conn_expire(struct ksock *k);
/* At destroy, with nothing in flight. */
void ksock_conn_destroy(struct ksock_conn *c);

/* ksock_recv.c */

bool ksock_recv_init(struct ksock *k);
void ksock_recv_destroy(struct ksock *k);
/* Lends segments to the kernel again, and wakes those who waited for some. */
void ksock_recv_refill(struct ksock *k);
bool ksock_recv_wanted(const struct ksock_conn *c);
/* False: the submission queue is full. */
bool ksock_recv_arm(struct ksock_conn *c);
void ksock_recv_done(struct ksock_conn *c, enum ksock_op op, const struct io_uring_cqe *cqe);

/* ksock_send.c */

/* False: the submission queue is full. */
bool ksock_send_arm(struct ksock_conn *c);
void ksock_send_done(struct ksock_conn *c, int32_t result);
/* Sets or clears WRITABLE as the bounds and the pool say. */
void ksock_send_update_writable(struct ksock_conn *c);

/* ksock_stream.c */

extern const struct stream_ops ksock_stream_ops;

#endif
