/*
 * An HTTP hook in nginx's form (auth_http_wire.h) behind auth_remote: some connections to it, kept
 * from one question to the next, each with one question at a time.
 *
 * Happy path: a question takes a kept connection or opens one; GET; the answer's head decides. A
 * refusal with Auth-Wait is held back for so long. What is asked is a login and a password, by
 * PLAIN or LOGIN.
 *
 * Failure modes: nobody listens, the answer is not in the form or too long, it ends too soon, or
 * does not come in time: TEMPORARY, and that connection is closed, so that a late answer is never
 * taken for another question's. One that was kept and is found closed is opened anew, once for each
 * question. All connections are in use: the question waits, for its own time. One warning for each
 * time that the hook fails after it has answered.
 */
#ifndef POSTERN_AUTH_HTTP_H
#define POSTERN_AUTH_HTTP_H

#include "gateway/auth_remote.h"

/* `url` is one that auth_http_wire_place takes, and kept. NULL: memory is short. */
struct auth_client *auth_http_create(const char *url, uint32_t timeout_s);

#endif
