/*
 * The users file: `login:secret` or `login:name:secret` on each line, a hash as crypt(3) of
 * libxcrypt makes them (yescrypt, bcrypt, sha512-crypt and the other strong kinds) or SCRAM keys.
 * Empty lines and lines that begin with # are skipped.
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
#include "gateway/auth_secret.h"

struct auth_users;

/* One reference. NULL: *errors has one line "file:line: what is wrong" for each fault. */
struct auth_users *auth_users_load(const char *path, struct buf *errors);
/* The same from text; `path` is only for messages. */
struct auth_users *auth_users_parse(const char *path, struct span text, struct buf *errors);

/* Before others have the table: what keys of unknown logins are made from, instead of the file's
 * first secret. */
void auth_users_invent_from(struct auth_users *u, struct span key);

/* Safe from any thread. The last release frees the table. */
struct auth_users *auth_users_ref(struct auth_users *u);
void auth_users_release(struct auth_users *u);

/* Passwords in the file. */
uint32_t auth_users_count(const struct auth_users *u);
/*
 * True when `password` is one of those of `login`. An unknown login costs what a wrong password
 * does: as many hashes as any login has lines, of the kind that most lines have. Safe from many
 * threads at once; wipes what it needed.
 */
bool auth_users_verify(const struct auth_users *u, struct span login, struct span password);
/* True when some line has SCRAM keys: then it is worth offering. */
bool auth_users_have_scram(const struct auth_users *u);
/*
 * The SCRAM keys of a login. False: it has none; *keys are invented then, always the same, such
 * that nobody can tell, and match no password. Fast. The caller wipes *keys.
 */
bool auth_users_scram(const struct auth_users *u, struct span login, struct auth_scram_keys *keys);

#endif
