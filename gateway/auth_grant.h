/*
 * A back end's yes with what it says beside it: who the login is by its word, and what that is
 * granted (senders_grant.h).
 */
#ifndef POSTERN_AUTH_GRANT_H
#define POSTERN_AUTH_GRANT_H

#include "gateway/auth_backend.h"

/*
 * Fills in the answer: OK, for `login` (empty: as the question has it) and with `grant`, both
 * copied. False: neither can be taken as they are, or nobody has a name; the answer is TEMPORARY
 * then.
 */
bool auth_grant(struct auth_question *q, struct span login, struct span grant);

#endif
