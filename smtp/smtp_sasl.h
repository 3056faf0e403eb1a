/*
 * The client's side of an AUTH, from its base64 form to what the back end is asked. Pure: lines in,
 * outcomes out. Knows no reply text and no session.
 *
 * PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login) are read here, to a login and a password.
 * Of the others only the frame is ours: each response is a message, which the back end answers by a
 * challenge or a verdict.
 */
#ifndef POSTERN_SMTP_SASL_H
#define POSTERN_SMTP_SASL_H

#include "base/limits.h"
#include "base/span.h"

struct smtp_sasl;

enum smtp_sasl_outcome {
    SMTP_SASL_ASK_EMPTY,    /* 334 with nothing: no initial response where one may stand */
    SMTP_SASL_ASK_USERNAME, /* 334 VXNlcm5hbWU6 */
    SMTP_SASL_ASK_PASSWORD, /* 334 UGFzc3dvcmQ6 */
    SMTP_SASL_COMPLETE,     /* there is a login and a password, or a message: ask the back end */
    SMTP_SASL_DENIED,       /* well-formed, but no password could make it right: 535 */
    SMTP_SASL_MALFORMED,    /* not base64, or not this mechanism's form: 501 5.5.2 */
    SMTP_SASL_CANCELLED,    /* "*": 501 */
    SMTP_SASL_UNKNOWN,      /* no such mechanism, or it is not offered: 504 */
};

/* A row of the table of mechanisms. */
struct smtp_sasl_mechanism {
    const char *name;
    uint32_t bit;               /* enum smtp_mechanism */
    enum smtp_sasl_outcome ask; /* when there is no initial response */
    /* Reads the first response, decoded. */
    enum smtp_sasl_outcome (*read)(struct smtp_sasl *x, struct span response);
};

/* One exchange. Whoever holds it wipes it, whole. */
struct smtp_sasl {
    const struct smtp_sasl_mechanism *mechanism;
    /* Reads the next response, decoded. */
    enum smtp_sasl_outcome (*read)(struct smtp_sasl *x, struct span response);
    uint32_t login_len;
    struct span password;  /* in `raw` */
    struct span message;   /* in `raw`; for the back end to read */
    struct span challenge; /* in `raw`, base64: what the next line answers */
    struct span grant;     /* the back end's, with its verdict */
    uint8_t login[LIMIT_LOGIN_BYTES];
    uint8_t raw[LIMIT_AUTH_LINE_BYTES];
    /* The back end's own, zero when the exchange begins. */
    _Alignas(16) uint8_t memo[LIMIT_SASL_MEMO_BYTES];
};

/*
 * Begins an exchange. `offered`: enum smtp_mechanism, or'ed. `args`: mechanism, or mechanism, a
 * space and an initial response ("=" for an empty one: RFC 4954, 4). After an ASK, smtp_sasl_line
 * goes on; after COMPLETE, smtp_sasl_challenge may; every other outcome ends the exchange.
 */
enum smtp_sasl_outcome smtp_sasl_start(struct smtp_sasl *x, uint32_t offered, struct span args);
/* The client's answer to an ASK or a challenge, without CRLF, at most LIMIT_AUTH_LINE_BYTES. */
enum smtp_sasl_outcome smtp_sasl_line(struct smtp_sasl *x, struct span line);
/* Who it is, by the back end's word. False: no user can have such a login. */
bool smtp_sasl_login(struct smtp_sasl *x, struct span login);
/*
 * The back end answers a message by `challenge`, at most LIMIT_SASL_CHALLENGE_BYTES, which may lie
 * in the memo. `login`: who the message was from, empty when that is not known yet. False: no user
 * can have it.
 */
bool smtp_sasl_challenge(struct smtp_sasl *x, struct span login, struct span challenge);
/* Appends the names of the mechanisms that are offered, with a space between. */
void smtp_sasl_list(uint32_t offered, struct buf *out);

#endif
