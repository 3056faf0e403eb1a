/* Few segments: what is dropped first, and that everything goes on afterwards. */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "memory", "gap_is_dropped_first", "limits",
      "set segs 64; in ESTABLISHED; hold 15; < PA seq=11 ack=1 len=10; > A ack=1; "
      "segs 49; count tcp_reasm_drops 1; drop; < PA seq=11 ack=1 len=10; > A ack=1; "
      "< PA seq=1 ack=1 len=10; > A ack=21; read 20" },
    { "memory", "gap_is_given_back", "limits",
      "set segs 64; in ESTABLISHED; < PA seq=11 ack=1 len=10; > A; segs 1; hold 4; "
      "flush; segs 59; drop; segs 0; < PA seq=1 ack=1 len=10; > A ack=11; read 10; "
      "noread" },
    { "memory", "first_bytes_are_taken", "limits",
      "set segs 64; in ESTABLISHED; hold 2; < PA seq=1 ack=1 len=1000; > A ack=1001; "
      "read 1000" },
    { "memory", "next_bytes_are_not", "limits",
      "set segs 64; in ESTABLISHED; hold 3; < PA seq=1 ack=1 len=1000; > A ack=1001; "
      "< PA seq=1001 ack=1 len=1000; > A ack=1001; count tcp_memory_drops 1; drop; "
      "< PA seq=1001 ack=1 len=1000; > A ack=2001; read 2000" },
    { "memory", "window_stays_shut", "limits",
      "set segs 64; set rcv 4000; in ESTABLISHED; < A seq=1 ack=1 len=1460; "
      "> A wnd=2540; < A seq=1461 ack=1 len=1460; > A wnd=1080; hold 10; read 2920; "
      "> A wnd=1080; drop; > A wnd=4000; > -" },
    { "memory", "no_segment_to_send", "tcp_output.c",
      "set segs 64; in ESTABLISHED; write 100; hold 0; > -; wait 10ms; drop; "
      "> PA len=100; < A seq=1 ack=101; ready WD" },
    { "memory", "no_segment_to_write", "stream.h",
      "set segs 64; in ESTABLISHED; hold 0; ready WD; write 0; drop; flush; ready WD" },
    { "memory", "no_segment_for_syn", "tcp_output.c",
      "set segs 64; hold 0; connect; > -; drop; > S" },
    { "memory", "no_segment_for_fin", "tcp_output.c",
      "set segs 64; in ESTABLISHED; hold 0; shutdown; > -; drop; > FA seq=1" },
    { "memory", "no_segment_for_timeout", "tcp_output.c",
      "set segs 64; in ESTABLISHED; write 10; > PA len=10; hold 0; wait 2s; > -; drop; "
      "> PA seq=1 len=10; < A seq=1 ack=11; ready WD" },
    { "memory", "time_wait_full", "limits",
      "set tws 1; in TIME_WAIT; close; < S seq=0 port=50001; > SA; "
      "< A seq=1 ack=1 port=50001; accept; shutdown; > FA; "
      "< FA seq=1 ack=2 port=50001; > A; close; state LISTEN; segs 0" },
};

const struct tcp_dsl_suite cases_memory = { cases, sizeof(cases) / sizeof(cases[0]) };
