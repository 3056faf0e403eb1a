/*
 * Does every job come back exactly once, to the worker that gave it, whoever sleeps when? Run under
 * TSan too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "gateway/helper.h"

struct task {
    struct job job;
    uint64_t in;
    uint64_t out;
    uint32_t worker; /* that gave it */
    uint32_t done;   /* how often */
};

static void square(struct job *job)
{
    struct task *t = (struct task *)job;

    t->out = t->in * t->in;
}

static void count_done(struct job *job)
{
    struct task *t = (struct task *)job;

    t->done++;
}

static void wait_readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    assert_int_equal(poll(&p, 1, 10000), 1);
}

static bool is_readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, 0) == 1;
}

#define TASKS 20000

struct worker {
    pthread_t thread;
    struct helper *helper;
    uint32_t index;
    struct task *tasks;
    uint32_t wrong;
};

/* Bursts of 1 to 64, then sleep on the eventfd until all are back: both sides sleep and wake all
 * the time. */
static void *work(void *arg)
{
    struct worker *w = arg;
    struct job_queue *q = helper_queue(w->helper, w->index);
    uint32_t given = 0;
    uint32_t back = 0;

    while (back < TASKS) {
        uint32_t burst = 1 + given % 64;

        for (; burst > 0 && given < TASKS; burst--, given++) {
            w->tasks[given] = (struct task){ .job = { .run = square, .done = count_done },
                                             .in = given + w->index,
                                             .worker = w->index };
            if (!q->submit(q, &w->tasks[given].job))
                break;
        }
        while (back < given) {
            wait_readable(helper_fd(w->helper, w->index));
            back += helper_poll(w->helper, w->index);
        }
    }
    for (uint32_t i = 0; i < TASKS; i++) {
        struct task *t = &w->tasks[i];
        uint64_t in = i + w->index;

        w->wrong += t->done != 1 || t->out != in * in || t->job.worker != w->index || !t->job.ran;
    }
    return NULL;
}

static void all_come_back_once(void **state)
{
    enum { WORKERS = 3 };
    struct worker workers[WORKERS];
    struct helper *h = helper_create(2, WORKERS);

    (void)state;
    assert_non_null(h);
    for (uint32_t i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){ .helper = h, .index = i };
        workers[i].tasks = calloc(TASKS, sizeof(struct task));
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
        free(workers[i].tasks);
    }
    helper_stop(h);
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_int_equal(helper_poll(h, i), 0);
        /* Every count has been read: a sleeping worker would not be woken for nothing. */
        assert_false(is_readable(helper_fd(h, i)));
    }
    helper_destroy(h);
}

static sem_t begun;
static sem_t go_on;

static void hold(struct job *job)
{
    sem_post(&begun);
    sem_wait(&go_on);
    square(job);
}

static void a_stop_hands_back_what_was_never_begun(void **state)
{
    static struct task tasks[LIMIT_JOBS + 1];
    struct helper *h = helper_create(1, 1);
    struct job_queue *q = helper_queue(h, 0);

    (void)state;
    sem_init(&begun, 0, 0);
    sem_init(&go_on, 0, 0);
    for (uint32_t i = 0; i <= LIMIT_JOBS; i++) {
        tasks[i] = (struct task){ .job = { .run = i == 0 ? hold : square, .done = count_done } };
        /* One more than may be under way. */
        assert_int_equal(q->submit(q, &tasks[i].job), i < LIMIT_JOBS);
        if (i == 0)
            sem_wait(&begun);
    }
    sem_post(&go_on);
    helper_stop(h);
    assert_false(q->submit(q, &tasks[LIMIT_JOBS].job));
    assert_int_equal(helper_poll(h, 0), LIMIT_JOBS);
    assert_true(tasks[0].job.ran);
    for (uint32_t i = 0; i < LIMIT_JOBS; i++)
        assert_int_equal(tasks[i].done, 1);
    assert_int_equal(tasks[LIMIT_JOBS].done, 0);
    helper_destroy(h);
    sem_destroy(&begun);
    sem_destroy(&go_on);
}

static void a_free_helper_takes_what_a_busy_one_cannot(void **state)
{
    struct task slow = { .job = { .run = hold, .done = count_done } };
    struct task fast = { .job = { .run = square, .done = count_done }, .in = 7 };
    struct helper *h = helper_create(2, 1);
    struct job_queue *q = helper_queue(h, 0);

    (void)state;
    sem_init(&begun, 0, 0);
    sem_init(&go_on, 0, 0);
    assert_true(q->submit(q, &slow.job));
    sem_wait(&begun);
    assert_true(q->submit(q, &fast.job));
    wait_readable(helper_fd(h, 0));
    assert_int_equal(helper_poll(h, 0), 1);
    assert_int_equal(fast.out, 49);
    assert_int_equal(slow.done, 0);
    sem_post(&go_on);
    helper_stop(h);
    assert_int_equal(helper_poll(h, 0), 1);
    helper_destroy(h);
    sem_destroy(&begun);
    sem_destroy(&go_on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_come_back_once),
        cmocka_unit_test(a_stop_hands_back_what_was_never_begun),
        cmocka_unit_test(a_free_helper_takes_what_a_busy_one_cannot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
