/*
 * Every counter: X(ID, name, help), ordered by room. Add a row where you count; names are stable.
 */
#ifndef POSTERN_BASE_COUNTER_LIST_H
#define POSTERN_BASE_COUNTER_LIST_H

#define COUNTER_LIST(X)    \
    COUNTER_LIST_NET(X)    \
    COUNTER_LIST_TCP(X)    \
    COUNTER_LIST_KERNEL(X) \
    COUNTER_LIST_TLS(X) COUNTER_LIST_SMTP(X) COUNTER_LIST_SPOOL(X) COUNTER_LIST_GATEWAY(X)

#define COUNTER_LIST_NET(X)                                                                        \
    X(NET_IN_FRAMES, "net_in_frames", "frames received")                                           \
    X(NET_OUT_FRAMES, "net_out_frames", "frames sent")                                             \
    X(NET_IN_MALFORMED, "net_in_malformed", "frames cut short or with wrong lengths")              \
    X(NET_IN_CSUM_ERRORS, "net_in_csum_errors",                                                    \
      "IPv4, ICMP or TCP checksum errors, over IPv6 too")                                          \
    X(NET_IN_NOT_OURS, "net_in_not_ours", "frames to another address or protocol")                 \
    X(NET_IN_MARTIANS, "net_in_martians", "packets from an address that no host may send from")    \
    X(IP_IN_RECEIVES, "ip_in_receives", "IPv4 packets received (RFC 4293)")                        \
    X(IP_IN_DELIVERS, "ip_in_delivers", "of those, handed to TCP or ICMP (RFC 4293)")              \
    X(IP_OUT_REQUESTS, "ip_out_requests", "IPv4 packets to be sent (RFC 4293)")                    \
    X(IP6_IN_RECEIVES, "ip6_in_receives", "IPv6 packets received (RFC 4293)")                      \
    X(IP6_IN_DELIVERS, "ip6_in_delivers", "of those, handed to TCP or ICMPv6 (RFC 4293)")          \
    X(IP6_OUT_REQUESTS, "ip6_out_requests", "IPv6 packets to be sent (RFC 4293)")                  \
    X(IP_REASM_REQDS, "ip_reasm_reqds", "fragments received, of IPv4 and IPv6 (RFC 4293)")         \
    X(IP_REASM_OKS, "ip_reasm_oks", "packets made whole of them (RFC 4293)")                       \
    X(IP_REASM_FAILS, "ip_reasm_fails", "packets that did not become whole (RFC 4293)")            \
    X(NET_STRAYS_GIVEN, "net_strays_given", "packets of another core's connections, handed to it") \
    X(NET_STRAYS_TAKEN, "net_strays_taken", "packets that other cores handed to this one")         \
    X(NET_STRAYS_LOST, "net_strays_lost", "the same, dropped: that core has no room for more")     \
    X(NET_IN_ECHOS, "net_in_echos", "ICMP echo requests received")                                 \
    X(NET_IN_ECHOS_LIMITED, "net_in_echos_limited",                                                \
      "ICMP echo requests not answered: past the rate, or larger than a frame")                    \
    X(NET_IN_ICMP_ERRORS, "net_in_icmp_errors", "ICMP errors about TCP segments of ours")          \
    X(NET_IN_ICMP_OTHER, "net_in_icmp_other", "ICMP messages of no use to us")                     \
    X(NET_IN_ARP_CONFLICTS, "net_in_arp_conflicts", "ARP from another host that has our address")  \
    X(NET_OUT_ARP_REQUESTS, "net_out_arp_requests", "ARP requests and announcements sent")         \
    X(NET_IN_ND_CONFLICTS, "net_in_nd_conflicts",                                                  \
      "another host says that it has our IPv6 address")                                            \
    X(NET_IN_ND_INVALID, "net_in_nd_invalid", "ND messages that RFC 4861 bids us ignore")          \
    X(IP6_IN_UNKNOWN_PROTOS, "ip6_in_unknown_protos", "unknown next headers (RFC 4293)")           \
    X(IP6_IN_HDR_ERRORS, "ip6_in_hdr_errors", "wrong or too many extension headers (RFC 4293)")    \
    X(ICMP6_IN_MSGS, "icmp6_in_msgs", "ICMPv6 messages received (RFC 4293)")                       \
    X(ICMP6_OUT_MSGS, "icmp6_out_msgs", "ICMPv6 messages sent (RFC 4293)")                         \
    X(NET_OUT_NO_ROUTE, "net_out_no_route", "packets for an address with no route")                \
    X(NET_OUT_UNRESOLVED, "net_out_unresolved", "packets for a neighbour that did not answer")     \
    X(NET_OUT_DROPPED, "net_out_dropped", "frames dropped because the device took no more")

