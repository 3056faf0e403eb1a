/*
 * Happy path: submit pushes to the worker's ring and, when a helper sleeps, wakes one; the helper
 * takes the job under the lock that helpers share, runs it, pushes it to the worker's way back and
 * writes the worker's eventfd.
 *
 * No wake-up is lost: a helper counts itself among the sleepers, and looks once more, before it
 * sleeps; the worker pushes before it looks at that count. Both touch the count by
 * read-modify-write, so one of them comes first: either the worker sees the sleeper, or the sleeper
 * sees the job. A wake-up too many costs one look.
 *
 * Each job that comes back is one write to its worker's eventfd, which may come just after the
 * worker has found the job by itself. So the worker keeps count of writes that it has not read yet
 * (`owed`), and reads on until it is even: otherwise an old write would wake a sleeping worker for
 * ever. It reads before it looks at the ring: otherwise it might read the count of a job that it
 * has not seen, and sleep on it.
 */
#include "gateway/helper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/ring.h"

/* One worker's two ways. */
struct lane {
    struct job_queue queue; /* first: submit gets its address */
    struct helper *helper;
    struct ring *there; /* worker -> helpers; read under take_lock */
    struct ring *back;  /* helpers -> worker; written under give_lock */
    int fd;             /* eventfd, one count for each job on its way back */
    uint32_t index;
    uint32_t under_way; /* submitted and not yet done; the worker's own */
    int64_t owed;       /* counts of fd not yet read, of jobs already taken; the worker's own */
};

struct helper {
    pthread_mutex_t take_lock;
    pthread_mutex_t give_lock;
    uint32_t next_lane; /* under take_lock: fair to all workers */
    int wake_fd;        /* eventfd, as a semaphore: a count wakes one helper */
    _Atomic uint32_t sleepers;
    _Atomic bool stopping;
    _Atomic bool stopped; /* no thread is left: each worker reads its own way there */
    uint32_t thread_count;
    uint32_t lane_count;
    pthread_t threads[LIMIT_HELPERS];
    struct lane lanes[];
};

static void wake(struct helper *h)
{
    ssize_t written = eventfd_write(h->wake_fd, 1);

    /* Fails only when the count is near 2^64. */
    ASSERT(written == 0);
}

static bool submit(struct job_queue *q, struct job *job)
{
    struct lane *l = (struct lane *)q;
    struct helper *h = l->helper;

    if (l->under_way == LIMIT_JOBS || atomic_load_explicit(&h->stopping, memory_order_relaxed))
        return false;
    job->worker = l->index;
    job->ran = false;
    if (!ring_push(l->there, job))
        UNREACHABLE("a ring of LIMIT_JOBS holds all that may be under way");
    l->under_way++;
    /* Adds nothing: a read that takes its place in the order of all changes. */
    if (atomic_fetch_add_explicit(&h->sleepers, 0, memory_order_acq_rel) > 0)
        wake(h);
    return true;
}

/* The next job, of each worker in turn; NULL: none now. */
static struct job *take(struct helper *h)
{
    struct job *job = NULL;

    pthread_mutex_lock(&h->take_lock);
    for (uint32_t i = 0; i < h->lane_count && job == NULL; i++) {
        job = ring_pop(h->lanes[h->next_lane].there);
        h->next_lane = (h->next_lane + 1) % h->lane_count;
    }
    pthread_mutex_unlock(&h->take_lock);
    return job;
}

static void give_back(struct lane *l, struct job *job)
{
    bool pushed;

    pthread_mutex_lock(&l->helper->give_lock);
    pushed = ring_push(l->back, job);
    pthread_mutex_unlock(&l->helper->give_lock);
    ASSERT(pushed);
    if (eventfd_write(l->fd, 1) < 0)
        UNREACHABLE("an eventfd takes another count");
}

/* Until somebody submits, or the stop. */
static void sleep_for_work(struct helper *h)
{
    eventfd_t count;

    /* A signal cannot come: all are blocked. What else ends the read is as good as a wake-up. */
    if (eventfd_read(h->wake_fd, &count) < 0)
        ASSERT(errno == EINTR);
}

