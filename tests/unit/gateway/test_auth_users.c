/*
 * Does the users file say who may come in, and is each bad line refused with its number?
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "gateway/auth_users.h"

/* mkpasswd's for "secret"; sha512-crypt with few rounds, so that tests are fast. */
#define YESCRYPT "$y$j9T$rk3mOfBv0oIjPUJSyZd6F/$Aw5yE/nVH2l9hjEyRqPVP3C8VYyGdrTm6Cfo9W8gLh0"
/* RFC 7677, 3: of "pencil". */
#define KEYS                                        \
    "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==," \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=," \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define NAME    "must have up to 64 letters, digits, dots, dashes or underscores\n"
#define SETTING "$6$rounds=1000$saltsalt$"

static uint8_t room[4096];
static struct buf errors;

static struct auth_users *parse(const char *text)
{
    errors = (struct buf){ room, 0, sizeof(room) };
    return auth_users_parse("u", span_str(text), &errors);
}

static const char *hash_of(const char *password, const char *setting)
{
    const char *made = crypt(password, setting);

    assert_non_null(made);
    assert_true(made[0] == '$');
    return made;
}

static bool verify(const struct auth_users *u, const char *login, const char *password)
{
    return auth_users_verify(u, span_str(login), span_str(password));
}

static void each_strong_kind_opens_the_door(void **state)
{
    /* Prefix and cost, as low as may be. */
    static const struct {
        const char *prefix;
        unsigned long cost;
    } settings[] = { { "$y$", 1 },  { "$gy$", 1 },   { "$2b$", 4 }, { "$2y$", 4 },
                     { "$2a$", 4 }, { "$6$", 1000 }, { "$7$", 6 } };
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        struct auth_users *u;

        const char *setting = crypt_gensalt(settings[i].prefix, settings[i].cost, NULL, 0);

        assert_non_null(setting);
        snprintf(text, sizeof(text), "# people\n\nann@example.org:%s\n",
                 hash_of("secret", setting));
        u = parse(text);
        if (u == NULL)
            fail_msg("%s: %.*s", text, (int)errors.len, room);
        assert_int_equal(auth_users_count(u), 1);
        assert_true(verify(u, "ann@example.org", "secret"));
        assert_false(verify(u, "ann@example.org", "Secret"));
        assert_false(verify(u, "ann@example.org", "secret "));
        assert_false(verify(u, "ann@example.org", ""));
        assert_false(verify(u, "ann@example.or", "secret"));
        assert_false(verify(u, "Ann@example.org", "secret"));
        auth_users_release(u);
    }
}

static void many_users_are_told_apart(void **state)
{
    static char text[32768];
    struct auth_users *u;
    char login[16];
    char password[16];
    int len = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(password, sizeof(password), "pw%d", i);
        len += snprintf(text + len, sizeof(text) - (size_t)len, "user%d:%s%s", i,
                        hash_of(password, SETTING), i < 99 ? "\n" : "");
    }
    u = parse(text);
    assert_non_null(u);
    assert_int_equal(auth_users_count(u), 100);
    for (int i = 0; i < 100; i++) {
        snprintf(login, sizeof(login), "user%d", i);
        snprintf(password, sizeof(password), "pw%d", i);
        assert_true(verify(u, login, password));
        snprintf(password, sizeof(password), "pw%d", (i + 1) % 100);
        assert_false(verify(u, login, password));
    }
    auth_users_release(u);
}

static void a_password_is_never_cut(void **state)
{
    static char longest[LIMIT_PASSWORD_BYTES + 2];
    static const char nul[] = "secret\0more";
    char text[512];
    struct auth_users *u;
    int len;

    (void)state;
    memset(longest, 'x', LIMIT_PASSWORD_BYTES - 1);
    len = snprintf(text, sizeof(text), "a:%s\n", hash_of(longest, SETTING));
    snprintf(text + len, sizeof(text) - (size_t)len, "b:%s", hash_of("secret", SETTING));
    u = parse(text);
    assert_non_null(u);
    assert_true(verify(u, "a", longest));
    longest[LIMIT_PASSWORD_BYTES - 1] = 'x';
    assert_false(verify(u, "a", longest));
    assert_true(verify(u, "b", "secret"));
    assert_false(auth_users_verify(u, span_str("b"), span_of(nul, sizeof(nul) - 1)));
    auth_users_release(u);
}

