/* Both have sent FIN, ours is not acknowledged. */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "CLOSING", "syn", "RFC 5961, 4.2", "in CLOSING; < S seq=2; > A seq=2 ack=2; state CLOSING" },
    { "CLOSING", "synack", "RFC 5961, 4.2",
      "in CLOSING; < SA seq=2 ack=2; > A seq=2 ack=2; state CLOSING" },
    { "CLOSING", "ack_old", "RFC 9293, 3.10.7.4, fifth",
      "in CLOSING; < A seq=2 ack=1; > -; state CLOSING" },
    { "CLOSING", "ack_now", "RFC 9293, 3.10.7.4, fifth",
      "in CLOSING; < A seq=2 ack=2; > -; state TIME_WAIT; ready ED; close; segs 0" },
    { "CLOSING", "ack_future", "RFC 5961, 5.2",
      "in CLOSING; < A seq=2 ack=3; > A seq=2 ack=2; state CLOSING" },
    { "CLOSING", "data_next", "RFC 9293, 3.10.7.4, seventh",
      "in CLOSING; < PA seq=2 ack=1 len=10; > -; noread; segs 0; state CLOSING" },
    { "CLOSING", "data_gap", "RFC 9293, 3.10.7.4, seventh",
      "in CLOSING; < PA seq=9 ack=1 len=10; > -; noread; state CLOSING" },
    { "CLOSING", "data_old", "RFC 9293, 3.10.7.4, first",
      "in CLOSING; < PA seq=-9 ack=1 len=5; > A seq=2 ack=2; state CLOSING" },
    { "CLOSING", "data_beyond", "RFC 9293, 3.10.7.4, first",
      "in CLOSING; < PA seq=65540 ack=1 len=5; > A seq=2 ack=2" },
    { "CLOSING", "fin", "RFC 9293, 3.10.7.4, eighth",
      "in CLOSING; < FA seq=1 ack=1; > A seq=2 ack=2; state CLOSING" },
    { "CLOSING", "fin_gap", "RFC 9293, 3.10.7.4, eighth",
      "in CLOSING; < FA seq=9 ack=1; > -; state CLOSING" },
    { "CLOSING", "noack", "RFC 9293, 3.10.7.4, fifth", "in CLOSING; < P seq=2 len=3; > -" },
    { "CLOSING", "rst_exact", "RFC 9293, 3.10.7.4, second",
      "in CLOSING; < R seq=2; > -; state CLOSED; ready F" },
    { "CLOSING", "rst_window", "RFC 5961, 3.2",
      "in CLOSING; < R seq=3; > A seq=2 ack=2; state CLOSING" },
    { "CLOSING", "rst_outside", "RFC 5961, 3.2",
      "in CLOSING; < R seq=1; > -; state CLOSING"
      "; # linux: differs: it takes a RST at the FIN's own number for one of macOS" },
    { "CLOSING", "timeout", "RFC 6298, 5.4",
      "in CLOSING; wait 1001ms; > FA seq=1 ack=2; < A seq=2 ack=2; state TIME_WAIT" },
    { "CLOSING", "write", "stream.h", "in CLOSING; ready ED" },
    { "CLOSING", "shutdown", "stream.h", "in CLOSING; shutdown; > -; state CLOSING" },
    { "CLOSING", "close", "stream.h",
      "in CLOSING; close; > -; state CLOSING; < A seq=2 ack=2; state TIME_WAIT; "
      "segs 0" },
    { "CLOSING", "abort", "RFC 9293, 3.10.5",
      "in CLOSING; abort; > RA seq=2 ack=2; ready F; state CLOSED"
      "; # linux: differs: with all said and read it goes without a RST" },
    { "CLOSING", "keepalive", "RFC 9293, 3.8.4",
      "in CLOSING; < A seq=1 ack=1; > A seq=2 ack=2; > -; state CLOSING" },
    { "CLOSING", "rst_ack", "RFC 5961, 3.2",
      "in CLOSING; < RA seq=2 ack=1; > -; ready F; state CLOSED; segs 0" },
    { "CLOSING", "ack_far_old", "RFC 5961, 5.2",
      "in CLOSING; < A seq=2 ack=-70000; > A seq=2 ack=2; state CLOSING; count tcp_challenge_acks "
      "1" },
    { "CLOSING", "syn_data", "RFC 5961, 4.2",
      "in CLOSING; < S seq=2 len=10; > A seq=2 ack=2; noread; state CLOSING; segs 0" },
    { "CLOSING", "ece", "RFC 3168, 6.1.1",
      "in CLOSING; < AE seq=2 ack=1; > -; < AC seq=2 ack=1; > -; state CLOSING" },
    { "CLOSING", "urgent", "RFC 9293, 3.10.7.4, seventh",
      "in CLOSING; < PAU seq=2 ack=1 len=10; > -; noread; state CLOSING; segs 0" },
    { "CLOSING", "data_partly_old", "RFC 9293, 3.10.7.4, seventh",
      "in CLOSING; < PA seq=-3 ack=1 len=10; > -; noread; state CLOSING; segs 0"
      "; # linux: differs: it sends its FIN again, or resets: the text is behind the own FIN" },
};

const struct tcp_dsl_suite cases_closing = { cases, sizeof(cases) / sizeof(cases[0]) };
