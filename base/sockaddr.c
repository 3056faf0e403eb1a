/* See sockaddr.h. No failure. */
#include "base/sockaddr.h"

#include <string.h>

socklen_t sockaddr_of(const struct endpoint *e, union sockaddrs *out)
{
    memset(out, 0, sizeof(*out));
    if (addr_is_v4(&e->addr)) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(e->port);
        out->v4.sin_addr.s_addr = htonl(addr_v4(&e->addr));
        return sizeof(out->v4);
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(e->port);
    memcpy(&out->v6.sin6_addr, e->addr.octets, sizeof(e->addr.octets));
    return sizeof(out->v6);
}
