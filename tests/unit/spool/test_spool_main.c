/*
 * postern-spool, the program, over a spool that was just written: what it prints, what it writes,
 * how it ends. Its argument is the program.
 */
#include "lib/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spool/spool_format.h"
#include "unit/spool/folder.h"

#define FILE_BYTES (256u * 1024)
#define FIRST      "Subject: one\r\n\r\n..a dot\r\nno dot.\r\n"
#define FIRST_SENT "Subject: one\r\n\r\n.a dot\r\nno dot.\r\n"
#define SECOND     "Subject: two\r\n\r\nshort\r\n"
#define GENERATED  "Received: by a test\r\n"

static const char *program;
static char directory[128];
static char spool_path[160];
static char out[8192]; /* of the last run */
static char err[8192];

/* --- running it ------------------------------------------------------------------------------ */

static void read_text(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY);
    ssize_t n;

    assert_true(fd >= 0);
    n = read(fd, text, room - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fd);
}

static void become(const char *to, const char *err_path, char **argv)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    dup2(fd, STDOUT_FILENO);
    fd = open(err_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDERR_FILENO);
    execv(program, argv);
    _exit(127);
}

/* Its exit code; standard output goes to a file, whose text is in `out` if it is ours. */
static int run_to(const char *to, const char *command, const char *a, const char *b)
{
    char err_path[200];
    char *argv[] = { (char *)(uintptr_t)program,
                     "-d",
                     spool_path,
                     (char *)(uintptr_t)command,
                     (char *)(uintptr_t)a,
                     (char *)(uintptr_t)b,
                     NULL };
    pid_t child;
    int status;

    snprintf(err_path, sizeof(err_path), "%s/err", directory);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        become(to, err_path, argv);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    read_text(err_path, err, sizeof(err));
    return WEXITSTATUS(status);
}

static int run(const char *command, const char *a, const char *b)
{
    char path[200];
    int code;

    snprintf(path, sizeof(path), "%s/out", directory);
    code = run_to(path, command, a, b);
    read_text(path, out, sizeof(out));
    return code;
}

static void file_is(const char *name, const char *want)
{
    char path[400];
    char text[1024];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    read_text(path, text, sizeof(text));
    assert_string_equal(text, want);
}

static bool is_there(const char *name)
{
    char path[400];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

/* --- the spool: two messages ----------------------------------------------------------------- */

static char ids[2][MAIL_ID_TEXT];

static void fill(void)
{
    static const struct spool_config config = {
        .bytes_max = 8 * FILE_BYTES,
        .segment_bytes = FILE_BYTES,
        .ports = 1,
        .extents_per_port = 4,
        .messages_per_port = 4,
    };
    char text[256] = "";
    struct buf why = { (uint8_t *)text, 0, sizeof(text) - 1 };
    struct counters counters = { 0 };
    struct spool_recovery recovery;
    struct spool_env env = { .io = spool_uring_create(spool_path, &why), .counters = &counters };
    struct mail_id_gen g;
    struct spool *s;
    uint64_t id[2];

    assert_string_equal(text, "");
    s = spool_open(&config, &env, &recovery, &why);
    assert_string_equal(text, "");
    mail_id_init(&g, 0, 0);
    for (unsigned i = 0; i < 2; i++) {
        id[i] = mail_id_make(&g, 1000000000000ULL);
        mail_id_format(id[i], ids[i]);
    }
    folder_send(s, spool_port(s, 0), id[0], SPAN_LITERAL(FIRST));
    folder_send(s, spool_port(s, 0), id[1], SPAN_LITERAL(SECOND));
    spool_close(s);
    spool_uring_destroy(env.io);
}

/* Changes a byte of the first place where `text` stands in the first segment. */
static void rot(const char *text)
{
    static uint8_t bytes[FILE_BYTES];
    char path[200];
    FILE *f;
    uint8_t *at;

    snprintf(path, sizeof(path), "%s/segment-00000001", spool_path);
    f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fread(bytes, 1, sizeof(bytes), f), sizeof(bytes));
    at = memmem(bytes, sizeof(bytes), text, strlen(text));
    assert_non_null(at);
    assert_int_equal(fseek(f, at - bytes, SEEK_SET), 0);
    fputc(*at ^ 1, f);
    assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
    (void)state;
    folder_make(directory, sizeof(directory));
    snprintf(spool_path, sizeof(spool_path), "%s/spool", directory);
    fill();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(directory);
    return 0;
}

/* --- its commands ---------------------------------------------------------------------------- */

static void list(void **state)
{
    char want[512];

    (void)state;
    snprintf(want, sizeof(want),
             "%s  2001-09-09T01:46:40Z  %10zu  <a@x.example>  <b@y.example> and 1 more\n"
             "%s  2001-09-09T01:46:40Z  %10zu  <a@x.example>  <b@y.example> and 1 more\n",
             ids[0], strlen(FIRST), ids[1], strlen(SECOND));
    assert_int_equal(run("list", NULL, NULL), 0);
    assert_string_equal(out, want);
    assert_string_equal(err, "");
}

static void show(void **state)
{
    char want[512];

    (void)state;
    snprintf(want, sizeof(want),
             "id: %s\ntime: 2001-09-09T01:46:40Z\nstored bytes: %zu (dot-stuffed)\n"
             "sender: a@x.example\nrecipient: b@y.example\nrecipient: c@z.example\n"
             "header:\n" GENERATED,
             ids[0], strlen(FIRST));
    assert_int_equal(run("show", ids[0], NULL), 0);
    assert_string_equal(out, want);
}

