/*
 * A worker's connections as people want to see them, one after the other, over as many turns as it
 * takes: connections may come and go in between.
 */
#ifndef POSTERN_CONN_VIEW_H
#define POSTERN_CONN_VIEW_H

#include "base/addr.h"
#include "base/limits.h"
#include "base/stream_info.h"
#include "gateway/conn.h"

struct conn_view {
    uint32_t worker; /* with the number: the session's name in the log */
    uint64_t number;
    const char *listener; /* static, as all texts here */
    const char *phase;    /* "handshake", "command", "body", ...: what it is at, or waits for */
    struct endpoint peer; /* the client, as a PROXY header has it too */
    struct endpoint local;
    uint64_t age_ms;
    const char *tls_version; /* NULL: none */
    const char *tls_cipher;
    uint32_t commands;
    uint32_t messages;
    uint64_t body_bytes; /* of the message on its way */
    uint32_t user_len;
    uint8_t user[LIMIT_LOGIN_BYTES];
    struct stream_info wire;
};

/* From the oldest on. There is one walk at a time. */
void conn_view_begin(struct conns *cs);
/* The next one. False: that was the last. */
bool conn_view_next(struct conns *cs, struct conn_view *out);

#endif
