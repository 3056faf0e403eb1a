/* A segment to a port that nobody serves (RFC 9293, 3.10.7.1). */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "CLOSED", "syn", "RFC 9293, 3.10.7.1",
      "in CLOSED; < S seq=0 mss=1460; > RA seq=0 ack=1; > -; count tcp_out_rsts 1" },
    { "CLOSED", "syn_with_data", "RFC 9293, 3.10.7.1",
      "in CLOSED; < S seq=0 len=10; > RA seq=0 ack=11" },
    { "CLOSED", "synack", "RFC 9293, 3.10.7.1", "in CLOSED; < SA seq=0 ack=9; > R seq=9; > -" },
    { "CLOSED", "ack_now", "RFC 9293, 3.10.7.1", "in CLOSED; < A seq=1 ack=7; > R seq=7; > -" },
    { "CLOSED", "data_next", "RFC 9293, 3.10.7.1",
      "in CLOSED; < PA seq=1 ack=7 len=10; > R seq=7; segs 0" },
    { "CLOSED", "noack", "RFC 9293, 3.10.7.1", "in CLOSED; < P seq=1 len=10; > RA seq=0 ack=11" },
    { "CLOSED", "fin", "RFC 9293, 3.10.7.1", "in CLOSED; < F seq=3; > RA seq=0 ack=4" },
    { "CLOSED", "rst_exact", "RFC 9293, 3.10.7.1",
      "in CLOSED; < R seq=0; > -; < RA seq=0 ack=1; > -; count tcp_out_rsts 0" },
    { "CLOSED", "to_multicast", "RFC 1122, 4.2.3.10",
      "in CLOSED; < S seq=0 to=all; > -; < A seq=0 ack=1 to=all; > -" },
    { "CLOSED", "connect", "RFC 9293, 3.10.1",
      "in CLOSED; connect; > S seq=0 mss=1460 sackok=1 ws=0; state SYN_SENT; ready -; "
      "count tcp_active_opens 1" },
    { "CLOSED", "timeout", "RFC 9293, 3.10.8", "in CLOSED; wait 100s; > -" },
};

const struct tcp_dsl_suite cases_closed = { cases, sizeof(cases) / sizeof(cases[0]) };