static void cat(void **state)
{
    (void)state;
    assert_int_equal(run("cat", ids[0], NULL), 0);
    assert_string_equal(out, FIRST_SENT);
    assert_int_equal(run("cat", "--full", ids[1]), 0);
    assert_string_equal(out, GENERATED SECOND);
}

static void verify(void **state)
{
    (void)state;
    assert_int_equal(run("verify", NULL, NULL), 0);
    assert_string_equal(out, "2 messages, 0 damaged\n");
    assert_string_equal(err, "");
}

static void export(void **state)
{
    char path[200];
    char name[200];

    (void)state;
    snprintf(path, sizeof(path), "%s/mail", directory);
    assert_int_equal(run("export", path, NULL), 0);
    snprintf(name, sizeof(name), "mail/%s.eml", ids[0]);
    file_is(name, GENERATED FIRST_SENT);
    snprintf(name, sizeof(name), "mail/%s.eml", ids[1]);
    file_is(name, GENERATED SECOND);
    assert_int_equal(run("export", path, NULL), 1); /* nothing is written over */
    assert_non_null(strstr(err, "File exists"));
    file_is(name, GENERATED SECOND);
    snprintf(path, sizeof(path), "%s/maildir", directory);
    assert_int_equal(run("export", "--format=maildir", path), 0);
    snprintf(name, sizeof(name), "maildir/new/%s", ids[0]);
    file_is(name, GENERATED FIRST_SENT);
    assert_true(is_there("maildir/cur"));
    assert_true(is_there("maildir/tmp"));
}

/* --- what goes wrong ------------------------------------------------------------------------- */

static void wrong_usage(void **state)
{
    static const char *const wrong[][2] = {
        { "burn", NULL },  { "list", "x" },    { "show", NULL },
        { "verify", "x" }, { "export", NULL }, { "export", "--format=mbox" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(run(wrong[i][0], wrong[i][1], NULL), 2);
        assert_non_null(strstr(err, "usage: postern-spool"));
        assert_string_equal(out, "");
    }
}

static void not_there(void **state)
{
    (void)state;
    assert_int_equal(run("cat", "0000000000001", NULL), 1);
    assert_string_equal(err, "postern-spool: 0000000000001: no such message\n");
    assert_int_equal(run("cat", "no-id", NULL), 1);
    assert_non_null(strstr(err, "no-id: is no message id"));
    snprintf(spool_path, sizeof(spool_path), "%s/nothing", directory);
    assert_int_equal(run("list", NULL, NULL), 1);
    snprintf(spool_path, sizeof(spool_path), "%s/spool", directory);
    assert_non_null(strstr(err, "cannot be opened: No such file or directory"));
}

/* A next segment names the first one's end, so that what follows the damage counts (V9). */
static void close_segment(void)
{
    static uint8_t block[2 * SPOOL_BLOCK_BYTES];
    struct spool_segment_header h = {
        .sequence = 9, .segment_bytes = sizeof(block), .previous = 1, .previous_end = FILE_BYTES
    };
    char path[200];
    FILE *f;

    memset(block, 0, sizeof(block));
    spool_format_header_encode(&h, block);
    snprintf(path, sizeof(path), "%s/segment-00000009", spool_path);
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(block, 1, sizeof(block), f), sizeof(block));
    assert_int_equal(fclose(f), 0);
}

static void a_damaged_message(void **state)
{
    char path[200];
    char name[200];
    const char *end;

    (void)state;
    close_segment();
    rot("..a dot");
    assert_int_equal(run("list", NULL, NULL), 0);
    end = strchr(out, '\n');
    assert_non_null(end);
    assert_memory_equal(end - 9, "  damaged", 9);
    assert_null(strstr(end, "damaged"));
    assert_non_null(strstr(err, "segment-00000001: damaged:"));
    assert_int_equal(run("verify", NULL, NULL), 1);
    assert_string_equal(out, "2 messages, 1 damaged\n");
    assert_int_equal(run("cat", ids[0], NULL), 1);
    assert_string_equal(out, "");
    assert_non_null(strstr(err, "damaged or unreadable"));
    snprintf(path, sizeof(path), "%s/whole", directory);
    assert_int_equal(run("export", path, NULL), 1);
    snprintf(name, sizeof(name), "whole/%s.eml", ids[0]);
    assert_false(is_there(name));
    snprintf(name, sizeof(name), "whole/%s.eml", ids[1]);
    file_is(name, GENERATED SECOND);
}

static void a_damaged_segment_is_named(void **state)
{
    (void)state;
    rot("POSTERNS");
    assert_int_equal(run("list", NULL, NULL), 0);
    assert_string_equal(out, "");
    assert_string_equal(err,
                        "postern-spool: segment-00000001: no segment, or its header is damaged: "
                        "left alone\n");
}

static void a_full_disk_is_said(void **state)
{
    static const char *const commands[] = { "list", "verify" };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(run_to("/dev/full", commands[i], NULL, NULL), 1);
        assert_non_null(strstr(err, "standard output: No space left on device"));
    }
    assert_int_equal(run_to("/dev/full", "show", ids[0], NULL), 1);
    assert_int_equal(run_to("/dev/full", "cat", ids[0], NULL), 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list),
        cmocka_unit_test(show),
        cmocka_unit_test(cat),
        cmocka_unit_test(verify),
        cmocka_unit_test(export),
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(not_there),
        cmocka_unit_test(a_full_disk_is_said),
        /* These two spoil what the others read. */
        cmocka_unit_test(a_damaged_message),
        cmocka_unit_test(a_damaged_segment_is_named),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: test_spool_main POSTERN-SPOOL\n");
        return 2;
    }
    program = argv[1];
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
