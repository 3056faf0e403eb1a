/*
 * The users file: `login:hash` on each line, hashes as crypt(3) of libxcrypt makes them (yescrypt,
 * bcrypt, sha512-crypt and the other strong kinds). Empty lines and lines that begin with # are
 * skipped.
 *
 * A table never changes once it is read; it is counted, so that a new one can take its place while
 * checks against the old one are still under way. auth_users_verify may take its time: helper
 * threads only.
 */
#ifndef POSTERN_AUTH_USERS_H
#define POSTERN_AUTH_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct auth_users;

/* One reference. NULL: *errors has one line "file:line: what is wrong" for each fault. */
struct auth_users *auth_users_load(const char *path, struct buf *errors);
/* The same from text; `path` is only for messages. */
struct auth_users *auth_users_parse(const char *path, struct span text, struct buf *errors);

/* Safe from any thread. The last release frees the table. */
struct auth_users *auth_users_ref(struct auth_users *u);
void auth_users_release(struct auth_users *u);

uint32_t auth_users_count(const struct auth_users *u);
/*
 * True when `password` is that of `login`. An unknown login costs a hash of the kind that most
 * lines of the file have. Safe from many threads at once; wipes what it needed.
 */
bool auth_users_verify(const struct auth_users *u, struct span login, struct span password);

#endif