static void *run(void *arg)
{
    struct helper *h = arg;

    while (!atomic_load_explicit(&h->stopping, memory_order_acquire)) {
        struct job *job = take(h);

        if (job == NULL) {
            atomic_fetch_add_explicit(&h->sleepers, 1, memory_order_acq_rel);
            job = take(h);
            if (job == NULL && !atomic_load_explicit(&h->stopping, memory_order_acquire))
                sleep_for_work(h);
            atomic_fetch_sub_explicit(&h->sleepers, 1, memory_order_acq_rel);
        }
        if (job != NULL) {
            job->run(job);
            job->ran = true;
            give_back(&h->lanes[job->worker], job);
        }
    }
    return NULL;
}

struct job_queue *helper_queue(struct helper *h, uint32_t worker)
{
    ASSERT(worker < h->lane_count);
    return &h->lanes[worker].queue;
}

int helper_fd(const struct helper *h, uint32_t worker)
{
    ASSERT(worker < h->lane_count);
    return h->lanes[worker].fd;
}

/* Before the ring is looked at, so that a job whose count is read here is found there. */
static void read_counts(struct lane *l)
{
    eventfd_t count;

    if ((l->owed > 0 || ring_count(l->back) > 0) && eventfd_read(l->fd, &count) == 0)
        l->owed -= (int64_t)count;
}

/* The next job that has come back; after the stop also those that no helper began. */
static struct job *next_back(struct lane *l)
{
    struct job *job = ring_pop(l->back);

    if (job != NULL) {
        l->owed++;
        return job;
    }
    return atomic_load_explicit(&l->helper->stopped, memory_order_acquire) ? ring_pop(l->there)
                                                                           : NULL;
}

unsigned helper_poll(struct helper *h, uint32_t worker)
{
    struct lane *l = &h->lanes[worker];
    struct job *job;
    unsigned done = 0;

    read_counts(l);
    while ((job = next_back(l)) != NULL) {
        ASSERT(l->under_way > 0);
        l->under_way--;
        done++;
        job->done(job);
    }
    ASSERT(l->owed >= 0);
    return done;
}

void helper_stop(struct helper *h)
{
    atomic_store_explicit(&h->stopping, true, memory_order_release);
    for (uint32_t i = 0; i < h->thread_count; i++)
        wake(h);
    for (uint32_t i = 0; i < h->thread_count; i++) {
        int rc = pthread_join(h->threads[i], NULL);

        ASSERT(rc == 0);
    }
    h->thread_count = 0;
    atomic_store_explicit(&h->stopped, true, memory_order_release);
}

static void free_all(struct helper *h)
{
    for (uint32_t i = 0; i < h->lane_count; i++) {
        ring_destroy(h->lanes[i].there);
        ring_destroy(h->lanes[i].back);
        if (h->lanes[i].fd >= 0)
            close(h->lanes[i].fd);
    }
    if (h->wake_fd >= 0)
        close(h->wake_fd);
    pthread_mutex_destroy(&h->take_lock);
    pthread_mutex_destroy(&h->give_lock);
    free(h);
}

void helper_destroy(struct helper *h)
{
    ASSERT(h->thread_count == 0);
    for (uint32_t i = 0; i < h->lane_count; i++)
        ASSERT(h->lanes[i].under_way == 0);
    free_all(h);
}

static bool open_lane(struct helper *h, uint32_t index)
{
    struct lane *l = &h->lanes[index];

    l->queue.submit = submit;
    l->helper = h;
    l->index = index;
    l->there = ring_create(LIMIT_JOBS);
    l->back = ring_create(LIMIT_JOBS);
    l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return l->there != NULL && l->back != NULL && l->fd >= 0;
}

static bool open_all(struct helper *h)
{
    bool good = true;

    for (uint32_t i = 0; i < h->lane_count; i++)
        good = open_lane(h, i) && good;
    h->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    return good && h->wake_fd >= 0;
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
    struct helper *h = calloc(1, sizeof(*h) + workers * sizeof(h->lanes[0]));

    ASSERT(threads > 0 && threads <= LIMIT_HELPERS && workers > 0);
    if (h == NULL)
        return NULL;
    h->lane_count = workers;
    pthread_mutex_init(&h->take_lock, NULL);
    pthread_mutex_init(&h->give_lock, NULL);
    if (!open_all(h)) {
        free_all(h);
        return NULL;
    }
    if (!start_threads(h, threads)) {
        int error = errno;

        helper_stop(h);
        free_all(h);
        errno = error;
        return NULL;
    }
    return h;
}
