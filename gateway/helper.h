/*
 * Helper threads: they run what takes long (password hashes, RSA signatures) for the workers.
 *
 * Each worker has its two ways there and back (lanes.h); helpers share a lock among themselves, so
 * that whichever is free takes the next job, of each worker in turn.
 *
 * Failure modes: LIMIT_JOBS of one worker are under way: submit says no. The program stops: see
 * helper_stop.
 */
#ifndef POSTERN_HELPER_H
#define POSTERN_HELPER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/job.h"

struct helper;

/* Starts `threads` threads (all signals blocked) for `workers` workers. NULL with errno. */
struct helper *helper_create(uint32_t threads, uint32_t workers);

/* The queue that worker `worker` hands to its rooms; used by that worker's thread alone. */
struct job_queue *helper_queue(struct helper *h, uint32_t worker);
/* On the worker's loop: runs done() of what has come back. Returns how many; must not block. */
unsigned helper_poll(struct helper *h, uint32_t worker);
/* Readable when helper_poll has news: for loops that sleep. Nobody else reads it. */
int helper_fd(const struct helper *h, uint32_t worker);

/*
 * Ends the threads: each finishes the job it is at. From then on submit says no, and helper_poll
 * hands back all there is, jobs never begun with `ran` false. Call it before or after the workers'
 * loops end; helper_poll still belongs to the worker, or to whoever comes after its loop has ended.
 */
void helper_stop(struct helper *h);
/* After helper_stop, and helper_poll until it gives 0 for each worker: asserts that no job is lost.
 */
void helper_destroy(struct helper *h);

#endif
