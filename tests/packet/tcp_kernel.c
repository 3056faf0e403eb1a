/*
 * See tcp_kernel.h. Happy path: a look at the script for what cannot be run; a listener; each
 * statement in turn. The kernel answers a segment while we write it to the device, so an answer
 * that is due is there at once; after `wait` a timer may be late by a quarter of the time and some.
 */
#include "tcp_kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "tcp_dsl_prelude.h"
#include "tcp_dsl_script.h"
#include "tcp_dsl_seg.h"

#define SERVER_PORT 465
#define CLIENT_PORT 50000
#define MTU         1500
#define WINDOW      65535
#define SETTLE_NS   (5 * NS_PER_MS)  /* for what must not come */
#define LATE_NS     (50 * NS_PER_MS) /* for what must come */
#define STALL_NS    (15 * NS_PER_MS) /* a case that the machine held up for longer says nothing */

struct kernel {
    struct tcp_kernel_wire *wire;
    const char *statement;
    char *why;
    struct tcp_dsl_base base;
    int listener; /* -1: none */
    int sock;     /* -1: none */
    int receive_bytes;
    uint32_t written;
    uint32_t pending; /* to be written before anything else is done */
    uint32_t read;
    uint64_t waited_ns;  /* since something was sent or came */
    uint64_t planned_ns; /* that the case has waited on purpose */
    bool shut;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct kernel *k, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(k->why, TCP_KERNEL_WHY, fmt, args);
    va_end(args);
    return false;
}

/* --- What cannot be run --------------------------------------------------------------------------
 */

struct survey {
    enum tcp_kernel_verdict verdict;
    uint64_t wait_ns;
};

static uint64_t duration_ns(const char *text)
{
    char *unit;
    uint64_t n = strtoull(text, &unit, 10);

    return n * (unit[0] == 'm' ? NS_PER_MS : NS_PER_S);
}

static bool survey_statement(void *context, char **words, unsigned count)
{
    static const char *const same[] = { "irs", "mtu", "rcv" };
    struct survey *s = context;
    bool known = false;

    if (strcmp(words[0], "wait") == 0 && count == 2)
        s->wait_ns += duration_ns(words[1]);
    if (strcmp(words[0], "hold") == 0)
        s->verdict = TCP_KERNEL_NEEDS_MEMORY;
    if (strcmp(words[0], "set") == 0) {
        for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
            known = known || strcmp(words[1], same[i]) == 0;
        if (!known)
            s->verdict = TCP_KERNEL_NEEDS_SETTING;
    }
    return true;
}

/* --- Sockets -------------------------------------------------------------------------------------
 */

static struct sockaddr_in at(uint32_t addr, uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons(port),
                                 .sin_addr.s_addr = htonl(addr) };
}

/* A socket at the server's address, with the window of the cases. */
static int open_socket(struct kernel *k)
{
    struct sockaddr_in here = at(TCP_KERNEL_ADDR, SERVER_PORT);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

    ASSERT(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &k->receive_bytes, sizeof(k->receive_bytes));
    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one)); /* RFC 6093, 6: and inherited */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    ASSERT(bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0);
    return fd;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void listen_once(struct kernel *k)
{
    if (k->listener != -1 || k->sock != -1)
        return;
    k->listener = open_socket(k);
    ASSERT(listen(k->listener, 64) == 0);
}

static bool verb_accept(struct kernel *k)
{
    struct pollfd fd = { .fd = k->listener, .events = POLLIN };
    int one = 1;

    poll(&fd, 1, (int)(LATE_NS / NS_PER_MS));
    k->sock = accept4(k->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (k->sock < 0)
        return fail(k, "nothing to accept");
    setsockopt(k->sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return true;
}

static bool verb_connect(struct kernel *k)
{
    struct sockaddr_in there = at(k->wire->client, CLIENT_PORT);

    close_fd(&k->listener);
    k->sock = open_socket(k);
    if (connect(k->sock, (struct sockaddr *)&there, sizeof(there)) < 0 && errno != EINPROGRESS)
        return fail(k, "connect: %s", strerror(errno));
    return true;
}

/* Writes follow each other in one call, as ours leave in one flush. */
static bool write_pending(struct kernel *k, int flags)
{
    static uint8_t bytes[1 << 17];
    uint32_t n = k->pending;

    k->pending = 0;
    ASSERT(n <= sizeof(bytes));
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = tcp_dsl_pattern(k->written + i);
    k->written += n;
    if (n == 0 || k->sock < 0 || send(k->sock, bytes, n, flags | MSG_NOSIGNAL) == (ssize_t)n)
        return true;
    return fail(k, "no room to write %u bytes: %s", n, strerror(errno));
}

static bool verb_read(struct kernel *k, uint32_t n)
{
    uint8_t bytes[65536];

    while (n > 0) {
        ssize_t got = recv(k->sock, bytes, n < sizeof(bytes) ? n : sizeof(bytes), 0);

        if (got <= 0)
            return fail(k, "%u bytes are missing", n);
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] != tcp_dsl_pattern(k->read + (uint32_t)i))
                return fail(k, "byte %u is wrong", k->read + (uint32_t)i);
        }
        k->read += (uint32_t)got;
        n -= (uint32_t)got;
    }
    return true;
}

