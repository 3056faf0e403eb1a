/* A listener (RFC 9293, 3.10.7.2). */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "LISTEN", "syn", "RFC 9293, 3.10.7.2",
      "in LISTEN; < S seq=0 mss=1460; "
      "> SA seq=0 ack=1 wnd=65535 mss=1460 no=ts no=ws no=sack; > -; state SYN_RCVD; "
      "count tcp_passive_opens 1" },
    { "LISTEN", "syn_with_data", "RFC 9293, 3.10.7.2",
      "in LISTEN; < S seq=0 len=10; > SA seq=0 ack=1; segs 0" },
    { "LISTEN", "syn_fin", "RFC 9293, 3.10.7.2", "in LISTEN; < SF seq=0; > -; state LISTEN" },
    { "LISTEN", "syn_to_multicast", "RFC 1122, 4.2.3.10",
      "in LISTEN; < S seq=0 to=all; > -; state LISTEN; count tcp_in_errs 1" },
    { "LISTEN", "syn_of_options", "RFC 7323, 1.3",
      "in LISTEN; < S seq=0 mss=1400 ws=7 sackok=1 ts=5; "
      "> SA seq=0 ack=1 mss=1460 ws=0 sackok=1 ecr=5" },
    { "LISTEN", "syn_twice", "RFC 9293, 3.10.7.4",
      "in LISTEN; < S seq=0; > SA; < S seq=0; > SA seq=0 ack=1; > -; "
      "count tcp_passive_opens 1" },
    { "LISTEN", "syn_when_full", "limits",
      "set blocks 1; in ESTABLISHED; < S seq=0 port=50001; > -; "
      "count tcp_syn_dropped 1" },
    { "LISTEN", "syn_without_segs", "limits",
      "in LISTEN; hold 100; < S seq=0; > -; state LISTEN; drop; < S seq=0; > SA" },
    { "LISTEN", "synack", "RFC 9293, 3.10.7.2",
      "in LISTEN; < SA seq=0 ack=5; > R seq=5; state LISTEN" },
    { "LISTEN", "ack_now", "RFC 9293, 3.10.7.2",
      "in LISTEN; < A seq=1 ack=5; > R seq=5; state LISTEN" },
    { "LISTEN", "data_next", "RFC 9293, 3.10.7.2",
      "in LISTEN; < PA seq=1 ack=9 len=10; > R seq=9; segs 0" },
    { "LISTEN", "noack", "RFC 9293, 3.10.7.2", "in LISTEN; < P seq=1 len=10; > -; state LISTEN" },
    { "LISTEN", "fin", "RFC 9293, 3.10.7.2",
      "in LISTEN; < F seq=1; > -; < FA seq=1 ack=4; > R seq=4; state LISTEN" },
    { "LISTEN", "rst_exact", "RFC 9293, 3.10.7.2",
      "in LISTEN; < R seq=0; > -; < RA seq=0 ack=1; > -; state LISTEN" },
    { "LISTEN", "timeout", "RFC 9293, 3.10.8", "in LISTEN; wait 100s; > -; state LISTEN" },
    { "LISTEN", "stop", "tcp.h",
      "in LISTEN; < S seq=0; > SA; unlisten; < A seq=1 ack=1; > R seq=1; < S seq=0; "
      "> RA ack=1" },
    { "LISTEN", "ack_old", "RFC 9293, 3.10.7.2",
      "in LISTEN; < A seq=-100 ack=3; > R seq=3; state LISTEN" },
    { "LISTEN", "ack_future", "RFC 9293, 3.10.7.2",
      "in LISTEN; < A seq=1 ack=70000; > R seq=70000; state LISTEN" },
    { "LISTEN", "data_gap", "RFC 9293, 3.10.7.2",
      "in LISTEN; < PA seq=100 ack=7 len=10; > R seq=7; segs 0" },
    { "LISTEN", "data_old", "RFC 9293, 3.10.7.2",
      "in LISTEN; < PA seq=-100 ack=7 len=10; > R seq=7; segs 0" },
    { "LISTEN", "data_beyond", "RFC 9293, 3.10.7.2",
      "in LISTEN; < PA seq=100000 ack=7 len=10; > R seq=7; segs 0" },
    { "LISTEN", "fin_gap", "RFC 9293, 3.10.7.2",
      "in LISTEN; < FA seq=100 ack=7; > R seq=7; state LISTEN" },
    { "LISTEN", "rst_window", "RFC 9293, 3.10.7.2", "in LISTEN; < R seq=100; > -; state LISTEN" },
    { "LISTEN", "rst_outside", "RFC 9293, 3.10.7.2",
      "in LISTEN; < R seq=100000; > -; state LISTEN" },
    { "LISTEN", "keepalive", "RFC 9293, 3.10.7.2",
      "in LISTEN; < A seq=0 ack=7; > R seq=7; state LISTEN" },
    { "LISTEN", "rst_ack", "RFC 9293, 3.10.7.2", "in LISTEN; < RA seq=1 ack=7; > -; state LISTEN" },
    { "LISTEN", "ack_far_old", "RFC 9293, 3.10.7.2",
      "in LISTEN; < A seq=1 ack=-70000; > R seq=-70000; state LISTEN" },
    { "LISTEN", "urgent", "RFC 9293, 3.10.7.2",
      "in LISTEN; < PAU seq=1 ack=7 len=10; > R seq=7; segs 0" },
    { "LISTEN", "data_partly_old", "RFC 9293, 3.10.7.2",
      "in LISTEN; < PA seq=-5 ack=7 len=10; > R seq=7; segs 0" },
    { "LISTEN", "syn_data", "RFC 9293, 3.10.7.2",
      "in LISTEN; < S seq=0 len=10; > SA seq=0 ack=1; segs 0; < PA seq=1 ack=1 len=10; accept; > A "
      "ack=11; read 10" },
    { "LISTEN", "ece", "RFC 3168, 6.1.1",
      "in LISTEN; < SEC seq=0; > SA seq=0 ack=1; state SYN_RCVD"
      "; # linux: differs: it agrees on ECN" },
};

const struct tcp_dsl_suite cases_listen = { cases, sizeof(cases) / sizeof(cases[0]) };
