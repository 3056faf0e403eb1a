/*
 * The command line of `link`.
 */
#ifndef POSTERN_BENCH_LINK_OPTIONS_H
#define POSTERN_BENCH_LINK_OPTIONS_H

#include "bench/link_way.h"

struct link_options {
    struct link_way_config way; /* both are alike */
    uint64_t seed;
    const char *names[2]; /* of the TAP devices */
};

/* False with a sentence on standard error. */
bool link_options_parse(struct link_options *o, int argc, char **argv);

#endif
