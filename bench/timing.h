/*
 * What one operation costs, in cycles of the time stamp counter and in ns.
 *
 * Happy path: timing_add for each operation; timing_run sizes a batch of each so that it lasts long
 * enough for the counter, then runs the batches in turns, so that noise meets all alike;
 * timing_print. Failure: an operation says 0 and has put a sentence into `why`.
 */
#ifndef POSTERN_BENCH_TIMING_H
#define POSTERN_BENCH_TIMING_H

#include <stdint.h>

#include "base/span.h"
#include "bench/sample.h"

#define TIMING_TASKS_MAX 64
/* Fewer batches have no median worth the name. */
#define TIMING_ROUNDS_MIN 9

struct timing_task {
    char name[64];
    uint64_t bytes; /* that one operation moves; 0: none */
    /* Does it `count` times; returns the cycles that this took, or the part of them that counts.
     * 0: failed. */
    uint64_t (*run)(void *arg, uint64_t count);
    void *arg;
    uint64_t batch_us; /* a batch lasts at least this long */
    uint64_t count;    /* operations of a batch */
    struct sample cycles;
};

struct timing {
    struct timing_task tasks[TIMING_TASKS_MAX];
    unsigned count;
    const char *only; /* tasks whose name begins so; NULL: all */
    double hz;        /* of the time stamp counter */
};

/* The one clock of bench/: CLOCK_MONOTONIC. */
uint64_t timing_now_ns(void);
/* Measures the counter's rate for a moment; it must be constant and never stop (every x86-64 server
 * since 2008). */
void timing_init(struct timing *t);
/* True when `only` lets through some names that begin with `group`. */
bool timing_wants_group(const struct timing *t, const char *group);
/* Takes a copy of *task, when it is wanted. */
void timing_add(struct timing *t, const struct timing_task *task);
/* False: a task failed, *failed is its name. */
bool timing_run(struct timing *t, unsigned rounds, const char **failed);
/* A table for people, and lines for `report` when tsv is not NULL. */
void timing_print(struct timing *t, FILE *table, FILE *tsv);

#endif
