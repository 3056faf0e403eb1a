/*
 * The trace field that a submission server must add (RFC 5321, 4.4; keywords of RFC 3848). Pure:
 * everything in by value, one folded header field out. The user's name is not in it: recipients
 * have no business with it.
 */
#ifndef POSTERN_SMTP_TRACE_H
#define POSTERN_SMTP_TRACE_H

#include "base/addr.h"
#include "base/span.h"

struct smtp_trace {
    struct span helo; /* passed smtp_syntax_helo */
    struct span host;
    struct span recipient; /* empty unless it is the only one */
    struct addr client;
    bool hide_client; /* neither `client` nor `helo` is named */
    bool esmtp;
    bool utf8; /* the message came with SMTPUTF8 */
    bool secure;
    bool authenticated;
    const char *tls_version; /* any may be NULL */
    const char *tls_cipher;
    const char *tls_group;
    uint64_t id;
    uint64_t unix_ms;
};

/*
 * Appends "Received: ..." with its CRLF, lines of at most 78 bytes where the words allow it (RFC
 * 5322, 2.1.1). False when there is no room: LIMIT_HEADER_BYTES is room enough.
 */
bool smtp_trace_received(const struct smtp_trace *t, struct buf *out);

#endif
