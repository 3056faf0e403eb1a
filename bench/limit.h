/*
 * The physical limits to divide by: what the machine's crypto, memory, disk and cache lines can do
 * with no gateway around them. A file for each; limit.c is the command line.
 */
#ifndef POSTERN_BENCH_LIMIT_H
#define POSTERN_BENCH_LIMIT_H

#include "bench/timing.h"

/*
 * Each adds its operations to the timing, and gets ready what they need (false with a sentence in
 * *why). Call the _close of each afterwards, also when it said false.
 */
bool limit_tls_open(struct timing *t, struct buf *why);
void limit_tls_close(void);
bool limit_aead_open(struct timing *t, struct buf *why);
void limit_aead_close(void);
/* Works on a file in `directory` that has no name: it is gone with the process. */
bool limit_disk_open(struct timing *t, const char *directory, struct buf *why);
void limit_disk_close(void);
bool limit_ring_open(struct timing *t, struct buf *why);
void limit_ring_close(void);

/* postern-bench limit. Returns the exit code. */
int limit_main(int argc, char **argv);

#endif
