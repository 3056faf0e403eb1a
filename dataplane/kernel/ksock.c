/*
 * The io_uring of one worker: set up, one turn, taken down.
 *
 * Happy path of a turn: lend buffers; let each connection on the work list ask for what it needs
 * next; one io_uring_enter for all of it (none when there is nothing to say and nothing to hear);
 * hand each completion to the file that knows it.
 *
 * The ring has COOP_TASKRUN (Linux 5.19): the kernel does our requests' work when we enter it
 * anyway, and does not interrupt the loop for it; a flag says that there is some. Not
 * DEFER_TASKRUN: with it a poll(2) of the ring's descriptor is not woken (seen on 6.18), and a loop
 * that sleeps on it would sleep through its news.
 *
 * Failure modes: the submission queue is full, or the kernel is short of memory for requests: what
 * was not submitted stays queued and goes with the next turn. The completion queue overflows: the
 * kernel keeps the rest (FEAT_NODROP) and hands it over at the next call.
 */
#include "dataplane/kernel/ksock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kernel/ksock_priv.h"

#define SQ_ENTRIES  1024
#define CQ_ENTRIES  8192
#define REAP_BUDGET 1024 /* completions of one turn: tens of microseconds */
#define WORK_BUDGET 1024
#define FLUSH_TURNS 64 /* a send of 16 segments each */

static const struct __kernel_timespec tick_time = { .tv_nsec = KSOCK_TICK_NS };

/* user_data: op in 8 bits, generation in 24, index in 32. */
static uint64_t user_data(enum ksock_op op, uint32_t generation, uint32_t index)
{
    return (uint64_t)index << 32 | (uint64_t)(generation & 0xffffff) << 8 | op;
}

static bool open_ring(struct ksock *k)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE,
        .cq_entries = CQ_ENTRIES,
    };
    int result = io_uring_queue_init_params(SQ_ENTRIES, &k->ring, &params);

    if (result < 0)
        errno = -result;
    return result == 0;
}

/* All but the ring. */
static bool init_parts(struct ksock *k)
{
    list_init(&k->work);
    list_init(&k->accepted);
    list_init(&k->closing);
    list_init(&k->lingering);
    list_init(&k->shorts);
    ksock_listen_init(k);
    k->conns = pool_create("ksock_conn", k->config.connections_max, sizeof(struct ksock_conn));
    k->generations = calloc(k->config.connections_max, sizeof(*k->generations));
    return k->conns != NULL && k->generations != NULL && ksock_recv_init(k);
}

struct ksock *ksock_create(const struct ksock_config *config, const struct ksock_env *env)
{
    struct ksock *k = calloc(1, sizeof(*k));

    ASSERT(config->connections_max > 0);
    ASSERT(config->receive_bytes_max > 0);
    ASSERT(config->send_bytes_max >= STREAM_RESERVE_MAX);
    ASSERT(env->pool->room >= STREAM_RESERVE_MAX + STREAM_FRAME_BYTES);
    if (k == NULL)
        return NULL;
    k->config = *config;
    k->env = *env;
    if (!open_ring(k)) {
        free(k);
        return NULL;
    }
    if (!init_parts(k)) {
        int error = errno;

        io_uring_queue_exit(&k->ring);
        pool_destroy(k->conns);
        free(k->generations);
        free(k);
        errno = error;
        return NULL;
    }
    return k;
}

struct io_uring_sqe *ksock_sqe(struct ksock *k, enum ksock_op op, uint32_t generation,
                               uint32_t index)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&k->ring);

    if (sqe == NULL) {
        /* Full: what is queued goes to the kernel early. An error shows in the second try. */
        io_uring_submit(&k->ring);
        sqe = io_uring_get_sqe(&k->ring);
    }
    if (sqe == NULL)
        return NULL;
    /* The prep functions leave user_data alone. */
    io_uring_sqe_set_data64(sqe, user_data(op, generation, index));
    k->in_flight++;
    return sqe;
}

struct io_uring_sqe *ksock_conn_sqe(struct ksock_conn *c, enum ksock_op op)
{
    return ksock_sqe(c->ksock, op, c->generation, pool_index(c->ksock->conns, c));
}

/* A tick is asked for only while somebody waits for one, so that an idle process sleeps. */
static void arm_tick(struct ksock *k)
{
    struct io_uring_sqe *sqe;

    if (k->tick_armed || (list_empty(&k->closing) && list_empty(&k->lingering) &&
                          list_empty(&k->shorts) && !ksock_listen_is_paused(k)))
        return;
    sqe = ksock_sqe(k, KSOCK_OP_TICK, 0, 0);
    if (sqe == NULL)
        return;
    /* The cast drops const only: the kernel reads it. */
    io_uring_prep_timeout(sqe, (struct __kernel_timespec *)(uintptr_t)&tick_time, 0, 0);
    k->tick_armed = true;
}

static void tick_done(struct ksock *k)
{
    k->tick_armed = false;
    k->tick++;
    ksock_conn_expire(k);
    ksock_conn_wake_waiting(k);
    ksock_listen_unpause(k);
}

