/*
 * Ticket keys from a file that a fleet shares, so that each of its gateways opens what another has
 * sealed. A line for each key: when it begins to seal, in seconds since 1970, a space, and its name
 * and secret, 48 random bytes in base64. Empty lines and those that begin with # are skipped.
 *
 * The key that has begun last seals; all open, so that the next one is known to everybody before
 * anybody uses it, and the one before as long as its tickets live. Read once, never changed.
 */
#ifndef POSTERN_TLS_TICKET_FILE_H
#define POSTERN_TLS_TICKET_FILE_H

#include "base/limits.h"
#include "tls/tls_ticket.h"

struct tls_ticket_file_key {
    uint64_t from_s; /* seconds since 1970 */
    struct tls_ticket_key key;
};

struct tls_ticket_file {
    unsigned count;                                         /* 0: there is no file */
    struct tls_ticket_file_key keys[LIMIT_TLS_TICKET_KEYS]; /* the one that begins first, first */
};

/* False: "path:line: what is wrong" in *why. */
bool tls_ticket_file_read(struct tls_ticket_file *f, const char *path, struct buf *why);
/* The same from text; `path` is only for messages. */
bool tls_ticket_file_parse(struct tls_ticket_file *f, const char *path, struct span text,
                           struct buf *why);
/* The key that seals now; before the first begins, the first. */
const struct tls_ticket_key *tls_ticket_file_current(const struct tls_ticket_file *f,
                                                     uint64_t unix_s);
/* The key that has sealed this, by its name; NULL: none of ours. */
const struct tls_ticket_key *tls_ticket_file_find(const struct tls_ticket_file *f,
                                                  struct span sealed);

#endif
