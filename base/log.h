/*
 * The log, without blocking a loop: each thread has a ring of lines; main drains them to a
 * descriptor. A full ring drops the line and counts it. A line is logfmt: event=... key=value ...,
 * with values quoted and escaped, so that no value can forge a line or a key. No secret is ever a
 * value.
 *
 * Levels name the policy: info; warn (something is off, work goes on); error (this connection or
 * message ends); fatal is for start-up only and lives in gateway/.
 */
#ifndef POSTERN_BASE_LOG_H
#define POSTERN_BASE_LOG_H

#include <stdint.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/span.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

#define LOG_LINE_MAX 1024 /* bytes with newline; longer values are cut and marked with "..." */

struct log;      /* one thread's ring */
struct log_line; /* one line being built, inside the ring or on the builder's stack */

/* `slots` lines of LOG_LINE_MAX, a power of two; `counters` gets LOG_DROPPED. NULL: memory is
 * short. */
struct log *log_create(uint32_t slots, enum log_level least, const struct clock *clock,
                       struct counters *counters);
void log_destroy(struct log *l);

/* Begins `time=... level=... event=EVENT`; NULL when dropped (level or full): the others accept
 * NULL. */
struct log_line *log_begin(struct log *l, enum log_level level, const char *event);
void log_str(struct log_line *line, const char *key, const char *value);
void log_span(struct log_line *line, const char *key, struct span value);
void log_u64(struct log_line *line, const char *key, uint64_t value);
void log_end(struct log *l, struct log_line *line);

/* Reader (main): the oldest line, or an empty span; it lives until log_pop. */
struct span log_peek(struct log *l);
void log_pop(struct log *l);

#endif
