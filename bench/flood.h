/* SYNs from addresses that are not the sender's. */
#ifndef POSTERN_BENCH_FLOOD_H
#define POSTERN_BENCH_FLOOD_H

/* postern-bench flood. Returns the exit code. */
int flood_main(int argc, char **argv);

#endif
