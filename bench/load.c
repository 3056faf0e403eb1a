/*
 * postern-bench load: one thread, as many clients as are asked for.
 *
 * Happy path: open the idle and the slow clients; give every message that is due to a client that
 * stands ready, or to one that opens a connection for it; when no more are due, let everybody
 * leave; print. Closed loop: a message is due whenever a client is free. Open loop: when the plan
 * says, and it waits for a client if none is free, with its time running.
 *
 * Failure modes: what a server does wrong is counted and is no end; the run ends by its count, its
 * time, or SIGINT, and what is then still under way gets one time-out to finish. Exit code 1 when
 * anything was counted as an error.
 */
#include <sys/resource.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/load.h"
#include "bench/options.h"
#include "bench/timing.h"

#define WAITING_MAX (1 << 20) /* due and not taken: 8 MB; past it dropped and counted */
#define OPENING_MAX 64        /* before idle and slow clients wait: no server's backlog overflows */
#define SLACK_NS    NS_PER_S  /* so that a step that times out is counted as that */
#define PROGRESS_NS (5 * NS_PER_S)

struct load {
    const struct load_options *options;
    struct client_set set;
    struct carrier *carrier;
    struct tally tally;
    struct tally aside;
    struct client *clients; /* workers, then idle ones, then slow ones */
    uint32_t client_count;
    uint32_t opened; /* of the idle and slow ones */
    struct plan_arrivals arrivals;
    struct rng rng;
    uint64_t *waiting; /* intended starts, a ring */
    uint32_t waiting_from, waiting_count;
    uint64_t planned; /* messages that were due so far */
    uint64_t end_ns;  /* no new message after this */
    uint64_t stop_ns; /* and then the end of all */
    uint64_t progress_ns;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
}

/* --- what is due ------------------------------------------------------------------------------ */

static bool more_planned(const struct load *l)
{
    return l->planned < l->options->messages && l->set.clock.now_ns < l->end_ns && !interrupted;
}

static void plan(struct load *l)
{
    uint64_t intended;

    while (l->options->rate > 0 && more_planned(l) &&
           plan_arrival(&l->arrivals, &l->rng, l->set.clock.now_ns, &intended)) {
        l->planned++;
        if (l->waiting_count == WAITING_MAX)
            l->tally.dropped++;
        else
            l->waiting[(l->waiting_from + l->waiting_count++) % WAITING_MAX] = intended;
    }
}

/* The next message that is due, if there is one. */
static bool take_due(struct load *l, uint64_t *intended)
{
    if (l->options->rate > 0) {
        if (l->waiting_count == 0 || l->set.clock.now_ns >= l->stop_ns)
            return false;
        *intended = l->waiting[l->waiting_from];
        l->waiting_from = (l->waiting_from + 1) % WAITING_MAX;
        l->waiting_count--;
        return true;
    }
    if (!more_planned(l))
        return false;
    l->planned++;
    *intended = l->set.clock.now_ns;
    return true;
}

static struct client *free_client(struct load *l)
{
    struct list_node *n = list_pop(&l->set.ready);

    if (n == NULL)
        n = list_pop(&l->set.closed);
    return n == NULL ? NULL : LIST_ENTRY(n, struct client, link);
}

/* As many as are free now and no more: one that fails at once is in `closed` again. */
static void hand_out(struct load *l)
{
    struct client *c;
    uint64_t intended;

    for (uint32_t n = 0; n < l->options->connections; n++) {
        if (list_empty(&l->set.ready) && list_empty(&l->set.closed))
            return;
        if (!take_due(l, &intended))
            return;
        c = free_client(l);
        client_send(c, plan_size(&l->options->sizes, &l->rng), intended);
    }
}

static bool may_open_aside(const struct load *l)
{
    return l->opened < l->options->idle + l->options->slow && l->set.opening < OPENING_MAX &&
           !l->set.closing;
}

static void open_aside(struct load *l)
{
    while (may_open_aside(l))
        client_open(&l->clients[l->options->connections + l->opened++]);
}

/* --- the loop --------------------------------------------------------------------------------- */

/* No message is left to begin: everybody leaves who has none under way. */
static void close_down(struct load *l)
{
    uint64_t patience = l->set.clock.now_ns + l->options->client.timeout_ns + SLACK_NS;

    if (!l->set.closing)
        l->stop_ns = patience < l->stop_ns ? patience : l->stop_ns;
    l->set.closing = true;
    for (uint32_t i = 0; i < l->client_count; i++) {
        struct client *c = &l->clients[i];

        if (c->kind == CLIENT_SLOW)
            client_abandon(c);
        else
            client_leave(c);
    }
}

static bool is_over(struct load *l)
{
    bool gave_up = l->set.clock.now_ns >= l->stop_ns; /* what still waits is dropped */
    bool workers_done = gave_up || (l->waiting_count == 0 && !more_planned(l));
    bool time_over = l->set.clock.now_ns >= l->end_ns || interrupted;

    if (l->set.closing)
        return gave_up || l->set.open == 0;
    if (l->options->connections == 0 ? time_over : workers_done)
        close_down(l);
    return false;
}