static double seconds_of(const struct auth_users *u, const char *login, int times)
{
    struct timespec from;
    struct timespec to;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (int i = 0; i < times; i++)
        assert_false(verify(u, login, "wrong"));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Most lines cost 100 times what the first does: an unknown login must cost the same as most. */
static void an_unknown_login_costs_what_most_cost(void **state)
{
    char text[1024];
    struct auth_users *u;
    double known;
    double unknown;
    int len;

    (void)state;
    len = snprintf(text, sizeof(text), "a:%s\n", hash_of("x", SETTING));
    len += snprintf(text + len, sizeof(text) - (size_t)len, "b:%s\n",
                    hash_of("x", "$6$rounds=100000$saltsalt$"));
    snprintf(text + len, sizeof(text) - (size_t)len, "c:%s\n",
             hash_of("y", "$6$rounds=100000$saltsalt$"));
    u = parse(text);
    assert_non_null(u);
    known = seconds_of(u, "b", 3);
    unknown = seconds_of(u, "nobody", 3);
    assert_true(unknown > known / 5 && unknown < known * 5);
    auth_users_release(u);
}

static void an_empty_file_lets_nobody_in(void **state)
{
    struct auth_users *u = parse("# nobody yet\n");

    (void)state;
    assert_non_null(u);
    assert_false(verify(u, "a", "b"));
    auth_users_release(u);
}

struct bad {
    const char *text;
    const char *said;
};

#define WEAK                                                                                   \
    "is of no known strong kind: use yescrypt ($y$), bcrypt ($2b$) or sha512-crypt ($6$), as " \
    "mkpasswd(1) makes them\n"

static const struct bad bad[] = {
    { "ann\n", "u:1: the line must be login:hash or login:name:hash, or begin with #\n" },
    { "\n\n:" YESCRYPT "\n", "u:3: the login must have 1 to 256 bytes\n" },
    { "an n:" YESCRYPT "\n", "u:1: the login must have no spaces or control characters\n" },
    { "ann:\n", "u:1: the hash " WEAK },
    { "ann:secret\n", "u:1: the hash " WEAK },
    { "ann:$5$saltsalt$vZJ3VmhI0LXsG1PM3aIQ1bkyuMhp/IKVHQyM.ay/nu7\n", "u:1: the hash " WEAK },
    { "ann:$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/\n", "u:1: the hash " WEAK },
    { "ann:rl/9GGBnZ0fGs\n", "u:1: the hash " WEAK },
    { "ann:{PLAIN}secret\n", "u:1: the hash " WEAK },
    { "ann:*\n", "u:1: the hash " WEAK },
    { "ann:" YESCRYPT "\r\n", "u:1: the hash is not whole: something was cut off or added\n" },
    { "ann:" YESCRYPT ":1000\n", "u:1: the name " NAME },
    { "ann:my phone:" YESCRYPT "\n", "u:1: the name " NAME },
    { "ann:phone:" YESCRYPT ":\n", "u:1: the hash is not whole: something was cut off or added\n" },
    { "ann:phone:" YESCRYPT "\nann:" YESCRYPT "\nann:phone:" YESCRYPT "\n",
      "u:3: the login has a password of this name already: one line each\n" },
    { "ann:" KEYS "\nann:" YESCRYPT "\n",
      "u:2: the login is there already: one line each, or give the password a name\n" },
    { "ann:" KEYS "\nann:phone:" KEYS "\n",
      "u:2: the login has SCRAM keys already: one salt each, so one line of keys\n" },
    { "ann:1:" YESCRYPT "\nann:2:" YESCRYPT "\nann:3:" YESCRYPT "\nann:4:" YESCRYPT
      "\nann:5:" YESCRYPT "\nann:6:" YESCRYPT "\nann:7:" YESCRYPT "\nann:8:" YESCRYPT
      "\nann:9:" YESCRYPT "\nann:a:" YESCRYPT "\nann:b:" YESCRYPT "\nann:c:" YESCRYPT
      "\nann:d:" YESCRYPT "\nann:e:" YESCRYPT "\nann:f:" YESCRYPT "\nann:" YESCRYPT
      "\nann:g:" YESCRYPT "\n",
      "u:17: the login has more than 16 passwords\n" },
    { "ann:$6$saltsalt$\n", "u:1: the hash is not whole: something was cut off or added\n" },
    { "ann:$y$Aw5yE/nVH2l9hjEyRqPVP3C8VYyGdrTm6Cfo9W8gLh0\n",
      "u:1: the hash is not whole: something was cut off or added\n" },
    { "ann:$6$\n", "u:1: the hash is not whole: something was cut off or added\n" },
    { "ann:$y$\n", "u:1: the hash is not whole: something was cut off or added\n" },
    { "ann:{SCRAM-SHA-256}1,x,x,x\n",
      "u:1: the SCRAM keys must begin with 4096 to 1000000 iterations\n" },
    { "ann:{SCRAM-SHA-256}4096,c2FsdA==,c2FsdA==,c2FsdA==\n",
      "u:1: the SCRAM keys must have a StoredKey of 32 bytes in base64 behind the salt\n" },
    { "ann:" YESCRYPT "\nbob:" YESCRYPT "\nann:" YESCRYPT "\n",
      "u:3: the login is there already: one line each, or give the password a name\n" },
    { "x\ny\n", "u:1: the line must be login:hash or login:name:hash, or begin with #\n"
                "u:2: the line must be login:hash or login:name:hash, or begin with #\n" },
};

/* Several passwords of one login, and the way to lock a lost phone out: its line goes. */
static void each_password_of_a_login_is_good(void **state)
{
    char text[1024];
    char hashes[3][128];
    struct auth_users *u;

    (void)state;
    snprintf(hashes[0], sizeof(hashes[0]), "%s", hash_of("at home", SETTING));
    snprintf(hashes[1], sizeof(hashes[1]), "%s", hash_of("phone", SETTING));
    snprintf(hashes[2], sizeof(hashes[2]), "%s", hash_of("bobs", SETTING));
    snprintf(text, sizeof(text), "ann:phone:%s\nbob:phone:%s\nann:%s\nann:scan.ner_2-b:" KEYS "\n",
             hashes[1], hashes[2], hashes[0]);
    u = parse(text);
    assert_non_null(u);
    assert_true(verify(u, "ann", "at home"));
    assert_true(verify(u, "ann", "phone"));
    assert_true(verify(u, "ann", "pencil"));
    assert_false(verify(u, "ann", "bobs"));
    assert_false(verify(u, "ann", ""));
    assert_true(verify(u, "bob", "bobs"));
    assert_false(verify(u, "bob", "phone"));
    assert_false(verify(u, "carl", "phone"));
    auth_users_release(u);
    snprintf(text, sizeof(text), "ann:%s\n", hashes[0]);
    u = parse(text);
    assert_true(verify(u, "ann", "at home"));
    assert_false(verify(u, "ann", "phone"));
    auth_users_release(u);
}

/* A login with three passwords makes every wrong guess cost three hashes: at itself, at one with
 * one password, at a stranger. */
static void passwords_of_a_login_do_not_show_in_time(void **state)
{
    char text[1024];
    char hash[128];
    struct auth_users *u;
    double three;
    double one;
    double none;

    (void)state;
    snprintf(hash, sizeof(hash), "%s", hash_of("x", "$6$rounds=5000$saltsalt$"));
    snprintf(text, sizeof(text), "ann:%s\nann:a:%s\nann:b:%s\nbob:%s\n", hash, hash, hash, hash);
    u = parse(text);
    assert_non_null(u);
    three = seconds_of(u, "ann", 5);
    one = seconds_of(u, "bob", 5);
    none = seconds_of(u, "carl", 5);
    assert_true(one > 0.6 * three && one < 1.6 * three);
    assert_true(none > 0.6 * three && none < 1.6 * three);
    auth_users_release(u);
}

/* Keys open the door to a password too (RFC 7677, 3: "pencil"). */
static void scram_keys_know_their_password(void **state)
{
    static const char text[] = "ann:" KEYS "\nbob:" YESCRYPT "\n";
    struct auth_users *u = parse(text);
    struct auth_users *hashes = parse("bob:" YESCRYPT "\n");
    struct auth_scram_keys keys;

    (void)state;
    assert_non_null(u);
    assert_true(verify(u, "ann", "pencil"));
    assert_false(verify(u, "ann", "Pencil"));
    assert_false(verify(u, "ann", ""));
    assert_true(auth_users_have_scram(u));
    assert_true(auth_users_scram(u, SPAN_LITERAL("ann"), &keys));
    assert_false(auth_users_scram(u, SPAN_LITERAL("bob"), &keys));
    assert_false(auth_users_have_scram(hashes));
    assert_false(auth_users_scram(hashes, SPAN_LITERAL("bob"), &keys));
    assert_int_equal(keys.iterations, 4096);
    auth_users_release(u);
    auth_users_release(hashes);
}

static void each_bad_line_is_named(void **state)
{
    static const char nul[] = "a:" YESCRYPT "\0";

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct auth_users *u = parse(bad[i].text);

        room[errors.len] = 0;
        if (u != NULL)
            fail_msg("taken: %s", bad[i].text);
        assert_string_equal((char *)room, bad[i].said);
    }
    errors.len = 0;
    assert_null(auth_users_parse("u", span_of(nul, sizeof(nul) - 1), &errors));
}

