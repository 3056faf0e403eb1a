/*
 * Grammar only (RFC 5321, 4.1.2 and 4.1.3; RFC 3461, 4 for xtext; RFC 6531 for UTF-8): paths,
 * domains. Knows no state, keeps nothing, copies nothing but decoded xtext. What it gives out lies
 * in the memory of what it was given.
 */
#ifndef POSTERN_SMTP_SYNTAX_H
#define POSTERN_SMTP_SYNTAX_H

#include "base/limits.h"
#include "base/span.h"

enum smtp_syntax_outcome {
    SMTP_SYNTAX_OK,
    SMTP_SYNTAX_BAD,  /* not in the grammar, or over a length of RFC 5321, 4.5.3.1 */
    SMTP_SYNTAX_UTF8, /* in the grammar of RFC 6531 alone: it needs SMTPUTF8 */
};

/*
 * Takes "FROM:<path>" or "TO:<path>" off the front of *rest; `keyword` is the word with its colon.
 * Spaces before "<" are passed over (old devices send them); missing brackets are not. Behind the
 * path there must be a space or nothing. *mailbox is what stands in the brackets, without a source
 * route; empty for <>.
 */
enum smtp_syntax_outcome smtp_syntax_path(struct span *rest, struct span keyword,
                                          struct span *mailbox);
/* "Postmaster" in any case: the one mailbox that needs no domain (RFC 5321, 4.5.1). */
bool smtp_syntax_is_postmaster(struct span mailbox);
/* Local part "@" domain or address literal; UTF-8 may stand in both (RFC 6531, 3.3). */
bool smtp_syntax_mailbox(struct span s);
/* Labels of letters, digits and inner hyphens, or an address literal in []; ASCII. */
bool smtp_syntax_domain(struct span s);
/* A byte that an atom may have, or part of a character of UTF-8. */
bool smtp_syntax_is_atext(uint8_t c);
/*
 * What a client may call itself. Wider than a domain, as real clients send bare addresses and
 * underscores, but nothing that could end or nest a header field: letters, digits and - . _ : [ ]
 * up to LIMIT_HELO_BYTES.
 */
bool smtp_syntax_helo(struct span s);

/* What BDAT announces (RFC 3030, 2). */
struct smtp_chunk {
    uint64_t bytes; /* more than 64 bits hold is UINT64_MAX */
    bool last;
};

/* "size" or "size LAST": false when it is neither. */
bool smtp_syntax_chunk(struct span s, struct smtp_chunk *out);

/*
 * Appends the decoded form to `to`. False, with `to` as it was: not xtext, no room, or it decodes
 * to something that is not printable ASCII.
 */
bool smtp_syntax_xtext(struct span s, struct buf *to);

#endif
