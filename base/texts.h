/*
 * Short texts that live as long as their owners, each in a block not much longer than itself: a
 * name is a dozen bytes, and may have LIMIT_TEXT_BYTES. Blocks come from a pool for each class of
 * lengths, with room for all texts in each, so a text that the owners may have finds one always;
 * what no text has used costs address space only. One set belongs to one thread.
 */
#ifndef POSTERN_BASE_TEXTS_H
#define POSTERN_BASE_TEXTS_H

#include "base/span.h"

struct texts;

/* A place in a set: the owner's, all zero at first, which is the empty text. */
struct text {
    uint32_t at;
};

/* For so many texts at a time that are not empty, 2^28 at most. NULL: memory is short. */
struct texts *texts_create(uint32_t count);
/* Every text must have been made empty; NULL is fine. */
void texts_destroy(struct texts *t);
/* *text is a copy of `s` from now on, LIMIT_TEXT_BYTES at most; empty: its block goes back. `s` may
 * be a part of what it was. */
void texts_set(struct texts *t, struct text *text, struct span s);
/* Until it is set again. */
struct span texts_get(const struct texts *t, struct text text);

#endif