static bool verb_noread(struct kernel *k)
{
    uint8_t byte;

    return recv(k->sock, &byte, 1, MSG_PEEK) <= 0 ? true : fail(k, "there is more to read");
}

static void verb_abort(struct kernel *k)
{
    struct linger now = { .l_onoff = 1 };

    setsockopt(k->sock, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close_fd(&k->sock);
}

static bool run_on_socket(struct kernel *k, char **words, uint32_t n)
{
    if (k->sock < 0) /* aborted */
        return true;
    if (strcmp(words[0], "read") == 0)
        return verb_read(k, n);
    if (strcmp(words[0], "noread") == 0)
        return verb_noread(k);
    if (strcmp(words[0], "shutdown") == 0) {
        shutdown(k->sock, SHUT_WR);
        k->shut = true;
    } else if (strcmp(words[0], "abort") == 0 || !k->shut) {
        verb_abort(k); /* our close without shutdown gives up */
    } else {
        close_fd(&k->sock);
    }
    return true;
}

/* --- State ----------------------------------------------------------------------------------- */

/* The state of the connection to our client by /proc, or 0. */
static unsigned state_of(struct kernel *k)
{
    FILE *f = fopen("/proc/thread-self/net/tcp", "r");
    char line[256];
    unsigned remote, state, found = 0;

    ASSERT(f != NULL);
    while (fgets(line, sizeof(line), f) != NULL) {
        if (sscanf(line, "%*d: %*8X:%*X %8X:%*X %2X", &remote, &state) == 2 &&
            remote == htonl(k->wire->client))
            found = state;
    }
    fclose(f);
    return found;
}

static bool verb_state(struct kernel *k, const char *want)
{
    static const char *const names[] = { "CLOSED",     "ESTABLISHED", "SYN_SENT",  "SYN_RCVD",
                                         "FIN_WAIT_1", "FIN_WAIT_2",  "TIME_WAIT", "CLOSED",
                                         "CLOSE_WAIT", "LAST_ACK",    "LISTEN",    "CLOSING",
                                         "SYN_RCVD" };
    unsigned state = state_of(k);

    ASSERT(state < sizeof(names) / sizeof(names[0]));
    if (state == 0 && strcmp(want, "LISTEN") == 0)
        return k->listener != -1 ? true : fail(k, "nobody listens");
    return strcmp(want, names[state]) == 0 ? true : fail(k, "state is %s", names[state]);
}

/* --- Segments -------------------------------------------------------------------------------- */

static bool verb_in(struct kernel *k, char **words, unsigned count)
{
    struct tcp_dsl_seg want;
    struct seg *s;
    uint32_t to = TCP_KERNEL_ADDR;
    bool sent;

    if (!tcp_dsl_seg_parse(words + 1, count - 1, &want))
        return fail(k, "no segment");
    if (want.broadcast)
        to = 0xe0000002;
    want.h.src_port = want.src_port != 0 ? want.src_port : CLIENT_PORT;
    want.h.dst_port = SERVER_PORT;
    s = seg_alloc(k->wire->pool);
    ASSERT(s != NULL);
    tcp_dsl_seg_build(&k->base, &want, s);
    sent = tcp_kernel_wire_send(k->wire, s, to);
    seg_release(s);
    k->waited_ns = 0;
    return sent ? true : fail(k, "the device is full");
}

/* The next segment that the kernel sends; false: none in this time. */
static bool receive(struct kernel *k, uint64_t wait_ns, struct tcp_dsl_seg *got)
{
    struct seg *s = tcp_kernel_wire_receive(k->wire, wait_ns);

    if (s == NULL)
        k->planned_ns += wait_ns;
    return s != NULL && tcp_dsl_seg_record(&k->base, s, got);
}

static bool verb_out(struct kernel *k, char **words, unsigned count)
{
    struct tcp_dsl_seg want, got;
    char text[160];

    if (count == 2 && strcmp(words[1], "-") == 0) {
        if (!receive(k, SETTLE_NS, &got))
            return true;
        return fail(k, "sent %s", tcp_dsl_seg_text(&got, text, sizeof(text)));
    }
    if (!tcp_dsl_seg_parse(words + 1, count - 1, &want))
        return fail(k, "no segment");
    if (!receive(k, LATE_NS + k->waited_ns / 4, &got))
        return fail(k, "sent nothing");
    want.h.flags &= (uint8_t)~TCP_PSH;
    got.h.flags &= (uint8_t)~TCP_PSH;
    if (want.given & TCP_DSL_WND && (want.h.wnd == 0) == (got.h.wnd == 0))
        want.given &= ~(uint32_t)TCP_DSL_WND;
    if (!tcp_dsl_seg_matches(&want, &got))
        return fail(k, "sent %s", tcp_dsl_seg_text(&got, text, sizeof(text)));
    return true;
}

static bool verb_wait(struct kernel *k, const char *text)
{
    uint64_t ns = duration_ns(text);
    struct timespec ts = { (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };

    k->waited_ns += ns;
    k->planned_ns += ns;
    ppoll(NULL, 0, &ts, NULL);
    return true;
}

static bool verb_icmp(struct kernel *k, char **words, unsigned count)
{
    const uint16_t ports[2] = { SERVER_PORT, CLIENT_PORT };

    if (count != 3)
        return fail(k, "about what?");
    return tcp_kernel_wire_icmp(k->wire, ports, k->base.ours + (uint32_t)strtoul(words[1], NULL, 0),
                                (uint16_t)strtoul(words[2], NULL, 0));
}

/* --- Scripts --------------------------------------------------------------------------------- */

static bool verb_set(struct kernel *k, char **words, unsigned count)
{
    uint32_t value = count == 3 ? (uint32_t)strtoul(words[2], NULL, 0) : 0;

    if (strcmp(words[1], "irs") == 0)
        k->base.peer = value;
    else if (strcmp(words[1], "rcv") == 0)
        k->receive_bytes = (int)value;
    else if (strcmp(words[1], "mtu") == 0)
        return tcp_kernel_wire_mtu(value) ? true : fail(k, "MTU: %s", strerror(errno));
    return true;
}

/* What a socket does not have. */
static bool is_of_ours(const char *verb)
{
    static const char *const verbs[] = { "count", "segs", "again", "ready", "flush", "drop" };

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verb, verbs[i]) == 0)
            return true;
    }
    return false;
}

