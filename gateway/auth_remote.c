/*
 * A SASL exchange has several questions, and a state at the other end. The number that the client
 * gave it lies in the session's memo between two of them, which only the worker's loop may touch.
 */
#include "gateway/auth_remote.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/assert.h"
#include "gateway/lanes.h"
#include "gateway/now.h"

struct auth_remote {
    struct clock clock; /* the thread's */
    struct counters counters;
    struct log *log;
    struct lanes *lanes;
    struct auth_client *client;
    _Atomic uint64_t renewals;
    pthread_t thread;
    bool started;
};

/* A worker's end. */
struct end {
    struct auth_backend backend; /* first: its functions get this address */
    struct auth_remote *remote;
    struct job_queue *queue;
    uint64_t renewals; /* seen so far */
};

/* --- on the worker's loop -------------------------------------------------------------------- */

static uint32_t mechanisms(struct auth_backend *b, bool bound)
{
    const struct auth_client *c = ((struct end *)b)->remote->client;

    (void)bound; /* neither protocol has a word for it */
    return c->mechanisms(c);
}

static bool renewed(struct auth_backend *b)
{
    struct end *e = (struct end *)b;
    uint64_t now = atomic_load_explicit(&e->remote->renewals, memory_order_acquire);
    bool new = now != e->renewals;

    e->renewals = now;
    return new;
}

static void end_question(struct job *job)
{
    struct auth_question *q = (struct auth_question *)job;

    if (q->memo != NULL && q->answer.asks)
        memcpy(q->memo, &q->exchange, sizeof(q->exchange));
    q->done(q);
}

static void ask(struct auth_backend *b, struct auth_question *q)
{
    struct end *e = (struct end *)b;

    if (q->memo != NULL)
        memcpy(&q->exchange, q->memo, sizeof(q->exchange));
    q->job.done = end_question;
    if (!e->queue->submit(e->queue, &q->job))
        end_question(&q->job); /* TEMPORARY, as it was made */
}

static void destroy(struct auth_backend *b)
{
    free(b);
}

struct auth_backend *auth_remote_backend(struct auth_remote *r, uint32_t worker)
{
    struct end *e = calloc(1, sizeof(*e));

    if (e == NULL)
        return NULL;
    *e = (struct end){ { mechanisms, renewed, ask, destroy }, r, lanes_queue(r->lanes, worker), 0 };
    return &e->backend;
}

unsigned auth_remote_poll(struct auth_remote *r, uint32_t worker)
{
    return lanes_poll(r->lanes, worker);
}

int auth_remote_fd(const struct auth_remote *r, uint32_t worker)
{
    return lanes_fd(r->lanes, worker);
}

/* --- on the thread --------------------------------------------------------------------------- */

void auth_remote_answer(struct auth_remote *r, struct auth_question *q)
{
    explicit_bzero(q->secret, q->secret_len);
    lanes_give(r->lanes, &q->job);
}

void auth_remote_now(struct auth_remote *r)
{
    now_read(&r->clock);
}

static void take_questions(struct auth_remote *r)
{
    struct job *job;

    while ((job = lanes_take(r->lanes)) != NULL)
        r->client->ask(r->client, (struct auth_question *)job);
}

/* Takes back what woke us, so that the next sleep is one. */
static void clear_wakes(struct auth_remote *r)
{
    eventfd_t count;

    while (eventfd_read(lanes_wake_fd(r->lanes), &count) == 0)
        continue;
    ASSERT(errno == EAGAIN || errno == EINTR);
}

static void *run(void *arg)
{
    struct auth_remote *r = arg;

    while (!lanes_stopping(r->lanes)) {
        now_read(&r->clock);
        lanes_doze(r->lanes);
        take_questions(r);
        r->client->wait(r->client, lanes_wake_fd(r->lanes));
        lanes_awake(r->lanes);
        clear_wakes(r);
    }
    r->client->stop(r->client);
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------ */

struct auth_remote *auth_remote_create(struct auth_client *client, uint32_t workers,
                                       enum log_level level, struct buf *why)
{
    struct auth_remote *r = aligned_alloc(64, (sizeof(*r) + 63) / 64 * 64);

    if (r != NULL) {
        memset(r, 0, sizeof(*r));
        now_read(&r->clock);
        r->lanes = lanes_create(workers, LANES_POLLED);
        r->log = log_create(LIMIT_LOG_SLOTS, level, &r->clock, &r->counters);
        if (r->lanes != NULL && r->log != NULL) {
            r->client = client;
            client->remote = r;
            client->log = r->log;
            client->clock = &r->clock;
            return r;
        }
        auth_remote_destroy(r);
    }
    buf_printf(why, "auth: not enough memory or descriptors");
    return NULL;
}

bool auth_remote_start(struct auth_remote *r, struct buf *why)
{
    sigset_t all;
    sigset_t before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&r->thread, NULL, run, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    r->started = rc == 0;
    if (rc == 0)
        pthread_setname_np(r->thread, "auth");
    else
        buf_printf(why, "auth: thread: %s", strerror(rc));
    return r->started;
}

void auth_remote_stop(struct auth_remote *r)
{
    lanes_stop(r->lanes, 1);
    if (r->started)
        pthread_join(r->thread, NULL);
    r->started = false;
    lanes_close(r->lanes);
}

void auth_remote_destroy(struct auth_remote *r)
{
    ASSERT(!r->started);
    if (r->client != NULL)
        r->client->destroy(r->client);
    if (r->lanes != NULL)
        lanes_destroy(r->lanes);
    if (r->log != NULL)
        log_destroy(r->log);
    free(r);
}

void auth_remote_renew(struct auth_remote *r)
{
    atomic_fetch_add_explicit(&r->renewals, 1, memory_order_acq_rel);
}

struct log *auth_remote_log(struct auth_remote *r)
{
    return r->log;
}

const struct counters *auth_remote_counters(const struct auth_remote *r)
{
    return &r->counters;
}
