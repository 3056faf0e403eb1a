/*
 * See tcp_kernel_grid.h. Happy path: each process takes every n-th case on a wire of its own and
 * writes what it found into shared memory. Nearly all of the time is spent waiting, so there are
 * more processes than cores. A case that differs is tried again: the machine may have been
 * late, and what is chance is not found.
 */
#include "tcp_kernel_grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "tcp_kernel.h"

#define LANES 4
#define TRIES 8 /* of a case that was held up */
#define AGAIN 5 /* times that one that was not must differ: on a busy machine once is chance */

struct finding {
    enum tcp_kernel_verdict verdict;
    char why[TCP_KERNEL_WHY];
};

/* The explanation in a case, or NULL. */
static const char *explanation(const struct tcp_dsl_case *c)
{
    static const char mark[] = "# linux: differs: ";
    const char *at = strstr(c->script, mark);

    return at != NULL ? at + strlen(mark) : NULL;
}

static void run_lane(const struct tcp_dsl_case *const *cases, unsigned count, unsigned lane,
                     uint64_t patience_ns, struct finding *findings)
{
    struct tcp_kernel_wire wire;

    if (!tcp_kernel_wire_open(&wire))
        _exit(EXIT_FAILURE);
    for (unsigned i = lane; i < count; i += LANES) {
        struct finding *f = &findings[i];
        unsigned tries = explanation(cases[i]) != NULL ? 1 : TRIES;
        unsigned differs = 0;

        for (unsigned n = 0; n < tries && differs < AGAIN; n++) {
            f->verdict = tcp_kernel_run(&wire, cases[i], 1 + i * TRIES + n, patience_ns, f->why);
            differs += f->verdict == TCP_KERNEL_DIFFERS;
            if (f->verdict != TCP_KERNEL_DIFFERS && f->verdict != TCP_KERNEL_STALLED)
                break;
        }
        if (tries > 1 && f->verdict == TCP_KERNEL_DIFFERS && differs < AGAIN)
            f->verdict = TCP_KERNEL_STALLED;
    }
    tcp_kernel_wire_close(&wire);
    _exit(EXIT_SUCCESS);
}

static bool run_lanes(const struct tcp_dsl_case *const *cases, unsigned count, uint64_t patience_ns,
                      struct finding *findings)
{
    bool good = true;
    int status;

    for (unsigned lane = 0; lane < LANES; lane++) {
        pid_t pid = fork();

        ASSERT(pid >= 0);
        if (pid == 0)
            run_lane(cases, count, lane, patience_ns, findings);
    }
    for (unsigned lane = 0; lane < LANES; lane++)
        good &= wait(&status) > 0 && status == 0;
    return good;
}

static void print_case(const struct tcp_dsl_case *c, const struct finding *f)
{
    const char *why = explanation(c);

    printf("%s x %s (%s): Linux: %s\n", c->state, c->event, c->rfc, f->why);
    if (why != NULL)
        printf("    explained: %.*s\n", (int)strcspn(why, ";\n"), why);
}

static bool report(const struct tcp_dsl_case *const *cases, unsigned count,
                   const struct finding *findings, bool talkative)
{
    unsigned counts[TCP_KERNEL_VERDICTS] = { 0 }, explained = 0, stale = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct finding *f = &findings[i];
        bool why = explanation(cases[i]) != NULL;

        counts[f->verdict]++;
        explained += f->verdict == TCP_KERNEL_DIFFERS && why;
        if (f->verdict == TCP_KERNEL_DIFFERS && (talkative || !why))
            print_case(cases[i], f);
        if (f->verdict == TCP_KERNEL_EQUAL && why) {
            printf("%s x %s: explained, and does not differ\n", cases[i]->state, cases[i]->event);
            stale++;
        }
    }
    printf("%u cases: %u equal (%u with an explanation), %u differ (%u explained); not run: %u set "
           "our stack, %u empty our memory, %u take too long, %u were held up by the machine\n",
           count, counts[TCP_KERNEL_EQUAL], stale, counts[TCP_KERNEL_DIFFERS], explained,
           counts[TCP_KERNEL_NEEDS_SETTING], counts[TCP_KERNEL_NEEDS_MEMORY],
           counts[TCP_KERNEL_NEEDS_TIME], counts[TCP_KERNEL_STALLED]);
    return counts[TCP_KERNEL_DIFFERS] == explained && counts[TCP_KERNEL_EQUAL] > 0;
}

bool tcp_kernel_grid(const struct tcp_dsl_case *const *cases, unsigned count,
                     unsigned long patience_ms, bool talkative)
{
    size_t size = count * sizeof(struct finding);
    struct finding *findings =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool good;

    ASSERT(findings != MAP_FAILED);
    fflush(stdout);
    good = run_lanes(cases, count, patience_ms * NS_PER_MS, findings) &&
           report(cases, count, findings, talkative);
    munmap(findings, size);
    return good;
}
