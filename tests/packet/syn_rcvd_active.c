/* A simultaneous open (RFC 9293, 3.5, figure 8). */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "SYN_RCVD_ACTIVE", "syn", "RFC 5961, 4.2",
      "in SYN_RCVD_ACTIVE; < S seq=10; > A seq=1 ack=1; state SYN_RCVD" },
    { "SYN_RCVD_ACTIVE", "synack", "RFC 9293, 3.5, figure 8",
      "in SYN_RCVD_ACTIVE; < SA seq=0 ack=1; state ESTABLISHED; ready WD" },
    { "SYN_RCVD_ACTIVE", "ack_old", "RFC 9293, 3.10.7.4, fifth",
      "in SYN_RCVD_ACTIVE; < A seq=1 ack=0; > R seq=0; state SYN_RCVD"
      "; # linux: differs: it drops an old ACK here without a word" },
    { "SYN_RCVD_ACTIVE", "ack_now", "RFC 9293, 3.10.7.4, fifth",
      "in SYN_RCVD_ACTIVE; < A seq=1 ack=1; > -; state ESTABLISHED; ready WD" },
    { "SYN_RCVD_ACTIVE", "ack_future", "RFC 9293, 3.10.7.4, fifth",
      "in SYN_RCVD_ACTIVE; < A seq=1 ack=2; > R seq=2; state SYN_RCVD" },
    { "SYN_RCVD_ACTIVE", "data_next", "RFC 9293, 3.10.7.4",
      "in SYN_RCVD_ACTIVE; < PA seq=1 ack=1 len=10; > A seq=1 ack=11; read 10; "
      "state ESTABLISHED" },
    { "SYN_RCVD_ACTIVE", "data_gap", "RFC 9293, 3.10.7.4",
      "in SYN_RCVD_ACTIVE; < PA seq=11 ack=1 len=10; > A seq=1 ack=1; noread; "
      "state ESTABLISHED" },
    { "SYN_RCVD_ACTIVE", "data_old", "RFC 9293, 3.10.7.4, first",
      "in SYN_RCVD_ACTIVE; < PA seq=-9 ack=1 len=5; > A seq=1 ack=1; state SYN_RCVD" },
    { "SYN_RCVD_ACTIVE", "data_beyond", "RFC 9293, 3.10.7.4, first",
      "in SYN_RCVD_ACTIVE; < PA seq=65536 ack=1 len=5; > A seq=1 ack=1; "
      "state SYN_RCVD" },
    { "SYN_RCVD_ACTIVE", "fin", "RFC 9293, 3.10.7.4, eighth",
      "in SYN_RCVD_ACTIVE; < FA seq=1 ack=1; > A seq=1 ack=2; state CLOSE_WAIT; "
      "ready WED" },
    { "SYN_RCVD_ACTIVE", "fin_gap", "RFC 9293, 3.10.7.4, eighth",
      "in SYN_RCVD_ACTIVE; < FA seq=5 ack=1; > A seq=1 ack=1; state ESTABLISHED" },
    { "SYN_RCVD_ACTIVE", "noack", "RFC 9293, 3.10.7.4, fifth",
      "in SYN_RCVD_ACTIVE; < P seq=1 len=10; > -; state SYN_RCVD" },
    { "SYN_RCVD_ACTIVE", "rst_exact", "RFC 9293, 3.10.7.4, second",
      "in SYN_RCVD_ACTIVE; < R seq=1; > -; state CLOSED; ready F" },
    { "SYN_RCVD_ACTIVE", "rst_window", "RFC 5961, 3.2",
      "in SYN_RCVD_ACTIVE; < R seq=9; > A seq=1 ack=1; state SYN_RCVD" },
    { "SYN_RCVD_ACTIVE", "rst_outside", "RFC 5961, 3.2",
      "in SYN_RCVD_ACTIVE; < R seq=70000; > -; state SYN_RCVD" },
    { "SYN_RCVD_ACTIVE", "timeout", "RFC 6298, 5.4",
      "in SYN_RCVD_ACTIVE; wait 1001ms; > SA seq=0 ack=1; wait 2s; > SA seq=0 ack=1; "
      "< A seq=1 ack=1; state ESTABLISHED" },
    { "SYN_RCVD_ACTIVE", "write", "stream.h", "in SYN_RCVD_ACTIVE; ready -" },
    { "SYN_RCVD_ACTIVE", "shutdown", "RFC 9293, 3.10.4",
      "in SYN_RCVD_ACTIVE; shutdown; > FA seq=1 ack=1; state FIN_WAIT_1; "
      "< A seq=1 ack=2; state FIN_WAIT_2; > -"
      "; # linux: differs: it sends no FIN before the handshake is over" },
    { "SYN_RCVD_ACTIVE", "shutdown_then_timeout", "RFC 6298, 5.4",
      "in SYN_RCVD_ACTIVE; shutdown; > FA seq=1; wait 1001ms; > SA seq=0 ack=1; > FA seq=1; "
      "< A seq=1 ack=1; > -; < A seq=1 ack=2; state FIN_WAIT_2"
      "; # linux: differs: it sends no FIN before the handshake is over" },
    { "SYN_RCVD_ACTIVE", "close", "RFC 2525, 2.17",
      "in SYN_RCVD_ACTIVE; close; > RA seq=1 ack=1; state CLOSED" },
    { "SYN_RCVD_ACTIVE", "abort", "RFC 9293, 3.10.5",
      "in SYN_RCVD_ACTIVE; abort; > RA seq=1 ack=1; ready F; state CLOSED" },
    { "SYN_RCVD_ACTIVE", "keepalive", "RFC 9293, 3.10.7.4, first",
      "in SYN_RCVD_ACTIVE; < A seq=0 ack=1; > A seq=1 ack=1; state SYN_RCVD" },
    { "SYN_RCVD_ACTIVE", "rst_ack", "RFC 9293, 3.10.7.4, second",
      "in SYN_RCVD_ACTIVE; < RA seq=1 ack=1; > -; ready F; state CLOSED" },
    { "SYN_RCVD_ACTIVE", "ack_far_old", "RFC 9293, 3.10.7.4, fifth",
      "in SYN_RCVD_ACTIVE; < A seq=1 ack=-70000; > R seq=-70000; state SYN_RCVD" },
    { "SYN_RCVD_ACTIVE", "syn_data", "RFC 5961, 4.2",
      "in SYN_RCVD_ACTIVE; < S seq=1 len=10; > A seq=1 ack=1; state SYN_RCVD; segs 0" },
    { "SYN_RCVD_ACTIVE", "ece", "RFC 3168, 6.1.1",
      "in SYN_RCVD_ACTIVE; < AE seq=1 ack=1; > -; state ESTABLISHED; ready WD" },
    { "SYN_RCVD_ACTIVE", "urgent", "RFC 6093",
      "in SYN_RCVD_ACTIVE; < PAU seq=1 ack=1 len=10; > A seq=1 ack=11; read 10" },
    { "SYN_RCVD_ACTIVE", "data_partly_old", "RFC 9293, 3.10.7.4, seventh",
      "in SYN_RCVD_ACTIVE; < PA seq=-4 ack=1 len=10; > A seq=1 ack=6; read 5; state ESTABLISHED" },
};

const struct tcp_dsl_suite cases_syn_rcvd_active = { cases, sizeof(cases) / sizeof(cases[0]) };
