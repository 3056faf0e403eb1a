/*
 * A pointer handed from one thread to another and an answer back (base/ring): what a message costs
 * on its way to the spool's thread at least. One way: half of a round; in a row: many under way.
 *
 * Happy path: the other thread, left to the scheduler, gives back what it gets. On one core alone
 * both take turns by yielding, and the figure is the scheduler's.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <x86intrin.h>

#include "base/ring.h"
#include "bench/limit.h"

#define RING_SIZE 1024
#define BATCH_US  2000
#define SPINS     1000 /* looks before the other thread may need our core */

static struct ring *there, *back;
static pthread_t echo_thread;
static bool running;
static bool want_stop;

/* Waits a moment; gives the core away when the other side seems not to run. */
static void relax(unsigned *looks)
{
    if (++*looks % SPINS == 0)
        sched_yield();
    else
        _mm_pause();
}

static void *echo(void *arg)
{
    unsigned looks = 0;
    void *item;

    (void)arg;
    while (!__atomic_load_n(&want_stop, __ATOMIC_ACQUIRE)) {
        item = ring_pop(there);
        if (item == NULL)
            relax(&looks);
        else
            while (!ring_push(back, item))
                relax(&looks);
    }
    return NULL;
}

static uint64_t hand_over(uint64_t count, uint64_t window)
{
    uint64_t begin = __rdtsc();
    uint64_t sent = 0, got = 0;
    unsigned looks = 0;

    while (got < count) {
        if (sent < count && sent - got < window && ring_push(there, &sent))
            sent++;
        if (ring_pop(back) != NULL)
            got++;
        else if (sent == count || sent - got == window)
            relax(&looks);
    }
    return __rdtsc() - begin;
}

static uint64_t round_trip(void *arg, uint64_t count)
{
    (void)arg;
    return hand_over(count, 1);
}

static uint64_t row(void *arg, uint64_t count)
{
    (void)arg;
    return hand_over(count, RING_SIZE / 2);
}

bool limit_ring_open(struct timing *t, const char *directory, struct buf *why)
{
    struct timing_task trip = { .name = "ring/round-trip",
                                .run = round_trip,
                                .batch_us = BATCH_US };
    struct timing_task many = { .name = "ring/in-a-row", .run = row, .batch_us = BATCH_US };
    int err;

    (void)directory;
    there = ring_create(RING_SIZE);
    back = ring_create(RING_SIZE);
    if (there == NULL || back == NULL) {
        buf_printf(why, "memory is short");
        return false;
    }
    err = pthread_create(&echo_thread, NULL, echo, NULL);
    if (err != 0) {
        buf_printf(why, "thread: %s", strerror(err));
        return false;
    }
    running = true;
    timing_add(t, &trip);
    timing_add(t, &many);
    return true;
}

void limit_ring_close(void)
{
    if (running) {
        __atomic_store_n(&want_stop, true, __ATOMIC_RELEASE);
        pthread_join(echo_thread, NULL);
        running = false;
    }
    if (there != NULL)
        ring_destroy(there);
    if (back != NULL)
        ring_destroy(back);
}
