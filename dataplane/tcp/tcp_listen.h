/* What comes for nobody that we know. */
#ifndef POSTERN_TCP_LISTEN_H
#define POSTERN_TCP_LISTEN_H

#include "dataplane/tcp/tcp_conn.h"

/* A segment for no connection: a SYN to a listener makes a half-open entry or gets a cookie, the
 * ACK of a cookie makes a connection, all else gets RST. */
void tcp_listen_input(struct tcp *t, struct tcp_in *in);

#endif
