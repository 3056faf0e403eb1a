/*
 * What crosses threads: a ring there, a ring back, and a log. Run it under TSan
 * (-Db_sanitize=thread): the contents of the objects are plain memory, so a missing acquire or
 * release is a reported race and not only bad luck.
 */
#include "lib/unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/ring.h"

#define ROUNDS  200000
#define OBJECTS 16

struct object {
    uint64_t question;
    uint64_t answer;
};

struct rings {
    struct ring *there;
    struct ring *back;
};

static void *answer_all(void *argument)
{
    struct rings *rings = argument;

    for (unsigned done = 0; done < ROUNDS;) {
        struct object *o = ring_pop(rings->there);

        if (o == NULL) {
            sched_yield();
            continue;
        }
        o->answer = o->question * 3;
        /* There are fewer objects than slots. */
        if (!ring_push(rings->back, o))
            return argument;
        done++;
    }
    return NULL;
}

static void objects_go_there_and_back(void **state)
{
    static struct object objects[OBJECTS];
    struct rings rings = { ring_create(OBJECTS), ring_create(OBJECTS) };
    pthread_t thread;
    uint64_t asked = 0;
    uint64_t answered = 0;
    void *result;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, answer_all, &rings), 0);
    while (answered < ROUNDS) {
        struct object *o = NULL;

        if (asked < OBJECTS)
            o = &objects[asked];
        else if ((o = ring_pop(rings.back)) == NULL) {
            sched_yield();
            continue;
        }
        if (asked >= OBJECTS) {
            assert_true(o->question == answered); /* in order */
            assert_true(o->answer == answered * 3);
            answered++;
        }
        if (asked < ROUNDS) {
            o->question = asked++;
            assert_true(ring_push(rings.there, o));
        }
    }
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    assert_int_equal(ring_count(rings.there), 0);
    ring_destroy(rings.there);
    ring_destroy(rings.back);
}

struct reader {
    struct log *log;
    _Atomic bool stop;
    uint64_t lines;
    bool in_order;
};

static void *read_lines(void *argument)
{
    struct reader *r = argument;
    unsigned long last = 0;

    r->in_order = true;
    for (;;) {
        bool stop = atomic_load(&r->stop);
        struct span line = log_peek(r->log);
        char text[LOG_LINE_MAX + 1];
        unsigned long n;

        if (line.len == 0) {
            if (stop)
                return NULL;
            sched_yield();
            continue;
        }
        memcpy(text, line.ptr, line.len);
        text[line.len] = '\0';
        if (sscanf(strstr(text, " n="), " n=%lu", &n) != 1 || n <= last)
            r->in_order = false;
        last = n;
        r->lines++;
        log_pop(r->log);
    }
}

static void lines_arrive_whole_or_are_counted(void **state)
{
    static struct counters counters;
    struct clock clock = { 0, 0 };
    struct reader r = { .log = log_create(8, LOG_LEVEL_INFO, &clock, &counters) };
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, read_lines, &r), 0);
    for (uint64_t n = 1; n <= ROUNDS / 4; n++) {
        struct log_line *line = log_begin(r.log, LOG_LEVEL_INFO, "x");

        log_u64(line, "n", n);
        log_end(r.log, line);
        clock.unix_ms++;
    }
    atomic_store(&r.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(r.in_order);
    assert_true(r.lines > 0);
    assert_int_equal(r.lines + counter_get(&counters, COUNTER_LOG_DROPPED), ROUNDS / 4);
    log_destroy(r.log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_go_there_and_back),
        cmocka_unit_test(lines_arrive_whole_or_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