static bool run_words(void *context, char **words, unsigned count)
{
    struct kernel *k = context;
    uint32_t n = count == 2 ? (uint32_t)strtoul(words[1], NULL, 0) : 0;
    const char *verb = words[0], *outer = k->statement;

    if (strcmp(verb, "set") == 0)
        return verb_set(k, words, count);
    listen_once(k);
    if (strcmp(verb, "in") == 0 && count == 2)
        return tcp_dsl_script(tcp_dsl_prelude(words[1]), run_words, k, &outer);
    if (strcmp(verb, "write") == 0) {
        k->pending += n;
        return true;
    }
    if (!write_pending(k, strcmp(verb, "shutdown") == 0 ? MSG_MORE : 0))
        return false;
    if (strcmp(verb, "<") == 0)
        return verb_in(k, words, count);
    if (strcmp(verb, ">") == 0)
        return verb_out(k, words, count);
    if (strcmp(verb, "wait") == 0 && count == 2)
        return verb_wait(k, words[1]);
    if (strcmp(verb, "state") == 0 && count == 2)
        return verb_state(k, words[1]);
    if (strcmp(verb, "icmp") == 0)
        return verb_icmp(k, words, count);
    if (strcmp(verb, "accept") == 0)
        return verb_accept(k);
    if (strcmp(verb, "connect") == 0)
        return verb_connect(k);
    if (strcmp(verb, "unlisten") == 0) {
        close_fd(&k->listener);
        k->listener = -2; /* and no new one */
        return true;
    }
    return is_of_ours(verb) || run_on_socket(k, words, n);
}

enum tcp_kernel_verdict tcp_kernel_run(struct tcp_kernel_wire *w, const struct tcp_dsl_case *c,
                                       uint32_t number, uint64_t patience_ns,
                                       char why[TCP_KERNEL_WHY])
{
    struct kernel k = { .wire = w,
                        .why = why,
                        .listener = -1,
                        .sock = -1,
                        .base.peer = 7000,
                        .receive_bytes = WINDOW };
    struct survey survey = { .verdict = TCP_KERNEL_EQUAL };
    uint64_t begin_ns;
    size_t used;

    tcp_dsl_script(c->script, survey_statement, &survey, &k.statement);
    if (survey.verdict != TCP_KERNEL_EQUAL)
        return survey.verdict;
    if (survey.wait_ns > patience_ns)
        return TCP_KERNEL_NEEDS_TIME;
    w->client = 0x0a010000 + number;
    ASSERT(tcp_kernel_wire_mtu(MTU));
    begin_ns = tcp_kernel_wire_now_ns();
    if (!tcp_dsl_script(c->script, run_words, &k, &k.statement)) {
        used = strlen(why);
        snprintf(why + used, TCP_KERNEL_WHY - used, " at: %.*s", (int)strcspn(k.statement, ";\n"),
                 k.statement);
        survey.verdict = tcp_kernel_wire_now_ns() - begin_ns > k.planned_ns + STALL_NS
                             ? TCP_KERNEL_STALLED
                             : TCP_KERNEL_DIFFERS;
    }
    if (k.sock >= 0)
        verb_abort(&k);
    close_fd(&k.listener);
    return survey.verdict;
}