#define COUNTER_LIST_TCP(X)                                                                        \
    X(TCP_IN_SEGS, "tcp_in_segs", "segments received (RFC 4022)")                                  \
    X(TCP_OUT_SEGS, "tcp_out_segs", "segments sent (RFC 4022)")                                    \
    X(TCP_IN_ERRS, "tcp_in_errs", "segments in error (RFC 4022)")                                  \
    X(TCP_OUT_RSTS, "tcp_out_rsts", "resets sent (RFC 4022)")                                      \
    X(TCP_RETRANS_SEGS, "tcp_retrans_segs", "segments sent again (RFC 4022)")                      \
    X(TCP_PASSIVE_OPENS, "tcp_passive_opens", "LISTEN to SYN-RCVD (RFC 4022)")                     \
    X(TCP_ESTAB_RESETS, "tcp_estab_resets", "ESTABLISHED or CLOSE-WAIT to CLOSED (RFC 4022)")      \
    X(TCP_ACTIVE_OPENS, "tcp_active_opens", "CLOSED to SYN-SENT (RFC 4022)")                       \
    X(TCP_ATTEMPT_FAILS, "tcp_attempt_fails", "SYN-SENT or SYN-RCVD to CLOSED (RFC 4022)")         \
    X(TCP_SYN_DROPPED, "tcp_syn_dropped", "SYNs not answered: connections or segments were short") \
    X(TCP_PREFIX_REFUSED, "tcp_prefix_refused", "connections refused: the peer has its share")     \
    X(TCP_SYN_COOKIES_SENT, "tcp_syn_cookies_sent", "SYNs answered with a cookie (RFC 4987, 3.6)") \
    X(TCP_SYN_COOKIES_RECV, "tcp_syn_cookies_recv", "cookies that came back, a connection each")   \
    X(TCP_SYN_EXPIRED, "tcp_syn_expired",                                                          \
      "half-open connections whose SYN-ACK was never answered")                                    \
    X(TCP_CHALLENGE_ACKS, "tcp_challenge_acks", "challenge ACKs sent (RFC 5961)")                  \
    X(TCP_PAWS_DROPS, "tcp_paws_drops", "segments with an old timestamp, or with none (RFC 7323)") \
    X(TCP_OUT_OF_ORDER, "tcp_out_of_order", "segments that came before their turn")                \
    X(TCP_REASM_DROPS, "tcp_reasm_drops", "out-of-order segments dropped at a cap or for memory")  \
    X(TCP_MEMORY_DROPS, "tcp_memory_drops", "segments in order dropped because memory was short")  \
    X(TCP_OUT_OF_WINDOW_ICMPS, "tcp_out_of_window_icmps",                                          \
      "ICMP errors that quote no byte in flight")                                                  \
    X(TCP_PATH_MTU_LOWERED, "tcp_path_mtu_lowered",                                                \
      "connections told that their segments were too big")                                         \
    X(TCP_BLACK_HOLES, "tcp_black_holes",                                                          \
      "segments made smaller, since full ones do not arrive (RFC 2923)")                           \
    X(TCP_TIMEOUTS, "tcp_timeouts", "retransmission time-outs")                                    \
    X(TCP_GIVEN_UP, "tcp_given_up", "connections that the peer left without an answer (R2)")       \
    X(TCP_FAST_RETRANS, "tcp_fast_retrans", "losses found before the time-out")                    \
    X(TCP_ECN_CUTS, "tcp_ecn_cuts", "windows cut because the path was congested (RFC 3168)")       \
    X(TCP_SPURIOUS, "tcp_spurious", "losses that were none: the window was given back (RFC 4015)") \
    X(TCP_WINDOW_PROBES, "tcp_window_probes", "probes of a closed window")                         \
    X(TCP_STALLED, "tcp_stalled", "connections reset whose peers kept their windows closed")       \
    X(TCP_TIME_WAIT_REUSED, "tcp_time_wait_reused", "new connections over a TIME-WAIT (RFC 6191)")

