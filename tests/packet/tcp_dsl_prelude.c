/*
 * The shortest way to each state, from the side of a server; SYN_SENT and SYN_RCVD_ACTIVE from that
 * of a client.
 */
#include "tcp_dsl_prelude.h"

#include <stddef.h>
#include <string.h>

#define HANDSHAKE \
    "< S seq=0 wnd=60000 mss=1460; > SA seq=0 ack=1; < A seq=1 ack=1 wnd=60000; accept;"

static const struct {
    const char *state;
    const char *script;
} preludes[] = {
    { "CLOSED", "unlisten" },
    { "LISTEN", "state LISTEN" },
    { "SYN_SENT", "connect; > S seq=0; state SYN_SENT" },
    { "SYN_RCVD", "< S seq=0 wnd=60000 mss=1460; > SA seq=0 ack=1; state SYN_RCVD" },
    { "SYN_RCVD_ACTIVE", "connect; > S seq=0; < S seq=0 wnd=60000 mss=1460; > SA seq=0 ack=1;"
                         "state SYN_RCVD" },
    { "ESTABLISHED", HANDSHAKE "state ESTABLISHED" },
    { "SACK", "< S seq=0 wnd=60000 mss=1460 sackok=1; > SA seq=0 ack=1 sackok=1;"
              "< A seq=1 ack=1 wnd=60000; accept; state ESTABLISHED" },
    { "CLOSE_WAIT", HANDSHAKE "< FA seq=1 ack=1 wnd=60000; > A seq=1 ack=2; state CLOSE_WAIT" },
    { "FIN_WAIT_1", HANDSHAKE "shutdown; > FA seq=1 ack=1; state FIN_WAIT_1" },
    { "CLOSING",
      HANDSHAKE "shutdown; > FA seq=1 ack=1; < FA seq=1 ack=1 wnd=60000; > A seq=2 ack=2;"
                "state CLOSING" },
    { "LAST_ACK", HANDSHAKE "< FA seq=1 ack=1 wnd=60000; > A seq=1 ack=2; shutdown;"
                            "> FA seq=1 ack=2; state LAST_ACK" },
    { "FIN_WAIT_2", HANDSHAKE "shutdown; > FA seq=1 ack=1; < A seq=1 ack=2 wnd=60000;"
                              "state FIN_WAIT_2" },
    { "TIME_WAIT", HANDSHAKE "shutdown; > FA seq=1 ack=1; < A seq=1 ack=2 wnd=60000;"
                             "< FA seq=1 ack=2 wnd=60000; > A seq=2 ack=2; state TIME_WAIT" },
};

const char *tcp_dsl_prelude(const char *state)
{
    for (size_t i = 0; i < sizeof(preludes) / sizeof(preludes[0]); i++) {
        if (strcmp(preludes[i].state, state) == 0)
            return preludes[i].script;
    }
    return NULL;
}