static void a_file_is_read_from_disk(void **state)
{
    char path[] = "/tmp/postern-test-users-XXXXXX";
    int fd = mkstemp(path);
    struct auth_users *u;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a:" YESCRYPT "\n", sizeof("a:" YESCRYPT "\n") - 1),
                     sizeof("a:" YESCRYPT "\n") - 1);
    assert_int_equal(close(fd), 0);
    errors = (struct buf){ room, 0, sizeof(room) };
    u = auth_users_load(path, &errors);
    assert_non_null(u);
    assert_int_equal(auth_users_count(auth_users_ref(u)), 1);
    auth_users_release(u);
    auth_users_release(u);
    assert_int_equal(unlink(path), 0);
    assert_null(auth_users_load(path, &errors));
    room[errors.len] = 0;
    assert_non_null(strstr((char *)room, "No such file"));
    errors.len = 0;
    assert_null(auth_users_load("/dev/zero", &errors));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_strong_kind_opens_the_door),
        cmocka_unit_test(many_users_are_told_apart),
        cmocka_unit_test(a_password_is_never_cut),
        cmocka_unit_test(an_unknown_login_costs_what_most_cost),
        cmocka_unit_test(an_empty_file_lets_nobody_in),
        cmocka_unit_test(each_password_of_a_login_is_good),
        cmocka_unit_test(passwords_of_a_login_do_not_show_in_time),
        cmocka_unit_test(scram_keys_know_their_password),
        cmocka_unit_test(each_bad_line_is_named),
        cmocka_unit_test(a_file_is_read_from_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