#define COUNTER_LIST_KERNEL(X) X(KSOCK_ACCEPTS, "ksock_accepts", "kernel sockets accepted")

#define COUNTER_LIST_TLS(X)                                                                       \
    X(TLS_HANDSHAKES, "tls_handshakes", "handshakes finished")                                    \
    X(TLS_HANDSHAKE_ERRORS, "tls_handshake_errors", "handshakes failed")                          \
    X(TLS_RESUMED, "tls_resumed", "handshakes resumed from a ticket")                             \
    X(TLS_NOT_TLS, "tls_not_tls", "plain text where TLS was expected")                            \
    X(TLS_IN_BYTES, "tls_in_bytes", "bytes of plaintext that readers got")                        \
    X(TLS_IN_MOVED, "tls_in_moved",                                                               \
      "bytes moved from the segments to the readers' places, decryption included")                \
    X(TLS_HINTS, "tls_hints", "handshakes whose dear part a helper did")                          \
    X(TLS_WAKES, "tls_wakes", "connections whose keys were expanded, at first or after idleness") \
    X(TLS_KEY_UPDATES, "tls_key_updates", "changes of our own keys (RFC 8446, 4.6.3)")

#define COUNTER_LIST_SMTP(X)                                                                \
    X(SMTP_COMMANDS, "smtp_commands", "commands received")                                  \
    X(SMTP_SYNTAX_ERRORS, "smtp_syntax_errors", "commands refused for their form or order") \
    X(SMTP_AUTH_OK, "smtp_auth_ok", "authentications accepted")                             \
    X(SMTP_AUTH_FAILED, "smtp_auth_failed", "authentications refused")                      \
    X(SMTP_MEMORY_SHORT, "smtp_memory_short", "MAIL refused because memory was short")      \
    X(SMTP_MESSAGES, "smtp_messages", "messages answered with 250")                         \
    X(SMTP_MESSAGES_REFUSED, "smtp_messages_refused",                                       \
      "messages answered with 4xx or 5xx at their end")

#define COUNTER_LIST_SPOOL(X)                                                    \
    X(SPOOL_COMMITS, "spool_commits", "messages made durable")                   \
    X(SPOOL_WRITES, "spool_writes", "writes finished")                           \
    X(SPOOL_WRITE_BYTES, "spool_write_bytes", "bytes written, padding included") \
    X(SPOOL_WRITE_ERRORS, "spool_write_errors", "writes failed")                 \
    X(SPOOL_SEALED, "spool_sealed", "segments given up after a failed write")    \
    X(SPOOL_UNCUT, "spool_uncut", "messages refused that a crash may yet show")

#define COUNTER_LIST_GATEWAY(X)                                                            \
    X(CONN_ACCEPTED, "conn_accepted", "connections taken in")                              \
    X(CONN_REFUSED, "conn_refused", "connections refused at a limit")                      \
    X(PROXY_HEADERS, "proxy_headers", "PROXY headers taken")                               \
    X(PROXY_ERRORS, "proxy_errors", "PROXY headers malformed, or not there")               \
    X(CONN_TIMEOUTS, "conn_timeouts", "connections closed for being idle or slow")         \
    X(AUTH_CACHE_HITS, "auth_cache_hits", "questions answered from the cache of verdicts") \
    X(AUTH_HASHES, "auth_hashes", "password checks given to a helper thread")              \
    X(AUTH_TOKENS, "auth_tokens", "access tokens given to a helper thread")                \
    X(AUTH_TOKENS_REFUSED, "auth_tokens_refused", "access tokens refused")                 \
    X(AUTH_SHARED, "auth_shared", "questions that joined the same check under way")        \
    X(AUTH_BLOCKED, "auth_blocked", "questions refused for too many wrong guesses")        \
    X(AUTH_BUSY, "auth_busy", "questions refused because the helpers were too busy")       \
    X(POLICY_FOREIGN, "policy_foreign", "addresses that a login may not send as")          \
    X(POLICY_LIMITED, "policy_limited", "questions refused because a limit was reached")   \
    X(POLICY_UNCOUNTED, "policy_uncounted", "uses not counted because the table was full") \
    X(LOG_DROPPED, "log_dropped", "log lines dropped because a ring was full")             \
    X(LOOP_TURNS_BUSY, "loop_turns_busy", "turns of the loop that did work")               \
    X(LOOP_TURNS_LONG, "loop_turns_long", "those that took more than 150 us")              \
    X(LOOP_CYCLES_BUSY, "loop_cycles_busy", "cycles (rdtsc) of those turns")

