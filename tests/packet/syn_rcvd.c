/* A half-open entry, after a SYN to a listener (RFC 9293, 3.10.7.4, SYN-RECEIVED STATE). */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "SYN_RCVD", "syn", "RFC 9293, 3.10.7.4",
      "in SYN_RCVD; < S seq=0; > SA seq=0 ack=1; > -; state SYN_RCVD" },
    { "SYN_RCVD", "syn_other", "RFC 5961, 4.2",
      "in SYN_RCVD; < S seq=5000; > A seq=1 ack=1; state SYN_RCVD; "
      "count tcp_challenge_acks 1"
      "; # linux: differs: it resets, as RFC 793 said of a SYN in the window" },
    { "SYN_RCVD", "synack", "RFC 5961, 4.2",
      "in SYN_RCVD; < SA seq=0 ack=1; > A seq=1 ack=1; state SYN_RCVD" },
    { "SYN_RCVD", "ack_old", "RFC 9293, 3.10.7.4, fifth",
      "in SYN_RCVD; < A seq=1 ack=0; > R seq=0; state SYN_RCVD" },
    { "SYN_RCVD", "ack_now", "RFC 9293, 3.10.7.4, fifth",
      "in SYN_RCVD; < A seq=1 ack=1; > -; accept; state ESTABLISHED; ready WD" },
    { "SYN_RCVD", "ack_future", "RFC 9293, 3.10.7.4, fifth",
      "in SYN_RCVD; < A seq=1 ack=2; > R seq=2; state SYN_RCVD" },
    { "SYN_RCVD", "data_next", "RFC 9293, 3.10.7.4",
      "in SYN_RCVD; < PA seq=1 ack=1 len=100; accept; ready RWD; read 100; "
      "> A seq=1 ack=101; > -; state ESTABLISHED" },
    { "SYN_RCVD", "data_gap", "RFC 9293, 3.10.7.4",
      "in SYN_RCVD; < PA seq=101 ack=1 len=100; accept; noread; > A seq=1 ack=1; "
      "< PA seq=1 ack=1 len=100; > A ack=201; read 200" },
    { "SYN_RCVD", "data_old", "RFC 9293, 3.10.7.4, first",
      "in SYN_RCVD; < PA seq=-100 ack=1 len=10; > A seq=1 ack=1; state SYN_RCVD" },
    { "SYN_RCVD", "data_beyond", "RFC 9293, 3.10.7.4, first",
      "in SYN_RCVD; < PA seq=65536 ack=1 len=10; > A seq=1 ack=1; state SYN_RCVD" },
    { "SYN_RCVD", "fin", "RFC 9293, 3.10.7.4, eighth",
      "in SYN_RCVD; < FA seq=1 ack=1; > A seq=1 ack=2; accept; state CLOSE_WAIT; "
      "ready WED" },
    { "SYN_RCVD", "fin_gap", "RFC 9293, 3.10.7.4, eighth",
      "in SYN_RCVD; < FA seq=11 ack=1; > A seq=1 ack=1; state ESTABLISHED; accept; "
      "< PA seq=1 ack=1 len=10; > A seq=1 ack=12; state CLOSE_WAIT; read 10" },
    { "SYN_RCVD", "noack", "RFC 9293, 3.10.7.4, fifth",
      "in SYN_RCVD; < P seq=1 len=10; > -; state SYN_RCVD; segs 0" },
    { "SYN_RCVD", "rst_exact", "RFC 9293, 3.10.7.4, second",
      "in SYN_RCVD; < R seq=1; > -; state LISTEN; count tcp_attempt_fails 1" },
    { "SYN_RCVD", "rst_window", "RFC 5961, 3.2",
      "in SYN_RCVD; < R seq=100; > A seq=1 ack=1; state SYN_RCVD" },
    { "SYN_RCVD", "rst_outside", "RFC 5961, 3.2",
      "in SYN_RCVD; < R seq=70000; > -; < R seq=0; > -; state SYN_RCVD" },
    { "SYN_RCVD", "timeout", "RFC 6298, 5; RFC 1122, 4.2.3.5",
      "in SYN_RCVD; wait 1000ms; > -; wait 80ms; > SA seq=0 ack=1; wait 1900ms; > -; wait 100ms; "
      "> SA; wait 4s; > SA; wait 8s; > SA; wait 16s; > SA; wait 31s; > -; state SYN_RCVD; "
      "wait 1s; > -; state LISTEN; count tcp_syn_expired 1" },
    { "SYN_RCVD", "timeout_then_ack", "RFC 6928, 2",
      "in SYN_RCVD; wait 1080ms; > SA; < A seq=1 ack=1 wnd=60000; accept; write 6000; "
      "> A len=1460; > -"
      "; # linux: differs: it begins with ten segments after a lost SYN-ACK too" },
    { "SYN_RCVD", "not_evicted", "RFC 4987, 3.6",
      "set syns 1; in SYN_RCVD; < S seq=0 port=50001; > SA; state SYN_RCVD" },
    { "SYN_RCVD", "ack_when_full", "limits",
      "set blocks 1; < S seq=0 port=50001; > SA; in SYN_RCVD; < A seq=1 ack=1; accept; "
      "shutdown; > FA; state FIN_WAIT_1" },
    { "SYN_RCVD", "reset_before_accept", "tcp.h",
      "in SYN_RCVD; < A seq=1 ack=1; < R seq=1; state LISTEN; segs 0; > -" },
    { "SYN_RCVD", "keepalive", "RFC 9293, 3.10.7.4, first",
      "in SYN_RCVD; < A seq=0 ack=1; > A seq=1 ack=1; state SYN_RCVD" },
    { "SYN_RCVD", "rst_ack", "RFC 9293, 3.10.7.4, second",
      "in SYN_RCVD; < RA seq=1 ack=1; > -; state LISTEN" },
    { "SYN_RCVD", "ack_far_old", "RFC 9293, 3.10.7.4, fifth",
      "in SYN_RCVD; < A seq=1 ack=-70000; > R seq=-70000; state SYN_RCVD" },
    { "SYN_RCVD", "syn_data", "RFC 9293, 3.10.7.4",
      "in SYN_RCVD; < S seq=0 len=10; > SA seq=0 ack=1; state SYN_RCVD; segs 0" },
    { "SYN_RCVD", "ece", "RFC 3168, 6.1.1",
      "in SYN_RCVD; < AE seq=1 ack=1; > -; accept; state ESTABLISHED" },
    { "SYN_RCVD", "urgent", "RFC 6093",
      "in SYN_RCVD; < PAU seq=1 ack=1 len=10; accept; > A seq=1 ack=11; read 10" },
    { "SYN_RCVD", "data_partly_old", "RFC 9293, 3.4, table 6",
      "in SYN_RCVD; < PA seq=0 ack=1 len=10; accept; read 9; > A seq=1 ack=10; "
      "state ESTABLISHED" },
};

const struct tcp_dsl_suite cases_syn_rcvd = { cases, sizeof(cases) / sizeof(cases[0]) };
