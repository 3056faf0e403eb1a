/*
 * Segments as the writer has them: which there are, who stands in them, which is next, zeros ahead.
 * Rules W1, W7 and W9 of FORMAT.md.
 */
#ifndef POSTERN_SPOOL_SEGMENT_H
#define POSTERN_SPOOL_SEGMENT_H

#include "spool/spool_priv.h"
#include "spool/spool_recover.h"

/* Takes over what recovery found. */
void spool_segment_adopt(struct spool *s, const struct spool_found *found);
void spool_segment_close_all(struct spool *s);
/* Closes the file, at once or when the zeros under way have ended. */
void spool_segment_close(struct spool *s, struct spool_segment *g);
/* Sets s->next. False: none is to be had, s->error says why. */
bool spool_segment_choose(struct spool *s);
/* Submits zeros where they are wanted. Returns the work done. */
unsigned spool_segment_zero(struct spool *s);
/* The result of zeros or of their sync. */
void spool_segment_zeroed(struct spool *s, struct spool_flight *f, int error);
/* A message gets a record in `active`, up to `end`. */
void spool_segment_hold(struct spool *s, struct spool_port_message *m, uint64_t end);
/* It stands nowhere any more. */
void spool_segment_let_go(struct spool *s, struct spool_port_message *m);
/* A line of the log; g may be NULL, error 0. */
void spool_segment_log(struct spool *s, enum log_level level, const char *event,
                       const struct spool_segment *g, int error);

#endif
