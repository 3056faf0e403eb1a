/*
 * What went wrong, in our words. The only reader of BoringSSL's error queue: whatever it is called
 * for, the queue is empty afterwards, so that no later call takes an old error for its own.
 */
#ifndef POSTERN_TLS_ERROR_H
#define POSTERN_TLS_ERROR_H

#include "tls/tls.h"

/* Static text for what the queue says; "unknown error" when it is empty. Empties it. */
const char *tls_error_text(void);
void tls_error_forget(void);
/*
 * Fills `out` from the queue and from the alerts seen: sent by us or received (0: none). An alert
 * from the peer, or bytes of its that broke a rule, are its fault; what BoringSSL calls internal is
 * ours.
 */
void tls_error_take(struct tls_error *out, uint8_t sent, uint8_t received);
void tls_error_set(struct tls_error *out, enum tls_fault fault, const char *reason);

#endif
