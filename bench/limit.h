/*
 * The physical limits to divide by: what the machine's crypto, memory, disk and cache lines can do
 * with no gateway around them. A file for each group; see suite.h for what open and close owe.
 */
#ifndef POSTERN_BENCH_LIMIT_H
#define POSTERN_BENCH_LIMIT_H

#include "bench/suite.h"

bool limit_tls_open(struct timing *t, const char *directory, struct buf *why);
void limit_tls_close(void);
bool limit_aead_open(struct timing *t, const char *directory, struct buf *why);
void limit_aead_close(void);
bool limit_memcpy_open(struct timing *t, const char *directory, struct buf *why);
void limit_memcpy_close(void);
/* On a file without a name: it is gone with the process. */
bool limit_disk_open(struct timing *t, const char *directory, struct buf *why);
void limit_disk_close(void);
bool limit_ring_open(struct timing *t, const char *directory, struct buf *why);
void limit_ring_close(void);

/* postern-bench limit. */
extern const struct suite limit_suite;

#endif
