/* Our FIN is acknowledged, the peer may still send. */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "FIN_WAIT_2", "syn", "RFC 5961, 4.2",
      "in FIN_WAIT_2; < S seq=1; > A seq=2 ack=1; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "synack", "RFC 5961, 4.2",
      "in FIN_WAIT_2; < SA seq=1 ack=2; > A seq=2 ack=1; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "ack_old", "RFC 9293, 3.10.7.4, fifth",
      "in FIN_WAIT_2; < A seq=1 ack=1; > -; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "ack_now", "RFC 9293, 3.10.7.4, fifth",
      "in FIN_WAIT_2; < A seq=1 ack=2; > -; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "ack_future", "RFC 5961, 5.2",
      "in FIN_WAIT_2; < A seq=1 ack=3; > A seq=2 ack=1; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "data_next", "RFC 9293, 3.10.7.4, seventh",
      "in FIN_WAIT_2; < PA seq=1 ack=2 len=10; > A seq=2 ack=11; ready RD; read 10" },
    { "FIN_WAIT_2", "data_gap", "RFC 9293, 3.10.7.4, seventh",
      "in FIN_WAIT_2; < PA seq=5 ack=2 len=10; > A seq=2 ack=1; noread; "
      "< PA seq=1 ack=2 len=4; > A ack=15; read 14" },
    { "FIN_WAIT_2", "data_old", "RFC 9293, 3.10.7.4, first",
      "in FIN_WAIT_2; < PA seq=-9 ack=2 len=3; > A seq=2 ack=1" },
    { "FIN_WAIT_2", "data_beyond", "RFC 9293, 3.10.7.4, first",
      "in FIN_WAIT_2; < PA seq=65536 ack=2 len=3; > A seq=2 ack=1" },
    { "FIN_WAIT_2", "data_orphan", "RFC 9293, 3.6.1",
      "in FIN_WAIT_2; close; < PA seq=1 ack=2 len=10; > RA seq=2 ack=1; state CLOSED; "
      "segs 0"
      "; # linux: differs: its RST has the number of the segment's ACK, as for no connection" },
    { "FIN_WAIT_2", "fin", "RFC 9293, 3.10.7.4, eighth",
      "in FIN_WAIT_2; < FA seq=1 ack=2; > A seq=2 ack=2; > -; state TIME_WAIT; "
      "ready ED" },
    { "FIN_WAIT_2", "fin_with_data", "RFC 9293, 3.10.7.4, eighth",
      "in FIN_WAIT_2; < FPA seq=1 ack=2 len=10; > A seq=2 ack=12; > -; "
      "state TIME_WAIT; ready RED; read 10; ready ED; close; segs 0" },
    { "FIN_WAIT_2", "fin_gap", "RFC 9293, 3.10.7.4, eighth",
      "in FIN_WAIT_2; < FA seq=2 ack=2; > A seq=2 ack=1; state FIN_WAIT_2; "
      "< PA seq=1 ack=2 len=1; > A ack=3; state TIME_WAIT" },
    { "FIN_WAIT_2", "noack", "RFC 9293, 3.10.7.4, fifth",
      "in FIN_WAIT_2; < F seq=1; > -; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "rst_exact", "RFC 9293, 3.10.7.4, second",
      "in FIN_WAIT_2; < R seq=1; > -; state CLOSED; ready F" },
    { "FIN_WAIT_2", "rst_window", "RFC 5961, 3.2",
      "in FIN_WAIT_2; < R seq=2; > A seq=2 ack=1; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "rst_outside", "RFC 5961, 3.2",
      "in FIN_WAIT_2; < R seq=0; > -; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "timeout", "RFC 9293, 3.6",
      "in FIN_WAIT_2; wait 3600s; > -; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "write", "stream.h", "in FIN_WAIT_2; ready D" },
    { "FIN_WAIT_2", "shutdown", "stream.h", "in FIN_WAIT_2; shutdown; > -; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "close", "limits",
      "in FIN_WAIT_2; close; > -; wait 59s; > -; state FIN_WAIT_2; wait 2s; "
      "> RA seq=2 ack=1; state CLOSED" },
    { "FIN_WAIT_2", "abort", "RFC 9293, 3.10.5",
      "in FIN_WAIT_2; abort; > RA seq=2 ack=1; ready F" },
    { "FIN_WAIT_2", "keepalive", "RFC 9293, 3.8.4",
      "in FIN_WAIT_2; < A seq=0 ack=2; > A seq=2 ack=1; > -; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "rst_ack", "RFC 5961, 3.2",
      "in FIN_WAIT_2; < RA seq=1 ack=2; > -; ready F; state CLOSED; segs 0" },
    { "FIN_WAIT_2", "ack_far_old", "RFC 5961, 5.2",
      "in FIN_WAIT_2; < A seq=1 ack=-70000; > A seq=2 ack=1; state FIN_WAIT_2; count "
      "tcp_challenge_acks 1" },
    { "FIN_WAIT_2", "syn_data", "RFC 5961, 4.2",
      "in FIN_WAIT_2; < S seq=1 len=10; > A seq=2 ack=1; noread; state FIN_WAIT_2; segs 0" },
    { "FIN_WAIT_2", "ece", "RFC 3168, 6.1.1",
      "in FIN_WAIT_2; < AE seq=1 ack=2; > -; < AC seq=1 ack=2; > -; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "urgent", "RFC 6093",
      "in FIN_WAIT_2; < PAU seq=1 ack=2 len=10; > A seq=2 ack=11; read 10; state FIN_WAIT_2" },
    { "FIN_WAIT_2", "data_partly_old", "RFC 9293, 3.10.7.4, seventh",
      "in FIN_WAIT_2; < PA seq=-4 ack=2 len=10; > A seq=2 ack=6; read 5; noread" },
};

const struct tcp_dsl_suite cases_fin_wait_2 = { cases, sizeof(cases) / sizeof(cases[0]) };
