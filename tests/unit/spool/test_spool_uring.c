/*
 * The real disk, in a temporary directory of a real file system (TMPDIR, or /var/tmp): lock, files,
 * writes, sleeping and waking; then a whole spool on it, with a reader beside its writer.
 */
#include "lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/spool.h"
#include "spool/spool_format.h"
#include "spool/spool_io.h"
#include "unit/spool/folder.h"

#define FILE_BYTES (256u * 1024)

static char directory[128];
static char text[256];
static struct buf why;

static int set_up(void **state)
{
    (void)state;
    memset(text, 0, sizeof(text));
    why = (struct buf){ (uint8_t *)text, 0, sizeof(text) - 1 };
    folder_make(directory, sizeof(directory));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(directory);
    return 0;
}

static struct spool_io *writer(void)
{
    struct spool_io *io = spool_uring_create(directory, &why);

    assert_string_equal(text, "");
    assert_non_null(io);
    return io;
}

static struct spool_io_result complete(struct spool_io *io, const struct spool_io_request *r)
{
    struct spool_io_result result;

    io->ops->submit(io, r);
    io->ops->flush(io);
    while (io->ops->reap(io, &result, 1) == 0)
        io->ops->wait(io);
    assert_ptr_equal(result.tag, r->tag);
    return result;
}

static void the_lock_is_taken_once(void **state)
{
    struct spool_io *first = writer();
    struct spool_io *reader;

    (void)state;
    assert_null(spool_uring_create(directory, &why));
    assert_non_null(strstr(text, "another gateway is writing to"));
    assert_non_null(strstr(text, directory));
    reader = spool_uring_reader_create(directory, &why);
    assert_non_null(reader);
    spool_uring_destroy(reader);
    spool_uring_destroy(first);
    memset(text, 0, sizeof(text));
    spool_uring_destroy(writer());
}

static void no_directory_no_spool(void **state)
{
    char below[160];

    (void)state;
    snprintf(below, sizeof(below), "%s/not/there", directory);
    assert_null(spool_uring_create(below, &why));
    assert_non_null(strstr(text, "cannot be made: No such file or directory"));
    why.len = 0;
    assert_null(spool_uring_reader_create(below, &why));
    assert_non_null(strstr(text, "cannot be opened: No such file or directory"));
}

static void the_directory_is_made_private(void **state)
{
    char below[160];
    struct spool_io *io;
    struct stat st;

    (void)state;
    snprintf(below, sizeof(below), "%s/spool", directory);
    io = spool_uring_create(below, &why);
    assert_non_null(io);
    spool_uring_destroy(io);
    assert_int_equal(stat(below, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    folder_remove(below);
}

static void a_new_file_reads_as_zeros(void **state)
{
    struct spool_io *io = writer();
    static uint8_t got[FILE_BYTES + 1];
    struct spool_io_entry entries[4];
    int file = io->ops->open(io, "segment-00000001", SPOOL_IO_CREATE, FILE_BYTES);
    int count;

    (void)state;
    assert_true(file >= 0);
    memset(got, 1, sizeof(got));
    io->ops->close(io, file);
    file = io->ops->open(io, "segment-00000001", SPOOL_IO_READ, 0);
    assert_int_equal(io->ops->read(io, file, 0, got, sizeof(got)), FILE_BYTES);
    for (unsigned i = 0; i < FILE_BYTES; i++)
        assert_int_equal(got[i], 0);
    assert_int_equal(io->ops->read(io, file, FILE_BYTES, got, 1), 0);
    io->ops->close(io, file);
    count = io->ops->list(io, entries, 4);
    assert_int_equal(count, 2); /* and the lock */
    for (int i = 0; i < count; i++)
        if (strcmp(entries[i].name, "lock") != 0) {
            assert_string_equal(entries[i].name, "segment-00000001");
            assert_int_equal(entries[i].bytes, FILE_BYTES);
        }
    assert_int_equal(io->ops->list(io, entries, 1), 2);
    assert_int_equal(io->ops->open(io, "segment-00000009", SPOOL_IO_READ, 0), -ENOENT);
    spool_uring_destroy(io);
}

/* By O_DIRECT the file's descriptor says so; where that is not to be had, the note does. */
static void direct_or_said(void **state)
{
    struct spool_io *io = writer();
    int file = io->ops->open(io, "segment-00000001", SPOOL_IO_CREATE, FILE_BYTES);
    bool direct = (fcntl(file, F_GETFL) & O_DIRECT) != 0;
    bool said = strstr(io->note, "no O_DIRECT") != NULL;

    (void)state;
    io->ops->close(io, file);
    spool_uring_destroy(io);
    assert_int_equal(direct, !said);
    if (!direct) {
        print_message("%s has no O_DIRECT: the other cases ran through the page cache\n",
                      directory);
        skip();
    }
}

static void written_durably_and_read_back(void **state)
{
    struct spool_io *io = writer();
    static uint8_t got[8192];
    uint8_t *memory = io->ops->memory(io, 16384);
    int file = io->ops->open(io, "segment-00000001", SPOOL_IO_CREATE, FILE_BYTES);
    struct spool_io_request r = {
        .op = SPOOL_IO_OP_WRITE_DURABLE,
        .file = file,
        .offset = 4096,
        .data = memory + 4096,
        .len = 8192,
        .tag = &r,
    };

    (void)state;
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % 4096, 0);
    memset(memory + 4096, 0x5a, 8192);
    assert_int_equal(complete(io, &r).result, 8192);
    r.op = SPOOL_IO_OP_WRITE;
    r.offset = 12288;
    assert_int_equal(complete(io, &r).result, 8192);
    r.op = SPOOL_IO_OP_SYNC;
    assert_int_equal(complete(io, &r).result, 0);
    assert_int_equal(io->ops->sync(io, file), 0);
    io->ops->close(io, file);
    file = io->ops->open(io, "segment-00000001", SPOOL_IO_READ, 0);
    assert_int_equal(io->ops->read(io, file, 4096, got, 8192), 8192);
    assert_memory_equal(got, memory + 4096, 8192);
    assert_int_equal(io->ops->read(io, file, 12288, got, 8192), 8192);
    assert_memory_equal(got, memory + 4096, 8192);
    assert_int_equal(io->ops->read(io, file, 0, got, 1), 1);
    assert_int_equal(got[0], 0);
    io->ops->close(io, file);
    spool_uring_destroy(io);
}

static void a_write_that_cannot_be(void **state)
{
    struct spool_io *io = writer();
    uint8_t *memory = io->ops->memory(io, 4096);
    int file = io->ops->open(io, "segment-00000001", SPOOL_IO_CREATE, FILE_BYTES);
    struct spool_io_request r = {
        .op = SPOOL_IO_OP_WRITE_DURABLE, .data = memory, .len = 4096, .tag = &r
    };

    (void)state;
    io->ops->close(io, file);
    r.file = file = io->ops->open(io, "segment-00000001", SPOOL_IO_READ, 0);
    assert_int_equal(complete(io, &r).result, -EBADF);
    io->ops->close(io, file);
    spool_uring_destroy(io);
}

/* wake() before wait() counts; so does each one of two. */
static void a_wake_ends_a_wait(void **state)
{
    struct spool_io *io = writer();
    struct spool_io_result result;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        io->ops->wake(io);
        io->ops->wait(io);
        assert_int_equal(io->ops->reap(io, &result, 1), 0);
    }
    spool_uring_destroy(io);
}

