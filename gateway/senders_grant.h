/*
 * What a back end grants a login, beside that it may come in: words as in a line of the senders
 * file, with blanks or commas between them. Its addresses stand in place of those that the file has
 * for the login, and each setting in place of the file's.
 *
 * Happy path: whoever takes a verdict checks them, and the policy reads them for the session.
 * Failure modes: a word that is none, or too many bytes: the verdict is of no use.
 */
#ifndef POSTERN_SENDERS_GRANT_H
#define POSTERN_SENDERS_GRANT_H

#include "base/limits.h"
#include "gateway/senders_word.h"

struct senders_grant {
    struct senders_limits limits;
    uint32_t patterns; /* 0: it says nothing about addresses */
    uint32_t len;
    char text[LIMIT_GRANT_BYTES + 1]; /* the patterns, each ended by NUL */
};

/* False: they cannot be read. */
bool senders_grant_read(struct span words, struct span login, struct senders_grant *out);
/* When it has patterns. */
bool senders_grant_may_send_as(const struct senders_grant *g, struct span login,
                               struct span mailbox);

#endif
