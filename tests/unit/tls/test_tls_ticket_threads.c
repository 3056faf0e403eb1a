/*
 * tls/tls_ticket.c under threads: two seal and open while one rotates. What a thread seals it can
 * open right after, unless two rotations came between. For ThreadSanitizer above all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

#include "tls/tls_ticket.h"

#define ROUNDS 20000

static struct tls_ticket_keys keys;
static _Atomic bool stop;

struct result {
    unsigned opened;
    unsigned refused; /* with fewer than two rotations between: an error */
};

static void *work(void *argument)
{
    struct result *result = argument;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t sealed[128], plain[128];
        struct buf to = { sealed, 0, sizeof(sealed) }, back = { plain, 0, sizeof(plain) };
        uint64_t before = atomic_load(&keys.generation);

        if (!tls_ticket_seal(&keys, SPAN_LITERAL("session"), &to))
            result->refused++;
        else if (tls_ticket_open(&keys, span_of(sealed, to.len), &back))
            result->opened++;
        else if (atomic_load(&keys.generation) - before < 2)
            result->refused++;
    }
    return NULL;
}

static void *rotate(void *argument)
{
    uint64_t now = 1;

    (void)argument;
    while (!atomic_load(&stop))
        tls_ticket_rotate(&keys, now++, 1);
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t workers[2], rotator;
    struct result results[2] = { { 0, 0 }, { 0, 0 } };

    (void)state;
    tls_ticket_init(&keys);
    assert_int_equal(pthread_create(&rotator, NULL, rotate, NULL), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&workers[i], NULL, work, &results[i]), 0);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(workers[i], NULL);
    atomic_store(&stop, true);
    pthread_join(rotator, NULL);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(results[i].refused, 0);
        assert_true(results[i].opened > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_threads) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
