/*
 * tls/tls_sign.c and tls_hint.c with a real helper thread and the rings of base/: handshakes with
 * an RSA certificate, some of which go away while a helper has them. For ThreadSanitizer above all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>

#include <openssl/err.h>

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

/* The client's first flight is there, and a helper gets it. */
static void ask_for_hints(struct rig *r)
{
    SSL_do_handshake(r->client);
    ERR_clear_error();
    r->outcome = TLS_WANT_SIGNATURE;
    while (rig_move(r) > 0) {
    }
    assert_int_equal(tls_conn_handshake_helped(r->conn), TLS_WANT_SIGNATURE);
}

static void run_rounds(bool hints)
{
    struct helper h = { .queue = { submit }, .there = ring_create(8), .back = ring_create(8) };
    struct rig_config config = { .rsa_only = true, .jobs = &h.queue };
    pthread_t thread;
    struct rig r;

    rig_open(&r, &config);
    assert_int_equal(pthread_create(&thread, NULL, help, &h), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        rig_connect(&r, NULL);
        if (hints)
            ask_for_hints(&r);
        else
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

static void test_signatures(void **state)
{
    (void)state;
    run_rounds(false);
}

static void test_hints(void **state)
{
    (void)state;
    run_rounds(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_signatures),
                                        cmocka_unit_test(test_hints) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
