/*
 * A message as smtp/ hands it over and spool/ keeps it: an envelope, a block of generated header
 * fields, and a body whose bytes are already in the spool's extents.
 *
 * The envelope is a packed list of fields: type (1 byte), length (2 bytes, little endian), value.
 * smtp/ writes it as commands are accepted, the spool stores it verbatim, readers walk it. Fields
 * of a recipient stand behind it, before the next one.
 *
 * The form grows by new types, and old envelopes stay as they are. A reader skips a type below
 * MAIL_FIELD_CRITICAL that it does not know; one from there on changes how, when or to whom the
 * message may be handed on, and who does not know it must leave the message alone.
 */
#ifndef POSTERN_BASE_MAIL_H
#define POSTERN_BASE_MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum mail_field_type {
    MAIL_FIELD_SENDER = 1,    /* reverse-path without <>; empty for <> */
    MAIL_FIELD_RECIPIENT = 2, /* forward-path without <>, one field each, in order */
    MAIL_FIELD_USER = 3,      /* the authenticated login */
    MAIL_FIELD_CLIENT = 4,    /* address and port of the client, as text */
    MAIL_FIELD_HELO = 5,
    MAIL_FIELD_BODY = 6,      /* "7BIT", "8BITMIME" or "BINARYMIME" */
    MAIL_FIELD_AUTH = 7,      /* AUTH= parameter of MAIL (RFC 4954, 5), xtext decoded */
    MAIL_FIELD_TLS = 8,       /* version, group, cipher as text */
    MAIL_FIELD_RET = 9,       /* "FULL" or "HDRS" (RFC 3461, 4.3) */
    MAIL_FIELD_ENVID = 10,    /* xtext as sent (RFC 3461, 4.4) */
    MAIL_FIELD_NOTIFY = 11,   /* of a recipient: "NEVER", or words with a comma between (4.1) */
    MAIL_FIELD_ORCPT = 12,    /* of a recipient: as sent (4.2; RFC 6533, 3) */
    MAIL_FIELD_PRIORITY = 13, /* "-9" to "9" (RFC 6710) */

    MAIL_FIELD_CRITICAL = 128,   /* none of its own: where the critical ones begin */
    MAIL_FIELD_SMTPUTF8 = 128,   /* empty: addresses or header need RFC 6531 */
    MAIL_FIELD_REQUIRETLS = 129, /* empty: only over verified TLS (RFC 8689) */
    MAIL_FIELD_BY = 130, /* due time (RFC 3339, UTC), ";", "R" or "N", and "T" or not (RFC 2852) */
    MAIL_FIELD_HOLD = 131, /* not to be handed on before this time (RFC 3339, UTC; RFC 4865) */
};

enum mail_flag {
    MAIL_DOT_STUFFED = 1 << 0, /* body is as DATA carries it (RFC 5321, 4.5.2); readers unstuff */
};

struct mail {
    struct span envelope;
    struct span header;  /* generated fields, each ended by CRLF, and an empty line if the body
                            begins without a header; goes before the body */
    uint64_t body_bytes; /* bytes of the body as stored, without the final "." CRLF */
    uint32_t flags;      /* enum mail_flag */
    uint64_t id;         /* queue id, from mail_id_make; never 0 */
};

struct mail_field {
    uint8_t type;
    struct span value;
};

/* Appends a field, all or nothing: false when there is no room or the value is over 65,535 bytes.
 */
bool mail_field_put(struct buf *envelope, enum mail_field_type type, struct span value);
/* Takes the next field off the front of `rest`; false at the end or when what is left is malformed.
 */
bool mail_field_next(struct span *rest, struct mail_field *out);

/* For people: "sender", ...; NULL for a type that is not known. */
const char *mail_field_name(uint8_t type);

#define MAIL_ID_TEXT 14 /* 13 characters and NUL */

/*
 * Queue ids: 42 bits of unix milliseconds, 6 of worker, 15 of sequence (the top bit stays 0), so
 * that they sort by time. The generator never repeats itself, also when the clock steps back or
 * more than 32,768 are made in a millisecond; `floor` (the largest id found at start) keeps
 * restarts apart.
 */
struct mail_id_gen {
    uint64_t last; /* ms and sequence of the last one: (ms << 15) | seq */
    uint32_t worker;
};

void mail_id_init(struct mail_id_gen *g, uint32_t worker, uint64_t floor);
uint64_t mail_id_make(struct mail_id_gen *g, uint64_t unix_ms);
/* Text form: 13 characters of Crockford's base32, fixed width, upper case. */
void mail_id_format(uint64_t id, char out[MAIL_ID_TEXT]);
bool mail_id_parse(struct span text, uint64_t *out);

#endif
