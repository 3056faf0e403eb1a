/* See timing.h. The clock is read only to learn the rate of the counter. */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "base/assert.h"
#include "base/clock.h"
#include "bench/timing.h"

#define CALIBRATE_NS (50 * NS_PER_MS)
#define COUNT_MAX    (1ULL << 32)
#define PROGRESS_NS  (5 * NS_PER_S)

uint64_t timing_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void timing_init(struct timing *t)
{
    uint64_t ns = timing_now_ns();
    uint64_t cycles = __rdtsc();
    uint64_t end;

    do {
        end = timing_now_ns();
    } while (end - ns < CALIBRATE_NS);
    t->hz = (double)(__rdtsc() - cycles) * 1e9 / (double)(end - ns);
}

bool timing_wants_group(const struct timing *t, const char *group)
{
    size_t len = strlen(group);

    if (t->only == NULL)
        return true;
    return strncmp(t->only, group, strlen(t->only) < len ? strlen(t->only) : len) == 0;
}

static bool wants(const struct timing *t, const char *name)
{
    return t->only == NULL || strncmp(name, t->only, strlen(t->only)) == 0;
}

void timing_add(struct timing *t, const struct timing_task *task)
{
    if (!wants(t, task->name))
        return;
    ASSERT(t->count < TIMING_TASKS_MAX);
    t->tasks[t->count++] = *task;
}

/* Doubles the batch until it is long enough twice: the first of a kind may take far longer than all
 * that come after it. */
static bool size_batch(const struct timing *t, struct timing_task *task)
{
    double least = (double)task->batch_us * t->hz / 1e6;
    unsigned enough = 0;

    for (task->count = 1; task->count<COUNT_MAX; task->count *= enough> 0 ? 1 : 2) {
        uint64_t cycles = task->run(task->arg, task->count);

        if (cycles == 0)
            return false;
        enough = (double)cycles >= least ? enough + 1 : 0;
        if (enough == 2)
            return true;
    }
    return true;
}

/* A person sees it alive. */
static void progress(uint64_t *last_ns, unsigned round, unsigned rounds)
{
    uint64_t now = timing_now_ns();

    if (now - *last_ns < PROGRESS_NS)
        return;
    *last_ns = now;
    fprintf(stderr, "round %u of %u\n", round, rounds);
}

bool timing_run(struct timing *t, unsigned rounds, const char **failed)
{
    uint64_t last_ns = timing_now_ns();
    uint64_t cycles;

    for (unsigned i = 0; i < t->count; i++) {
        *failed = t->tasks[i].name;
        if (!size_batch(t, &t->tasks[i]))
            return false;
    }
    for (unsigned n = 0; n < rounds; n++)
        for (unsigned i = 0; i < t->count; i++) {
            struct timing_task *task = &t->tasks[i];

            *failed = task->name;
            cycles = task->run(task->arg, task->count);
            if (cycles == 0 || !sample_add(&task->cycles, (double)cycles / (double)task->count))
                return false;
            progress(&last_ns, n + 1, rounds);
        }
    return true;
}

void timing_print(struct timing *t, FILE *table, FILE *tsv)
{
    fprintf(table, "%-34s %12s %12s %12s %12s %14s\n", "operation", "cycles", "min", "max", "ns",
            "MB/s or 1/s");
    for (unsigned i = 0; i < t->count; i++) {
        struct timing_task *task = &t->tasks[i];
        double cycles = sample_median(&task->cycles);
        double per_s = t->hz / cycles;

        fprintf(table, "%-34s %12.1f %12.1f %12.1f %12.1f %14.1f\n", task->name, cycles,
                sample_min(&task->cycles), sample_max(&task->cycles), cycles * 1e9 / t->hz,
                task->bytes > 0 ? per_s * (double)task->bytes / 1e6 : per_s);
        if (tsv == NULL)
            continue;
        sample_write(&task->cycles, tsv, task->name, "cycles");
    }
    if (tsv != NULL)
        fprintf(tsv, "tsc\tHz\t%.0f\t%.0f\t%.0f\t1\n", t->hz, t->hz, t->hz);
}
