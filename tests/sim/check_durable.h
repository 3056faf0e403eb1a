/*
 * The oracle: what the spool said of each message, against what a reader finds afterwards.
 *
 *   said DURABLE: there, once, whole, at every later look (FORMAT.md I1, I8);
 *   said FULL or FAILED, or never committed: not there (I2), but for S10, which the caller must
 * allow; no word before the end: there, whole, or not there; and from the first look on it stays
 * so.
 *
 * A message's bytes follow from its id, so that nothing need be kept of it.
 */
#ifndef POSTERN_TESTS_CHECK_DURABLE_H
#define POSTERN_TESTS_CHECK_DURABLE_H

#include "base/mail.h"
#include "spool/spool.h"

struct check_durable;

struct check_durable *check_durable_create(void);
void check_durable_destroy(struct check_durable *c);

/* The bytes of a message's body from an offset on; its envelope and its header. */
void check_durable_fill(uint64_t id, uint64_t offset, uint8_t *to, uint32_t len);
void check_durable_texts(uint64_t id, struct buf *envelope, struct buf *header);

/* A commit was asked for; what the spool said of it; the spool stopped, whoever has no word by now
 * gets none. */
void check_durable_asked(struct check_durable *c, uint64_t id, uint64_t body_bytes);
void check_durable_told(struct check_durable *c, uint64_t id, enum spool_state said);
/* `doubles`: S10 has happened, so what was refused since the last stop may be there. */
void check_durable_stopped(struct check_durable *c, bool doubles);

/* Looks, by a reader on `io`. False with a sentence in *why. */
bool check_durable_look(struct check_durable *c, struct spool_io *io, struct buf *why);

/* Messages that were said to be durable; and that are there though they were refused (S10). */
uint32_t check_durable_count(const struct check_durable *c);
uint32_t check_durable_doubles(const struct check_durable *c);

#endif
