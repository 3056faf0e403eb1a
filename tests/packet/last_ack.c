/* The peer ended first, our FIN is out. */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "LAST_ACK", "syn", "RFC 5961, 4.2",
      "in LAST_ACK; < S seq=2; > A seq=2 ack=2; state LAST_ACK" },
    { "LAST_ACK", "synack", "RFC 5961, 4.2",
      "in LAST_ACK; < SA seq=2 ack=2; > A seq=2 ack=2; state LAST_ACK" },
    { "LAST_ACK", "ack_old", "RFC 9293, 3.10.7.4, fifth",
      "in LAST_ACK; < A seq=2 ack=1; > -; state LAST_ACK" },
    { "LAST_ACK", "ack_now", "RFC 9293, 3.10.7.4, fifth",
      "in LAST_ACK; < A seq=2 ack=2; > -; state CLOSED; ready ED; close; segs 0" },
    { "LAST_ACK", "ack_future", "RFC 5961, 5.2",
      "in LAST_ACK; < A seq=2 ack=3; > A seq=2 ack=2; state LAST_ACK" },
    { "LAST_ACK", "data_next", "RFC 9293, 3.10.7.4, seventh",
      "in LAST_ACK; < PA seq=2 ack=1 len=9; > -; noread; state LAST_ACK" },
    { "LAST_ACK", "data_gap", "RFC 9293, 3.10.7.4, seventh",
      "in LAST_ACK; < PA seq=9 ack=1 len=9; > -; noread" },
    { "LAST_ACK", "data_old", "RFC 9293, 3.10.7.4, first",
      "in LAST_ACK; < PA seq=-9 ack=1 len=5; > A seq=2 ack=2" },
    { "LAST_ACK", "data_beyond", "RFC 9293, 3.10.7.4, first",
      "in LAST_ACK; < PA seq=65540 ack=1 len=5; > A seq=2 ack=2" },
    { "LAST_ACK", "fin", "RFC 9293, 3.10.7.4, eighth",
      "in LAST_ACK; < FA seq=1 ack=1; > A seq=2 ack=2; state LAST_ACK" },
    { "LAST_ACK", "fin_gap", "RFC 9293, 3.10.7.4, eighth",
      "in LAST_ACK; < FA seq=9 ack=1; > -; state LAST_ACK" },
    { "LAST_ACK", "noack", "RFC 9293, 3.10.7.4, fifth",
      "in LAST_ACK; < P seq=2 len=3; > -; state LAST_ACK" },
    { "LAST_ACK", "rst_exact", "RFC 9293, 3.10.7.4, second",
      "in LAST_ACK; < R seq=2; > -; state CLOSED; ready F" },
    { "LAST_ACK", "rst_window", "RFC 5961, 3.2",
      "in LAST_ACK; < R seq=3; > A seq=2 ack=2; state LAST_ACK" },
    { "LAST_ACK", "rst_outside", "RFC 5961, 3.2",
      "in LAST_ACK; < R seq=1; > -; state LAST_ACK"
      "; # linux: differs: it takes a RST at the FIN's own number for one of macOS" },
    { "LAST_ACK", "timeout", "RFC 6298, 5.4",
      "in LAST_ACK; wait 1001ms; > FA seq=1 ack=2; wait 2s; > FA seq=1; "
      "< A seq=2 ack=2; state CLOSED" },
    { "LAST_ACK", "write", "stream.h", "in LAST_ACK; ready ED" },
    { "LAST_ACK", "shutdown", "stream.h", "in LAST_ACK; shutdown; > -; state LAST_ACK" },
    { "LAST_ACK", "close", "stream.h",
      "in LAST_ACK; close; > -; state LAST_ACK; < A seq=2 ack=2; > -; state CLOSED; "
      "segs 0" },
    { "LAST_ACK", "abort", "RFC 9293, 3.10.5",
      "in LAST_ACK; abort; > RA seq=2 ack=2; ready F; state CLOSED"
      "; # linux: differs: with all said and read it goes without a RST" },
    { "LAST_ACK", "keepalive", "RFC 9293, 3.8.4",
      "in LAST_ACK; < A seq=1 ack=1; > A seq=2 ack=2; > -; state LAST_ACK" },
    { "LAST_ACK", "rst_ack", "RFC 5961, 3.2",
      "in LAST_ACK; < RA seq=2 ack=1; > -; ready F; state CLOSED; segs 0" },
    { "LAST_ACK", "ack_far_old", "RFC 5961, 5.2",
      "in LAST_ACK; < A seq=2 ack=-70000; > A seq=2 ack=2; state LAST_ACK; count "
      "tcp_challenge_acks 1" },
    { "LAST_ACK", "syn_data", "RFC 5961, 4.2",
      "in LAST_ACK; < S seq=2 len=10; > A seq=2 ack=2; noread; state LAST_ACK; segs 0" },
    { "LAST_ACK", "ece", "RFC 3168, 6.1.1",
      "in LAST_ACK; < AE seq=2 ack=1; > -; < AC seq=2 ack=1; > -; state LAST_ACK" },
    { "LAST_ACK", "urgent", "RFC 9293, 3.10.7.4, seventh",
      "in LAST_ACK; < PAU seq=2 ack=1 len=10; > -; noread; state LAST_ACK; segs 0" },
    { "LAST_ACK", "data_partly_old", "RFC 9293, 3.10.7.4, seventh",
      "in LAST_ACK; < PA seq=-3 ack=1 len=10; > -; noread; state LAST_ACK; segs 0"
      "; # linux: differs: it resets who sends text behind the own FIN" },
};

const struct tcp_dsl_suite cases_last_ack = { cases, sizeof(cases) / sizeof(cases[0]) };
