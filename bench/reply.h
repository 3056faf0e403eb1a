/*
 * A server's replies, read strictly (RFC 5321, 4.2): three digits of which the first is 2 to 5 and
 * the second 0 to 5, the same code on every line, CRLF at every end, lines of at most
 * REPLY_LINE_BYTES, at most REPLY_LINES of them. What breaks this is no reply. Pure.
 */
#ifndef POSTERN_BENCH_REPLY_H
#define POSTERN_BENCH_REPLY_H

#include "base/span.h"

/* RFC 5321, 4.5.3.1.5 says 512; Exim and others write longer ones. */
#define REPLY_LINE_BYTES 1024
#define REPLY_LINES      64

struct reply {
    unsigned code;  /* of the reply under way, or the one just DONE */
    unsigned lines; /* of it, so far */
    uint32_t len;   /* of the line */
    bool done;      /* the last call ended a reply */
    bool line_done; /* the last call ended a line */
    char line[REPLY_LINE_BYTES];
};

enum reply_outcome {
    REPLY_MORE, /* all bytes taken; the line goes on */
    REPLY_LINE, /* a line that is not the last: reply_text has it */
    REPLY_DONE, /* the last line: code and reply_text have it */
    REPLY_BAD,
};

void reply_init(struct reply *r);
/* Takes bytes off the front of *in up to the end of a line. */
enum reply_outcome reply_feed(struct reply *r, struct span *in);
/* What stands behind the code in the line that has just ended. */
struct span reply_text(const struct reply *r);

#endif
