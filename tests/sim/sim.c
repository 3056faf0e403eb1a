/*
 * The whole gateway on one thread, from one seed: a bad wire, a bad disk, clients that behave
 * badly, and crashes at any moment. After each seed the spool is recovered once more, and asked:
 *
 *   each message that was answered 250 is there exactly once, whole;
 *   none is there twice; none that was refused is there; nothing is there that nobody sent.
 *
 * usage: sim [--seeds N] [--first SEED] [--seed SEED] [--large]
 * --large: each seed is one mail of 25 MB over a wire that loses 1 % and reorders 2 %.
 * A failure prints the seed and the line that plays it again.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "sim/sim_disk.h"
#include "sim/sim_peer.h"
#include "sim/sim_server.h"
#include "sim/sim_squeeze.h"
#include "sim/sim_wire.h"

#define CLIENT_ADDRESS  0xc6120001 /* 198.18.0.1 */
#define GENERATIONS_MAX 3
#define PEERS_MAX       12
#define MESSAGES_EACH   6
#define LARGE_BYTES     (25 * 1000 * 1000)
#define GIVE_UP_NS      (3600 * NS_PER_S) /* virtual; a run that takes longer hangs */

struct world {
    uint64_t seed;
    struct rng rng;
    struct clock clock;
    struct sim_disk *disk;
    struct sim_wire *wire;
    struct sim_server *server;
    struct sim_squeeze squeeze; /* of the server's segments */
    struct core client;
    struct core_config client_config;
    struct counters client_counters;
    struct sim_peers *peers;
    bool large;
    bool calm; /* segments may be short, good wire or bad, but nobody misbehaves, no disk fault, no
                  crash: all must be accepted */
    struct sim_sent sent[GENERATIONS_MAX * PEERS_MAX * MESSAGES_EACH];
    bool found[GENERATIONS_MAX * PEERS_MAX * MESSAGES_EACH];
    uint32_t sent_count;
    uint32_t accepted;
    char problem[256];
};

static bool chance(struct world *w, unsigned one_in)
{
    return rng_below(&w->rng, one_in) == 0;
}

static bool fail(struct world *w, const char *what, uint64_t key)
{
    snprintf(w->problem, sizeof(w->problem), "%s (message %016llx)", what, (unsigned long long)key);
    return false;
}

/* --- one generation: from start to crash or end ----------------------------------------------- */

static struct sim_wire_config draw_wire(struct world *w)
{
    static const uint32_t losses[] = { 0, 0, 1000, 10000, 50000 };
    static const struct sim_wire_config large = { .delay_ns = 10 * NS_PER_MS,
                                                  .lose_ppm = 10000,
                                                  .reorder_ppm = 20000 };
    struct sim_wire_config c = {
        .delay_ns = (1 + rng_below(&w->rng, 50)) * NS_PER_MS / 2,
        .jitter_ns = rng_below(&w->rng, 2) * NS_PER_MS,
        .lose_ppm = losses[rng_below(&w->rng, 5)],
        .reorder_ppm = chance(w, 2) ? 20000 : 0,
        .double_ppm = chance(w, 3) ? 10000 : 0,
        .corrupt_ppm = chance(w, 3) ? 5000 : 0,
    };

    return w->large ? large : c;
}

static void open_client(struct world *w)
{
    w->client_config = (struct core_config){
        .net = { .address = addr_from_v4(CLIENT_ADDRESS), .prefix_length = 24 },
        .tcp = { .connections_max = 64,
                 .syn_rcvd_max = 8,
                 .time_wait_max = 64,
                 .receive_bytes_max = 65536,
                 .send_bytes_max = 65536,
                 .time_wait_ms = 60000 },
        .secret = { rng_next(&w->rng), rng_next(&w->rng) },
    };
    if (!core_open(&w->client, &w->client_config, sim_wire_nic(w->wire, 0), &w->clock,
                   &w->client_counters))
        UNREACHABLE("the simulator has memory");
}

