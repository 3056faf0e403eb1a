/*
 * The reader of all threads' log rings: a thread of its own that writes their lines to a file or to
 * standard output.
 *
 * It looks at the rings every LOGGER_TICK_MS (so no loop ever makes a system call for a line),
 * gathers lines into one buffer and writes that. It alone waits when the disk is slow or a pipe is
 * full; the rings fill up meanwhile, and threads drop lines and count them. A write that fails
 * drops what it held, counts it, and the next one tries again.
 */
#ifndef POSTERN_LOGGER_H
#define POSTERN_LOGGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/log.h"
#include "base/span.h"

#define LOGGER_TICK_MS 20

struct logger;

struct logger_config {
    const char *path;  /* "-": standard output */
    struct log **logs; /* the rings, one for each thread that logs; copied */
    uint32_t count;
    struct counters *counters; /* the logger's own shard: LOG_DROPPED */
};

/* Opens the file (created, mode 0640, appended to) and starts the thread. NULL with a sentence in
 * *why. */
struct logger *logger_start(const struct logger_config *config, struct buf *why);
/* Opens the path anew (logrotate), soon; when that fails, the old file stays in use and gets a line
 * that says so. */
void logger_reopen(struct logger *l);
/*
 * After the threads that log have ended: writes what is left, for at most `patience_ms`, and ends.
 * False: not all could be written (a reader that does not read). Frees the logger.
 */
bool logger_stop(struct logger *l, uint32_t patience_ms);

#endif
