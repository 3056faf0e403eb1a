/*
 * Two tables between two of our TCPs, for each loss, round trip and share of reordered frames: the
 * goodput of an upload of 25 MB, and how long short sessions take. In virtual time and from fixed
 * seeds, so the same tree prints the same tables. bench/goodput.txt is their output.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "tcp_pair.h"

#define UPLOAD_BYTES (25ULL * 1000 * 1000)
#define WIRE_RATE    12500000ULL /* bytes a second */
#define WIRE_QUEUE   (1024 * 1024)
#define SEEDS        5
#define SESSIONS     1000
#define MAIL_BYTES   4000 /* a session: what a client says, a small mail in it, ... */
#define REPLY_BYTES  1000 /* ... and what it is answered */

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

/* A session from SYN until the server has the mail, ms; 0: it did not arrive whole. */
static double session(uint64_t seed, uint64_t rtt_ms, uint32_t loss_ppm, uint32_t reorder_ppm)
{
    struct tcp_pair_config config = tcp_pair_plain(seed, rtt_ms * NS_PER_MS / 2);
    struct tcp_pair_result r;

    config.bytes[0] = MAIL_BYTES;
    config.bytes[1] = REPLY_BYTES;
    config.loss_ppm = loss_ppm;
    config.reorder_ppm = reorder_ppm;
    config.late_ns = config.delay_ns / 2;
    config.rate = WIRE_RATE;
    config.queue_bytes = WIRE_QUEUE;
    config.segs = 128;
    r = tcp_pair_run(&config);
    return r.intact && r.done ? (double)r.transfer_ns / 1e6 : 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The mean, and what 99 of 100 sessions stay below. False: a session was broken. */
static bool print_sessions(uint64_t rtt_ms, uint32_t reorder_ppm)
{
    static double ms[SESSIONS];
    bool whole = true;

    printf("%4u ms %5.1f %%", (unsigned)rtt_ms, reorder_ppm / 1e4);
    for (size_t l = 0; l < COUNT(losses_ppm); l++) {
        double sum = 0;

        for (uint64_t i = 0; i < SESSIONS; i++) {
            ms[i] = session(i + 1, rtt_ms, losses_ppm[l], reorder_ppm);
            whole &= ms[i] > 0;
            sum += ms[i];
        }
        qsort(ms, SESSIONS, sizeof(ms[0]), compare);
        printf(" %7.1f %7.1f", sum / SESSIONS, ms[SESSIONS * 99 / 100]);
    }
    printf("\n");
    return whole;
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

static void print_losses(int width)
{
    printf("\n    RTT reorder     loss:\n               ");
    for (size_t l = 0; l < COUNT(losses_ppm); l++)
        printf(" %*.1f %%", width, losses_ppm[l] / 1e4);
    printf("\n");
}

int main(void)
{
    bool whole = true;

    printf("Goodput of a 25 MB upload between two of our TCPs, Mbit/s, the mean of %d seeds.\n"
           "The wire: 100 Mbit/s each way, a queue of 1 MB, frames lost at random both ways, late\n"
           "ones held back by up to a quarter of the round trip. Slow start is in the figures.\n",
           SEEDS);
    print_losses(6);
    for (size_t i = 0; i < COUNT(rtts_ms); i++)
        for (size_t r = 0; r < COUNT(reorders_ppm); r++)
            whole &= print_row(rtts_ms[i], reorders_ppm[r]);
    printf("\n%d short sessions over the same wire: %d bytes there and %d back, ms from SYN until\n"
           "the server has them: the mean, and what 99 of 100 stay below.\n",
           SESSIONS, MAIL_BYTES, REPLY_BYTES);
    print_losses(13);
    for (size_t i = 0; i < COUNT(rtts_ms); i++)
        for (size_t r = 0; r < COUNT(reorders_ppm); r++)
            whole &= print_sessions(rtts_ms[i], reorders_ppm[r]);
    return whole ? EXIT_SUCCESS : EXIT_FAILURE;
}
