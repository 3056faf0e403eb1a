/*
 * Whose signatures make a client's certificate good: authorities and their revocation lists, as
 * they are read from files. Never changes once it is read; any number of threads may verify by it.
 */
#ifndef POSTERN_TLS_TRUST_H
#define POSTERN_TLS_TRUST_H

#include <openssl/x509.h>

#include "tls/tls.h"

struct tls_trust {
    X509_STORE *store;               /* NULL: clients are not asked */
    STACK_OF(CRYPTO_BUFFER) * names; /* the authorities', until an SSL_CTX takes them */
};

/* Fills *t from the files that the configuration names. False: *why says what is wrong with which
 * file; *t is to be freed all the same. */
bool tls_trust_load(struct tls_trust *t, const struct tls_config *config, struct buf *why);
void tls_trust_free(struct tls_trust *t);

#endif