static void begin(struct world *w, unsigned generation)
{
    struct sim_wire_config wire = draw_wire(w);
    struct sim_peers_config peers = {
        .peers = 1 + (uint32_t)rng_below(&w->rng, PEERS_MAX),
        .messages_each = MESSAGES_EACH,
        .bytes_max = chance(w, 8) ? 1024 * 1024 : 32 * 1024,
        .well_behaved = w->calm,
        .server = { addr_from_v4(SIM_SERVER_ADDRESS), SIM_SERVER_PORT },
        .client_address = CLIENT_ADDRESS,
        .first_key = (w->seed << 16) + generation * 1000,
    };

    if (w->large) {
        peers.peers = peers.messages_each = 1;
        peers.bytes_min = peers.bytes_max = LARGE_BYTES;
    }
    w->wire = sim_wire_create(&wire, &w->clock, &w->rng);
    w->server =
        sim_server_create(sim_wire_nic(w->wire, 1), sim_disk_io(w->disk), &w->clock, &w->rng);
    if (!w->large && chance(w, 2))
        sim_squeeze_begin(&w->squeeze, sim_wire_nic(w->wire, 1)->pool, &w->clock, &w->rng);
    open_client(w);
    w->peers = sim_peers_create(&peers, &w->client, &w->clock, &w->rng);
}