/* Those that the MIBs (RFC 4022, 4293) or Linux count too, as nstat(8) names them: X(ID, name).
 * What a name means there is what is counted here, or it has no row. */
#define COUNTER_LIST_STANDARD(X)                         \
    X(IP_IN_RECEIVES, "IpInReceives")                    \
    X(IP_IN_DELIVERS, "IpInDelivers")                    \
    X(IP_OUT_REQUESTS, "IpOutRequests")                  \
    X(IP6_IN_RECEIVES, "Ip6InReceives")                  \
    X(IP6_IN_DELIVERS, "Ip6InDelivers")                  \
    X(IP6_OUT_REQUESTS, "Ip6OutRequests")                \
    X(IP_REASM_REQDS, "IpReasmReqds")                    \
    X(IP_REASM_OKS, "IpReasmOKs")                        \
    X(IP_REASM_FAILS, "IpReasmFails")                    \
    X(NET_OUT_NO_ROUTE, "IpOutNoRoutes")                 \
    X(NET_IN_ECHOS, "IcmpInEchos")                       \
    X(IP6_IN_UNKNOWN_PROTOS, "Ip6InUnknownProtos")       \
    X(IP6_IN_HDR_ERRORS, "Ip6InHdrErrors")               \
    X(ICMP6_IN_MSGS, "Icmp6InMsgs")                      \
    X(ICMP6_OUT_MSGS, "Icmp6OutMsgs")                    \
    X(TCP_ACTIVE_OPENS, "TcpActiveOpens")                \
    X(TCP_PASSIVE_OPENS, "TcpPassiveOpens")              \
    X(TCP_ATTEMPT_FAILS, "TcpAttemptFails")              \
    X(TCP_ESTAB_RESETS, "TcpEstabResets")                \
    X(TCP_IN_SEGS, "TcpInSegs")                          \
    X(TCP_OUT_SEGS, "TcpOutSegs")                        \
    X(TCP_RETRANS_SEGS, "TcpRetransSegs")                \
    X(TCP_IN_ERRS, "TcpInErrs")                          \
    X(TCP_OUT_RSTS, "TcpOutRsts")                        \
    X(TCP_SYN_DROPPED, "TcpExtListenDrops")              \
    X(TCP_SYN_COOKIES_SENT, "TcpExtSyncookiesSent")      \
    X(TCP_SYN_COOKIES_RECV, "TcpExtSyncookiesRecv")      \
    X(TCP_CHALLENGE_ACKS, "TcpExtTCPChallengeACK")       \
    X(TCP_PAWS_DROPS, "TcpExtPAWSEstab")                 \
    X(TCP_OUT_OF_ORDER, "TcpExtTCPOFOQueue")             \
    X(TCP_REASM_DROPS, "TcpExtTCPOFODrop")               \
    X(TCP_MEMORY_DROPS, "TcpExtTCPRcvQDrop")             \
    X(TCP_OUT_OF_WINDOW_ICMPS, "TcpExtOutOfWindowIcmps") \
    X(TCP_TIMEOUTS, "TcpExtTCPTimeouts")                 \
    X(TCP_GIVEN_UP, "TcpExtTCPAbortOnTimeout")           \
    X(TCP_FAST_RETRANS, "TcpExtTCPSackRecovery")         \
    X(TCP_WINDOW_PROBES, "TcpExtTCPWinProbe")            \
    X(TCP_TIME_WAIT_REUSED, "TcpExtTWRecycled")

#endif