static void conn_done(struct ksock *k, enum ksock_op op, const struct io_uring_cqe *cqe)
{
    uint32_t index = (uint32_t)(cqe->user_data >> 32);
    struct ksock_conn *c = pool_at(k->conns, index);

    /* An object with a request in flight is never reused. */
    ASSERT((cqe->user_data >> 8 & 0xffffff) == (k->generations[index] & 0xffffff));
    if (op == KSOCK_OP_SEND)
        ksock_send_done(c, cqe->res);
    else
        ksock_recv_done(c, op, cqe);
}

static void complete(struct ksock *k, const struct io_uring_cqe *cqe)
{
    enum ksock_op op = cqe->user_data & 0xff;

    ASSERT(k->in_flight > 0);
    k->in_flight--;
    switch (op) {
    case KSOCK_OP_RECV_BUFFER:
    case KSOCK_OP_RECV_SEGS:
    case KSOCK_OP_RECV_DROP:
    case KSOCK_OP_SEND: conn_done(k, op, cqe); break;
    case KSOCK_OP_LISTEN:
        ksock_listen_done(k, (uint32_t)(cqe->user_data >> 32),
                          (uint32_t)(cqe->user_data >> 8 & 0xffffff));
        break;
    case KSOCK_OP_TICK: tick_done(k); break;
    case KSOCK_OP_CANCEL: break; /* what it cancelled completes by itself */
    }
}

static unsigned reap(struct ksock *k)
{
    unsigned count = 0;
    struct io_uring_cqe *cqe;

    while (count < REAP_BUDGET && io_uring_peek_cqe(&k->ring, &cqe) == 0) {
        struct io_uring_cqe copy = *cqe;

        io_uring_cqe_seen(&k->ring, cqe);
        complete(k, &copy);
        count++;
    }
    return count;
}

/* Lets those on the work list ask for what they need; stops when the submission queue is full. */
static void do_work(struct ksock *k)
{
    for (unsigned i = 0; i < WORK_BUDGET; i++) {
        struct list_node *n = list_pop(&k->work);
        struct ksock_conn *c;

        if (n == NULL)
            return;
        c = LIST_ENTRY(n, struct ksock_conn, work_link);
        if (!ksock_conn_update(c)) {
            ksock_conn_touch(c);
            return;
        }
    }
}

/* Whether a call into the kernel has a purpose: something to submit, or work it deferred until we
 * come. */
static bool has_to_enter(struct ksock *k)
{
    unsigned flags = __atomic_load_n(k->ring.sq.kflags, __ATOMIC_RELAXED);

    return io_uring_sq_ready(&k->ring) > 0 ||
           (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

unsigned ksock_poll(struct ksock *k)
{
    unsigned done;
    int result = 0;

    ksock_recv_refill(k);
    ksock_listen_arm(k);
    do_work(k);
    arm_tick(k);
    if (has_to_enter(k))
        result = io_uring_submit_and_get_events(&k->ring);
    /* The other errors (memory, interrupted, completions waiting) pass: what is queued goes next
     * time. */
    ASSERT(result != -EBADFD);
    done = reap(k);
    return done + (result < 0 || !list_empty(&k->work));
}

bool ksock_has_work(const struct ksock *k)
{
    return !list_empty(&k->work);
}

int ksock_fd(const struct ksock *k)
{
    return k->ring.ring_fd;
}

uint32_t ksock_connections(const struct ksock *k)
{
    return pool_used(k->conns);
}

struct stream *ksock_accept(struct ksock *k, void **cookie)
{
    struct list_node *n = list_pop(&k->accepted);
    struct ksock_conn *c;

    if (n == NULL)
        return NULL;
    c = LIST_ENTRY(n, struct ksock_conn, phase_link);
    c->handed = true;
    *cookie = c->cookie;
    if (c->stream.ready != 0)
        stream_requeue(&c->stream);
    return &c->stream;
}

/* The kernel must let go of all segments before they go home. At shut-down, so waiting is allowed.
 */
static void cancel_all(struct ksock *k)
{
    struct io_uring_sqe *sqe = NULL;

    if (k->in_flight == 0)
        return;
    while (sqe == NULL) {
        sqe = ksock_sqe(k, KSOCK_OP_CANCEL, 0, 0);
        if (sqe == NULL && io_uring_submit(&k->ring) < 0)
            reap(k);
    }
    io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
    while (k->in_flight > 0) {
        /* Errors (interrupted, short of memory) pass: in_flight says when it is done. */
        io_uring_submit_and_wait(&k->ring, 1);
        reap(k);
    }
}

/* What was said just before the end still goes out, as far as the sockets take it without waiting.
 */
static void flush_closing(struct ksock *k)
{
    for (unsigned turn = 0; turn < FLUSH_TURNS && !list_empty(&k->closing); turn++)
        ksock_poll(k);
}

void ksock_destroy(struct ksock *k)
{
    if (k == NULL)
        return;
    ksock_listen_stop(k);
    flush_closing(k);
    cancel_all(k);
    for (uint32_t i = 0; i < k->config.connections_max; i++) {
        /* Odd generations are alive: see ksock_conn_open. */
        if ((k->generations[i] & 1) != 0)
            ksock_conn_destroy(pool_at(k->conns, i));
    }
    ksock_recv_destroy(k);
    io_uring_queue_exit(&k->ring);
    pool_destroy(k->conns);
    free(k->generations);
    free(k);
}
