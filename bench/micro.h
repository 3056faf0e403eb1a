/*
 * What each layer of the gateway costs by itself, in one thread, through its public header: so that
 * two builds can be compared layer by layer. A file for each group; see suite.h.
 */
#ifndef POSTERN_BENCH_MICRO_H
#define POSTERN_BENCH_MICRO_H

#include "bench/suite.h"

bool micro_tcp_open(struct timing *t, const char *directory, struct buf *why);
void micro_tcp_close(void);
bool micro_smtp_open(struct timing *t, const char *directory, struct buf *why);
void micro_smtp_close(void);
/* A spool in a new folder of `directory`, with a writer's thread; it takes some GB while it runs.
 */
bool micro_spool_open(struct timing *t, const char *directory, struct buf *why);
void micro_spool_close(void);

/* postern-bench micro. */
extern const struct suite micro_suite;

#endif
