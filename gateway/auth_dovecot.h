/*
 * Dovecot's auth service (or whoever speaks its protocol) behind auth_remote: one connection to its
 * UNIX socket, many requests on it at once.
 *
 * Happy path: connect, both say hello, AUTH and perhaps CONT for each request, OK or FAIL. A login
 * and its password go as PLAIN; messages of SCRAM pass through. What is offered is what the
 * service's MECH lines say; before the first hello, PLAIN and LOGIN.
 *
 * Failure modes: the service is not there, says what the protocol does not allow, or closes: what
 * is under way is TEMPORARY, and it is tried again after a while that grows; one warning for each
 * time that it goes. It does not answer in time: TEMPORARY for that request, and when it said
 * nothing at all for as long, the connection is made anew. A client does not go on with its
 * exchange, because it is gone or thinks for too long: the exchange is cancelled.
 */
#ifndef POSTERN_AUTH_DOVECOT_H
#define POSTERN_AUTH_DOVECOT_H

#include "gateway/auth_remote.h"

/* `path` is kept. NULL: memory is short. */
struct auth_client *auth_dovecot_create(const char *path, uint32_t timeout_s);

#endif