static bool readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, 0) == 1;
}

/* --- a whole spool --------------------------------------------------------------------------- */

static const struct spool_config config = {
    .bytes_max = 16 * FILE_BYTES,
    .segment_bytes = FILE_BYTES,
    .ports = 1,
    .extents_per_port = 4,
    .messages_per_port = 4,
};

static uint64_t count_by_reader(void)
{
    struct spool_io *io = spool_uring_reader_create(directory, &why);
    struct spool_reader *reader = spool_reader_open(io, &why);
    uint64_t count;

    assert_non_null(reader);
    count = spool_reader_count(reader);
    assert_string_equal(spool_reader_notes(reader), "");
    spool_reader_close(reader);
    spool_uring_destroy(io);
    return count;
}

static void a_reader_beside_a_writer(void **state)
{
    struct counters counters = { 0 };
    struct spool_recovery recovery;
    struct spool_env env = { .io = writer(), .counters = &counters };
    struct spool *s = spool_open(&config, &env, &recovery, &why);
    struct spool_port *p;

    (void)state;
    assert_string_equal(text, "");
    p = spool_port(s, 0);
    assert_int_equal(recovery.messages, 0);
    for (uint64_t id = 1; id <= 10; id++) {
        folder_send(s, p, id, SPAN_LITERAL("body\r\n"));
        assert_int_equal(count_by_reader(), id);
    }
    spool_close(s);
    spool_uring_destroy(env.io);
    env.io = writer();
    s = spool_open(&config, &env, &recovery, &why);
    assert_non_null(s);
    assert_int_equal(recovery.messages, 10);
    assert_int_equal(recovery.id_max, 10);
    spool_close(s);
    spool_uring_destroy(env.io);
}

/* The worker's descriptor is readable while there is news, and not after it was looked at. */
static void news_for_a_sleeping_worker(void **state)
{
    struct counters counters = { 0 };
    struct spool_recovery recovery;
    struct spool_env env = { .io = writer(), .counters = &counters };
    struct spool *s = spool_open(&config, &env, &recovery, &why);
    struct spool_port *p = spool_port(s, 0);
    struct spool_message *m = spool_message_begin(p, NULL);
    struct mail mail = { .id = 1 };

    (void)state;
    assert_true(spool_port_fd(p) >= 0);
    assert_false(readable(spool_port_fd(p)));
    assert_true(spool_message_commit(p, m, &mail));
    while (!readable(spool_port_fd(p)))
        if (spool_turn(s) == 0)
            spool_wait(s);
    assert_ptr_equal(spool_port_poll(p), m);
    assert_int_equal(m->state, SPOOL_DURABLE);
    assert_false(readable(spool_port_fd(p)));
    spool_message_release(p, m);
    spool_close(s);
    spool_uring_destroy(env.io);
}

static void a_short_file(void **state)
{
    char path[200];
    struct stat st;

    a_reader_beside_a_writer(state);
    snprintf(path, sizeof(path), "%s/segment-00000001", directory);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, FILE_BYTES);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(count_by_reader(), 0);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(count_by_reader(), 0);
    a_reader_beside_a_writer(state); /* it is made anew */
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, FILE_BYTES);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_lock_is_taken_once),
        CASE(no_directory_no_spool),
        CASE(the_directory_is_made_private),
        CASE(a_new_file_reads_as_zeros),
        CASE(direct_or_said),
        CASE(written_durably_and_read_back),
        CASE(a_write_that_cannot_be),
        CASE(a_wake_ends_a_wait),
        CASE(a_reader_beside_a_writer),
        CASE(news_for_a_sleeping_worker),
        CASE(a_short_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
