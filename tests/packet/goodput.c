/*
 * A table of goodput: one upload of 25 MB between two of our TCPs, for each loss, round trip and
 * share of reordered frames, in virtual time and from fixed seeds, so the same tree prints the same
 * table. bench/goodput.txt is its output.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "tcp_pair.h"

#define UPLOAD_BYTES (25ULL * 1000 * 1000)
#define WIRE_RATE    12500000ULL /* bytes a second */
#define WIRE_QUEUE   (1024 * 1024)
#define SEEDS        5

static const uint32_t losses_ppm[] = { 0, 1000, 10000, 50000 };
static const uint32_t reorders_ppm[] = { 0, 20000 };
static const uint64_t rtts_ms[] = { 1, 50, 200 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Mbit/s of one upload; 0: it did not arrive whole. */
static double upload(uint64_t seed, uint64_t rtt_ms, uint32_t loss_ppm, uint32_t reorder_ppm)
{
    struct tcp_pair_config config = tcp_pair_plain(seed, rtt_ms * NS_PER_MS / 2);
    struct tcp_pair_result r;

    config.bytes[0] = UPLOAD_BYTES;
    config.loss_ppm = loss_ppm;
    config.reorder_ppm = reorder_ppm;
    config.late_ns = config.delay_ns / 2;
    config.rate = WIRE_RATE;
    config.queue_bytes = WIRE_QUEUE;
    config.segs = 49152;
    config.receive_bytes = LIMIT_TCP_RECEIVE_BYTES_DEFAULT;
    config.send_bytes = LIMIT_TCP_RECEIVE_BYTES_DEFAULT;
    r = tcp_pair_run(&config);
    if (!r.intact || !r.done)
        return 0;
    return (double)UPLOAD_BYTES * 8 / 1e6 / ((double)r.transfer_ns / 1e9);
}

/* False: an upload was broken. */
static bool print_row(uint64_t rtt_ms, uint32_t reorder_ppm)
{
    bool whole = true;

    printf("%4u ms %5.1f %%", (unsigned)rtt_ms, reorder_ppm / 1e4);
    for (size_t l = 0; l < COUNT(losses_ppm); l++) {
        double sum = 0;

        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            double mbits = upload(seed, rtt_ms, losses_ppm[l], reorder_ppm);

            whole &= mbits > 0;
            sum += mbits;
        }
        printf(" %8.2f", sum / SEEDS);
    }
    printf("\n");
    return whole;
}

int main(void)
{
    bool whole = true;

    printf("Goodput of a 25 MB upload between two of our TCPs, Mbit/s, the mean of %d seeds.\n"
           "The wire: 100 Mbit/s each way, a queue of 1 MB, frames lost at random both ways, late\n"
           "ones held back by up to a quarter of the round trip. Slow start is in the figures.\n",
           SEEDS);
    printf("\n    RTT reorder     loss:\n               ");
    for (size_t l = 0; l < COUNT(losses_ppm); l++)
        printf(" %6.1f %%", losses_ppm[l] / 1e4);
    printf("\n");
    for (size_t i = 0; i < COUNT(rtts_ms); i++)
        for (size_t r = 0; r < COUNT(reorders_ppm); r++)
            whole &= print_row(rtts_ms[i], reorders_ppm[r]);
    return whole ? EXIT_SUCCESS : EXIT_FAILURE;
}
