/*
 * Every reply of the protocol: code, enhanced code (RFC 2034, RFC 3463), text, and whether the
 * client is to blame. One table; no reply text stands anywhere else. No reply repeats what the
 * client sent.
 */
#ifndef POSTERN_SMTP_REPLY_H
#define POSTERN_SMTP_REPLY_H

#include "base/span.h"

/* Grouped by code. */
enum smtp_reply_id {
    SMTP_REPLY_NONE, /* nothing is owed */
    SMTP_REPLY_HELP,
    SMTP_REPLY_BANNER,
    SMTP_REPLY_TLS_GO,
    SMTP_REPLY_BYE,
    SMTP_REPLY_AUTH_OK,
    SMTP_REPLY_OK,
    SMTP_REPLY_HELO,
    SMTP_REPLY_EHLO, /* the first of several lines; those down to HELP may follow */
    SMTP_REPLY_EHLO_PIPELINING,
    SMTP_REPLY_EHLO_SIZE,
    SMTP_REPLY_EHLO_8BITMIME,
    SMTP_REPLY_EHLO_CHUNKING,
    SMTP_REPLY_EHLO_BINARYMIME,
    SMTP_REPLY_EHLO_SMTPUTF8,
    SMTP_REPLY_EHLO_DSN,
    SMTP_REPLY_EHLO_REQUIRETLS,
    SMTP_REPLY_EHLO_PRIORITY,
    SMTP_REPLY_EHLO_BY,
    SMTP_REPLY_EHLO_HOLD,
    SMTP_REPLY_EHLO_LIMITS,
    SMTP_REPLY_EHLO_ENHANCED,
    SMTP_REPLY_EHLO_STARTTLS,
    SMTP_REPLY_EHLO_AUTH,
    SMTP_REPLY_EHLO_XCLIENT,
    SMTP_REPLY_EHLO_HELP,
    SMTP_REPLY_MAIL_OK,
    SMTP_REPLY_RCPT_OK,
    SMTP_REPLY_CHUNK_OK,
    SMTP_REPLY_QUEUED,
    SMTP_REPLY_VRFY,
    SMTP_REPLY_ASK_EMPTY,
    SMTP_REPLY_ASK_USERNAME,
    SMTP_REPLY_ASK_PASSWORD,
    SMTP_REPLY_ASK_CHALLENGE,
    SMTP_REPLY_SEND_BODY,
    SMTP_REPLY_SHUTDOWN,
    SMTP_REPLY_TIMEOUT,
    SMTP_REPLY_TOO_MANY_ERRORS,
    SMTP_REPLY_TOO_MANY_TRIES,
    SMTP_REPLY_BLOCKED,
    SMTP_REPLY_CROWDED,
    SMTP_REPLY_MAIL_LATER,
    SMTP_REPLY_RECIPIENTS_LATER,
    SMTP_REPLY_SPOOL_FAILED,
    SMTP_REPLY_SPOOL_FULL,
    SMTP_REPLY_MEMORY_SHORT,
    SMTP_REPLY_TOO_MANY_RECIPIENTS,
    SMTP_REPLY_AUTH_TEMPORARY,
    SMTP_REPLY_TLS_TEMPORARY,
    SMTP_REPLY_UNKNOWN_COMMAND,
    SMTP_REPLY_LINE_TOO_LONG,
    SMTP_REPLY_TEXT_LINE_TOO_LONG,
    SMTP_REPLY_BAD_LINE,
    SMTP_REPLY_BAD_ARGUMENTS,
    SMTP_REPLY_NO_ARGUMENTS,
    SMTP_REPLY_BAD_HELO,
    SMTP_REPLY_BAD_SENDER,
    SMTP_REPLY_BAD_RECIPIENT,
    SMTP_REPLY_BAD_PARAMETER,
    SMTP_REPLY_HOLD_TOO_LONG,
    SMTP_REPLY_BAD_CHUNK,
    SMTP_REPLY_BAD_RESPONSE,
    SMTP_REPLY_CANCELLED,
    SMTP_REPLY_UNSUPPORTED,
    SMTP_REPLY_EHLO_FIRST,
    SMTP_REPLY_MAIL_FIRST,
    SMTP_REPLY_RCPT_FIRST,
    SMTP_REPLY_LAST_FIRST,
    SMTP_REPLY_BDAT_ONLY,
    SMTP_REPLY_NESTED_MAIL,
    SMTP_REPLY_AUTH_IN_MAIL,
    SMTP_REPLY_AUTH_TWICE,
    SMTP_REPLY_TLS_ACTIVE,
    SMTP_REPLY_BAD_MECHANISM,
    SMTP_REPLY_AUTH_FIRST,
    SMTP_REPLY_STARTTLS_FIRST,
    SMTP_REPLY_AUTH_WRONG,
    SMTP_REPLY_TLS_FIRST,
    SMTP_REPLY_BODY_BARE,
    SMTP_REPLY_BODY_NUL,
    SMTP_REPLY_FROM_NOT_YOURS,
    SMTP_REPLY_TOO_BIG,
    SMTP_REPLY_HEADER_TOO_BIG,
    SMTP_REPLY_NON_ASCII,
    SMTP_REPLY_SENDER_NOT_YOURS,
    SMTP_REPLY_LOOP,
    SMTP_REPLY_NO_RECIPIENTS,
    SMTP_REPLY_NOT_SMTP,
    SMTP_REPLY_TLS_PIPELINED,
    SMTP_REPLY_UNKNOWN_PARAMETER,
    SMTP_REPLY_COUNT
};

/* What a text may name. */
struct smtp_reply_fill {
    struct span host;
    struct span words; /* an id, a date, a list, a challenge */
    uint64_t number;
};

/* One line with its CRLF, at most LIMIT_REPLY_LINE_BYTES; there must be room for it. */
void smtp_reply_put(enum smtp_reply_id id, const struct smtp_reply_fill *fill, struct buf *out);
/* The same, marked as one that others of its code follow. */
void smtp_reply_put_more(enum smtp_reply_id id, const struct smtp_reply_fill *fill,
                         struct buf *out);
uint16_t smtp_reply_code(enum smtp_reply_id id);
/* True when it counts against the client: its mistake, not a state of ours. */
bool smtp_reply_blames(enum smtp_reply_id id);

#endif