static void progress(struct load *l)
{
    if (l->set.clock.now_ns < l->progress_ns)
        return;
    l->progress_ns += PROGRESS_NS;
    fprintf(stderr,
            "%6.0f s: %" PRIu64 " acknowledged, %" PRIu64 " started, %u wait, %" PRIu64
            " errors, %u idle\n",
            (double)(l->set.clock.now_ns - l->tally.start_ns) / (double)NS_PER_S,
            l->tally.acknowledged, l->tally.started, l->waiting_count,
            l->tally.error_count + l->aside.error_count, l->set.idle);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When the next turn is due if no connection has news: a timer, an arrival, or the run's end. */
static uint64_t next_ns(const struct load *l)
{
    uint64_t due = earlier(wheel_next_ns(&l->set.wheel), earlier(l->progress_ns, l->stop_ns));

    if (!l->set.closing)
        due = earlier(due, l->end_ns);
    if (l->options->rate > 0 && more_planned(l))
        due = earlier(due, plan_arrival_next_ns(&l->arrivals));
    return may_open_aside(l) ? l->set.clock.now_ns : due;
}

static void fire_timers(struct load *l)
{
    struct wheel_entry *e;

    while ((e = wheel_pop(&l->set.wheel, l->set.clock.now_ns)) != NULL)
        client_timer(LIST_ENTRY(e, struct client, timer));
}

static bool turn(struct load *l)
{
    if (!l->carrier->ops->wait(l->carrier, next_ns(l))) {
        fprintf(stderr, "postern-bench: waiting: %s\n", strerror(errno));
        return false;
    }
    fire_timers(l);
    open_aside(l);
    plan(l);
    hand_out(l);
    progress(l);
    return !is_over(l);
}

/* --- life ------------------------------------------------------------------------------------- */

static bool make_clients(struct load *l)
{
    const struct load_options *o = l->options;

    l->client_count = o->connections + o->idle + o->slow;
    l->clients = calloc(l->client_count, sizeof(*l->clients));
    l->waiting = o->rate > 0 ? calloc(WAITING_MAX, sizeof(*l->waiting)) : NULL;
    if (l->clients == NULL || (o->rate > 0 && l->waiting == NULL)) {
        fprintf(stderr, "postern-bench: memory is short\n");
        return false;
    }
    for (uint32_t i = 0; i < l->client_count; i++)
        client_init(&l->clients[i], &l->set,
                    i < o->connections             ? CLIENT_WORKER
                    : i < o->connections + o->idle ? CLIENT_IDLE
                                                   : CLIENT_SLOW);
    return true;
}

static void tell(void *owner)
{
    client_event(owner);
}

static bool open_wires(struct load *l)
{
    const struct load_options *o = l->options;
    char text[1024];
    struct buf why = { (uint8_t *)text, 0, sizeof(text) };

    l->carrier = o->device.vdev != NULL
                     ? carrier_device_create(&o->device, &o->to, &l->set.clock, tell, &why)
                     : carrier_socket_create(&o->to, o->to_len, &l->set.clock, tell, &why);
    if (l->carrier != NULL)
        l->set.wires = wire_set_create(&o->wire, l->carrier, &why);
    if (l->set.wires == NULL)
        fprintf(stderr, "postern-bench: %.*s\n", (int)why.len, text);
    return l->set.wires != NULL;
}

static bool open_load(struct load *l, FILE *log)
{
    const struct load_options *o = l->options;
    uint64_t now;

    rng_seed(&l->rng, o->seed);
    tally_init(&l->tally, log);
    tally_init(&l->aside, NULL);
    l->set = (struct client_set){
        .config = &o->client, .tally = &l->tally, .aside = &l->aside, .run = o->run
    };
    list_init(&l->set.ready);
    list_init(&l->set.closed);
    if (!open_wires(l)) /* may take a second or two, which are not the run's */
        return false;
    l->set.clock.now_ns = now = timing_now_ns();
    wheel_init(&l->set.wheel, now);
    l->tally.start_ns = l->aside.start_ns = now;
    l->end_ns = now + o->seconds * NS_PER_S;
    l->stop_ns = l->end_ns + o->client.timeout_ns + SLACK_NS;
    l->progress_ns = now + PROGRESS_NS;
    plan_arrivals_init(&l->arrivals, o->rate, o->constant, now);
    return make_clients(l);
}

static void close_load(struct load *l)
{
    for (uint32_t i = 0; l->clients != NULL && i < l->client_count; i++)
        client_abandon(&l->clients[i]);
    if (l->set.wires != NULL)
        wire_set_destroy(l->set.wires);
    if (l->carrier != NULL)
        l->carrier->ops->destroy(l->carrier);
    free(l->clients);
    free(l->waiting);
}

static double cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int run(struct load *l, FILE *log, FILE *tsv)
{
    double cpu = cpu_s();

    if (!open_load(l, log))
        return EXIT_FAILURE;
    hand_out(l);
    while (turn(l))
        ;
    for (uint32_t i = 0; i < l->client_count; i++)
        client_abandon(&l->clients[i]);
    l->tally.dropped += l->waiting_count;
    tally_print(&l->tally, cpu_s() - cpu, tsv);
    tally_print_aside(&l->aside);
    return l->tally.error_count == 0 && l->tally.dropped == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int load_main(int argc, char **argv)
{
    static struct load load;
    static struct load_options options;
    FILE *log = NULL, *tsv = NULL;
    int code;

    if (!load_options_parse(&options, argc, argv))
        return OPTIONS_EXIT_USAGE;
    if (!options_pin(options.core) || !options_open_output(options.log_path, &log) ||
        !options_open_output(options.output_path, &tsv))
        return EXIT_FAILURE;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    load.options = &options;
    code = run(&load, log, tsv);
    close_load(&load);
    if (!options_close_output(options.log_path, log) ||
        !options_close_output(options.output_path, tsv))
        return EXIT_FAILURE;
    return code;
}
