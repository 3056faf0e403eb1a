/*
 * The users file with what its invented salts are made from. A login that has no SCRAM keys is
 * shown a salt all the same (RFC 5802, 9). Whoever asks again, after a restart, of another gateway
 * or when the users file has changed, must see it stay as those of real logins do; so its key is a
 * file that lasts, the same for all gateways that share the users.
 *
 * Failure modes: the key file is not there, too short or too long: said as of the users file.
 */
#ifndef POSTERN_AUTH_SALT_H
#define POSTERN_AUTH_SALT_H

#include "gateway/auth_users.h"

/* As auth_users_load. `key_path`: "": the users file's first secret is the key. */
struct auth_users *auth_salt_load_users(const char *path, const char *key_path, struct buf *errors);

#endif
