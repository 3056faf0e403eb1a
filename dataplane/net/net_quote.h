/*
 * ICMP errors: what they say, and the segment of ours that they quote. Pure.
 */
#ifndef POSTERN_NET_QUOTE_H
#define POSTERN_NET_QUOTE_H

#include "base/span.h"
#include "dataplane/net/net.h"

/*
 * `message`: an ICMP message (RFC 792) or ICMPv6 message (RFC 4443) of 8 bytes at least, its
 * checksum good. False: it is no error about a TCP segment, or is cut before the segment's sequence
 * number. out->local is what the quoted packet says that it came from: the caller's to believe.
 */
bool net_quote_read4(struct span message, struct net_error *out);
bool net_quote_read6(struct span message, struct net_error *out);

#endif