static void end(struct world *w)
{
    sim_wire_cut(w->wire, true);
    sim_squeeze_end(&w->squeeze);
    sim_server_kill(w->server);
    for (uint32_t i = 0; i < sim_peers_sent_count(w->peers); i++)
        w->sent[w->sent_count++] = *sim_peers_sent(w->peers, i);
    sim_peers_destroy(w->peers);
    core_close(&w->client);
    sim_wire_destroy(w->wire);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Nothing could be done now: to the next moment at which something can. */
static void advance(struct world *w, uint64_t most_ns)
{
    uint64_t next = least(sim_wire_next_ns(w->wire), sim_disk_next_ns(w->disk));

    next = least(next, least(sim_server_next_ns(w->server), core_next_ns(&w->client)));
    next = least(next, sim_squeeze_next_ns(&w->squeeze));
    next = least(least(next, sim_peers_next_ns(w->peers)), most_ns);
    if (next <= w->clock.now_ns)
        next = w->clock.now_ns + NS_PER_MS;
    w->clock.unix_ms += (next - w->clock.now_ns) / NS_PER_MS;
    w->clock.now_ns = next;
}

/* Until all clients have ended, or the moment of the crash. False: it hangs. */
static bool play(struct world *w, uint64_t crash_ns)
{
    uint64_t give_up_ns = w->clock.now_ns + GIVE_UP_NS;

    while (!sim_peers_done(w->peers) && w->clock.now_ns < crash_ns) {
        if (w->clock.now_ns > give_up_ns)
            return fail(w, "an hour has gone by and the clients have not ended", 0);
        sim_squeeze_turn(&w->squeeze);
        if (sim_server_turn(w->server) + core_turn(&w->client) + sim_peers_poll(w->peers) == 0)
            advance(w, crash_ns);
    }
    return true;
}

static bool generation(struct world *w, unsigned number)
{
    bool crash = !w->calm && chance(w, 2);
    uint64_t crash_ns = UINT64_MAX;
    bool ended;

    begin(w, number);
    if (crash)
        crash_ns = w->clock.now_ns + rng_below(&w->rng, 3000) * NS_PER_MS;
    ended = play(w, crash_ns);
    if (ended && w->calm && sim_peers_unsent(w->peers) > 0)
        ended = fail(w, "a connection was lost, though nothing went wrong", 0);
    if (crash)
        sim_disk_crash(w->disk); /* the power goes, not only the process */
    end(w);
    return ended;
}

/* --- the oracle ------------------------------------------------------------------------------- */

static struct sim_sent *sent_by_key(struct world *w, uint64_t key, bool **found)
{
    for (uint32_t i = 0; i < w->sent_count; i++) {
        if (w->sent[i].key == key) {
            *found = &w->found[i];
            return &w->sent[i];
        }
    }
    return NULL;
}

static bool check_one(struct world *w, struct spool_reader *r, uint64_t index)
{
    static uint8_t room[65536];
    uint64_t offset = 0;
    uint64_t key = 0;
    uint32_t crc = 0;
    struct sim_sent *s;
    struct mail mail;
    bool *found;
    int64_t n;

    if (!spool_reader_at(r, index, &mail))
        return fail(w, "an index without a message", index);
    do {
        struct buf out = { room, 0, sizeof(room) };

        n = spool_reader_body(r, index, offset, &out);
        if (offset == 0)
            key = sim_peer_key_of(span_of(room, out.len));
        crc = crc32c_update(crc, room, out.len);
        offset += out.len;
    } while (n > 0);
    s = sent_by_key(w, key, &found);
    if (n < 0)
        return fail(w, "is damaged", key);
    if (s == NULL)
        return fail(w, "is in the spool and nobody sent it", key);
    if (*found)
        return fail(w, "is in the spool twice", key);
    if (s->answer == SIM_REFUSED)
        return fail(w, "was refused and is in the spool", key);
    if (s->bytes != offset || s->crc != crc)
        return fail(w, "is not what was sent", key);
    *found = true;
    return true;
}

static bool check_spool(struct world *w)
{
    char text[256] = "";
    struct buf why = { (uint8_t *)text, 0, sizeof(text) - 1 };
    struct spool_reader *r = spool_reader_open(sim_disk_io(w->disk), &why);
    bool good = true;

    if (r == NULL)
        return fail(w, text, 0);
    for (uint64_t i = 0; good && i < spool_reader_count(r); i++)
        good = check_one(w, r, i);
    spool_reader_close(r);
    for (uint32_t i = 0; good && i < w->sent_count; i++) {
        if (w->sent[i].answer == SIM_ACCEPTED && !w->found[i])
            good = fail(w, "was answered 250 and is not in the spool", w->sent[i].key);
        if (w->calm && w->sent[i].answer != SIM_ACCEPTED)
            good = fail(w, "was not accepted, though nothing went wrong", w->sent[i].key);
        w->accepted += w->sent[i].answer == SIM_ACCEPTED;
    }
    return good;
}

static bool run_seed(uint64_t seed, bool large, uint64_t *accepted)
{
    struct world *w = calloc(1, sizeof(*w));
    unsigned generations;
    bool good = true;

    ASSERT(w != NULL);
    w->seed = seed;
    rng_seed(&w->rng, seed);
    w->clock = (struct clock){ NS_PER_S, 1790000000000ULL };
    w->large = large;
    w->calm = large || chance(w, 3);
    w->disk = sim_disk_create(&w->clock, &w->rng, !w->calm && chance(w, 2));
    generations = large ? 1 : 1 + (unsigned)rng_below(&w->rng, GENERATIONS_MAX);
    for (unsigned g = 0; good && g < generations; g++)
        good = generation(w, g);
    good = good && check_spool(w);
    *accepted += w->accepted;
    if (!good)
        printf("seed %llu: %s\nagain: sim%s --seed %llu\n", (unsigned long long)seed, w->problem,
               large ? " --large" : "", (unsigned long long)seed);
    sim_disk_destroy(w->disk);
    free(w);
    return good;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = { { "seeds", required_argument, NULL, 'n' },
                                           { "first", required_argument, NULL, 'f' },
                                           { "seed", required_argument, NULL, 's' },
                                           { "large", no_argument, NULL, 'l' },
                                           { 0 } };
    uint64_t first = 1;
    const char *seeds = getenv("POSTERN_SEEDS"); /* for builds that are slow */
    uint64_t count = seeds != NULL ? strtoull(seeds, NULL, 10) : 500;
    uint64_t accepted = 0;
    uint64_t failed = 0;
    bool large = false;
    int opt;

    while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (opt == '?')
            return EXIT_FAILURE;
        if (opt == 'l')
            large = true;
        else if (opt == 'n')
            count = strtoull(optarg, NULL, 10);
        else
            first = strtoull(optarg, NULL, 10);
        if (opt == 's')
            count = 1;
    }
    for (uint64_t seed = first; seed < first + count; seed++)
        failed += run_seed(seed, large, &accepted) ? 0 : 1;
    printf("%llu seeds, %llu messages accepted, %llu seeds failed\n", (unsigned long long)count,
           (unsigned long long)accepted, (unsigned long long)failed);
    return failed > 0 || accepted == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
