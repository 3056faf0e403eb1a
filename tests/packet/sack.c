/* The sender with SACK: RACK, the tail's probe, recovery (RFC 8985, RFC 6937, RFC 2018). */
#include "cases.h"

#include "tcp_dsl.h"

#define SIX                                                                                        \
    "in SACK; write 10; > PA len=10; wait 100ms; < A seq=1 ack=11; write 8760; > A seq=11 "        \
    "len=1460; "                                                                                   \
    "> A seq=1471 len=1460; > A seq=2931 len=1460; > A seq=4391 len=1460; > A seq=5851 len=1460; " \
    "> PA seq=7311 len=1460; wait 100ms; "

/* The end of what was sent is lost, the probe repairs it, and 10 bytes go behind it. */
#define TAIL_LOST(TS, MSS, TIME)                                                                \
    "< S seq=0 wnd=60000 mss=" MSS " sackok=1 " TS "; > SA; < A seq=1 ack=1 wnd=60000 " TS "; " \
    "accept; write 10; > PA len=10; wait 100ms; < A seq=1 ack=11 " TS "; write 2000; "          \
    "> A len=1000; > PA len=1000; wait " TIME "; > PA seq=1011 len=1000; write 10; "            \
    "> PA seq=2011 len=10; wait 5ms; < A seq=1 ack=2021 " TS "; "

