/* The state in which nearly everything happens. */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "ESTABLISHED", "syn", "RFC 5961, 4.2",
      "in ESTABLISHED; < S seq=1; > A seq=1 ack=1; state ESTABLISHED; < S seq=-5000; "
      "> A seq=1 ack=1; state ESTABLISHED" },
    { "ESTABLISHED", "synack", "RFC 5961, 4.2",
      "in ESTABLISHED; < SA seq=0 ack=1; > A seq=1 ack=1; state ESTABLISHED" },
    { "ESTABLISHED", "ack_old", "RFC 9293, 3.10.7.4, fifth",
      "in ESTABLISHED; write 100; > PA len=100; < A seq=1 ack=101; write 50; "
      "> PA len=50; < A seq=1 ack=1; > -; ready W" },
    { "ESTABLISHED", "ack_too_old", "RFC 5961, 5.2",
      "in ESTABLISHED; < A seq=1 ack=-70000; > A seq=1 ack=1; "
      "count tcp_challenge_acks 1" },
    { "ESTABLISHED", "ack_now", "RFC 9293, 3.10.7.4, fifth",
      "in ESTABLISHED; < A seq=1 ack=1; > -; write 10; > PA len=10; ready W; "
      "< A seq=1 ack=11; > -; ready WD" },
    { "ESTABLISHED", "ack_future", "RFC 5961, 5.2",
      "in ESTABLISHED; < A seq=1 ack=2; > A seq=1 ack=1; state ESTABLISHED" },
    { "ESTABLISHED", "data_next", "RFC 9293, 3.10.7.4, seventh",
      "in ESTABLISHED; < PA seq=1 ack=1 len=100; > A seq=1 ack=101; ready RWD; "
      "read 100; noread; ready WD; segs 0" },
    { "ESTABLISHED", "data_next_and_reply", "DESIGN.md",
      "in ESTABLISHED; < PA seq=1 ack=1 len=100; read 100; write 30; "
      "> PA seq=1 ack=101 len=30; > -"
      "; # linux: differs: it acknowledges a new connection's text at once, before the reply is "
      "written" },
    { "ESTABLISHED", "data_gap", "RFC 5681, 4.2",
      "in ESTABLISHED; < PA seq=101 ack=1 len=100; > A seq=1 ack=1; noread; "
      "< PA seq=1 ack=1 len=100; > A ack=201; read 200" },
    { "ESTABLISHED", "data_old", "RFC 9293, 3.10.7.4, first",
      "in ESTABLISHED; < PA seq=1 ack=1 len=100; > A ack=101; "
      "< PA seq=1 ack=1 len=100; > A seq=1 ack=101; read 100; noread" },
    { "ESTABLISHED", "data_partly_old", "RFC 9293, 3.10.7.4, seventh",
      "in ESTABLISHED; < PA seq=1 ack=1 len=100; > A ack=101; "
      "< PA seq=51 ack=1 len=100; > A ack=151; read 150; noread" },
    { "ESTABLISHED", "data_beyond", "RFC 9293, 3.10.7.4, first",
      "in ESTABLISHED; < PA seq=65536 ack=1 len=10; > A seq=1 ack=1; noread; segs 0" },
    { "ESTABLISHED", "data_partly_beyond", "RFC 9293, 3.10.7.4, seventh",
      "set rcv 1000; in ESTABLISHED; < PA seq=1 ack=1 len=1400; > A ack=1001 wnd=0; "
      "read 1000; noread"
      "; # linux: differs: it takes what is beyond a window that has begun" },
    { "ESTABLISHED", "fin", "RFC 9293, 3.10.7.4, eighth",
      "in ESTABLISHED; < FA seq=1 ack=1; > A seq=1 ack=2; state CLOSE_WAIT; ready WED" },
    { "ESTABLISHED", "fin_with_data", "RFC 9293, 3.10.7.4, eighth",
      "in ESTABLISHED; < FPA seq=1 ack=1 len=10; > A seq=1 ack=12; state CLOSE_WAIT; "
      "ready RWED; read 10; ready WED" },
    { "ESTABLISHED", "fin_gap", "RFC 9293, 3.10.7.4, eighth",
      "in ESTABLISHED; < FA seq=11 ack=1; > A seq=1 ack=1; state ESTABLISHED; "
      "< PA seq=1 ack=1 len=10; > A ack=12; state CLOSE_WAIT; read 10" },
    { "ESTABLISHED", "fin_with_data_gap", "RFC 9293, 3.10.7.4, eighth",
      "in ESTABLISHED; < FPA seq=11 ack=1 len=10; > A ack=1; < PA seq=1 ack=1 len=10; "
      "> A ack=22; read 20; state CLOSE_WAIT" },
    { "ESTABLISHED", "data_behind_fin", "RFC 9293, 3.10.7.4, seventh",
      "in ESTABLISHED; < FA seq=11 ack=1; > A ack=1; < PA seq=11 ack=1 len=50; "
      "> A ack=1; < PA seq=1 ack=1 len=10; > A ack=12; read 10; noread"
      "; # linux: differs: it forgets a FIN that was out of order when text comes behind it" },
    { "ESTABLISHED", "noack", "RFC 9293, 3.10.7.4, fifth",
      "in ESTABLISHED; < P seq=1 len=10; > -; noread; segs 0" },
    { "ESTABLISHED", "rst_exact", "RFC 5961, 3.2",
      "in ESTABLISHED; < PA seq=1 ack=1 len=10; > A; < R seq=11; > -; ready F; noread; "
      "state CLOSED; segs 0; count tcp_estab_resets 1"
      "; # linux: differs: what came before the RST can still be read" },
    { "ESTABLISHED", "rst_window", "RFC 5961, 3.2",
      "in ESTABLISHED; < R seq=2; > A seq=1 ack=1; state ESTABLISHED; < R seq=1; "
      "ready F" },
    { "ESTABLISHED", "rst_outside", "RFC 5961, 3.2",
      "in ESTABLISHED; < R seq=0; > -; < R seq=65537; > -; state ESTABLISHED" },
    { "ESTABLISHED", "rst_flood", "RFC 5961, 7",
      "in ESTABLISHED; < R seq=2; < R seq=3; > A; > -; < R seq=2; > A; < R seq=2; > A; "
      "< R seq=2; > A; < R seq=2; > A; < R seq=2; > A; < R seq=2; > A; < R seq=2; > A; "
      "< R seq=2; > A; < R seq=2; > -; wait 1s; < R seq=2; > A"
      "; # linux: differs: it has no limit of its own for each connection (tcp_invalid_ratelimit "
      "is off here)" },
    { "ESTABLISHED", "urgent", "RFC 6093",
      "in ESTABLISHED; < PAU seq=1 ack=1 len=10; > A ack=11; read 10" },
    { "ESTABLISHED", "timeout", "RFC 9293, 3.8.4",
      "in ESTABLISHED; wait 3600s; > -; state ESTABLISHED" },
    { "ESTABLISHED", "write", "RFC 9293, 3.10.2",
      "in ESTABLISHED; write 1000; > PA seq=1 ack=1 len=1000; ready W; "
      "< A seq=1 ack=1001; ready WD" },
    { "ESTABLISHED", "write_much", "RFC 6928",
      "in ESTABLISHED; write 30000; > A seq=1 len=1460; > A seq=1461 len=1460; "
      "> A len=1460; > A len=1460; > A len=1460; > A len=1460; > A len=1460; "
      "> A len=1460; > A len=1460; > A len=1460; > -" },
    { "ESTABLISHED", "write_until_full", "limits",
      "set snd 4000; in ESTABLISHED; write 1200; write 1200; write 1000; ready -; "
      "> A len=1460; > A len=1460; > PA len=480; < A seq=1 ack=1461; ready W" },
    { "ESTABLISHED", "shutdown", "RFC 9293, 3.10.4",
      "in ESTABLISHED; shutdown; > FA seq=1 ack=1; state FIN_WAIT_1; ready D" },
    { "ESTABLISHED", "write_and_shutdown", "RFC 9293, 3.10.4",
      "in ESTABLISHED; write 10; shutdown; > FPA seq=1 ack=1 len=10; < A seq=1 ack=12; "
      "state FIN_WAIT_2" },
    { "ESTABLISHED", "close", "RFC 2525, 2.17",
      "in ESTABLISHED; close; > RA seq=1 ack=1; state CLOSED; segs 0" },
    { "ESTABLISHED", "close_unread", "RFC 2525, 2.17",
      "in ESTABLISHED; < PA seq=1 ack=1 len=10; > A; shutdown; > FA seq=1; close; "
      "> RA seq=2 ack=11; state CLOSED; segs 0" },
    { "ESTABLISHED", "close_unread_gap", "RFC 2525, 2.17",
      "in ESTABLISHED; < PA seq=100 ack=1 len=10; > A; shutdown; > FA seq=1; close; "
      "> RA seq=2; state CLOSED; segs 0"
      "; # linux: differs: text behind a gap is no unread text to it" },
    { "ESTABLISHED", "abort", "RFC 9293, 3.10.5",
      "in ESTABLISHED; write 10; > PA len=10; < PA seq=1 ack=1 len=10; abort; "
      "> RA seq=11 ack=11; ready F; > -; abort; > -; segs 0"
      "; # linux: differs: it acknowledges a new connection's text before the call comes" },
    { "ESTABLISHED", "keepalive", "RFC 9293, 3.8.4",
      "in ESTABLISHED; < A seq=0 ack=1; > A seq=1 ack=1; > -; state ESTABLISHED" },
    { "ESTABLISHED", "rst_ack", "RFC 5961, 3.2",
      "in ESTABLISHED; < RA seq=1 ack=1; > -; ready F; state CLOSED; segs 0" },
    { "ESTABLISHED", "ack_far_old", "RFC 5961, 5.2",
      "in ESTABLISHED; < A seq=1 ack=-70000; > A seq=1 ack=1; state ESTABLISHED; count "
      "tcp_challenge_acks 1" },
    { "ESTABLISHED", "syn_data", "RFC 5961, 4.2",
      "in ESTABLISHED; < S seq=1 len=10; > A seq=1 ack=1; noread; state ESTABLISHED; segs 0" },
    { "ESTABLISHED", "ece", "RFC 3168, 6.1.1",
      "in ESTABLISHED; < AE seq=1 ack=1; > -; < AC seq=1 ack=1; > -; state ESTABLISHED" },
};

const struct tcp_dsl_suite cases_established = { cases, sizeof(cases) / sizeof(cases[0]) };
