/* Slow start: when its flights leave, and where it ends. Each case has a round trip of 100 ms. */
#include "cases.h"

#include "tcp_dsl.h"

/* The SYN-ACK's ACK told the round trip: the first window is 14,600 bytes, so 292 leave in a
 * millisecond, and a full segment in 5. */
#define PATH                                                                 \
    "< S seq=0 wnd=60000 mss=1460; > SA seq=0 ack=1; wait 100ms; "           \
    "< A seq=1 ack=1 wnd=60000; accept; write 10; > PA len=10; wait 100ms; " \
    "< A seq=1 ack=11 wnd=60000; "

#define FULL  "> A len=1460; "
#define FULL3 FULL FULL FULL
#define FULL7 FULL3 FULL3 FULL

static const struct tcp_dsl_case cases[] = {
    { "pace", "small_reply", "RFC 9293, 3.8.6.2",
      PATH "write 8000; > A len=1460; > A len=1460; > A len=1460; > A len=1460; > A len=1460; "
           "> PA len=700; > -" },
    { "pace", "replies_one_after_another", "RFC 9293, 3.8.6.2",
      PATH "write 1460; > PA len=1460; write 1460; > PA len=1460; write 1460; > PA len=1460; "
           "write 1460; > PA len=1460; write 1460; > PA len=1460; < A seq=1 ack=7311; "
           "write 1460; > PA len=1460; write 1460; > PA len=1460; write 1460; > PA len=1460; "
           "write 1460; > PA len=1460; write 1460; > PA len=1460; > -" },
    { "pace", "first_window", "RFC 9406, 4.2; RFC 6928, 4",
      PATH "write 14600; " FULL7 "> -; wait 5ms; > A len=1460; > -; wait 5ms; > A len=1460; > -; "
           "wait 5ms; > PA len=1460; > -"
           "; # linux: differs: it paces only below an fq queue, or with BBR" },
    { "pace", "goes_on_by_itself", "RFC 9406, 4.2",
      PATH "write 14600; " FULL7 "> -; wait 90ms; > A len=1460; > A len=1460; > PA len=1460; > -; "
           "count tcp_retrans_segs 0"
           "; # linux: differs: it paces only below an fq queue, or with BBR" },
    { "pace", "an_ack_does_not_hurry_it", "RFC 9406, 4.2",
      PATH "write 29200; " FULL7 "> -; < A seq=1 ack=1471; > -; wait 5ms; > A len=1460; > -"
           "; # linux: differs: it paces only below an fq queue, or with BBR" },
    { "pace", "a_loss_is_not_paced", "RFC 6937, 3",
      PATH "write 29200; " FULL7 "wait 90ms; " FULL3 "< A seq=1 ack=11; < A seq=1 ack=11; "
           "< A seq=1 ack=11; > A seq=11 len=1460; < A seq=1 ack=14611; " FULL7 "> -"
           "; # linux: differs: it paces only below an fq queue, or with BBR" },
    { "pace", "end_waits_behind_its_bytes", "RFC 9293, 3.10.4",
      PATH "write 13140; shutdown; " FULL7 "> -; wait 5ms; > A len=1460; > -; wait 5ms; "
           "> FPA len=1460; > -"
           "; # linux: differs: it paces only below an fq queue, or with BBR" },
    { "pace", "reset_does_not_wait", "RFC 9293, 3.10.5",
      PATH "write 14600; " FULL7 "> -; abort; > RA; wait 1s; > -; segs 0" },
};

const struct tcp_dsl_suite cases_pace = { cases, sizeof(cases) / sizeof(cases[0]) };
