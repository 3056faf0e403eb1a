/*
 * Records into the active segment: group commit, and what their completions mean for messages.
 * Rules W2 to W4 and W6 of FORMAT.md.
 */
#ifndef POSTERN_SPOOL_APPEND_H
#define POSTERN_SPOOL_APPEND_H

#include "spool/spool_priv.h"

enum spool_append_result {
    APPEND_PLACED,
    APPEND_WAIT,    /* for a completion: ask again */
    APPEND_REFUSED, /* there is no room: s->error says why */
};

enum spool_append_result spool_append_extent(struct spool *s, struct spool_port_extent *e);
enum spool_append_result spool_append_commit(struct spool *s, struct spool_port_message *m);
/* Gives the open batch to the disk, unless one is under way already: then it goes on being filled.
 */
void spool_append_submit(struct spool *s);
/* The same whatever is under way; false: too many writes are. */
bool spool_append_close_batch(struct spool *s);
/* A result of the disk for a record write. */
void spool_append_done(struct spool *s, struct spool_flight *f, int32_t result);
/* `active` is sealed and all its writes have ended: what was to stand past durable_end fails (W6).
 */
void spool_append_cut(struct spool *s);
/* The cut is durable, or cannot be made: the withheld messages are answered. */
void spool_append_answer_withheld(struct spool *s, bool cut_is_durable);
/* A message that cannot become durable any more. */
void spool_append_doom(struct spool *s, struct spool_port_message *m, enum spool_state verdict);
/* FULL or FAILED, as an errno says. */
enum spool_state spool_append_verdict(int error);

#endif
