/*
 * Lines out of bytes. Only CR LF ends a line; a CR, LF or NUL that stands alone is an error that
 * the session does not survive (RFC 5321, 2.3.8, and 20 years of smuggled mail). Pure: owns no
 * byte, copies none.
 */
#ifndef POSTERN_SMTP_LINE_H
#define POSTERN_SMTP_LINE_H

#include "base/span.h"

struct smtp_line {
    uint32_t
        seen; /* bytes at the front of the input that were looked at and hold no CR, LF or NUL */
    bool skipping; /* the line is over its limit: its bytes are taken and forgotten */
};

enum smtp_line_outcome {
    SMTP_LINE_MORE,  /* no whole line; what is left of `in` must be shown again, with more behind it
                      */
    SMTP_LINE_WHOLE, /* *line is the line without CR LF, in the memory of `in`; taken off `in` */
    SMTP_LINE_LONG,  /* a line over `max` ended here; taken off `in` */
    SMTP_LINE_BAD,   /* a bare CR or LF, or a NUL */
};

/*
 * Takes the next line off the front of *in. `max` is the longest line with its CR LF. A longer one
 * is taken piece by piece, so that it costs no memory, and told of once, at its end. All zero is
 * the right start for `l`. What comes out does not depend on how the bytes are cut into calls.
 */
enum smtp_line_outcome smtp_line_take(struct smtp_line *l, struct span *in, uint32_t max,
                                      struct span *line);

#endif
