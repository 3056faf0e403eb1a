/* What somebody sends who cannot see our segments (RFC 5961), or sees them and means harm. */
#include "cases.h"

#include "tcp_dsl.h"

#define RST  "< R seq=2; "
#define RST5 RST RST RST RST RST

#define SENT  "> A len=1460; "
#define SENT5 SENT SENT SENT SENT SENT

#define PROBE   "> A len=1; "
#define PROBES6 PROBE PROBE PROBE PROBE PROBE PROBE

static const struct tcp_dsl_case cases[] = {
    { "attacks", "rst_at_the_edge", "RFC 5961, 3.2",
      "in ESTABLISHED; < R seq=65535; > A seq=1 ack=1; < R seq=65536; > -; < R seq=0; > -; "
      "state ESTABLISHED"
      "; # linux: differs: its window is 64240 here, a multiple of the MSS" },
    { "attacks", "rst_behind_what_waits", "RFC 5961, 3.2",
      "in ESTABLISHED; < PA seq=11 ack=1 len=10; > A ack=1; < R seq=21; > A ack=1; "
      "state ESTABLISHED; < R seq=1; state CLOSED; ready F; segs 0" },
    { "attacks", "rst_answers_the_challenge", "RFC 5961, 3.2",
      "in ESTABLISHED; < R seq=2; > A seq=1 ack=1; < R seq=1; > -; state CLOSED; ready F" },
    { "attacks", "rst_with_text", "RFC 5961, 3.2",
      "in ESTABLISHED; < R seq=2 len=10; > A seq=1 ack=1; < R seq=1 len=10; > -; ready F" },
    { "attacks", "rst_of_an_old_ack", "RFC 5961, 3.2",
      "in ESTABLISHED; < RA seq=1 ack=-90000; > -; state CLOSED; ready F" },
    { "attacks", "rst_with_old_timestamp", "RFC 7323, 5.2",
      "set rcv 1000; < S seq=0 mss=1460 ts=100; > SA; < A seq=1 ack=1 ts=101; accept; "
      "< R seq=1 ts=1; > -; state CLOSED; ready F" },
    { "attacks", "rst_flood_is_answered_ten_times", "RFC 5961, 7",
      "in ESTABLISHED; " RST5 RST5 RST5 "> A; > -; count tcp_challenge_acks 10; wait 1s; " RST
      "> A; count tcp_challenge_acks 11"
      "; # linux: differs: it has no limit of its own for each connection (tcp_invalid_ratelimit "
      "is off here)" },
    { "attacks", "syn_with_the_next_number", "RFC 5961, 4.2",
      "in ESTABLISHED; < S seq=1; > A seq=1 ack=1; state ESTABLISHED; ready WD" },
    { "attacks", "syn_after_a_reboot", "RFC 5961, 4.2",
      "in ESTABLISHED; < S seq=900000 mss=1460; > A seq=1 ack=1; < R seq=1; > -; state LISTEN; "
      "< S seq=900000 mss=1460; > SA ack=900001; state SYN_RCVD" },
    { "attacks", "syn_with_text", "RFC 5961, 4.2",
      "in ESTABLISHED; < S seq=0 len=10; > A seq=1 ack=1; noread; segs 0" },
    { "attacks", "syn_fin", "RFC 5961, 4.2",
      "in ESTABLISHED; < SF seq=1; > A seq=1 ack=1; state ESTABLISHED" },
    { "attacks", "ack_just_old_enough", "RFC 5961, 5.2",
      "in ESTABLISHED; < PA seq=1 ack=-59999 len=10; > A seq=1 ack=11; read 10"
      "; # linux: differs: the largest window it has seen is less by what was acknowledged" },
    { "attacks", "ack_too_old_brings_nothing", "RFC 5961, 5.2",
      "in ESTABLISHED; < PA seq=1 ack=-60000 len=10; > A seq=1 ack=1; noread; segs 0" },
    { "attacks", "ack_of_what_was_never_sent", "RFC 5961, 5.2",
      "in ESTABLISHED; < PA seq=1 ack=2 len=10; > A seq=1 ack=1; noread; segs 0" },
    { "attacks", "fin_with_wrong_ack", "RFC 5961, 5.2",
      "in ESTABLISHED; < FA seq=1 ack=100000; > A seq=1 ack=1; state ESTABLISHED" },
    { "attacks", "half_open_rst", "RFC 5961, 3.2",
      "in SYN_RCVD; < R seq=65535; > A seq=1 ack=1; < R seq=65536; > -; state SYN_RCVD"
      "; # linux: differs: its window is 64240 here, a multiple of the MSS" },
    { "attacks", "optimistic_ack", "RFC 5681, 3.1",
      "in ESTABLISHED; write 1000; > PA len=1000; < A seq=1 ack=1002; > A seq=1001 ack=1; "
      "ready W; wait 1001ms; > PA seq=1 len=1000; < A seq=1 ack=1001; ready WD" },
    { "attacks", "split_acks_open_no_more_than_one", "RFC 5681, 3.1, (2)",
      "in ESTABLISHED; write 40000; " SENT5 SENT5 "> -; "
      "< A seq=1 ack=366; < A seq=1 ack=731; < A seq=1 ack=1096; < A seq=1 ack=1461; "
      "> A seq=14601 len=1460; > A seq=16061 len=1460; > -" },
    { "attacks", "window_closed_for_too_long", "RFC 6429",
      "in ESTABLISHED; < A seq=1 ack=1 wnd=0; write 100; wait 63s; " PROBES6
      "< A seq=1 ack=1 wnd=0; wait 60s; > A len=1; < A seq=1 ack=1 wnd=0; wait 60s; > A len=1; "
      "< A seq=1 ack=1 wnd=0; wait 60s; > A len=1; < A seq=1 ack=1 wnd=0; wait 56s; > -; ready W; "
      "wait 2s; > RA seq=2; ready F; segs 0; count tcp_stalled 1" },
    { "attacks", "window_closed_when_memory_is_short", "RFC 6429",
      "set segs 64; in ESTABLISHED; < A seq=1 ack=1 wnd=0; write 100; wait 4s; > A len=1; "
      "> A len=1; hold 7; wait 900ms; > -; ready W; wait 200ms; > RA; ready F; "
      "count tcp_stalled 1" },
    { "attacks", "window_that_opens_in_time", "RFC 9293, 3.8.6.1",
      "set segs 64; in ESTABLISHED; < A seq=1 ack=1 wnd=0; write 100; wait 4s; > A len=1; "
      "> A len=1; hold 7; < A seq=1 ack=1 wnd=60000; > PA len=100; < A seq=1 ack=101 wnd=0; "
      "write 100; wait 4s; ready W; count tcp_stalled 0; drop" },
    { "attacks", "window_of_one_byte_at_a_time", "RFC 6429",
      "in ESTABLISHED; < A seq=1 ack=1 wnd=0; write 100; wait 63s; < A seq=1 ack=2 wnd=0; "
      "wait 90s; < A seq=1 ack=3 wnd=0; wait 90s; < A seq=1 ack=4 wnd=0; wait 56s; "
      "count tcp_stalled 0; wait 2s; count tcp_stalled 1; ready F" },
    { "attacks", "window_closed_with_nothing_left", "RFC 9293, 3.8.6.1",
      "in ESTABLISHED; < A seq=1 ack=1 wnd=0; write 1; wait 1s; > A len=1; "
      "< A seq=1 ack=2 wnd=0; wait 400s; > -; ready WD; count tcp_stalled 0" },
    { "attacks", "syn_past_the_host_s_share", "limits",
      "set hosts 1; in ESTABLISHED; < S seq=0 port=1; > RA ack=1; count tcp_prefix_refused 1; "
      "abort; close; > RA; < S seq=0 port=1; > SA" },
    { "attacks", "syn_past_the_network_s_share", "limits",
      "set networks 1; in ESTABLISHED; < S seq=0 port=1; > RA ack=1; state ESTABLISHED" },
    { "attacks", "proxy_has_no_share", "limits",
      "set hosts 1; set networks 1; set proxied 1; in ESTABLISHED; < S seq=0 port=1; > SA; "
      "< A seq=1 ack=1 port=1; > -; count tcp_prefix_refused 0; count tcp_passive_opens 2" },
    { "attacks", "forged_syns_are_nobody_s_share", "limits",
      "set hosts 1; < S seq=0 port=1; > SA; < S seq=0 port=2; > SA; < S seq=0 port=3; > SA; "
      "in ESTABLISHED; count tcp_prefix_refused 0" },
    { "attacks", "ack_past_the_share", "limits",
      "set hosts 1; < S seq=0 port=1; > SA; < S seq=0 port=2; > SA; < A seq=1 ack=1 port=2; > -; "
      "< S seq=0 port=1; > SA; < A seq=1 ack=1 port=1; > R seq=1; count tcp_prefix_refused 1" },
    { "attacks", "mss_of_one", "limits",
      "< S seq=0 mss=1; > SA; < A seq=1 ack=1; accept; write 200; > A len=64; > A len=64; "
      "> A len=64; > PA len=8"
      "; # linux: differs: its least segment is 48 bytes, ours LIMIT_TCP_MSS_MIN" },
};

const struct tcp_dsl_suite cases_attacks = { cases, sizeof(cases) / sizeof(cases[0]) };
