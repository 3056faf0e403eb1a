/*
 * Is what was given up gone for good? What needs root is skipped without it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/privs.h"

static uint8_t sentence[512];
static struct buf why;

static int set_up(void **state)
{
    (void)state;
    why = (struct buf){ sentence, 0, sizeof(sentence) };
    return 0;
}

/* In a child; the number says which step went wrong. */
static int drop_and_look(void)
{
    if (!privs_drop("nobody", &why))
        return 1;
    if (getuid() == 0 || geteuid() == 0 || getgid() == 0)
        return 2;
    if (setuid(0) == 0 || setgid(0) == 0)
        return 3;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 4;
    return umask(0) == 077 ? 0 : 5;
}

static void root_is_given_up_for_good(void **state)
{
    int status;
    pid_t child;

    (void)state;
    if (geteuid() != 0)
        skip();
    child = fork();
    if (child == 0)
        _exit(drop_and_look());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void an_unknown_user_is_named(void **state)
{
    (void)state;
    assert_false(privs_user_exists("no-such-user-here", &why));
    sentence[why.len] = 0;
    assert_non_null(strstr((char *)sentence, "user \"no-such-user-here\" does not exist"));
    assert_true(privs_user_exists("", &why));
    assert_true(privs_user_exists("root", &why));
}

static void open_files_are_raised(void **state)
{
    struct rlimit limit;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(privs_raise_limits(200, &why));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 200);
    /* Over what the kernel has at all (fs.nr_open). */
    assert_false(privs_raise_limits(1ULL << 40, &why));
    sentence[why.len] = 0;
    assert_non_null(strstr((char *)sentence, "1099511627776 open files are needed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(root_is_given_up_for_good, set_up),
        cmocka_unit_test_setup(an_unknown_user_is_named, set_up),
        cmocka_unit_test_setup(open_files_are_raised, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
