/*
 * The spool alone on a bad disk, in one thread, from one seed: workers and the writer take their
 * steps in an order that the seed draws; the power goes, or the process is killed, at any moment;
 * the spool is opened again and goes on. After each end the oracle looks (check_durable.h).
 *
 * usage: sim_spool [--seeds N] [--first SEED] [--seed SEED]
 * A failure prints the seed and the line that plays it again.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "sim/check_durable.h"
#include "sim/sim_disk.h"

#define PORTS_MAX     3
#define OPEN_MAX      6 /* messages of one worker at a time */
#define SEGMENT_BYTES (256 * 1024)
#define TURNS_MAX     200000 /* until all is answered; more is a hang */

/* A message in the hands of a worker. */
struct draft {
    struct spool_message *message; /* NULL: no draft */
    struct spool_extent *extent;   /* filled, and the ring was full */
    uint64_t id;
    uint64_t bytes; /* appended */
    uint64_t goal;
    bool asked;
};

struct worker {
    struct spool_port *port;
    struct mail_id_gen ids;
    struct draft drafts[OPEN_MAX];
};

struct world {
    uint64_t seed;
    struct rng rng;
    struct clock clock;
    struct counters counters;
    struct sim_disk *disk;
    struct check_durable *check;
    struct spool_config config;
    struct spool *spool;
    struct worker workers[PORTS_MAX];
    unsigned answers;
    char problem[256];
};

struct totals {
    uint64_t durable;
    uint64_t doubles;
    uint64_t generations;
};

static bool chance(struct world *w, unsigned one_in)
{
    return rng_below(&w->rng, one_in) == 0;
}

static bool fail(struct world *w, const char *what)
{
    snprintf(w->problem, sizeof(w->problem), "%s", what);
    return false;
}

/* --- what workers do -------------------------------------------------------------------------- */

static uint64_t draw_bytes(struct world *w)
{
    switch (rng_below(&w->rng, 5)) {
    case 0: return rng_below(&w->rng, 2);
    case 1: return rng_below(&w->rng, 400000);
    default: return rng_below(&w->rng, 12000);
    }
}

static void begin(struct world *w, struct worker *k, struct draft *d)
{
    d->message = spool_message_begin(k->port, d);
    d->id = mail_id_make(&k->ids, w->clock.unix_ms);
    d->bytes = 0;
    d->goal = draw_bytes(w);
    d->asked = false;
}

static void append(struct world *w, struct worker *k, struct draft *d)
{
    struct spool_extent *e = spool_extent_get(k->port);
    uint64_t left = d->goal - d->bytes;

    if (e == NULL)
        return;
    e->len = chance(w, 3) ? 1 + (uint32_t)rng_below(&w->rng, e->cap) : e->cap;
    if (e->len > left)
        e->len = (uint32_t)left;
    check_durable_fill(d->id, d->bytes, e->data, e->len);
    if (chance(w, 50)) {
        spool_extent_put(k->port, e);
        return;
    }
    spool_message_append(k->port, d->message, e);
    d->bytes += e->len;
}

static void commit(struct world *w, struct worker *k, struct draft *d)
{
    static uint8_t room[2][8192];
    struct buf envelope = { room[0], 0, sizeof(room[0]) };
    struct buf header = { room[1], 0, sizeof(room[1]) };
    uint64_t cut = d->bytes > 8 && chance(w, 2) ? rng_below(&w->rng, 8) : 0;
    struct mail m = { .body_bytes = d->bytes - cut, .id = d->id };

    check_durable_texts(d->id, &envelope, &header);
    m.envelope = span_of(envelope.ptr, envelope.len);
    m.header = span_of(header.ptr, header.len);
    if (!spool_message_commit(k->port, d->message, &m))
        return;
    check_durable_asked(w->check, d->id, m.body_bytes);
    d->asked = true;
}

