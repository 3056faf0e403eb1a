/*
 * No wake-up is lost: whoever takes counts itself among the sleepers, and looks once more, before
 * it sleeps; the worker pushes before it looks at that count. Both touch the count by
 * read-modify-write, so one of them comes first: either the worker sees the sleeper, or the sleeper
 * sees the job. A wake-up too many costs one look.
 *
 * Each job that comes back is one write to its worker's eventfd, which may come just after the
 * worker has found the job by itself. So the worker keeps count of writes that it has not read yet
 * (`owed`), and reads on until it is even: otherwise an old write would wake a sleeping worker for
 * ever. It reads before it looks at the ring: otherwise it might read the count of a job that it
 * has not seen, and sleep on it.
 */
#include "gateway/lanes.h"

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
    struct lanes *lanes;
    struct ring *there;
    struct ring *back;
    int fd; /* eventfd, one count for each job on its way back */
    uint32_t index;
    uint32_t under_way; /* submitted and not yet done; the worker's own */
    int64_t owed;       /* counts of fd not yet read, of jobs already taken; the worker's own */
};

struct lanes {
    uint32_t next; /* the taker's: fair to all workers */
    int wake_fd;   /* eventfd, as a semaphore: a count wakes one sleeper */
    _Atomic uint32_t sleepers;
    _Atomic bool stopping;
    _Atomic bool closed; /* each worker reads its own way there */
    uint32_t count;
    struct lane lanes[];
};

static void wake(struct lanes *l)
{
    ssize_t written = eventfd_write(l->wake_fd, 1);

    /* Fails only when the count is near 2^64. */
    ASSERT(written == 0);
}

static bool submit(struct job_queue *q, struct job *job)
{
    struct lane *lane = (struct lane *)q;
    struct lanes *l = lane->lanes;

    if (lane->under_way == LIMIT_JOBS || lanes_stopping(l))
        return false;
    job->worker = lane->index;
    job->ran = false;
    if (!ring_push(lane->there, job))
        UNREACHABLE("a ring of LIMIT_JOBS holds all that may be under way");
    lane->under_way++;
    /* Adds nothing: a read that takes its place in the order of all changes. */
    if (atomic_fetch_add_explicit(&l->sleepers, 0, memory_order_acq_rel) > 0)
        wake(l);
    return true;
}

/* --- a worker's side ------------------------------------------------------------------------- */

struct job_queue *lanes_queue(struct lanes *l, uint32_t worker)
{
    ASSERT(worker < l->count);
    return &l->lanes[worker].queue;
}

int lanes_fd(const struct lanes *l, uint32_t worker)
{
    ASSERT(worker < l->count);
    return l->lanes[worker].fd;
}

/* Before the ring is looked at, so that a job whose count is read here is found there. */
static void read_counts(struct lane *lane)
{
    eventfd_t count;

    if ((lane->owed > 0 || ring_count(lane->back) > 0) && eventfd_read(lane->fd, &count) == 0)
        lane->owed -= (int64_t)count;
}

/* The next job that has come back; once all is closed, those that nobody began, too. */
static struct job *next_back(struct lane *lane)
{
    struct job *job = ring_pop(lane->back);

    if (job != NULL) {
        lane->owed++;
        return job;
    }
    return atomic_load_explicit(&lane->lanes->closed, memory_order_acquire) ? ring_pop(lane->there)
                                                                            : NULL;
}

unsigned lanes_poll(struct lanes *l, uint32_t worker)
{
    struct lane *lane = &l->lanes[worker];
    struct job *job;
    unsigned done = 0;

    read_counts(lane);
    while ((job = next_back(lane)) != NULL) {
        ASSERT(lane->under_way > 0);
        lane->under_way--;
        done++;
        job->done(job);
    }
    ASSERT(lane->owed >= 0);
    return done;
}

/* --- the other side -------------------------------------------------------------------------- */

struct job *lanes_take(struct lanes *l)
{
    struct job *job = NULL;

    for (uint32_t i = 0; i < l->count && job == NULL; i++) {
        job = ring_pop(l->lanes[l->next].there);
        l->next = (l->next + 1) % l->count;
    }
    return job;
}

void lanes_give(struct lanes *l, struct job *job)
{
    struct lane *lane = &l->lanes[job->worker];
    int fd = lane->fd; /* once it is pushed, the job is its worker's */

    if (!ring_push(lane->back, job))
        UNREACHABLE("a ring of LIMIT_JOBS holds all that may be under way");
    if (eventfd_write(fd, 1) < 0)
        UNREACHABLE("an eventfd takes another count");
}

void lanes_doze(struct lanes *l)
{
    atomic_fetch_add_explicit(&l->sleepers, 1, memory_order_acq_rel);
}

void lanes_awake(struct lanes *l)
{
    atomic_fetch_sub_explicit(&l->sleepers, 1, memory_order_acq_rel);
}

int lanes_wake_fd(const struct lanes *l)
{
    return l->wake_fd;
}

/* --- life ------------------------------------------------------------------------------------ */

void lanes_stop(struct lanes *l, uint32_t threads)
{
    atomic_store_explicit(&l->stopping, true, memory_order_release);
    for (uint32_t i = 0; i < threads; i++)
        wake(l);
}

bool lanes_stopping(const struct lanes *l)
{
    return atomic_load_explicit(&l->stopping, memory_order_acquire);
}

void lanes_close(struct lanes *l)
{
    atomic_store_explicit(&l->closed, true, memory_order_release);
}

static void free_all(struct lanes *l)
{
    for (uint32_t i = 0; i < l->count; i++) {
        ring_destroy(l->lanes[i].there);
        ring_destroy(l->lanes[i].back);
        if (l->lanes[i].fd >= 0)
            close(l->lanes[i].fd);
    }
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    free(l);
}

void lanes_destroy(struct lanes *l)
{
    for (uint32_t i = 0; i < l->count; i++)
        ASSERT(l->lanes[i].under_way == 0);
    free_all(l);
}

static bool open_lane(struct lanes *l, uint32_t index)
{
    struct lane *lane = &l->lanes[index];

    lane->queue.submit = submit;
    lane->lanes = l;
    lane->index = index;
    lane->there = ring_create(LIMIT_JOBS);
    lane->back = ring_create(LIMIT_JOBS);
    lane->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return lane->there != NULL && lane->back != NULL && lane->fd >= 0;
}

struct lanes *lanes_create(uint32_t workers, enum lanes_sleep sleep)
{
    struct lanes *l = calloc(1, sizeof(*l) + workers * sizeof(l->lanes[0]));
    bool good = true;

    ASSERT(workers > 0);
    if (l == NULL)
        return NULL;
    l->count = workers;
    for (uint32_t i = 0; i < workers; i++)
        good = open_lane(l, i) && good;
    l->wake_fd = eventfd(0, EFD_CLOEXEC | (sleep == LANES_READ ? EFD_SEMAPHORE : EFD_NONBLOCK));
    if (good && l->wake_fd >= 0)
        return l;
    free_all(l);
    return NULL;
}
