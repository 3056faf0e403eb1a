/* The peer has sent its end, we have not. */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "CLOSE_WAIT", "syn", "RFC 5961, 4.2",
      "in CLOSE_WAIT; < S seq=2; > A seq=1 ack=2; state CLOSE_WAIT" },
    { "CLOSE_WAIT", "synack", "RFC 5961, 4.2",
      "in CLOSE_WAIT; < SA seq=2 ack=1; > A seq=1 ack=2; state CLOSE_WAIT" },
    { "CLOSE_WAIT", "ack_old", "RFC 9293, 3.10.7.4, fifth",
      "in CLOSE_WAIT; write 10; > PA len=10; < A seq=2 ack=11; < A seq=2 ack=1; > -; "
      "ready WED" },
    { "CLOSE_WAIT", "ack_now", "RFC 9293, 3.10.7.4, fifth",
      "in CLOSE_WAIT; write 10; > PA seq=1 ack=2 len=10; ready WE; < A seq=2 ack=11; "
      "ready WED" },
    { "CLOSE_WAIT", "ack_future", "RFC 5961, 5.2",
      "in CLOSE_WAIT; < A seq=2 ack=5; > A seq=1 ack=2" },
    { "CLOSE_WAIT", "data_next", "RFC 9293, 3.10.7.4, seventh",
      "in CLOSE_WAIT; < PA seq=2 ack=1 len=10; > -; noread; state CLOSE_WAIT; segs 0" },
    { "CLOSE_WAIT", "data_gap", "RFC 9293, 3.10.7.4, seventh",
      "in CLOSE_WAIT; < PA seq=20 ack=1 len=10; > -; noread; segs 0" },
    { "CLOSE_WAIT", "data_old", "RFC 9293, 3.10.7.4, first",
      "in CLOSE_WAIT; < PA seq=-5 ack=1 len=3; > A seq=1 ack=2; noread" },
    { "CLOSE_WAIT", "data_beyond", "RFC 9293, 3.10.7.4, first",
      "in CLOSE_WAIT; < PA seq=65540 ack=1 len=3; > A seq=1 ack=2" },
    { "CLOSE_WAIT", "fin", "RFC 9293, 3.10.7.4, eighth",
      "in CLOSE_WAIT; < FA seq=1 ack=1; > A seq=1 ack=2; state CLOSE_WAIT" },
    { "CLOSE_WAIT", "fin_gap", "RFC 9293, 3.10.7.4, eighth",
      "in CLOSE_WAIT; < FA seq=9 ack=1; > -; state CLOSE_WAIT" },
    { "CLOSE_WAIT", "noack", "RFC 9293, 3.10.7.4, fifth", "in CLOSE_WAIT; < P seq=2 len=1; > -" },
    { "CLOSE_WAIT", "rst_exact", "RFC 9293, 3.10.7.4, second",
      "in CLOSE_WAIT; < R seq=2; > -; ready F; state CLOSED; count tcp_estab_resets 1" },
    { "CLOSE_WAIT", "rst_window", "RFC 5961, 3.2",
      "in CLOSE_WAIT; < R seq=3; > A seq=1 ack=2; state CLOSE_WAIT" },
    { "CLOSE_WAIT", "rst_outside", "RFC 5961, 3.2",
      "in CLOSE_WAIT; < R seq=1; > -; state CLOSE_WAIT"
      "; # linux: differs: it takes a RST at the FIN's own number for one of macOS" },
    { "CLOSE_WAIT", "timeout", "RFC 6298, 5.4",
      "in CLOSE_WAIT; write 10; > PA len=10; wait 1001ms; > PA seq=1 ack=2 len=10" },
    { "CLOSE_WAIT", "write", "RFC 9293, 3.10.2",
      "in CLOSE_WAIT; write 10; > PA seq=1 ack=2 len=10; state CLOSE_WAIT" },
    { "CLOSE_WAIT", "shutdown", "RFC 9293, 3.10.4",
      "in CLOSE_WAIT; shutdown; > FA seq=1 ack=2; state LAST_ACK; ready ED" },
    { "CLOSE_WAIT", "close", "RFC 2525, 2.17",
      "in CLOSE_WAIT; close; > RA seq=1 ack=2; state CLOSED" },
    { "CLOSE_WAIT", "shutdown_close", "stream.h",
      "in CLOSE_WAIT; write 10; shutdown; close; > FPA seq=1 ack=2 len=10; "
      "state LAST_ACK; < A seq=2 ack=12; state CLOSED; segs 0" },
    { "CLOSE_WAIT", "abort", "RFC 9293, 3.10.5",
      "in CLOSE_WAIT; abort; > RA seq=1 ack=2; ready F" },
    { "CLOSE_WAIT", "keepalive", "RFC 9293, 3.8.4",
      "in CLOSE_WAIT; < A seq=1 ack=1; > A seq=1 ack=2; > -; state CLOSE_WAIT" },
    { "CLOSE_WAIT", "rst_ack", "RFC 5961, 3.2",
      "in CLOSE_WAIT; < RA seq=2 ack=1; > -; ready F; state CLOSED; segs 0" },
    { "CLOSE_WAIT", "ack_far_old", "RFC 5961, 5.2",
      "in CLOSE_WAIT; < A seq=2 ack=-70000; > A seq=1 ack=2; state CLOSE_WAIT; count "
      "tcp_challenge_acks 1" },
    { "CLOSE_WAIT", "syn_data", "RFC 5961, 4.2",
      "in CLOSE_WAIT; < S seq=2 len=10; > A seq=1 ack=2; noread; state CLOSE_WAIT; segs 0" },
    { "CLOSE_WAIT", "ece", "RFC 3168, 6.1.1",
      "in CLOSE_WAIT; < AE seq=2 ack=1; > -; < AC seq=2 ack=1; > -; state CLOSE_WAIT" },
    { "CLOSE_WAIT", "urgent", "RFC 9293, 3.10.7.4, seventh",
      "in CLOSE_WAIT; < PAU seq=2 ack=1 len=10; > -; noread; state CLOSE_WAIT; segs 0" },
    { "CLOSE_WAIT", "data_partly_old", "RFC 9293, 3.10.7.4, seventh",
      "in CLOSE_WAIT; < PA seq=-3 ack=1 len=10; > -; noread; state CLOSE_WAIT; segs 0"
      "; # linux: differs: it resets who sends text behind the own FIN" },
};

const struct tcp_dsl_suite cases_close_wait = { cases, sizeof(cases) / sizeof(cases[0]) };
