/* An active open waits for its answer (RFC 9293, 3.10.7.3). */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "SYN_SENT", "synack", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < SA seq=0 ack=1 wnd=1000 mss=1460; > A seq=1 ack=1; > -; "
      "state ESTABLISHED; ready WD" },
    { "SYN_SENT", "synack_no_options", "RFC 7323, 2.2",
      "in SYN_SENT; < SA seq=0 ack=1; > A seq=1 ack=1 no=ts; write 600; > A len=536; "
      "> PA len=64" },
    { "SYN_SENT", "synack_again", "RFC 9293, 3.10.7.4",
      "in SYN_SENT; < SA seq=0 ack=1; > A; < SA seq=0 ack=1; > A seq=1 ack=1; "
      "state ESTABLISHED" },
    { "SYN_SENT", "syn", "RFC 9293, 3.5, figure 8",
      "in SYN_SENT; < S seq=0 mss=1460; > SA seq=0 ack=1; state SYN_RCVD" },
    { "SYN_SENT", "ack_old", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < A seq=0 ack=0; > R seq=0; state SYN_SENT" },
    { "SYN_SENT", "ack_now", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < A seq=0 ack=1; > -; state SYN_SENT" },
    { "SYN_SENT", "ack_future", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < SA seq=0 ack=2; > R seq=2; state SYN_SENT" },
    { "SYN_SENT", "data_next", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < SA seq=0 ack=1 len=10; > A seq=1 ack=11; ready RWD; read 10"
      "; # linux: differs: it drops the text of a SYN-ACK" },
    { "SYN_SENT", "fin", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < FA seq=0 ack=1; > -; < SFA seq=0 ack=1; > A seq=1 ack=2; "
      "state CLOSE_WAIT; ready WED"
      "; # linux: differs: it drops the FIN of a SYN-ACK" },
    { "SYN_SENT", "noack", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < P seq=0 len=10; > -; state SYN_SENT" },
    { "SYN_SENT", "rst_exact", "RFC 5961, 3.2",
      "in SYN_SENT; < RA seq=0 ack=1; > -; ready F; state CLOSED; "
      "count tcp_attempt_fails 1" },
    { "SYN_SENT", "rst_window", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < R seq=0; > -; state SYN_SENT" },
    { "SYN_SENT", "rst_outside", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < RA seq=0 ack=9; > -; state SYN_SENT; ready -" },
    { "SYN_SENT", "timeout", "RFC 6298, 5; RFC 1122, 4.2.3.5",
      "in SYN_SENT; wait 999ms; > -; wait 2ms; > S seq=0; wait 2s; > S seq=0; wait 4s; "
      "> S; wait 8s; > S; wait 16s; > S; wait 32s; > S; wait 60s; > S; wait 60s; > -; "
      "ready F; state CLOSED; count tcp_given_up 1" },
    { "SYN_SENT", "timeout_then_synack", "RFC 6298, 5.7",
      "in SYN_SENT; wait 1s; wait 1ms; > S; < SA seq=0 ack=1 mss=1460; > A; "
      "write 3000; > A len=1460; > -; wait 2990ms; > -; wait 20ms; > A len=1460"
      "; # linux: differs: it begins with ten segments after a lost SYN too" },
    { "SYN_SENT", "write", "stream.h", "in SYN_SENT; ready -" },
    { "SYN_SENT", "shutdown", "RFC 9293, 3.10.4",
      "in SYN_SENT; shutdown; > -; ready F; state CLOSED" },
    { "SYN_SENT", "close", "RFC 9293, 3.10.4", "in SYN_SENT; close; > -; state CLOSED; segs 0" },
    { "SYN_SENT", "abort", "RFC 9293, 3.10.5",
      "in SYN_SENT; abort; > -; ready F; abort; > -; state CLOSED" },
    { "SYN_SENT", "data_gap", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < PA seq=100 ack=1 len=10; > -; state SYN_SENT; segs 0" },
    { "SYN_SENT", "data_old", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < PA seq=-100 ack=0 len=10; > R seq=0; state SYN_SENT; segs 0" },
    { "SYN_SENT", "data_beyond", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < P seq=100000 len=10; > -; state SYN_SENT; segs 0" },
    { "SYN_SENT", "fin_gap", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < F seq=100; > -; < FA seq=100 ack=1; > -; state SYN_SENT" },
    { "SYN_SENT", "keepalive", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < A seq=-1 ack=1; > -; state SYN_SENT" },
    { "SYN_SENT", "rst_ack", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < RA seq=900 ack=1; > -; ready F; state CLOSED" },
    { "SYN_SENT", "ack_far_old", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < A seq=0 ack=-70000; > R seq=-70000; state SYN_SENT" },
    { "SYN_SENT", "syn_data", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < S seq=0 len=10; > SA seq=0 ack=1; state SYN_RCVD; segs 0" },
    { "SYN_SENT", "ece", "RFC 3168, 6.1.1",
      "in SYN_SENT; < SAE seq=0 ack=1; > A seq=1 ack=1; state ESTABLISHED" },
    { "SYN_SENT", "urgent", "RFC 6093",
      "in SYN_SENT; < SAU seq=0 ack=1 len=10; > A seq=1 ack=11; read 10"
      "; # linux: differs: it drops the text of a SYN-ACK" },
    { "SYN_SENT", "data_partly_old", "RFC 9293, 3.10.7.3",
      "in SYN_SENT; < PA seq=-5 ack=1 len=10; > -; state SYN_SENT; segs 0" },
};

const struct tcp_dsl_suite cases_syn_sent = { cases, sizeof(cases) / sizeof(cases[0]) };