static void step(struct world *w, struct worker *k)
{
    struct draft *d = &k->drafts[rng_below(&w->rng, OPEN_MAX)];

    if (d->message == NULL) {
        begin(w, k, d);
    } else if (d->asked) {
        return;
    } else if (chance(w, 40) || (d->message->state != SPOOL_FILLING && chance(w, 2))) {
        spool_message_abort(k->port, d->message);
        d->message = NULL;
    } else if (d->bytes < d->goal) {
        append(w, k, d);
    } else {
        commit(w, k, d);
    }
}

static void poll_port(struct world *w, struct worker *k)
{
    struct spool_message *m;

    while ((m = spool_port_poll(k->port)) != NULL) {
        struct draft *d = m->owner;

        ASSERT(d->message == m);
        ASSERT(d->asked);
        check_durable_told(w->check, d->id, m->state);
        w->answers++;
        d->message = NULL;
        spool_message_release(k->port, m);
    }
}

/* --- one generation --------------------------------------------------------------------------- */

static bool open_spool(struct world *w, bool must)
{
    char text[256] = "";
    struct buf why = { (uint8_t *)text, 0, sizeof(text) - 1 };
    struct spool_env env = { .io = sim_disk_io(w->disk), .counters = &w->counters };
    struct spool_recovery recovery;

    w->spool = spool_open(&w->config, &env, &recovery, &why);
    if (w->spool == NULL)
        return must ? fail(w, text) : true;
    memset(w->workers, 0, sizeof(w->workers));
    for (unsigned i = 0; i < w->config.ports; i++) {
        w->workers[i].port = spool_port(w->spool, i);
        mail_id_init(&w->workers[i].ids, i, recovery.id_max);
    }
    return true;
}

static void pass_time(struct world *w)
{
    uint64_t next = sim_disk_next_ns(w->disk);

    if (next != UINT64_MAX && next > w->clock.now_ns)
        w->clock.now_ns = next;
    w->clock.unix_ms += rng_below(&w->rng, 2);
}

static void play(struct world *w, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        struct worker *k = &w->workers[rng_below(&w->rng, w->config.ports)];

        switch (rng_below(&w->rng, 8)) {
        case 0: spool_turn(w->spool); break;
        case 1: pass_time(w); break;
        case 2: poll_port(w, k); break;
        default: step(w, k); break;
        }
    }
}

/* Everybody who waits gets a word; then nothing is left to do. */
static bool quiet(struct world *w)
{
    for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
        unsigned work = spool_turn(w->spool);

        for (unsigned i = 0; i < w->config.ports; i++)
            poll_port(w, &w->workers[i]);
        if (work == 0 && spool_idle(w->spool))
            break;
        if (work == 0)
            pass_time(w);
    }
    if (!spool_idle(w->spool))
        return fail(w, "the spool does not come to rest");
    for (unsigned i = 0; i < w->config.ports; i++)
        for (unsigned k = 0; k < OPEN_MAX; k++)
            if (w->workers[i].drafts[k].message != NULL && w->workers[i].drafts[k].asked)
                return fail(w, "a commit was never answered");
    return true;
}

static void draw_faults(struct world *w)
{
    struct sim_disk_faults f = { 0 };

    if (chance(w, 2)) {
        f.eio_ppm = chance(w, 2) ? 20000 : 0;
        f.enospc_ppm = chance(w, 4) ? 20000 : 0;
        f.short_ppm = chance(w, 4) ? 20000 : 0;
        f.open_ppm = chance(w, 4) ? 50000 : 0;
        f.slow_ppm = chance(w, 4) ? 20000 : 0;
        f.headers = chance(w, 3);
        f.space_bytes = chance(w, 4) ? (2 + rng_below(&w->rng, 8)) * SEGMENT_BYTES : 0;
    }
    sim_disk_set_faults(w->disk, &f);
}

/* S10: somebody was refused before the cut was durable. The spool counts them. */
static bool doubles_may_be(const struct world *w)
{
    return counter_get(&w->counters, COUNTER_SPOOL_UNCUT) > 0;
}

