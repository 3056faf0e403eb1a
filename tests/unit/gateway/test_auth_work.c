/*
 * Does an unknown login cost what a wrong password does? Work is counted, not timed: calls of
 * crypt(3) and rounds of PBKDF2, which this program puts itself in front of (ld --wrap).
 */
#include "lib/unit.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/auth_exchange.h"
#include "gateway/auth_salt.h"

#define HASH "$6$rounds=1000$saltsalt$"
#define KEYS                                        \
    "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==," \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=," \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static struct {
    uint32_t crypts;
    uint32_t rounds;
} work;

char *__real_crypt_r(const char *phrase, const char *setting, struct crypt_data *data);
char *__wrap_crypt_r(const char *phrase, const char *setting, struct crypt_data *data);
bool __real_auth_scram_keys_match(const struct auth_scram_keys *keys, struct span password);
bool __wrap_auth_scram_keys_match(const struct auth_scram_keys *keys, struct span password);

char *__wrap_crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
    work.crypts++;
    return __real_crypt_r(phrase, setting, data);
}

bool __wrap_auth_scram_keys_match(const struct auth_scram_keys *keys, struct span password)
{
    work.rounds += keys->iterations;
    return __real_auth_scram_keys_match(keys, password);
}

static struct auth_users *parse(const char *text)
{
    static uint8_t room[512];
    struct buf errors = { room, 0, sizeof(room) };
    struct auth_users *u = auth_users_parse("u", span_str(text), &errors);

    assert_non_null(u);
    return u;
}

static void guess(const struct auth_users *u, const char *login, uint32_t crypts, uint32_t rounds)
{
    memset(&work, 0, sizeof(work));
    assert_false(auth_users_verify(u, span_str(login), SPAN_LITERAL("wrong")));
    assert_int_equal(work.crypts, crypts);
    assert_int_equal(work.rounds, rounds);
}

static void hashes_are_as_many_for_everybody(void **state)
{
    char text[1024];
    const char *made = crypt("secret", HASH);
    struct auth_users *u;

    (void)state;
    assert_non_null(made);
    snprintf(text, sizeof(text), "ann:%s\nbob:phone:%s\nbob:desk:%s\nbob:%s\n", made, made, made,
             made);
    u = parse(text);
    guess(u, "ann", 3, 0);
    guess(u, "bob", 3, 0);
    guess(u, "nobody", 3, 0);
    guess(u, "", 3, 0);
    auth_users_release(u);
}

static void rounds_are_as_many_for_everybody(void **state)
{
    struct auth_users *u = parse("ann:" KEYS "\nbob:" KEYS "\n");

    (void)state;
    guess(u, "ann", 0, 4096);
    guess(u, "nobody", 0, 4096);
    auth_users_release(u);
}

static void a_proof_costs_no_hash(void **state)
{
    static const char *const logins[] = { "ann", "nobody" };
    struct auth_users *u = parse("ann:" KEYS "\n");
    struct smtp_client from = { .mechanisms = SMTP_MECHANISM_SCRAM };
    char first[32];

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct auth_exchange x = { .turn = AUTH_EXCHANGE_FIRST };
        struct smtp_auth q = { .mechanism = SMTP_MECHANISM_SCRAM, .client = &from };

        memset(&work, 0, sizeof(work));
        snprintf(first, sizeof(first), "n,,n=%s,r=abc", logins[i]);
        q.message = span_str(first);
        assert_int_equal(auth_exchange_step(&x, u, &q, SPAN_LITERAL("xyz")), AUTH_EXCHANGE_ASKS);
        assert_int_equal(work.crypts + work.rounds, 0);
    }
    auth_users_release(u);
}

/* --- salts of who is not there --------------------------------------------------------------- */

static char key_path[] = "/tmp/postern-salt-XXXXXX";
static char users_path[] = "/tmp/postern-users-XXXXXX";

static void write_file(char *path, const char *text, size_t len)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static struct auth_users *load(const char *text, const char *key)
{
    static uint8_t room[512];
    struct buf errors = { room, 0, sizeof(room) };

    write_file(users_path, text, strlen(text));
    return auth_salt_load_users(users_path, key, &errors);
}

static void salts_of(const char *text, const char *key, struct auth_scram_keys *out)
{
    struct auth_users *u = load(text, key);

    assert_non_null(u);
    assert_false(auth_users_scram(u, SPAN_LITERAL("nobody"), out));
    auth_users_release(u);
}

static void invented_salts_outlast_the_lines(void **state)
{
    static const char before[] = "eve:" HASH "eDTgXyVWeLkhOzeywMSDVqLC8EVRSHtGkzaUHt7bPKWOYtmlS/"
                                 "U7vRUNKbS.DbiyLqYrRY6RzDDBYKOB0y5pS.\nann:" KEYS "\n";
    static const char after[] = "ann:" KEYS "\n";
    struct auth_scram_keys a;
    struct auth_scram_keys b;
    char key[LIMIT_SALT_KEY_BYTES_LEAST] = { 1, 2, 3 };

    (void)state;
    close(mkstemp(key_path));
    close(mkstemp(users_path));
    write_file(key_path, key, sizeof(key));
    salts_of(before, key_path, &a);
    salts_of(after, key_path, &b);
    assert_memory_equal(a.salt, b.salt, sizeof(a.salt));
    assert_memory_equal(a.stored_key, b.stored_key, sizeof(a.stored_key));
    key[0] = 9;
    write_file(key_path, key, sizeof(key));
    salts_of(after, key_path, &b);
    assert_memory_not_equal(a.salt, b.salt, 16);
    salts_of(before, "", &a);
    salts_of(after, "", &b);
    assert_memory_not_equal(a.salt, b.salt, 16); /* why there is a key */
    write_file(key_path, key, sizeof(key) - 1);
    assert_null(load(after, key_path));
    unlink(key_path);
    assert_null(load(after, key_path));
    unlink(users_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_as_many_for_everybody),
        cmocka_unit_test(rounds_are_as_many_for_everybody),
        cmocka_unit_test(a_proof_costs_no_hash),
        cmocka_unit_test(invented_salts_outlast_the_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
