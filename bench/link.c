/*
 * Two TAP devices with a bad link between them. Happy path: make both, say "ready", then carry
 * frames: whatever a kernel, or a program on a packet socket, sends into the one comes out of the
 * other in its time. A TAP may be moved to another network namespace while it is in use, so each
 * end can be a host of its own. At the end the counters of both ways are printed.
 *
 * Fails: no TAP, no memory, an interface that somebody removes. A frame that a TAP does not take
 * (its interface is down) is gone, as it would be from a wire; it is counted.
 */
#include "bench/link.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/link_options.h"
#include "bench/options.h"

#define FRAME_BYTES_MAX 65536
#define READS_MAX       64 /* of one TAP before the other has its turn */

struct link_end {
    int fd;
    struct link_way out; /* what this end sent, on its way to the other */
    uint64_t refused;    /* frames that this end's TAP did not take */
};

static volatile sig_atomic_t stop_wanted;

static void on_signal(int signo)
{
    (void)signo;
    stop_wanted = 1;
}

static uint64_t read_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static int open_tap(const char *name)
{
    struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &r) == 0)
        return fd;
    fprintf(stderr, "postern-bench: TAP %s: %s\n", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* False, with errno: no memory, or the interface was removed. */
static bool carry_in(struct link_end *e)
{
    static uint8_t frame[FRAME_BYTES_MAX];
    uint64_t now_ns = read_clock();

    for (unsigned i = 0; i < READS_MAX; i++) {
        ssize_t len = read(e->fd, frame, sizeof(frame));

        if (len < 0)
            return errno == EAGAIN;
        if (!link_way_put(&e->out, now_ns, frame, (uint32_t)len))
            return false;
    }
    return true;
}

static void carry_out(struct link_way *from, struct link_end *to)
{
    struct link_frame *f;

    while ((f = link_way_take(from, read_clock())) != NULL) {
        if (write(to->fd, f->bytes, f->len) < 0)
            to->refused++;
        free(f);
    }
}

static void wait_for_frames(struct link_end *ends, const sigset_t *unblocked)
{
    struct pollfd fds[2] = { { .fd = ends[0].fd, .events = POLLIN },
                             { .fd = ends[1].fd, .events = POLLIN } };
    uint64_t a = link_way_next_ns(&ends[0].out), b = link_way_next_ns(&ends[1].out);
    uint64_t next_ns = a < b ? a : b, now_ns = read_clock(), left_ns;
    struct timespec ts;

    left_ns = next_ns > now_ns ? next_ns - now_ns : 0;
    ts = (struct timespec){ (time_t)(left_ns / NS_PER_S), (long)(left_ns % NS_PER_S) };
    ppoll(fds, 2, next_ns == UINT64_MAX ? NULL : &ts, unblocked);
}

static bool carry(struct link_end *ends, const sigset_t *unblocked)
{
    while (!stop_wanted) {
        wait_for_frames(ends, unblocked);
        for (unsigned i = 0; i < 2; i++)
            if (!carry_in(&ends[i])) {
                fprintf(stderr, "postern-bench: carrying frames: %s\n", strerror(errno));
                return false;
            }
        for (unsigned i = 0; i < 2; i++)
            carry_out(&ends[i].out, &ends[1 - i]);
    }
    return true;
}

static void print_counts(const struct link_options *o, const struct link_end *ends)
{
    printf("from\tframes\tlost\toverflowed\tlate\tdoubled\tcorrupted\tbytes_out\trefused\n");
    for (unsigned i = 0; i < 2; i++) {
        const struct link_way_counts *c = &ends[i].out.counts;

        printf("%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
               "\t%" PRIu64 "\t%" PRIu64 "\n",
               o->names[i], c->frames, c->lost, c->overflowed, c->late, c->doubled, c->corrupted,
               c->bytes_out, ends[1 - i].refused);
    }
}

/* Signals come in while waiting, and nowhere else: none is missed. */
static void catch_signals(sigset_t *unblocked)
{
    sigset_t ends;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, unblocked);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
}

int link_main(int argc, char **argv)
{
    struct link_end ends[2] = { { .fd = -1 }, { .fd = -1 } };
    struct link_options o;
    sigset_t unblocked;
    bool ok = true;

    if (!link_options_parse(&o, argc, argv))
        return OPTIONS_EXIT_USAGE;
    catch_signals(&unblocked);
    prctl(PR_SET_TIMERSLACK, 1UL); /* a frame is not to be late by the usual 50 us */
    for (unsigned i = 0; i < 2; i++) {
        link_way_init(&ends[i].out, &o.way, 2 * o.seed + i);
        ends[i].fd = open_tap(o.names[i]);
        ok = ok && ends[i].fd >= 0;
    }
    if (ok) {
        printf("ready\n");
        fflush(stdout);
        ok = carry(ends, &unblocked);
        print_counts(&o, ends);
    }
    for (unsigned i = 0; i < 2; i++) {
        link_way_clear(&ends[i].out);
        if (ends[i].fd >= 0)
            close(ends[i].fd);
    }
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
