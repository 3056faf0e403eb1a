/*
 * postern-bench load: SMTP submission as many clients do it at once, from one thread, against any
 * server. load_options.c reads the command line, load.c runs.
 */
#ifndef POSTERN_BENCH_LOAD_H
#define POSTERN_BENCH_LOAD_H

#include "bench/client.h"
#include "bench/plan.h"

struct load_options {
    struct client_config client;
    struct wire_config wire;
    struct sockaddr_storage to;
    socklen_t to_len;
    struct carrier_device device;
    struct plan_sizes sizes;
    uint64_t messages;    /* in all */
    uint64_t seconds;     /* at most; what is under way then may finish within the time-out */
    uint32_t connections; /* of workers at once */
    uint32_t idle;
    uint32_t slow;
    double rate; /* messages a second meant to start; 0: closed loop */
    bool constant;
    int core;
    uint64_t seed;
    const char *run;
    const char *log_path;
    const char *output_path;
};

/* False: a sentence, or the usage, is on standard error. */
bool load_options_parse(struct load_options *o, int argc, char **argv);
/* The subcommand. Returns the exit code. */
int load_main(int argc, char **argv);

#endif
