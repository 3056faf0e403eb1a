/*
 * The addresses of a From or Sender field (RFC 5322, 3.4 and 4.4) while it streams by: phrases,
 * comments and groups fall away, quoted local parts and literals stay as they are written. Looser
 * than the grammar, and strict in one thing: whatever some reader could take for an address is one,
 * so nothing can be hidden behind odd syntax. A backslash outside of quotes, literals and comments
 * is in no grammar; in front of what has a meaning it puts the whole mailbox in doubt. Pure; keeps
 * one address.
 */
#ifndef POSTERN_SMTP_MAILBOXES_H
#define POSTERN_SMTP_MAILBOXES_H

#include "base/limits.h"
#include "base/span.h"

enum smtp_mailboxes_state {
    SMTP_MAILBOXES_TEXT,
    SMTP_MAILBOXES_QUOTED,
    SMTP_MAILBOXES_LITERAL, /* in [] */
    SMTP_MAILBOXES_COMMENT,
};

struct smtp_mailboxes {
    enum smtp_mailboxes_state at;
    bool escaped;   /* behind a backslash */
    bool in_angle;  /* behind "<" */
    bool too_long;  /* more than `bytes` hold */
    bool doubtful;  /* readers may differ about what it is */
    uint32_t depth; /* of comments */
    uint32_t len;
    uint8_t bytes[LIMIT_PATH_BYTES];
};

void smtp_mailboxes_init(struct smtp_mailboxes *m);
/*
 * Takes one byte of the field's value; line ends of folds may be left out. True when it ends an
 * address: *found, valid until the next call; empty when it is nobody's: too long for
 * any, or in doubt.
 */
bool smtp_mailboxes_feed(struct smtp_mailboxes *m, uint8_t c, struct span *found);
/* The field is over: the same of the last one. */
bool smtp_mailboxes_end(struct smtp_mailboxes *m, struct span *found);

#endif
