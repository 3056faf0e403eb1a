/*
 * Do lines reach their file, and does nothing wait for a reader that does not read? Run under TSan
 * too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/logger.h"

#define SLOTS 1024

static struct clock clk;
static struct counters ours;
static struct counters loggers;
static struct log *ring;
static uint8_t sentence[256];
static struct buf why;
static char dir[] = "/tmp/postern-test-logger-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    memset(&ours, 0, sizeof(ours));
    memset(&loggers, 0, sizeof(loggers));
    why = (struct buf){ sentence, 0, sizeof(sentence) };
    ring = log_create(SLOTS, LOG_LEVEL_INFO, &clk, &ours);
    memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
    if (ring == NULL || mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/log", dir);
    return 0;
}

static int tear_down(void **state)
{
    char old[80];

    (void)state;
    log_destroy(ring);
    snprintf(old, sizeof(old), "%s.1", path);
    unlink(path);
    unlink(old);
    return rmdir(dir);
}

static struct logger *start(const char *where)
{
    struct logger_config config = {
        .path = where, .logs = &ring, .count = 1, .counters = &loggers
    };

    return logger_start(&config, &why);
}

static bool put_line(uint64_t n)
{
    struct log_line *line = log_begin(ring, LOG_LEVEL_INFO, "test");

    log_u64(line, "n", n);
    log_end(ring, line);
    return line != NULL;
}

/* Counts the lines of a file; they must be n=first and on, in order. */
static uint64_t count_lines(const char *file, uint64_t first)
{
    FILE *f = fopen(file, "r");
    char line[LOG_LINE_MAX];
    char want[32];
    uint64_t count = 0;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        snprintf(want, sizeof(want), " n=%llu\n", (unsigned long long)(first + count));
        assert_non_null(strstr(line, want));
        count++;
    }
    fclose(f);
    return count;
}

static void every_line_reaches_the_file_in_order(void **state)
{
    struct logger *l = start(path);
    uint64_t n = 0;

    (void)state;
    assert_non_null(l);
    /* Many times the ring: the logger must keep up, or the test would drop. */
    while (n < 20 * SLOTS) {
        if (put_line(n))
            n++;
        else
            poll(NULL, 0, 1);
    }
    assert_true(logger_stop(l, 1000));
    assert_int_equal(count_lines(path, 0), n);
    assert_int_equal(counter_get(&loggers, COUNTER_LOG_DROPPED), 0);
}

static void after_logrotate_lines_go_to_the_new_file(void **state)
{
    struct logger *l = start(path);
    char old[80];

    (void)state;
    assert_non_null(l);
    put_line(0);
    while (log_peek(ring).len > 0)
        poll(NULL, 0, 1);
    /* The line may be in the buffer still; a stop would flush, the reopen comes after the write. */
    snprintf(old, sizeof(old), "%s.1", path);
    assert_int_equal(rename(path, old), 0);
    logger_reopen(l);
    while (access(path, F_OK) < 0)
        poll(NULL, 0, 1);
    put_line(1);
    assert_true(logger_stop(l, 1000));
    assert_int_equal(count_lines(old, 0), 1);
    assert_int_equal(count_lines(path, 1), 1);
}

static void a_reader_that_does_not_read_stops_nobody(void **state)
{
    int ends[2];
    struct logger *l;
    uint64_t n = 0;
    char name[64];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[1]);
    l = start(name);
    assert_non_null(l);
    /* A pipe holds 64 KB, the logger's buffer as much, the ring 1,024 lines of 50 bytes: 10,000 are
     * too many. */
    for (uint64_t i = 0; i < 10000; i++) {
        n += put_line(i);
        if (i % SLOTS == 0)
            poll(NULL, 0, 2 * LOGGER_TICK_MS);
    }
    assert_true(n < 10000);
    assert_int_equal(counter_get(&ours, COUNTER_LOG_DROPPED), 10000 - n);
    assert_false(logger_stop(l, 50));
    assert_true(counter_get(&loggers, COUNTER_LOG_DROPPED) > 0);
    close(ends[0]);
    close(ends[1]);
}

static void a_reader_that_comes_late_gets_every_line(void **state)
{
    int ends[2];
    struct logger *l;
    char name[64];
    char text[4096];
    uint64_t lines = 0;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[1]);
    l = start(name);
    assert_non_null(l);
    for (uint64_t i = 0; i < SLOTS; i++)
        assert_true(put_line(i));
    close(ends[1]);
    while (lines < SLOTS) {
        ssize_t n = read(ends[0], text, sizeof(text));

        assert_true(n > 0);
        for (ssize_t i = 0; i < n; i++)
            lines += text[i] == '\n';
    }
    assert_true(logger_stop(l, 1000));
    assert_int_equal(read(ends[0], text, sizeof(text)), 0);
    close(ends[0]);
}

static void a_failed_write_is_counted(void **state)
{
    struct logger *l = start("/dev/full");

    (void)state;
    assert_non_null(l);
    for (uint64_t i = 0; i < 10; i++)
        put_line(i);
    assert_false(logger_stop(l, 1000));
    assert_int_equal(counter_get(&loggers, COUNTER_LOG_DROPPED), 10);
}

static void a_path_that_cannot_be_opened_is_named(void **state)
{
    (void)state;
    assert_null(start("/nowhere/log"));
    sentence[why.len] = 0;
    assert_string_equal((char *)sentence, "log \"/nowhere/log\": No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_line_reaches_the_file_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_logrotate_lines_go_to_the_new_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_does_not_read_stops_nobody, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_comes_late_gets_every_line, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_failed_write_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_path_that_cannot_be_opened_is_named, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
