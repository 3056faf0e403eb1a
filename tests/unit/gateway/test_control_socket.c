/* The socket's place: made, replaced when its owner is dead, never taken from a living one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/control_socket.h"

static char folder[64];
static char path[80];
static uint8_t text[512];
static struct buf why;

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/postern-control-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/run/control", folder);
    why = (struct buf){ text, 0, sizeof(text) - 1 };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
    return rmdir(folder);
}

static void it_is_made_and_taken_away(void **state)
{
    int fd = control_socket_listen(path, "", &why);
    struct stat info;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode, S_IFSOCK | 0600);
    control_socket_close(fd, path);
    assert_int_equal(stat(path, &info), -1);
}

static void a_dead_owner_s_is_replaced(void **state)
{
    int fd = control_socket_listen(path, "", &why);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    fd = control_socket_listen(path, "", &why);
    assert_true(fd >= 0);
    control_socket_close(fd, path);
}

static void a_living_owner_keeps_it(void **state)
{
    int fd = control_socket_listen(path, "", &why);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(control_socket_listen(path, "", &why), -1);
    text[why.len] = 0;
    assert_non_null(strstr((char *)text, "another postern answers there"));
    assert_int_equal(access(path, F_OK), 0);
    control_socket_close(fd, path);
}

static void a_file_stays_where_it_is(void **state)
{
    int fd = control_socket_listen(path, "", &why);
    FILE *f;

    (void)state;
    control_socket_close(fd, path);
    f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(control_socket_listen(path, "", &why), -1);
    text[why.len] = 0;
    assert_non_null(strstr((char *)text, "is no socket"));
    assert_int_equal(access(path, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_made_and_taken_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_dead_owner_s_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_living_owner_keeps_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_stays_where_it_is, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
