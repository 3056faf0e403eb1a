/*
 * Dovecot's auth protocol, version 1.2, as lines: fields with TABs between them. Pure: text in,
 * values out.
 *
 * Failure modes: a line that breaks the form is BAD; a command that is not known is to be skipped,
 * as the protocol bids.
 */
#ifndef POSTERN_AUTH_DOVECOT_WIRE_H
#define POSTERN_AUTH_DOVECOT_WIRE_H

#include "gateway/auth_backend.h"

enum auth_dovecot_kind {
    AUTH_DOVECOT_BAD,
    AUTH_DOVECOT_OTHER,   /* of no use to us */
    AUTH_DOVECOT_VERSION, /* `id` is the major one */
    AUTH_DOVECOT_MECH,    /* `bit` */
    AUTH_DOVECOT_DONE,    /* the handshake's end */
    AUTH_DOVECOT_OK,
    AUTH_DOVECOT_CONT, /* `text`: a challenge, in base64 */
    AUTH_DOVECOT_FAIL,
};

struct auth_dovecot_line {
    enum auth_dovecot_kind kind;
    uint32_t id;
    uint32_t bit;      /* enum smtp_mechanism; 0: one that we cannot carry */
    bool temporary;    /* FAIL: not the client's fault */
    struct span text;  /* CONT */
    struct span grant; /* OK: the field postern_senders, unescaped as `user` is */
    struct span user;  /* OK, FAIL: unescaped, in the line's own bytes; may be empty */
    const char *cause; /* FAIL: a word for the log, or NULL */
};

/* Reads a line without its LF; its bytes may be changed. */
void auth_dovecot_wire_read(uint8_t *line, uint32_t len, struct auth_dovecot_line *out);
/* Appends the line that asks q as request `id`, the first of an exchange or a later one. False:
 * it is longer than Dovecot takes, and nothing was appended, or *out is too small. */
bool auth_dovecot_wire_ask(uint32_t id, const struct auth_question *q, struct buf *out);

#endif
