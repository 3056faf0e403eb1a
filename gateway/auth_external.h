/*
 * EXTERNAL (RFC 4422, appendix A): whose verified certificate the connection has is who logs in.
 * The login is the certificate's name in its one form (RFC 4013); an authorization identity may
 * say the same, and nothing else.
 */
#ifndef POSTERN_AUTH_EXTERNAL_H
#define POSTERN_AUTH_EXTERNAL_H

#include "gateway/auth_backend.h"

/* It asks nobody, and answers at once. NULL: memory is short. Whose certificate there is, is for
 * the caller to look at before EXTERNAL is offered. */
struct auth_backend *auth_external_create(void);

#endif
