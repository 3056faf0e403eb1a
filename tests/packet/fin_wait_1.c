/* Our FIN is out, nothing has come for it. */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "FIN_WAIT_1", "syn", "RFC 5961, 4.2",
      "in FIN_WAIT_1; < S seq=1; > A seq=2 ack=1; state FIN_WAIT_1" },
    { "FIN_WAIT_1", "synack", "RFC 5961, 4.2",
      "in FIN_WAIT_1; < SA seq=0 ack=1; > A seq=2 ack=1; state FIN_WAIT_1" },
    { "FIN_WAIT_1", "ack_old", "RFC 9293, 3.10.7.4, fifth",
      "in FIN_WAIT_1; < A seq=1 ack=1; > -; state FIN_WAIT_1" },
    { "FIN_WAIT_1", "ack_now", "RFC 9293, 3.10.7.4, fifth",
      "in FIN_WAIT_1; < A seq=1 ack=2; > -; state FIN_WAIT_2; ready D" },
    { "FIN_WAIT_1", "ack_future", "RFC 5961, 5.2",
      "in FIN_WAIT_1; < A seq=1 ack=3; > A seq=2 ack=1; state FIN_WAIT_1" },
    { "FIN_WAIT_1", "data_next", "RFC 9293, 3.10.7.4, seventh",
      "in FIN_WAIT_1; < PA seq=1 ack=1 len=10; > A seq=2 ack=11; read 10; "
      "state FIN_WAIT_1" },
    { "FIN_WAIT_1", "data_next_acking", "RFC 9293, 3.10.7.4, seventh",
      "in FIN_WAIT_1; < PA seq=1 ack=2 len=10; > A seq=2 ack=11; read 10; "
      "state FIN_WAIT_2" },
    { "FIN_WAIT_1", "data_gap", "RFC 9293, 3.10.7.4, seventh",
      "in FIN_WAIT_1; < PA seq=11 ack=1 len=10; > A seq=2 ack=1; noread; "
      "< PA seq=1 ack=1 len=10; > A ack=21; read 20" },
    { "FIN_WAIT_1", "data_old", "RFC 9293, 3.10.7.4, first",
      "in FIN_WAIT_1; < PA seq=-9 ack=1 len=5; > A seq=2 ack=1" },
    { "FIN_WAIT_1", "data_beyond", "RFC 9293, 3.10.7.4, first",
      "in FIN_WAIT_1; < PA seq=65536 ack=1 len=5; > A seq=2 ack=1" },
    { "FIN_WAIT_1", "data_orphan", "RFC 9293, 3.6.1",
      "in FIN_WAIT_1; close; > -; < PA seq=1 ack=1 len=10; > RA seq=2 ack=1; "
      "state CLOSED; segs 0"
      "; # linux: differs: its RST has the number of the segment's ACK, as for no connection" },
    { "FIN_WAIT_1", "fin", "RFC 9293, 3.10.7.4, eighth",
      "in FIN_WAIT_1; < FA seq=1 ack=1; > A seq=2 ack=2; state CLOSING; ready ED" },
    { "FIN_WAIT_1", "fin_acking", "RFC 9293, 3.10.7.4, eighth",
      "in FIN_WAIT_1; < FA seq=1 ack=2; > A seq=2 ack=2; state TIME_WAIT; ready ED" },
    { "FIN_WAIT_1", "fin_gap", "RFC 9293, 3.10.7.4, eighth",
      "in FIN_WAIT_1; < FA seq=11 ack=2; > A seq=2 ack=1; state FIN_WAIT_2; "
      "< PA seq=1 ack=2 len=10; > A ack=12; state TIME_WAIT; ready RED; read 10" },
    { "FIN_WAIT_1", "noack", "RFC 9293, 3.10.7.4, fifth",
      "in FIN_WAIT_1; < F seq=1; > -; state FIN_WAIT_1" },
    { "FIN_WAIT_1", "rst_exact", "RFC 9293, 3.10.7.4, second",
      "in FIN_WAIT_1; < R seq=1; > -; state CLOSED; ready F" },
    { "FIN_WAIT_1", "rst_window", "RFC 5961, 3.2",
      "in FIN_WAIT_1; < R seq=7; > A seq=2 ack=1; state FIN_WAIT_1" },
    { "FIN_WAIT_1", "rst_outside", "RFC 5961, 3.2",
      "in FIN_WAIT_1; < R seq=0; > -; state FIN_WAIT_1" },
    { "FIN_WAIT_1", "timeout", "RFC 6298, 5.4",
      "in FIN_WAIT_1; wait 999ms; > -; wait 2ms; > FA seq=1 ack=1; wait 2s; "
      "> FA seq=1; < A seq=1 ack=2; state FIN_WAIT_2"
      "; # linux: differs: it has measured the handshake, and its time-out is shorter" },
    { "FIN_WAIT_1", "timeout_for_ever", "RFC 1122, 4.2.3.5",
      "in FIN_WAIT_1; wait 1001ms; > FA; wait 2s; > FA; wait 4s; > FA; wait 8s; > FA; "
      "wait 16s; > FA; wait 32s; > FA; wait 60s; > RA seq=2 ack=1; ready F; "
      "state CLOSED" },
    { "FIN_WAIT_1", "write", "stream.h", "in FIN_WAIT_1; ready D" },
    { "FIN_WAIT_1", "shutdown", "stream.h", "in FIN_WAIT_1; shutdown; > -; state FIN_WAIT_1" },
    { "FIN_WAIT_1", "close", "stream.h",
      "in FIN_WAIT_1; close; > -; state FIN_WAIT_1; < A seq=1 ack=2; state FIN_WAIT_2; "
      "< FA seq=1 ack=2; > A seq=2 ack=2; state TIME_WAIT; segs 0" },
    { "FIN_WAIT_1", "close_for_ever", "limits",
      "in FIN_WAIT_1; close; wait 31s; > FA; > FA; > FA; > FA; > FA; > -; wait 30s; "
      "> RA seq=2 ack=1; > -; state CLOSED" },
    { "FIN_WAIT_1", "abort", "RFC 9293, 3.10.5",
      "in FIN_WAIT_1; abort; > RA seq=2 ack=1; ready F; state CLOSED" },
    { "FIN_WAIT_1", "keepalive", "RFC 9293, 3.8.4",
      "in FIN_WAIT_1; < A seq=0 ack=1; > A seq=2 ack=1; > -; state FIN_WAIT_1" },
    { "FIN_WAIT_1", "rst_ack", "RFC 5961, 3.2",
      "in FIN_WAIT_1; < RA seq=1 ack=1; > -; ready F; state CLOSED; segs 0" },
    { "FIN_WAIT_1", "ack_far_old", "RFC 5961, 5.2",
      "in FIN_WAIT_1; < A seq=1 ack=-70000; > A seq=2 ack=1; state FIN_WAIT_1; count "
      "tcp_challenge_acks 1" },
    { "FIN_WAIT_1", "syn_data", "RFC 5961, 4.2",
      "in FIN_WAIT_1; < S seq=1 len=10; > A seq=2 ack=1; noread; state FIN_WAIT_1; segs 0" },
    { "FIN_WAIT_1", "ece", "RFC 3168, 6.1.1",
      "in FIN_WAIT_1; < AE seq=1 ack=1; > -; < AC seq=1 ack=1; > -; state FIN_WAIT_1" },
    { "FIN_WAIT_1", "urgent", "RFC 6093",
      "in FIN_WAIT_1; < PAU seq=1 ack=1 len=10; > A seq=2 ack=11; read 10; state FIN_WAIT_1" },
    { "FIN_WAIT_1", "data_partly_old", "RFC 9293, 3.10.7.4, seventh",
      "in FIN_WAIT_1; < PA seq=-4 ack=1 len=10; > A seq=2 ack=6; read 5; noread" },
};

const struct tcp_dsl_suite cases_fin_wait_1 = { cases, sizeof(cases) / sizeof(cases[0]) };
