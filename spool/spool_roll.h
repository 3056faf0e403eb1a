/*
 * From one segment to the next: rules W5 to W8 of FORMAT.md. The one writer of s->phase.
 */
#ifndef POSTERN_SPOOL_ROLL_H
#define POSTERN_SPOOL_ROLL_H

#include "spool/spool_priv.h"
#include "spool/spool_recover.h"

/* Begins to write: a resume in the newest segment; where that cannot be, want() will open another
 * (W8). */
void spool_roll_start(struct spool *s, const struct spool_found *found);
/* One step of draining and opening, and of zeroing ahead. Returns the work done. */
unsigned spool_roll_turn(struct spool *s);
/*
 * A record found no room in `active`, whose batch is closed, or there is no `active`. True: wait, a
 * segment is coming; false: there is none, s->error says why.
 */
bool spool_roll_want(struct spool *s);
/* A write or sync of `active` has failed: it gets no more records. */
void spool_roll_seal(struct spool *s, int error);
/* The result of an opening write. */
void spool_roll_opened(struct spool *s, struct spool_flight *f, int error);

#endif
