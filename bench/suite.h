/*
 * A subcommand that times operations, in groups: limit and micro are tables of these.
 */
#ifndef POSTERN_BENCH_SUITE_H
#define POSTERN_BENCH_SUITE_H

#include "bench/timing.h"

#define SUITE_GROUPS_MAX 8

struct suite_group {
    const char *names; /* the operations' names begin so */
    /* Gets ready and adds the operations; may use files in `directory`, which it removes. False
     * with a sentence in *why. */
    bool (*open)(struct timing *t, const char *directory, struct buf *why);
    /* Undoes open, also when it said false, or was not called. */
    void (*close)(void);
};

struct suite {
    const char *name;
    struct suite_group groups[SUITE_GROUPS_MAX]; /* up to the first without a name */
};

/* Reads the command line, runs, prints. Returns the exit code. */
int suite_main(const struct suite *suite, int argc, char **argv);

#endif
