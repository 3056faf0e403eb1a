/*
 * Records of wrong guesses, by client (an IPv4 address, or an IPv6 /64) and by login. Whoever makes
 * too many in a window is blocked for a time, which doubles with each further block, up to 16
 * times.
 *
 * A block of a client holds for all it asks. A block of a login does not hold for a client from
 * which that login came in before: strangers who guess at a login cannot lock its owner out of the
 * places where he already is. One thread.
 */
#ifndef POSTERN_AUTH_THROTTLE_H
#define POSTERN_AUTH_THROTTLE_H

#include "base/addr.h"
#include "base/hash.h"
#include "base/span.h"
#include "gateway/config.h"

struct auth_throttle;

/* NULL: memory is short. */
struct auth_throttle *auth_throttle_create(const struct config_auth *config,
                                           const struct hash_key *key);
void auth_throttle_destroy(struct auth_throttle *t);
bool auth_throttle_blocks_client(struct auth_throttle *t, const struct addr *client,
                                 uint64_t now_ns);
/* `login`: at most LIMIT_LOGIN_BYTES. */
bool auth_throttle_blocks_login(struct auth_throttle *t, const struct addr *client,
                                struct span login, uint64_t now_ns);
void auth_throttle_wrong(struct auth_throttle *t, const struct addr *client, struct span login,
                         uint64_t now_ns);
/* Remembers that the login came in from there. It takes back no wrong guess: a guesser may own an
 * account too. */
void auth_throttle_right(struct auth_throttle *t, const struct addr *client, struct span login,
                         uint64_t now_ns);

#endif
