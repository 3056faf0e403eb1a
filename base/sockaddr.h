/* Addresses as the kernel's sockets have them. */
#ifndef POSTERN_BASE_SOCKADDR_H
#define POSTERN_BASE_SOCKADDR_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/addr.h"

union sockaddrs {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

/* Of IPv4 for an IPv4 address, else of IPv6; returns its bytes. */
socklen_t sockaddr_of(const struct endpoint *e, union sockaddrs *out);

#endif
