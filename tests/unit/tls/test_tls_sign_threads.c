/*
 * tls/tls_sign.c with a real helper thread and the rings of base/: handshakes with an RSA
 * certificate, some of which go away while they are signed. For ThreadSanitizer above all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>

#include "base/ring.h"
#include "rig.h"

#define ROUNDS 40

struct helper {
    struct job_queue queue;
    struct ring *there;
    struct ring *back;
    _Atomic bool stop;
};

static bool submit(struct job_queue *q, struct job *job)
{
    return ring_push(((struct helper *)q)->there, job);
}

static void *help(void *argument)
{
    struct helper *h = argument;

    while (!h->stop) {
        struct job *job = ring_pop(h->there);

        if (job == NULL) {
            sched_yield();
            continue;
        }
        job->run(job);
        while (!ring_push(h->back, job))
            sched_yield();
    }
    return NULL;
}

/* Takes back what is done; waits for one job at least when told so. */
static unsigned collect(struct helper *h, unsigned least)
{
    unsigned count = 0;

    while (count < least || ring_count(h->back) > 0) {
        struct job *job = ring_pop(h->back);

        if (job == NULL) {
            sched_yield();
            continue;
        }
        job->done(job);
        count++;
    }
    return count;
}

static void test_threads(void **state)
{
    struct helper h = { .queue = { submit }, .there = ring_create(8), .back = ring_create(8) };
    struct rig_config config = { .rsa_only = true, .jobs = &h.queue };
    pthread_t thread;
    struct rig r;

    (void)state;
    rig_open(&r, &config);
    assert_int_equal(pthread_create(&thread, NULL, help, &h), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        rig_connect(&r, NULL);
        assert_false(rig_handshake(&r));
        assert_int_equal(r.outcome, TLS_WANT_SIGNATURE);
        if (i % 4 == 3) {
            rig_disconnect(&r);
            continue;
        }
        while (r.outcome == TLS_WANT_SIGNATURE) {
            collect(&h, 1);
            rig_handshake(&r);
        }
        assert_int_equal(r.outcome, TLS_DONE);
    }
    h.stop = true;
    pthread_join(thread, NULL);
    for (struct job *job; (job = ring_pop(h.there)) != NULL;)
        job->done(job); /* never run: its connection is gone */
    collect(&h, 0);
    rig_close(&r);
    ring_destroy(h.there);
    ring_destroy(h.back);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_threads) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
