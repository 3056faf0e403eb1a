/*
 * What a line of the users file holds to tell a password by: a hash of crypt(3), or the keys of
 * SCRAM-SHA-256 as Dovecot writes them ("{SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey"). The
 * text is kept; it was checked once and is good for the life of the table.
 */
#ifndef POSTERN_AUTH_SECRET_H
#define POSTERN_AUTH_SECRET_H

#include "gateway/auth_scram.h"

/* NULL: `text` is one. Else what is wrong with it: the end of a sentence. */
const char *auth_secret_fault(const char *text);
/* Bytes of it that say what it costs: two with the same are as slow as each other. */
uint32_t auth_secret_cost_len(const char *text);
/* True when it was made from this password. Slow, safe from many threads at once; wipes what it
 * needed. */
bool auth_secret_verify(const char *text, struct span password);
bool auth_secret_is_scram(const char *text);
/* False: it is a hash, which SCRAM cannot use. */
bool auth_secret_scram(const char *text, struct auth_scram_keys *keys);

#endif
