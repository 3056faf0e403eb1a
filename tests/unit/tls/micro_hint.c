/*
 * Cycles of a handshake on the loop's core: all of it inline, and with its dear part given to a
 * helper (whose own cycles stand beside it), in turns. Not run by the tests; prints medians, least
 * and most.
 *
 *     taskset -c 1 build/tests/unit/tls/micro_hint [RUNS]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "unit/tls/hand.h"
#include "unit/tls/rig.h"

#define RUNS_MAX 9999

enum side { SIDE_INLINE, SIDE_HELPED, SIDE_HELPER, SIDES };

static const char *const side_names[SIDES] = { "inline", "helped", "helper" };
static uint64_t figures[SIDES][RUNS_MAX];
static unsigned runs = 499;
static struct rig rig;
static struct hand hand;

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void print(const char *what)
{
    printf("%-24s", what);
    for (unsigned s = 0; s < SIDES; s++) {
        qsort(figures[s], runs, sizeof(uint64_t), compare);
        printf(" %s %lu (%lu..%lu)", side_names[s], figures[s][runs / 2], figures[s][0],
               figures[s][runs - 1]);
    }
    printf(" helped / inline %.2f\n",
           (double)figures[SIDE_HELPED][runs / 2] / (double)figures[SIDE_INLINE][runs / 2]);
}

static uint64_t timed(enum tls_outcome (*step)(struct tls_conn *))
{
    uint64_t begin = __rdtsc();

    rig.outcome = step(rig.conn);
    return __rdtsc() - begin;
}

static enum tls_outcome help(struct tls_conn *c)
{
    (void)c;
    hand_work(&hand);
    return TLS_WANT_SIGNATURE;
}

/* Until the server has nothing to do; the loop's cycles. */
static uint64_t one(bool helped, void (*setup)(SSL *), uint64_t *helper)
{
    uint64_t cycles = 0;

    rig_connect(&rig, setup);
    if (helped) {
        SSL_do_handshake(rig.client);
        rig.outcome = TLS_WANT_SIGNATURE;
        while (rig_move(&rig) > 0) {
        }
        cycles += timed(tls_conn_handshake_helped);
        *helper = timed(help);
    }
    while (!rig.client_done || rig.outcome != TLS_DONE) {
        rig.client_done = rig.client_done || SSL_do_handshake(rig.client) == 1;
        ERR_clear_error();
        while (rig.outcome != TLS_DONE && rig_move(&rig) > 0) {
        }
        if (rig.outcome != TLS_DONE)
            cycles += timed(tls_conn_handshake);
        while (rig.outcome != TLS_DONE && rig_move(&rig) > 0) {
        }
    }
    return cycles;
}

static void measure(const char *what, void (*setup)(SSL *))
{
    for (unsigned run = 0; run < runs; run++) {
        uint64_t unused;

        figures[SIDE_INLINE][run] = one(false, setup, &unused);
        figures[SIDE_HELPED][run] = one(true, setup, &figures[SIDE_HELPER][run]);
    }
    print(what);
}

static void use_x25519(SSL *client)
{
    static const uint16_t groups[] = { SSL_GROUP_X25519 };

    assert_true(SSL_set1_group_ids(client, groups, 1));
}

int main(int argc, char **argv)
{
    struct rig_config config = { .jobs = &hand.queue };

    if (argc > 1)
        runs = (unsigned)strtoul(argv[1], NULL, 10);
    if (runs == 0 || runs > RUNS_MAX) {
        fprintf(stderr, "usage: micro_hint [RUNS: 1 to %u]\n", RUNS_MAX);
        return 2;
    }
    hand = hand_of(1);
    rig_open(&rig, &config);
    measure("X25519MLKEM768, ECDSA", NULL);
    measure("X25519, ECDSA", use_x25519);
    rig_close(&rig);
    return 0;
}
