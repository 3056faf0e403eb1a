/* Established connections, up to a million at once: what each holds, and what a segment costs. */
#ifndef POSTERN_BENCH_CONNECTIONS_H
#define POSTERN_BENCH_CONNECTIONS_H

/* postern-bench connections. Returns the exit code. */
int connections_main(int argc, char **argv);

#endif
