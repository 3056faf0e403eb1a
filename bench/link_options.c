/* See link_options.h. */
#include "bench/link_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bench/options.h"

#define DELAY_MS_MAX   60000
#define RATE_MBITS_MAX 100000
#define QUEUE_MAX      (1024ULL * 1024 * 1024)
#define PPM_PER_CENT   10000

static const char usage[] =
    "usage: postern-bench link [OPTION...] TAP TAP\n"
    "Makes both TAP devices and joins them; both ways are alike, and a seed plays the same "
    "faults.\n"
    "      --delay MS       one way (0)\n"
    "      --rate MBIT      a second; 0: no limit (0)\n"
    "      --queue BYTES    that wait for the rate (1M)\n"
    "      --loss PCT       of the frames, each for itself (0)\n"
    "      --burst PCT      of the frames begin a time in which all are lost (0)\n"
    "      --burst-end PCT  of the frames in it end it (25)\n"
    "      --reorder PCT    of the frames come late (0)\n"
    "      --late MS        by at most so much (a quarter of the round trip)\n"
    "      --duplicate PCT  come twice (0)\n"
    "      --corrupt PCT    have a wrong bit behind the Ethernet header (0)\n"
    "      --seed N         (1)\n";

enum { DELAY = 256, RATE, QUEUE, LOSS, BURST, BURST_END, REORDER, LATE, DUPLICATE, CORRUPT, SEED };

static const struct option longs[] = {
    { "delay", required_argument, NULL, DELAY },
    { "rate", required_argument, NULL, RATE },
    { "queue", required_argument, NULL, QUEUE },
    { "loss", required_argument, NULL, LOSS },
    { "burst", required_argument, NULL, BURST },
    { "burst-end", required_argument, NULL, BURST_END },
    { "reorder", required_argument, NULL, REORDER },
    { "late", required_argument, NULL, LATE },
    { "duplicate", required_argument, NULL, DUPLICATE },
    { "corrupt", required_argument, NULL, CORRUPT },
    { "seed", required_argument, NULL, SEED },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

static bool share(const char *text, uint32_t *ppm)
{
    double pct;

    if (!options_decimal(text, 100, &pct))
        return false;
    *ppm = (uint32_t)(pct * PPM_PER_CENT + 0.5);
    return true;
}

static bool milliseconds(const char *text, uint64_t *ns)
{
    double ms;

    if (!options_decimal(text, DELAY_MS_MAX, &ms))
        return false;
    *ns = (uint64_t)(ms * (double)NS_PER_MS);
    return true;
}

static bool rate(const char *text, uint64_t *bps)
{
    double mbits;

    if (!options_decimal(text, RATE_MBITS_MAX, &mbits))
        return false;
    *bps = (uint64_t)(mbits * 1e6);
    return true;
}

static bool take(struct link_options *o, int opt)
{
    struct link_fate_config *fate = &o->way.fate;

    switch (opt) {
    case DELAY: return milliseconds(optarg, &o->way.delay_ns);
    case RATE: return rate(optarg, &o->way.rate_bps);
    case QUEUE: return options_number(optarg, 1, QUEUE_MAX, &o->way.queue_bytes);
    case LOSS: return share(optarg, &fate->loss_ppm);
    case BURST: return share(optarg, &fate->burst_ppm);
    case BURST_END: return share(optarg, &fate->burst_end_ppm);
    case REORDER: return share(optarg, &fate->reorder_ppm);
    case LATE: return milliseconds(optarg, &fate->late_ns);
    case DUPLICATE: return share(optarg, &fate->duplicate_ppm);
    case CORRUPT: return share(optarg, &fate->corrupt_ppm);
    case SEED: return options_number(optarg, 0, UINT64_MAX / 2, &o->seed);
    default: fputs(usage, stderr); return false;
    }
}

bool link_options_parse(struct link_options *o, int argc, char **argv)
{
    int opt;

    *o = (struct link_options){
        .way = { .queue_bytes = 1024 * 1024, .fate = { .burst_end_ppm = 25 * PPM_PER_CENT } },
        .seed = 1,
    };
    while ((opt = getopt_long(argc, argv, "h", longs, NULL)) != -1)
        if (!take(o, opt))
            return false;
    if (argc - optind != 2) {
        fputs(usage, stderr);
        return false;
    }
    if (o->way.fate.late_ns == 0)
        o->way.fate.late_ns = o->way.delay_ns / 2;
    o->names[0] = argv[optind];
    o->names[1] = argv[optind + 1];
    return true;
}
