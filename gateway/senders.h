/*
 * The senders file: who may send as whom, and the limits of single logins. One line each:
 *
 *     login  what what ...
 *
 * where `what` is an address ("sales@example.org"), all of a domain ("*@example.org"), all of its
 * subdomains ("*@*.example.org"), a star within a local part ("alice+*@example.org"), "self" (the
 * login itself, which must be an address then), "*" (everything), or a setting: messages=,
 * recipients=, bytes= (each as 500/1h), sessions=, size=, rcpt=. A login of "*" is everybody who
 * has no line. Without one, these may send as themselves. Lines that begin with # and empty lines
 * are skipped.
 *
 * Local parts and domains are compared without regard to ASCII case, domains in their A-label form
 * (RFC 5890). A table never changes once it is read; it is counted, so that a new one can take its
 * place.
 */
#ifndef POSTERN_SENDERS_H
#define POSTERN_SENDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/senders_word.h"

struct senders;

/* One reference. NULL: *errors has one line "file:line: what is wrong" for each fault. */
struct senders *senders_load(const char *path, struct buf *errors);
/* The same from text; `path` is only for messages. */
struct senders *senders_parse(const char *path, struct span text, struct buf *errors);
/* Safe from any thread. The last release frees the table. */
struct senders *senders_ref(struct senders *t);
void senders_release(struct senders *t);

/* Of a login, or of everybody; lives as long as the table. */
const struct senders_limits *senders_limits_of(const struct senders *t, struct span login);
bool senders_may_send_as(const struct senders *t, struct span login, struct span mailbox);

#endif
