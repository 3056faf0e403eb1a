/* The small entry that answers for a connection that is over (RFC 9293, 3.10.7.4; RFC 6191; RFC
 * 1337). */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "TIME_WAIT", "syn", "RFC 1122, 4.2.2.13",
      "in TIME_WAIT; < S seq=100000 mss=1460; > SA ack=100001; state SYN_RCVD; "
      "count tcp_time_wait_reused 1" },
    { "TIME_WAIT", "syn_and_ack", "RFC 1122, 4.2.2.13",
      "in TIME_WAIT; close; < S seq=100000 mss=1460; > SA ack=100001; < A seq=100001 ack=1; > -; "
      "accept; state ESTABLISHED; ready WD" },
    { "TIME_WAIT", "syn_and_rst", "RFC 9293, 3.10.7.4, second",
      "in TIME_WAIT; close; < S seq=100000; > SA; < R seq=100001; > -; state LISTEN; segs 0" },
    { "TIME_WAIT", "syn_and_silence", "RFC 6298, 5.4",
      "in TIME_WAIT; close; < S seq=100000; > SA; wait 1001ms; > SA ack=100001; wait 200s; "
      "state LISTEN; count tcp_given_up 1" },
    { "TIME_WAIT", "syn_twice", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; close; < S seq=100000; > SA; < S seq=100000; > SA ack=100001; > -; "
      "state SYN_RCVD; < A seq=100001 ack=1; accept" },
    { "TIME_WAIT", "syn_begins_timestamps", "RFC 6191, 2",
      "in TIME_WAIT; < S seq=1 ts=5; > SA ack=2 ecr=5; state SYN_RCVD"
      "; # linux: differs: a SYN with the next number is old to it when there were no timestamps" },
    { "TIME_WAIT", "syn_old", "RFC 5961, 4.2",
      "in TIME_WAIT; < S seq=1; > A seq=2 ack=2; state TIME_WAIT" },
    { "TIME_WAIT", "syn_when_stopped", "tcp.h",
      "in TIME_WAIT; unlisten; < S seq=100000; > RA ack=100001; state CLOSED"
      "; # linux: differs: it stays in TIME-WAIT when nobody listens" },
    { "TIME_WAIT", "synack", "RFC 5961, 4.2",
      "in TIME_WAIT; < SA seq=100000 ack=2; > A seq=2 ack=2; state TIME_WAIT" },
    { "TIME_WAIT", "ack_old", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; < A seq=2 ack=1; > -; state TIME_WAIT" },
    { "TIME_WAIT", "ack_now", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; < A seq=2 ack=2; > -; state TIME_WAIT" },
    { "TIME_WAIT", "ack_future", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; < A seq=9 ack=2; > A seq=2 ack=2; state TIME_WAIT" },
    { "TIME_WAIT", "data_next", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; < PA seq=2 ack=2 len=10; > A seq=2 ack=2; segs 0" },
    { "TIME_WAIT", "data_gap", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; < PA seq=20 ack=2 len=10; > A seq=2 ack=2" },
    { "TIME_WAIT", "data_old", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; < PA seq=1 ack=2 len=1; > A seq=2 ack=2" },
    { "TIME_WAIT", "data_beyond", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; < PA seq=65540 ack=2 len=1; > A seq=2 ack=2" },
    { "TIME_WAIT", "fin", "RFC 9293, 3.10.7.4, eighth",
      "in TIME_WAIT; wait 50s; < FA seq=1 ack=2; > A seq=2 ack=2; wait 50s; "
      "state TIME_WAIT; wait 11s; state CLOSED" },
    { "TIME_WAIT", "fin_gap", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; < FA seq=9 ack=2; > A seq=2 ack=2; state TIME_WAIT" },
    { "TIME_WAIT", "noack", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; < P seq=2 len=3; > A seq=2 ack=2" },
    { "TIME_WAIT", "rst_exact", "RFC 1337", "in TIME_WAIT; < R seq=2; > -; state TIME_WAIT" },
    { "TIME_WAIT", "rst_window", "RFC 1337", "in TIME_WAIT; < R seq=3; > -; state TIME_WAIT" },
    { "TIME_WAIT", "rst_outside", "RFC 1337", "in TIME_WAIT; < R seq=1; > -; state TIME_WAIT" },
    { "TIME_WAIT", "timeout", "RFC 9293, 3.6.1",
      "in TIME_WAIT; close; wait 59s; state TIME_WAIT; wait 2s; > -; state LISTEN; "
      "segs 0; < A seq=2 ack=2; > R seq=2" },
    { "TIME_WAIT", "write", "stream.h", "in TIME_WAIT; ready ED" },
    { "TIME_WAIT", "shutdown", "stream.h", "in TIME_WAIT; shutdown; > -; state TIME_WAIT" },
    { "TIME_WAIT", "close", "stream.h", "in TIME_WAIT; close; > -; state TIME_WAIT; segs 0" },
    { "TIME_WAIT", "abort", "RFC 9293, 3.10.5",
      "in TIME_WAIT; abort; > -; ready F; state TIME_WAIT" },
    { "TIME_WAIT", "ack_flood", "RFC 5961, 7",
      "in TIME_WAIT; < A seq=9 ack=2; > A seq=2 ack=2; < A seq=9 ack=2; > -; < S seq=1; > -; "
      "wait 600ms; < S seq=1; > A seq=2 ack=2; < A seq=9 ack=2; > -; "
      "count tcp_challenge_acks 2"
      "; # linux: differs: it has no limit of its own for each connection (tcp_invalid_ratelimit "
      "is off here)" },
    { "TIME_WAIT", "fin_flood", "RFC 9293, 3.10.7.4, eighth",
      "in TIME_WAIT; < A seq=9 ack=2; > A; < FA seq=1 ack=2; > A seq=2 ack=2; < FA seq=1 ack=2; "
      "> A seq=2 ack=2" },
    { "TIME_WAIT", "keepalive", "RFC 9293, 3.8.4",
      "in TIME_WAIT; < A seq=1 ack=2; > A seq=2 ack=2; state TIME_WAIT" },
    { "TIME_WAIT", "rst_ack", "RFC 1337", "in TIME_WAIT; < RA seq=2 ack=2; > -; state TIME_WAIT" },
    { "TIME_WAIT", "ack_far_old", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; < A seq=2 ack=-70000; > -; state TIME_WAIT" },
    { "TIME_WAIT", "syn_data", "RFC 5961, 4.2",
      "in TIME_WAIT; < S seq=1 len=10; > A seq=2 ack=2; state TIME_WAIT; segs 0" },
    { "TIME_WAIT", "ece", "RFC 3168, 6.1.1",
      "in TIME_WAIT; < AE seq=2 ack=2; > -; state TIME_WAIT" },
    { "TIME_WAIT", "urgent", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; < PAU seq=2 ack=2 len=10; > A seq=2 ack=2; segs 0" },
    { "TIME_WAIT", "data_partly_old", "RFC 9293, 3.10.7.4",
      "in TIME_WAIT; < PA seq=1 ack=2 len=10; > A seq=2 ack=2; segs 0" },
};

const struct tcp_dsl_suite cases_time_wait = { cases, sizeof(cases) / sizeof(cases[0]) };
