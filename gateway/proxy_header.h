/*
 * The header that a load balancer puts before the bytes of a connection: HAProxy's PROXY protocol
 * (proxy-protocol.txt), version 1, a line of text, and version 2, binary, with TLVs. Pure: bytes
 * in, a verdict out. Who may send one is not asked here.
 */
#ifndef POSTERN_PROXY_HEADER_H
#define POSTERN_PROXY_HEADER_H

#include "base/addr.h"
#include "base/limits.h"
#include "base/span.h"

/* Room for the longest header that is read. */
#define PROXY_HEADER_BYTES_MAX LIMIT_PROXY_V2_BYTES

enum proxy_header_outcome {
    PROXY_HEADER_MORE,  /* good so far, and not at its end */
    PROXY_HEADER_WHOLE, /* here it is */
    PROXY_HEADER_BAD,   /* it can become none any more */
};

struct proxy_header {
    uint32_t bytes; /* WHOLE: its length. MORE: it is at least this long, more than was given */
    bool local; /* the proxy's own connection (a health check), or of a kind that has no IP address:
                   the endpoints are those of the socket */
    struct endpoint peer;      /* the client, when not local */
    struct endpoint local_end; /* and where it connected to */
    /* TLVs of version 2, in the bytes that were given; empty: not there. */
    struct span authority; /* the server name that the client asked for */
    struct span unique_id; /* any bytes */
    struct span ssl_cn;    /* of the client's certificate */
    const char *fault;     /* BAD: what is wrong; static */
};

/* `bytes`: the connection's first ones, from the beginning each time; nothing behind the header is
 * looked at. */
enum proxy_header_outcome proxy_header_parse(struct span bytes, struct proxy_header *out);

#endif
