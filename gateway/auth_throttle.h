/*
 * Records of wrong guesses: by client (an IPv4 address, or an IPv6 /64), by network (a /24, or a
 * /48), by login, and by pair of login and client. Whoever makes too many in a window is blocked
 * for a time, which doubles with each further block: up to 16 times, and of a pair, whose first
 * block is short and which after that is blocked by each wrong guess, up to the time of a first
 * block of the others.
 *
 * Blocks of a client and of a pair hold for all that they stand for. Those of a login and of a
 * network do not hold for a client from which that login came in before: strangers who guess at a
 * login, and neighbours who guess at any, cannot lock its owner out of the places where he already
 * is. One thread; a worker's.
 */
#ifndef POSTERN_AUTH_THROTTLE_H
#define POSTERN_AUTH_THROTTLE_H

#include "base/addr.h"
#include "base/hash.h"
#include "base/span.h"
#include "gateway/config.h"

struct auth_throttle;

/*
 * The limits of one of `workers`, from those of all together: an equal share, since a client's
 * connections are spread over them. But a share is LIMIT_GUESSES_SHARE_LEAST, or the limit, at
 * least: an honest user is wrong now and then.
 */
void auth_throttle_share(struct config_auth *config, uint32_t workers);

/* NULL: memory is short. */
struct auth_throttle *auth_throttle_create(const struct config_auth *config,
                                           const struct hash_key *key);
void auth_throttle_destroy(struct auth_throttle *t);
bool auth_throttle_blocks_client(struct auth_throttle *t, const struct addr *client,
                                 uint64_t now_ns);
/* The pair, or the login or the client's network. `login`: at most LIMIT_LOGIN_BYTES. */
bool auth_throttle_blocks_login(struct auth_throttle *t, const struct addr *client,
                                struct span login, uint64_t now_ns);
void auth_throttle_wrong(struct auth_throttle *t, const struct addr *client, struct span login,
                         uint64_t now_ns);
/* Remembers that the login came in from there. It takes back no wrong guess but the pair's: a
 * guesser may own an account too. */
void auth_throttle_right(struct auth_throttle *t, const struct addr *client, struct span login,
                         uint64_t now_ns);

/* --- for people ------------------------------------------------------------------------------ */

enum auth_block_kind {
    AUTH_BLOCK_CLIENT,
    AUTH_BLOCK_NETWORK,
    AUTH_BLOCK_LOGIN,
    AUTH_BLOCK_PAIR,
    AUTH_BLOCK_KINDS
};

struct auth_block {
    enum auth_block_kind kind;
    struct addr_net where; /* of a login's: all zero */
    uint32_t login_len;    /* of a client's and a network's: 0 */
    uint8_t login[LIMIT_LOGIN_BYTES];
    uint64_t until_ns;
};

/* The block in place `index` < LIMIT_THROTTLE_BLOCKS. False: none stands there now. Of more blocks
 * than places the oldest are not shown, and hold all the same. */
bool auth_throttle_block_at(struct auth_throttle *t, uint32_t index, uint64_t now_ns,
                            struct auth_block *out);
/*
 * Lifts a block and forgets its guesses: of a client (`where` has 128 bits of IPv4 or 64 or more of
 * IPv6), a network (fewer), a login (`where` is NULL), or a pair. False: there was none.
 */
bool auth_throttle_unblock(struct auth_throttle *t, const struct addr_net *where, struct span login,
                           uint64_t now_ns);

#endif
