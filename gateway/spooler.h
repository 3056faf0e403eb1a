/*
 * The spool writer's thread: the spool in its directory, its log and its counters.
 */
#ifndef POSTERN_SPOOLER_H
#define POSTERN_SPOOLER_H

#include "base/counter.h"
#include "base/log.h"
#include "gateway/config.h"
#include "spool/spool.h"

struct spooler;

/* Opens and recovers the spool. NULL with a sentence in *why. */
struct spooler *spooler_open(const struct config *config, struct spool_recovery *recovery,
                             struct buf *why);
bool spooler_start(struct spooler *s, struct buf *why);
/* Finishes what was asked for, then ends the thread. The workers have stopped. */
void spooler_stop(struct spooler *s);
void spooler_close(struct spooler *s);

struct spool_port *spooler_port(struct spooler *s, unsigned worker);
struct log *spooler_log(struct spooler *s);
const struct counters *spooler_counters(const struct spooler *s);

#endif
