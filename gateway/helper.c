/*
 * Happy path: a helper takes a job from the lanes under the lock that helpers share, runs it, and
 * gives it back under another. One that finds nothing sleeps until somebody submits.
 */
#include "gateway/helper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/assert.h"
#include "base/limits.h"
#include "gateway/lanes.h"

struct helper {
    struct lanes *lanes;
    pthread_mutex_t take_lock;
    pthread_mutex_t give_lock;
    uint32_t thread_count;
    pthread_t threads[LIMIT_HELPERS];
};

static struct job *take(struct helper *h)
{
    struct job *job;

    pthread_mutex_lock(&h->take_lock);
    job = lanes_take(h->lanes);
    pthread_mutex_unlock(&h->take_lock);
    return job;
}

static void give_back(struct helper *h, struct job *job)
{
    pthread_mutex_lock(&h->give_lock);
    lanes_give(h->lanes, job);
    pthread_mutex_unlock(&h->give_lock);
}

/* Until somebody submits, or the stop. */
static void sleep_for_work(struct helper *h)
{
    eventfd_t count;

    /* A signal cannot come: all are blocked. What else ends the read is as good as a wake-up. */
    if (eventfd_read(lanes_wake_fd(h->lanes), &count) < 0)
        ASSERT(errno == EINTR);
}

static void *run(void *arg)
{
    struct helper *h = arg;

    while (!lanes_stopping(h->lanes)) {
        struct job *job = take(h);

        if (job == NULL) {
            lanes_doze(h->lanes);
            job = take(h);
            if (job == NULL && !lanes_stopping(h->lanes))
                sleep_for_work(h);
            lanes_awake(h->lanes);
        }
        if (job != NULL) {
            job->run(job);
            job->ran = true;
            give_back(h, job);
        }
    }
    return NULL;
}

struct job_queue *helper_queue(struct helper *h, uint32_t worker)
{
    return lanes_queue(h->lanes, worker);
}

int helper_fd(const struct helper *h, uint32_t worker)
{
    return lanes_fd(h->lanes, worker);
}

unsigned helper_poll(struct helper *h, uint32_t worker)
{
    return lanes_poll(h->lanes, worker);
}

void helper_stop(struct helper *h)
{
    lanes_stop(h->lanes, h->thread_count);
    for (uint32_t i = 0; i < h->thread_count; i++) {
        int rc = pthread_join(h->threads[i], NULL);

        ASSERT(rc == 0);
    }
    h->thread_count = 0;
    lanes_close(h->lanes);
}

void helper_destroy(struct helper *h)
{
    ASSERT(h->thread_count == 0);
    lanes_destroy(h->lanes);
    pthread_mutex_destroy(&h->take_lock);
    pthread_mutex_destroy(&h->give_lock);
    free(h);
}

/* Signals are main's business. */
static bool start_threads(struct helper *h, uint32_t threads)
{
    sigset_t all;
    sigset_t before;
    int rc = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (rc == 0 && h->thread_count < threads) {
        rc = pthread_create(&h->threads[h->thread_count], NULL, run, h);
        if (rc == 0)
            pthread_setname_np(h->threads[h->thread_count++], "helper");
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = rc;
    return rc == 0;
}

struct helper *helper_create(uint32_t threads, uint32_t workers)
{
    struct helper *h = calloc(1, sizeof(*h));

    ASSERT(threads > 0 && threads <= LIMIT_HELPERS);
    if (h == NULL)
        return NULL;
    h->lanes = lanes_create(workers, LANES_READ);
    if (h->lanes == NULL) {
        free(h);
        return NULL;
    }
    pthread_mutex_init(&h->take_lock, NULL);
    pthread_mutex_init(&h->give_lock, NULL);
    if (!start_threads(h, threads)) {
        int error = errno;

        helper_stop(h);
        helper_destroy(h);
        errno = error;
        return NULL;
    }
    return h;
}
