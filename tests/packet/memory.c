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
      "set segs 64; in ESTABLISHED; hold 5; < PA seq=1 ack=1 len=1000; > A ack=1001; "
      "read 1000" },
    { "memory", "first_bytes_are_not_when_receiving_needs_them", "limits",
      "set segs 64; in ESTABLISHED; hold 4; < PA seq=1 ack=1 len=1000; > A ack=1; "
      "count tcp_memory_drops 1; drop; < PA seq=1 ack=1 len=1000; > A ack=1001; read 1000" },
    { "memory", "next_bytes_are_not", "limits",
      "set segs 64; in ESTABLISHED; hold 8; < PA seq=1 ack=1 len=1000; > A ack=1001; "
      "< PA seq=1001 ack=1 len=1000; > A ack=1001; count tcp_memory_drops 1; drop; "
      "< PA seq=1001 ack=1 len=1000; > A ack=2001; read 2000" },
    { "memory", "window_stays_shut", "limits",
      "set segs 64; set rcv 4000; in ESTABLISHED; < A seq=1 ack=1 len=1460; "
      "> A wnd=2540; < A seq=1461 ack=1 len=1460; > A wnd=1080; hold 10; read 2920; "
      "> A wnd=1080; drop; > A wnd=4000; > -" },
    { "memory", "bytes_move_aside", "limits",
      "set segs 64; set aside 1; in ESTABLISHED; hold 8; < PA seq=1 ack=1 len=1000; "
      "> A ack=1001; segs 56; < PA seq=1001 ack=1 len=1400; > A ack=1001; "
      "count tcp_memory_drops 1; read 1000; drop; < PA seq=1001 ack=1 len=1400; > A ack=2401; "
      "read 1400; noread; segs 0" },
    { "memory", "no_new_connections", "limits",
      "set segs 64; in LISTEN; hold 24; < S seq=0; > -; count tcp_syn_dropped 1; drop; "
      "< S seq=0; > SA" },
    { "memory", "new_connections_wait_for_more", "limits",
      "set segs 64; in LISTEN; hold 24; < S seq=0; > -; drop; hold 28; < S seq=0; > -; "
      "count tcp_syn_dropped 2; drop; hold 29; < S seq=0; > SA" },
    { "memory", "no_new_cookies", "limits",
      "set segs 64; set syns 1; in LISTEN; < S seq=0 port=50001; > SA port=50001; "
      "< S seq=0; > SA; hold 24; < A seq=1 ack=1; > -; count tcp_syn_dropped 1; "
      "count tcp_syn_cookies_recv 0; drop; < A seq=1 ack=1; accept; state ESTABLISHED" },
    { "memory", "half_open_are_let_in", "limits",
      "set segs 64; in SYN_RCVD; hold 18; < A seq=1 ack=1; accept; state ESTABLISHED" },
    { "memory", "window_closes_as_bytes_come", "RFC 9293, 3.8.6",
      "set segs 64; set rcv 4000; in ESTABLISHED; hold 16; < A seq=1 ack=1 len=1460; read 1460; "
      "> A wnd=2540; < A seq=1461 ack=1 len=1460; read 1460; > A wnd=1080; "
      "< A seq=2921 ack=1 len=1080; read 1080; > A wnd=0; < A seq=4001 ack=1 len=1; > A wnd=0; "
      "drop; > A wnd=4000; < A seq=4001 ack=1 len=1; read 1" },
    { "memory", "window_opens_a_little_later", "limits",
      "set segs 64; set rcv 4000; in ESTABLISHED; hold 16; < A seq=1 ack=1 len=1460; read 1460; "
      "> A wnd=2540; drop; hold 19; > -; drop; hold 20; > A wnd=4000" },
    { "memory", "no_segment_to_send", "tcp_output.c",
      "set segs 64; in ESTABLISHED; write 100; hold 0; > -; wait 10ms; drop; "
      "> PA len=100; < A seq=1 ack=101; ready WD" },
    { "memory", "no_segment_to_write", "stream.h",
      "set segs 64; in ESTABLISHED; hold 0; ready WD; write 0; drop; flush; ready WD" },
    { "memory", "a_reply_is_written_for_longer", "limits",
      "set segs 64; in ESTABLISHED; hold 3; write 10; > PA len=10; "
      "< A seq=1 ack=11; write 10; > PA len=10; drop; write 10; > PA len=10" },
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
