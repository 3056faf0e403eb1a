/*
 * The messages of AUTH PLAIN (RFC 4616) and AUTH LOGIN (draft-murchison-sasl-login), from their
 * base64 form to a login and a password. Pure: lines in, outcomes out. Knows no reply text and no
 * session.
 */
#ifndef POSTERN_SMTP_SASL_H
#define POSTERN_SMTP_SASL_H

#include "base/limits.h"
#include "base/span.h"

enum smtp_sasl_outcome {
    SMTP_SASL_ASK_EMPTY,    /* 334 with nothing: PLAIN without an initial response */
    SMTP_SASL_ASK_USERNAME, /* 334 VXNlcm5hbWU6 */
    SMTP_SASL_ASK_PASSWORD, /* 334 UGFzc3dvcmQ6 */
    SMTP_SASL_COMPLETE,     /* login and password are there: ask the back end */
    SMTP_SASL_DENIED,       /* well-formed, but no password could make it right: 535 */
    SMTP_SASL_MALFORMED,    /* not base64, or not this mechanism's form: 501 5.5.2 */
    SMTP_SASL_CANCELLED,    /* "*": 501 */
    SMTP_SASL_UNKNOWN,      /* no such mechanism: 504 */
};

enum smtp_sasl_step { SMTP_SASL_PLAIN_MESSAGE, SMTP_SASL_LOGIN_USERNAME, SMTP_SASL_LOGIN_PASSWORD };

/* One exchange. Whoever holds it wipes it, whole. */
struct smtp_sasl {
    enum smtp_sasl_step step; /* what the next line is */
    uint32_t login_len;
    struct span password; /* in `raw` */
    uint8_t login[LIMIT_LOGIN_BYTES];
    uint8_t raw[LIMIT_AUTH_LINE_BYTES]; /* the last response, decoded */
};

/*
 * Begins an exchange. `args`: mechanism, or mechanism, a space and an initial response ("=" for an
 * empty one: RFC 4954, 4). After an ASK, smtp_sasl_line goes on; every other outcome ends the
 * exchange.
 */
enum smtp_sasl_outcome smtp_sasl_start(struct smtp_sasl *x, struct span args);
/* The client's answer to an ASK, without CRLF, at most LIMIT_AUTH_LINE_BYTES. */
enum smtp_sasl_outcome smtp_sasl_line(struct smtp_sasl *x, struct span line);

/*
 * RFC 4648, 4: padded, no white space, no stray bits. Gives the length, or -1 when it is not base64
 * or more than `cap` bytes. `to` is written even when it fails.
 */
int smtp_sasl_base64(struct span text, uint8_t *to, uint32_t cap);

#endif
