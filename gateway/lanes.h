/*
 * The ways between the workers and the threads that work for them: two rings for each worker, one
 * each way. A worker pushes without a lock, and makes a system call only when the other side
 * sleeps. A finished job comes back on its worker's ring and makes the worker's eventfd readable.
 *
 * The other side may be many threads: then they share a lock for taking, and one for giving.
 *
 * Failure modes: LIMIT_JOBS of one worker are under way: submit says no. The program stops: from
 * lanes_stop on submit says no; once lanes_close says that no thread is left, lanes_poll hands back
 * what nobody has taken, with `ran` false.
 */
#ifndef POSTERN_LANES_H
#define POSTERN_LANES_H

#include "base/job.h"

struct lanes;

/* How the other side sleeps: in eventfd_read, one wake-up for one sleeper, or in a poll that looks
 * at more. */
enum lanes_sleep { LANES_READ, LANES_POLLED };

/* NULL with errno. */
struct lanes *lanes_create(uint32_t workers, enum lanes_sleep sleep);
/* Asserts that no job is lost: lanes_poll gave 0 for each worker after lanes_close. */
void lanes_destroy(struct lanes *l);

/* --- a worker's side ------------------------------------------------------------------------- */

struct job_queue *lanes_queue(struct lanes *l, uint32_t worker);
/* Runs done() of what has come back. Returns how many. */
unsigned lanes_poll(struct lanes *l, uint32_t worker);
/* Readable when lanes_poll has news: for loops that sleep. Nobody else reads it. */
int lanes_fd(const struct lanes *l, uint32_t worker);

/* --- the other side -------------------------------------------------------------------------- */

/* The next job, of each worker in turn; NULL: none now. One thread at a time. */
struct job *lanes_take(struct lanes *l);
/* Back to its worker. One thread at a time. */
void lanes_give(struct lanes *l, struct job *job);
/* Before a look that may find nothing and a sleep; and after them. In between, a job that comes
 * makes lanes_wake_fd readable, one count each; an eventfd_read takes one. */
void lanes_doze(struct lanes *l);
void lanes_awake(struct lanes *l);
int lanes_wake_fd(const struct lanes *l);

/* Nothing is taken in any more; wakes `threads` of those who sleep. */
void lanes_stop(struct lanes *l, uint32_t threads);
bool lanes_stopping(const struct lanes *l);
/* No thread is left on the other side. */
void lanes_close(struct lanes *l);

#endif
