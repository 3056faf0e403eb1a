/*
 * The program as a whole: everything opened in order, and closed in reverse.
 */
#ifndef POSTERN_PROGRAM_H
#define POSTERN_PROGRAM_H

#include <stdbool.h>

#include "base/span.h"
#include "gateway/config.h"
#include "gateway/worker.h"

struct program;

/* Opens devices, keys, users, spool and listeners, and starts all threads. NULL with a sentence in
 * *why. */
struct program *program_start(const struct config *config, struct buf *why);
/* Goes on to `how` (worker.h); true when no session is left. Call again until it is, or patience
 * ends. */
bool program_drain(struct program *p, enum worker_drain how);
/* Stops all threads, cuts what is left, closes everything. */
void program_stop(struct program *p);

/* The users file and the log file anew (SIGHUP). What fails keeps the old one, and a line says so.
 */
void program_reload(struct program *p);
/* Now and then, from main: ticket keys. */
void program_tick(struct program *p);
/* All counters, summed, one line each, to the log (SIGUSR1). */
void program_log_counters(struct program *p);

#endif
