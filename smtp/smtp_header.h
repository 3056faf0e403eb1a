/*
 * A message's header while it streams by (RFC 5322, 2.2): counts its fields and sees which are
 * there. Keeps the start of one name and some counters, however long the header is. Pure, and the
 * same for every cut of its input.
 */
#ifndef POSTERN_SMTP_HEADER_H
#define POSTERN_SMTP_HEADER_H

#include "base/span.h"
#include "smtp/smtp_mailboxes.h"

enum smtp_header_field {
    SMTP_HEADER_DATE = 1 << 0,
    SMTP_HEADER_MESSAGE_ID = 1 << 1,
    SMTP_HEADER_FROM = 1 << 2,
    SMTP_HEADER_SENDER = 1 << 3,
};

enum smtp_header_state {
    SMTP_HEADER_LINE,  /* at the start of a line */
    SMTP_HEADER_UNDOT, /* the same, behind a dot that stuffing added */
    SMTP_HEADER_NAME,  /* in what may be a field's name */
    SMTP_HEADER_COLON, /* behind a name and white space (RFC 5322, 4.5.3: old senders) */
    SMTP_HEADER_VALUE, /* up to the end of the line */
    SMTP_HEADER_BODY,  /* it is over */
};

#define SMTP_HEADER_NAME_BYTES 12 /* longer than any name that is looked for */

/* Whose addresses may stand in From and Sender. */
struct smtp_header_judge {
    bool (*permits)(void *owner, struct span mailbox); /* NULL: anybody's */
    void *owner;
};

struct smtp_header {
    enum smtp_header_state at;
    bool stuffed;     /* the form of DATA */
    bool missing;     /* the first line is no field: there is no header, and one that is put
                         before it must end with an empty line */
    uint32_t seen;    /* enum smtp_header_field, or'ed */
    uint32_t foreign; /* FROM, SENDER: with an address that is not permitted */
    uint32_t fields;
    uint32_t received;    /* of them, Received fields */
    uint64_t field_bytes; /* of the current one so far, with its folded lines and line ends */
    uint64_t longest;     /* of all of them */
    uint32_t name_len;    /* SMTP_HEADER_NAME_BYTES: longer */
    uint8_t name[SMTP_HEADER_NAME_BYTES];
    enum smtp_header_field judged; /* FROM or SENDER while in its value, else 0 */
    struct smtp_header_judge judge;
    struct smtp_mailboxes mailboxes; /* of the field that is judged */
};

void smtp_header_init(struct smtp_header *h, bool stuffed, struct smtp_header_judge judge);
/* Takes the next bytes of the message; those behind the header are not looked at. */
void smtp_header_feed(struct smtp_header *h, struct span bytes);
/* The message is over, perhaps within its header. */
void smtp_header_end(struct smtp_header *h);

#endif
