/* The header of a segment that a connection sends; what is sent, tcp_output knows. */
#ifndef POSTERN_TCP_FILL_H
#define POSTERN_TCP_FILL_H

#include "dataplane/tcp/tcp_conn.h"

struct tcp_fill {
    uint32_t seq;
    uint32_t len;  /* payload, bytes */
    uint8_t flags; /* enum tcp_wire_flag */
    bool fresh;    /* it brings bytes for the first time */
};

/* Fills *h, options and all, as of now; the window in it is promised with that. */
void tcp_fill_header(struct tcp_conn *c, const struct tcp_fill *f, struct tcp_header *h);

#endif
