/*
 * Judges the bytes of a message body. In the form that DATA carries (RFC 5321, 4.5.2) it looks for
 * the end: CR LF "." CR LF, and nothing else. In the forms that BDAT carries (RFC 3030) the end is
 * known by count, and at most line ends are judged. Only looks: no byte is moved or changed. Pure,
 * and the same for every cut of its input.
 */
#ifndef POSTERN_SMTP_BODY_H
#define POSTERN_SMTP_BODY_H

#include "base/span.h"

enum smtp_body_state {
    SMTP_BODY_LINE_START,
    SMTP_BODY_TEXT,
    SMTP_BODY_CR,     /* a CR stands alone until the next byte */
    SMTP_BODY_DOT,    /* "." at the start of a line: a stuffed line or the end */
    SMTP_BODY_DOT_CR, /* ".\r" */
    SMTP_BODY_DONE,   /* ".\r\n" was seen */
    SMTP_BODY_BARE,   /* a CR or LF stood alone */
    SMTP_BODY_NUL,    /* a NUL (8BITMIME forbids it as well: RFC 6152, 3) */
};

enum smtp_body_form {
    SMTP_BODY_STUFFED, /* DATA's: an end marker, and dots that stuffing added */
    SMTP_BODY_LINES,   /* BDAT's text: every line ends with CR LF, and has no NUL */
    SMTP_BODY_BINARY,  /* BDAT's BINARYMIME: any byte may stand anywhere */
};

struct smtp_body {
    enum smtp_body_form form;
    uint64_t total;      /* bytes taken so far */
    uint64_t line_start; /* of them, those before the current line */
    uint64_t dots;       /* of them, dots that stuffing added */
    enum smtp_body_state at;
    bool long_line; /* a line was over LIMIT_TEXT_LINE_BYTES */
};

/* Stands behind the CR LF of the DATA command, or of the first BDAT. */
void smtp_body_init(struct smtp_body *b, enum smtp_body_form form);
/*
 * Takes bytes until the end, an error, or the end of the chunk; returns how many. The state says
 * which: DONE (of STUFFED only), BARE, NUL, or another one for "more". Not to be called again after
 * DONE, BARE or NUL.
 */
uint32_t smtp_body_scan(struct smtp_body *b, struct span chunk);
/* The last byte of LINES or BINARY was given: a CR that still waits for its LF stands alone. */
void smtp_body_end(struct smtp_body *b);
/* True when DONE, BARE or NUL. */
bool smtp_body_over(const struct smtp_body *b);
/*
 * Bytes that are surely of the body: a part of what may be the end marker is not counted. After
 * DONE this is the length of the stored body, without the marker. Never falls.
 */
uint64_t smtp_body_stored(const struct smtp_body *b);
/* The same as RFC 1870 counts it: without the dots that stuffing added. */
uint64_t smtp_body_size(const struct smtp_body *b);

#endif
