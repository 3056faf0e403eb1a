/*
 * The slow model of a body that the scanner is held against: the rule of RFC 5321 in ten lines,
 * over the whole of the bytes at once, with no state to get wrong.
 */
#ifndef POSTERN_TESTS_UNIT_SMTP_MODEL_BODY_H
#define POSTERN_TESTS_UNIT_SMTP_MODEL_BODY_H

#include "base/limits.h"
#include "smtp/smtp_body.h"

struct model_body {
    enum smtp_body_state over; /* DONE, BARE, NUL; TEXT when there is no end in the bytes */
    uint32_t taken;
    uint64_t stored; /* when DONE */
    uint64_t dots;   /* when DONE */
    bool long_line;  /* when DONE */
};

/* `all` is given from the first byte on. */
static inline struct model_body model_body_of(struct span all)
{
    struct model_body m = { .over = SMTP_BODY_TEXT, .taken = all.len };
    uint32_t line = 0; /* where the current line begins */

    for (uint32_t i = 0; i < all.len; i++) {
        bool after_cr = i > 0 && all.ptr[i - 1] == '\r';

        if (after_cr != (all.ptr[i] == '\n') || all.ptr[i] == '\0') {
            m.over = all.ptr[i] == '\0' && !after_cr ? SMTP_BODY_NUL : SMTP_BODY_BARE;
            m.taken = i + 1;
            return m;
        }
        if (all.ptr[i] != '\n')
            continue;
        if (i - line == 2 && all.ptr[line] == '.') {
            m.over = SMTP_BODY_DONE;
            m.taken = i + 1;
            m.stored = line;
            return m;
        }
        m.dots += all.ptr[line] == '.';
        m.long_line |= i + 1 - line > LIMIT_TEXT_LINE_BYTES;
        line = i + 1;
    }
    return m;
}

/* The rule for text whose end is known by count: BARE or NUL, else TEXT. */
static inline enum smtp_body_state model_body_lines(struct span all)
{
    for (uint32_t i = 0; i <= all.len; i++) {
        bool after_cr = i > 0 && all.ptr[i - 1] == '\r';

        if (after_cr != (i < all.len && all.ptr[i] == '\n'))
            return SMTP_BODY_BARE;
        if (i < all.len && all.ptr[i] == '\0')
            return SMTP_BODY_NUL;
    }
    return SMTP_BODY_TEXT;
}

#endif
