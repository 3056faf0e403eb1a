/* Windows of both sides: closed, opening, silly. */
#include "cases.h"

#include "tcp_dsl.h"

static const struct tcp_dsl_case cases[] = {
    { "window", "ours_closes_and_opens", "RFC 9293, 3.8.6",
      "set rcv 4000; in ESTABLISHED; < PA seq=1 ack=1 len=1400; > A ack=1401 wnd=2600; "
      "< PA seq=1401 ack=1 len=1400; > A ack=2801 wnd=1200; "
      "< PA seq=2801 ack=1 len=1200; > A ack=4001 wnd=0; < PA seq=4001 ack=1 len=1; "
      "> A ack=4001 wnd=0; read 4000; > A ack=4001 wnd=4000; "
      "< PA seq=4001 ack=1 len=1; > A ack=4002"
      "; # linux: differs: its buffer counts in larger units, so the window stays open a little" },
    { "window", "ours_opens_not_by_bytes", "RFC 9293, 3.8.6.2.2",
      "set rcv 4000; in ESTABLISHED; < PA seq=1 ack=1 len=1400; > A; "
      "< PA seq=1401 ack=1 len=1400; > A; < PA seq=2801 ack=1 len=1200; > A wnd=0; "
      "read 100; > -; read 100; > -; read 1200; > A ack=4001 wnd=1400"
      "; # linux: differs: its buffer counts in larger units, so the window stays open a little" },
    { "window", "ours_is_kept", "RFC 9293, 3.8.6",
      "set rcv 4000; in ESTABLISHED; < PA seq=1 ack=1 len=1400; > A wnd=2600; "
      "< PA seq=1401 ack=1 len=100; > A wnd=2500; read 50; "
      "< PA seq=1501 ack=1 len=100; > A wnd=2400" },
    { "window", "probe_of_ours", "RFC 9293, 3.8.6.1",
      "set rcv 1000; in ESTABLISHED; < PA seq=1 ack=1 len=1000; > A ack=1001 wnd=0; "
      "< A seq=1000 ack=1; > A ack=1001 wnd=0; < PA seq=1001 ack=1 len=1; "
      "> A ack=1001 wnd=0; read 1000; > A ack=1001 wnd=1000; noread"
      "; # linux: differs: its buffer counts in larger units, so the window stays open a little" },
    { "window", "ack_with_data_into_closed", "RFC 9293, 3.10.7.4",
      "set rcv 1000; in ESTABLISHED; < PA seq=1 ack=1 len=1000; > A wnd=0; write 10; "
      "> PA len=10; < PA seq=1001 ack=11 len=5; > A ack=1001; ready RWD"
      "; # linux: differs: its buffer counts in larger units, so the window stays open a little" },
    { "window", "fin_into_closed", "RFC 9293, 3.10.7.4",
      "set rcv 1000; in ESTABLISHED; < PA seq=1 ack=1 len=1000; > A wnd=0; "
      "< FA seq=1001 ack=1; > A ack=1002; state CLOSE_WAIT; read 1000; ready WED"
      "; # linux: differs: its buffer counts in larger units, so the window stays open a little" },
    { "window", "rst_into_closed", "RFC 5961, 3.2",
      "set rcv 1000; in ESTABLISHED; < PA seq=1 ack=1 len=1000; > A wnd=0; "
      "< R seq=1001; ready F"
      "; # linux: differs: its buffer counts in larger units, so the window stays open a little" },
    { "window", "peer_closed", "RFC 9293, 3.8.6.1",
      "in ESTABLISHED; < A seq=1 ack=1 wnd=0; write 100; > -; wait 1s; "
      "> A seq=1 len=1; wait 1s; > -; wait 1s; > A seq=1 len=1; wait 4s; "
      "> A seq=1 len=1; < A seq=1 ack=1 wnd=0; > -; < A seq=1 ack=1 wnd=1000; "
      "> PA seq=1 len=100; count tcp_window_probes 3" },
    { "window", "peer_closed_probe_taken", "RFC 9293, 3.8.6.1",
      "in ESTABLISHED; < A seq=1 ack=1 wnd=0; write 100; wait 1s; > A seq=1 len=1; "
      "< A seq=1 ack=2 wnd=0; > -; wait 1s; > A seq=2 len=1; < A seq=1 ack=3 wnd=5000; "
      "> PA seq=3 len=98"
      "; # linux: differs: it probes with an old number and no text" },
    { "window", "peer_closed_for_ever_but_alive", "RFC 1122, 4.2.2.17",
      "in ESTABLISHED; < A seq=1 ack=1 wnd=0; write 100; wait 1s; > A len=1; wait 2s; "
      "> A len=1; wait 4s; > A len=1; wait 8s; > A len=1; wait 16s; > A len=1; "
      "wait 32s; > A len=1; < A seq=1 ack=1 wnd=0; wait 60s; > A len=1; "
      "< A seq=1 ack=1 wnd=0; wait 60s; > A len=1; < A seq=1 ack=1 wnd=0; wait 60s; "
      "> A len=1; ready W; < A seq=1 ack=1 wnd=500; > PA len=100" },
    { "window", "peer_closed_and_dead", "RFC 1122, 4.2.3.5",
      "in ESTABLISHED; < A seq=1 ack=1 wnd=0; write 100; wait 64s; > A len=1; "
      "> A len=1; > A len=1; > A len=1; > A len=1; > A len=1; wait 120s; > RA; "
      "ready F" },
    { "window", "peer_closed_orphan", "limits",
      "in ESTABLISHED; < A seq=1 ack=1 wnd=0; write 100; shutdown; close; wait 40s; "
      "> A len=1; > A len=1; > A len=1; > A len=1; > A len=1; < A seq=1 ack=1 wnd=0; "
      "wait 21s; > RA seq=2; state CLOSED; segs 0" },
    { "window", "peer_silly", "RFC 9293, 3.8.6.2.1",
      "in ESTABLISHED; < A seq=1 ack=1 wnd=100; write 1000; > -; wait 1s; "
      "> A seq=1 len=100; < A seq=1 ack=101 wnd=60000; > PA seq=101 len=900"
      "; # linux: differs: it sends what fits half of the largest window, later all of it" },
    { "window", "peer_half_of_its_largest", "RFC 9293, 3.8.6.2.1",
      "< S seq=0 wnd=2000 mss=1460; > SA; < A seq=1 ack=1 wnd=2000; accept; "
      "< A seq=1 ack=1 wnd=1000; write 1200; > A len=1000; > -"
      "; # linux: differs: a rest that fits is sent, whatever it is of the window (NODELAY)" },
    { "window", "peer_shrinks", "RFC 9293, 3.8.6",
      "in ESTABLISHED; write 3000; > A seq=1 len=1460; > A seq=1461 len=1460; "
      "> PA len=80; < A seq=1 ack=1 wnd=1000; > -; < A seq=1 ack=1461 wnd=1460; > -; "
      "< A seq=1 ack=3001 wnd=60000; > -; ready WD" },
    { "window", "update_old_ignored", "RFC 9293, 3.10.7.4",
      "in ESTABLISHED; < PA seq=1 ack=1 wnd=5000 len=10; > A; < A seq=1 ack=1 wnd=0; "
      "> A; write 100; > PA len=100" },
    { "window", "fin_needs_no_window", "RFC 9293, 3.8.6",
      "in ESTABLISHED; < A seq=1 ack=1 wnd=0; shutdown; > FA seq=1"
      "; # linux: differs: it keeps the FIN until the window opens" },
};

const struct tcp_dsl_suite cases_window = { cases, sizeof(cases) / sizeof(cases[0]) };