static bool stop(struct world *w)
{
    unsigned how = (unsigned)rng_below(&w->rng, 3);
    bool good = how != 0 || quiet(w);

    if (how == 1)
        sim_disk_crash(w->disk);
    if (how == 2)
        sim_disk_kill(w->disk);
    check_durable_stopped(w->check, doubles_may_be(w));
    spool_close(w->spool);
    w->spool = NULL;
    return good;
}

static bool look(struct world *w)
{
    struct buf why = { (uint8_t *)w->problem, 0, sizeof(w->problem) };

    return check_durable_look(w->check, sim_disk_io(w->disk), &why);
}

static bool generation(struct world *w)
{
    static const struct sim_disk_faults none = { 0 };
    bool trouble = chance(w, 4);

    w->counters = (struct counters){ 0 };
    w->clock.unix_ms +=
        1000; /* a restart takes its time, so that ids of aborted messages are past */
    sim_disk_set_faults(w->disk, &none);
    if (trouble)
        draw_faults(w);
    if (!open_spool(w, !trouble))
        return false;
    if (w->spool != NULL) {
        draw_faults(w);
        play(w, 50 + (unsigned)rng_below(&w->rng, 1500));
        if (!stop(w))
            return false;
    } else if (chance(w, 2)) {
        sim_disk_crash(w->disk);
    }
    return look(w);
}

static bool run_seed(uint64_t seed, struct totals *totals)
{
    static struct world world;
    struct world *w = &world;
    unsigned generations;
    bool good = true;

    memset(w, 0, sizeof(*w));
    w->seed = seed;
    rng_seed(&w->rng, seed);
    w->clock = (struct clock){ NS_PER_S, 1790000000000ULL };
    w->disk = sim_disk_create(&w->clock, &w->rng, false);
    w->check = check_durable_create();
    w->config = (struct spool_config){
        .segment_bytes = SEGMENT_BYTES + 4096 * rng_below(&w->rng, 64),
        .bytes_max = (2 + rng_below(&w->rng, 30)) * 2 * SEGMENT_BYTES,
        .ports = 1 + (unsigned)rng_below(&w->rng, PORTS_MAX),
        .extents_per_port = 1 + (uint32_t)rng_below(&w->rng, 16),
        .messages_per_port = 1 + (uint32_t)rng_below(&w->rng, 8),
    };
    generations = 2 + (unsigned)rng_below(&w->rng, 6);
    for (unsigned g = 0; good && g < generations; g++)
        good = generation(w);
    totals->generations += generations;
    totals->durable += check_durable_count(w->check);
    totals->doubles += check_durable_doubles(w->check);
    if (!good)
        printf("seed %llu: %s\nagain: sim_spool --seed %llu\n", (unsigned long long)seed,
               w->problem, (unsigned long long)seed);
    if (w->spool != NULL)
        spool_close(w->spool);
    sim_disk_destroy(w->disk);
    check_durable_destroy(w->check);
    return good;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = { { "seeds", required_argument, NULL, 'n' },
                                           { "first", required_argument, NULL, 'f' },
                                           { "seed", required_argument, NULL, 's' },
                                           { 0 } };
    struct totals totals = { 0 };
    uint64_t first = 1;
    const char *seeds = getenv("POSTERN_SEEDS"); /* for builds that are slow */
    uint64_t count = seeds != NULL ? strtoull(seeds, NULL, 10) : 2000;
    uint64_t failed = 0;
    int opt;

    while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (opt == '?')
            return 2;
        if (opt == 'n')
            count = strtoull(optarg, NULL, 10);
        else
            first = strtoull(optarg, NULL, 10);
        if (opt == 's')
            count = 1;
    }
    for (uint64_t seed = first; seed < first + count; seed++)
        failed += run_seed(seed, &totals) ? 0 : 1;
    printf("%llu seeds, %llu generations, %llu messages durable, %llu doubles (S10), %llu failed\n",
           (unsigned long long)count, (unsigned long long)totals.generations,
           (unsigned long long)totals.durable, (unsigned long long)totals.doubles,
           (unsigned long long)failed);
    return failed > 0 || totals.durable == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
