/* When an ACK leaves (RFC 9293, 3.8.6.3; RFC 5681, 4.2). */
#include "cases.h"

#include "tcp_dsl.h"

/* The peer uses up what is acknowledged at once. */
#define SIXTEEN                                                                    \
    "in ESTABLISHED; < A seq=1 ack=1 len=1460; > A; < A seq=1461 ack=1 len=1460; " \
    "> A; < A seq=2921 ack=1 len=1460; > A; < A seq=4381 ack=1 len=1460; > A; "    \
    "< A seq=5841 ack=1 len=1460; > A; < A seq=7301 ack=1 len=1460; > A; "         \
    "< A seq=8761 ack=1 len=1460; > A; < A seq=10221 ack=1 len=1460; > A; "        \
    "< A seq=11681 ack=1 len=1460; > A; < A seq=13141 ack=1 len=1460; > A; "       \
    "< A seq=14601 ack=1 len=1460; > A; < A seq=16061 ack=1 len=1460; > A; "       \
    "< A seq=17521 ack=1 len=1460; > A; < A seq=18981 ack=1 len=1460; > A; "       \
    "< A seq=20441 ack=1 len=1460; > A; < A seq=21901 ack=1 len=1460; > A; "
/* The answer takes no time, and then nothing is heard until it is asked again. */
#define ASKED "wait 60s; > A seq=0; < A seq=1 ack=1; "

static const struct tcp_dsl_case cases[] = {
    { "acks", "quick_at_the_start", "tcp_conn.c",
      "in ESTABLISHED; < PA seq=1 ack=1 len=10; > A ack=11; < PA seq=11 ack=1 len=10; "
      "> A ack=21; < PA seq=21 ack=1 len=10; > A ack=31" },
    { "acks", "delayed_40_ms", "RFC 9293, 3.8.6.3",
      SIXTEEN "< A seq=23361 ack=1 len=1460; > -; wait 39ms; > -; wait 2ms; > A ack=24821; "
              "< A seq=24821 ack=1 len=1460; > -; < A seq=26281 ack=1 len=1460; > A ack=27741; "
              "< A seq=27741 ack=1 len=1460; > -; write 5; > PA ack=29201 len=5; wait 100ms; "
              "> -"
              "; # linux: differs: it acknowledges more than sixteen segments at once" },
    { "acks", "gap_at_once", "RFC 5681, 4.2",
      "in ESTABLISHED; < A seq=1461 ack=1 len=1460; > A ack=1; "
      "< A seq=2921 ack=1 len=1460; > A ack=1; < A seq=1 ack=1 len=1460; > A ack=4381; "
      "read 4380" },
    { "acks", "each_after_a_gap", "RFC 9293, 3.8.6.3",
      SIXTEEN
      "< A seq=24821 ack=1 len=1460; > A ack=23361; < A seq=23361 ack=1 len=1460; > A ack=26281; "
      "< A seq=26281 ack=1 len=1460; > A ack=27741; < A seq=27741 ack=1 len=1460; > A ack=29201" },
    { "acks", "one_for_a_burst", "DESIGN.md",
      "in ESTABLISHED; < A seq=1 ack=1 len=1460; < A seq=1461 ack=1 len=1460; "
      "< A seq=2921 ack=1 len=1460; > A ack=4381; > -"
      "; # linux: differs: each segment is taken by itself, ours in bursts of the device" },
    { "acks", "with_the_reply", "DESIGN.md",
      "in ESTABLISHED; < PA seq=1 ack=1 len=10; read 10; write 20; write 30; "
      "> PA seq=1 ack=11 len=50; > -"
      "; # linux: differs: it acknowledges a new connection's text at once, before the reply is "
      "written" },
    { "acks", "not_for_acks", "RFC 9293, 3.10.7.4",
      "in ESTABLISHED; write 10; > PA len=10; < A seq=1 ack=11; > -; wait 100ms; > -" },
    { "acks", "keep_alive", "RFC 9293, 3.8.4",
      "set alive 60000; in ESTABLISHED; wait 59s; > -; wait 2s; > A seq=0 ack=1 len=0; > -; "
      "< A seq=1 ack=1; wait 58s; > -; wait 3s; > A seq=0 ack=1; state ESTABLISHED" },
    { "acks", "keep_alive_unanswered", "RFC 1122, 4.2.3.6",
      "set alive 60000; in ESTABLISHED; wait 62s; > A seq=0; wait 500s; > A seq=0; > A seq=0; "
      "> A seq=0; > A seq=0; > A seq=0; > A seq=0; > A seq=0; > A seq=0; > -; wait 76s; "
      "> RA seq=1; ready F; count tcp_given_up 1" },
    { "acks", "keep_alive_answered_at_once_each_time", "RFC 1122, 4.2.3.6",
      "set alive 60000; in ESTABLISHED; " ASKED ASKED ASKED ASKED ASKED ASKED ASKED ASKED ASKED
          ASKED "ready WD; count tcp_given_up 0" },
    { "acks", "keep_alive_not_while_something_is_out", "RFC 9293, 3.8.4",
      "set alive 15000; in ESTABLISHED; write 10; > PA len=10; wait 20s; > PA len=10; > PA len=10; "
      "> PA len=10; > PA len=10; > -; < A seq=1 ack=11; wait 14s; > -; wait 17s; > A seq=10 "
      "len=0" },
    { "acks", "keep_alive_is_off", "RFC 9293, 3.8.4",
      "in ESTABLISHED; wait 86400s; > -; state ESTABLISHED" },
    { "acks", "challenges_each_second", "RFC 5961, 7",
      "in ESTABLISHED; < S seq=1; > A; < SA seq=1 ack=1; > A; "
      "count tcp_challenge_acks 2" },
};

const struct tcp_dsl_suite cases_acks = { cases, sizeof(cases) / sizeof(cases[0]) };
