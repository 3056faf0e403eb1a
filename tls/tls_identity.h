/*
 * Whose a certificate is: the one name of it that is a login. Pure; any thread.
 */
#ifndef POSTERN_TLS_IDENTITY_H
#define POSTERN_TLS_IDENTITY_H

#include <openssl/x509.h>

#include "tls/tls.h"

/*
 * Appends the first name of this kind, the part that is a host's in lower case: its case means
 * nothing. False, and nothing is appended: there is none, it has no room in `out`, or it is no name
 * that anybody may have (control characters, a wildcard, no ASCII where the standard has only
 * that).
 */
bool tls_identity_of(X509 *leaf, enum tls_identity kind, struct buf *out);

#endif
