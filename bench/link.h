/*
 * `postern-bench link`: a long or bad link in user space, between two TAP devices.
 */
#ifndef POSTERN_BENCH_LINK_H
#define POSTERN_BENCH_LINK_H

/* Runs until SIGTERM or SIGINT. Returns the exit code. */
int link_main(int argc, char **argv);

#endif
