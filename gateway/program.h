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

/* The users file and the log file anew (SIGHUP). What fails keeps the old one, and a line says so;
 * so do false and *why. */
bool program_reload(struct program *p, struct buf *why);
/* Now and then, from main: ticket keys. */
void program_tick(struct program *p);
/* All counters, summed, and the device's, one line each, to the log (SIGUSR1). */
void program_log_counters(struct program *p);
/* Waits for news of other_fd or of the control socket, for ms at most, and serves the latter. */
void program_wait(struct program *p, int other_fd, int ms);

/* --- for the control socket's commands ------------------------------------------------------- */

unsigned program_workers(const struct program *p);
struct worker *program_worker(const struct program *p, unsigned index);
/* Of all threads together. */
uint64_t program_counter(const struct program *p, enum counter_id id);
/* Main begins a drain as by SIGTERM, soon. */
void program_ask_to_drain(struct program *p);
bool program_wants_drain(const struct program *p);

struct program_number {
    const char *name;
    uint64_t value;
};

/* NULL: there is no device. */
struct nic_port *program_port(const struct program *p);

#define PROGRAM_DEVICE_NUMBERS 10

/* The device's own counts (nic_port.h). False: there is no device. */
bool program_device(const struct program *p, struct program_number out[PROGRAM_DEVICE_NUMBERS]);

#endif