static const struct tcp_dsl_case cases[] = {
    { "sack", "three_segments_later", "RFC 8985, 6.2, step 4",
      SIX "< A seq=1 ack=11 sack=1471-2931; > -; < A seq=1 ack=11 sack=1471-4391; > -; "
          "< A seq=1 ack=11 sack=1471-5851; > A seq=11 len=1460; > -; < A seq=1 ack=8771; "
          "ready WD; count tcp_fast_retrans 1; count tcp_timeouts 0"
          "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "one_segment_later_and_time", "RFC 8985, 6.2, step 5",
      SIX "< A seq=1 ack=11 sack=1471-2931; > -; wait 20ms; > -; wait 10ms; > A seq=11 len=1460; "
          "> -; < A seq=1 ack=8771; > -; count tcp_fast_retrans 1; count tcp_timeouts 0"
          "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "reordered_is_not_lost", "RFC 8985, 6.2, step 5",
      SIX "< A seq=1 ack=11 sack=1471-2931; > -; wait 10ms; < A seq=1 ack=2931; > -; wait 40ms; "
          "> -; count tcp_fast_retrans 0"
          "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "three_after_reordering_wait", "RFC 8985, 6.2, step 4",
      SIX "< A seq=1 ack=11 sack=1471-2931; < A seq=1 ack=2931; < A seq=1 ack=2931 sack=4391-8771; "
          "> -; wait 30ms; > A seq=2931 len=1460; count tcp_fast_retrans 1"
          "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "two_holes_in_one_recovery", "RFC 6937, 3",
      SIX "< A seq=1 ack=11 sack=1471-2931 sack=4391-8771; > A seq=11 len=1460; "
          "> A seq=2931 len=1460; > -; wait 100ms; < A seq=1 ack=2931 sack=4391-8771; > -; "
          "< A seq=1 ack=8771; ready WD; count tcp_fast_retrans 1; count tcp_retrans_segs 2"
          "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "lost_again", "RFC 8985, 3",
      SIX "write 1460; > PA seq=8771 len=1460; < A seq=1 ack=11 sack=1471-8771; "
          "> A seq=11 len=1460; > -; write 1460; > PA seq=10231 len=1460; wait 100ms; "
          "< A seq=1 ack=11 sack=1471-11691; > A seq=11 len=1460; > -; < A seq=1 ack=11691; > -; "
          "count tcp_timeouts 0; count tcp_retrans_segs 2"
          "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "tail_probe", "RFC 8985, 7.3",
      SIX "wait 150ms; > PA seq=7311 len=1460; > -; wait 60ms; "
          "< A seq=1 ack=11 sack=7311-8771; > A seq=11 len=1460; > A seq=1471 len=1460; > -; count "
          "tcp_timeouts 0"
          "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "tail_probe_repairs", "RFC 8985, 7.4",
      SIX "< A seq=1 ack=7311; wait 350ms; > PA seq=7311 len=1460; < A seq=1 ack=8771; > -; "
          "ready WD; count tcp_retrans_segs 1"
          "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "tail_probe_was_for_nothing", "RFC 8985, 7.4",
      SIX "wait 150ms; > PA seq=7311 len=1460; < A seq=1 ack=8771; "
          "< A seq=1 ack=8771 sack=7311-8771; > -; ready WD; count tcp_fast_retrans 0" },
    { "sack", "tail_that_was_lost_is_a_loss", "RFC 8985, 7.4",
      TAIL_LOST("", "1000", "250ms") "count tcp_fast_retrans 1; write 8000; > A seq=2021 len=1000; "
                                     "> A seq=3021 len=1000; > -"
                                     "; # linux: differs: it has measured the handshake, so its "
                                     "tail probe comes sooner" },
    { "sack", "tail_that_was_lost_is_not_undone", "RFC 8985, 7.4; RFC 4015",
      TAIL_LOST("ts=1000:ours", "1012", "60ms") "count tcp_fast_retrans 1; count tcp_spurious 0; "
                                                "write 8000; > A seq=2021 len=1000; "
                                                "> A seq=3021 len=1000; > -"
                                                "; # linux: differs: it has measured the "
                                                "handshake, so its tail probe comes sooner" },
    { "sack", "probe_that_found_no_segment_is_forgotten", "RFC 8985, 7.3",
      "in SACK; write 10; > PA len=10; wait 100ms; < A seq=1 ack=11; write 2920; > A len=1460; "
      "> PA len=1460; wait 100ms; hold 0; wait 120ms; drop; < A seq=1 ack=2931; > -; "
      "write 2920; > A len=1460; > PA len=1460; wait 250ms; > PA seq=4391 len=1460" },
    { "sack", "tail_probe_of_new_data", "RFC 8985, 7.3",
      "in SACK; write 10; > PA len=10; wait 100ms; < A seq=1 ack=11 wnd=60000; write 20000; "
      "> A len=1460; > A len=1460; > A len=1460; > A len=1460; > A len=1460; > A len=1460; "
      "> A len=1460; > -; wait 20ms; > A len=1460; > A len=1460; > A seq=13151 len=1460; > -; "
      "wait 250ms; "
      "> A seq=14611 len=1460; > -; count tcp_retrans_segs 0"
      "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "one_tail_probe_then_the_time_out", "RFC 8985, 7.3",
      SIX
      "wait 150ms; > PA seq=7311 len=1460; > -; wait 245ms; > -; wait 10ms; > A seq=11 len=1460; "
      "> -; count tcp_timeouts 1"
      "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "no_tail_probe_without_sack", "RFC 8985, 7.1",
      "in ESTABLISHED; write 10; > PA len=10; wait 100ms; < A seq=1 ack=11; write 2920; "
      "> A len=1460; > PA len=1460; wait 290ms; > -; wait 20ms; > A seq=11 len=1460; "
      "count tcp_timeouts 1"
      "; # linux: differs: it has measured the handshake, and its time-out is shorter" },
    { "sack", "time_out_spares_what_is_sacked", "RFC 2018, 5",
      SIX "< A seq=1 ack=11 sack=7311-8771; wait 30ms; > A seq=11 len=1460; > -; "
          "wait 200ms; > A seq=11 len=1460; > -; < A seq=1 ack=7311; > -; < A seq=1 ack=8771; "
          "ready WD; count tcp_timeouts 1"
          "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "reneging", "RFC 2018, 8",
      SIX
      "< A seq=1 ack=11 sack=1471-8771; > A seq=11 len=1460; < A seq=1 ack=1471; > -; wait 350ms; "
      "> A seq=1471 len=1460; > -; < A seq=1 ack=2931; > A seq=2931 len=1460; "
      "> A seq=4391 len=1460; > -"
      "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "of_what_was_not_sent", "RFC 2018, 3",
      SIX "< A seq=1 ack=11 sack=8771-60000; < A seq=1 ack=11 sack=100000-200000; "
          "< A seq=1 ack=11 sack=2931-1471; > -; wait 30ms; > -; count tcp_fast_retrans 0"
          "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "of_a_part", "RFC 2018, 3",
      SIX "< A seq=1 ack=11 sack=1472-2931; < A seq=1 ack=11 sack=1471-2930; > -; wait 30ms; > -; "
          "count tcp_fast_retrans 0"
          "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "flood_of_blocks", "CVE-2019-11477",
      SIX "< A seq=1 ack=11 sack=1471-1480 sack=1490-1500 sack=1510-1520 sack=1530-1540; "
          "< A seq=1 ack=11 sack=2931-2932 sack=2940-2950 sack=2960-2970 sack=2980-2990; > -; "
          "wait 30ms; > -; < A seq=1 ack=8771; ready WD; count tcp_retrans_segs 0"
          "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
    { "sack", "tiny_mss_and_many_blocks", "CVE-2019-11479",
      "< S seq=0 wnd=60000 mss=8 sackok=1; > SA; < A seq=1 ack=1 wnd=60000; accept; write 200; "
      "> A len=64; > A len=64; > A len=64; > PA len=8; "
      "< A seq=1 ack=1 sack=65-66 sack=67-68 sack=69-70 sack=71-72; > -; < A seq=1 ack=201; "
      "ready WD"
      "; # linux: differs: its least segment is 48 bytes, ours LIMIT_TCP_MSS_MIN" },
    { "sack", "fin_is_resent_with_its_bytes", "RFC 8985, 6.3",
      "in SACK; write 10; > PA len=10; shutdown; > FA seq=11; wait 1001ms; > FPA seq=1 len=10; "
      "< A seq=1 ack=12; state FIN_WAIT_2"
      "; # linux: differs: its tail probe is the FIN alone" },
    { "sack", "of_the_fin", "RFC 2018, 3",
      "in SACK; write 10; > PA len=10; wait 100ms; < A seq=1 ack=11; write 10; > PA seq=11 len=10; "
      "shutdown; > FA seq=21; wait 100ms; < A seq=1 ack=11 sack=21-22; > -; wait 30ms; "
      "> PA seq=11 len=10; < A seq=1 ack=22; state FIN_WAIT_2"
      "; # linux: differs: it has measured the handshake, so its tail probe comes sooner" },
};

const struct tcp_dsl_suite cases_sack = { cases, sizeof(cases) / sizeof(cases[0]) };
