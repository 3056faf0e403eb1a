/*
 * TCP, segment by segment, in virtual time: a case is a few lines of text, run against tcp_create
 * with a wire that only records. Sequence numbers are relative: `seq` of the peer and `ack` of ours
 * both begin at 0 with the SYN.
 *
 *   in STATE: brings a connection to that state (see `preludes`)
 *   set NAME VALUE: before anything else: rcv (window bytes), snd, mtu, segs, irs, and of
 *     struct tcp_config blocks, syns, tws, hosts, networks, ecn, aside
 *   < FLAGS [k=v ...]: a segment from the peer; FLAGS of S F R P A U, or - for none
 *   > FLAGS [k=v ...]: the next segment that we send; what is named must match; len is 0 if not
 *     named. "> -": we send nothing
 *   wait 40ms | 3s: time passes; timers run, and send in their time
 *   accept, connect, write N, read N, shutdown, close, abort, unlisten, flush
 *   noread: nothing is left to read
 *   state S: where the connection is now (of its block, half-open or TIME-WAIT entry)
 *   ready LETTERS: R(eadable) W(ritable) E(nded) F(ailed) D(rained), all that are set, or -
 *   count NAME N: a counter of tcp_* since the start
 *   segs N: segments that are not home
 *   again N: segments that the accepted connection has sent again, as people are told
 *   hold N, drop: takes all but N segments out of the pool; gives them back
 *   icmp SEQ MTU: an ICMP error that quotes a segment of ours; MTU 0: not that it was too big
 *
 *   # ...: nothing. "# linux: differs: WHY" explains what tcp_kernel.h finds
 *
 * k=v: seq ack len tos wnd mss ws ts (val:ecr; ecr "ours": our SYN's) sackok=1 sack (a-b,
 * repeatable); in `>` any of them; no=ts, no=ws, no=sack.
 */
#ifndef POSTERN_TESTS_TCP_DSL_H
#define POSTERN_TESTS_TCP_DSL_H

#include <stddef.h>

struct tcp_dsl_case {
    const char *state;
    const char *event;
    const char *rfc;
    const char *script; /* lines, or statements parted by ; */
};

/* The cases of one file. */
struct tcp_dsl_suite {
    const struct tcp_dsl_case *cases;
    size_t count;
};

/* 0: passed. Otherwise says on stderr which statement failed and how. */
int tcp_dsl_run(const struct tcp_dsl_case *c);

#endif
