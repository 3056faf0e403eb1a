/* Is a login or a password what RFC 4013 makes of it, on both sides of the comparison? */
#include "lib/unit.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "gateway/auth_exchange.h"
#include "gateway/auth_prep.h"

static bool prepares(const char *text, const char *form)
{
    uint8_t room[LIMIT_LOGIN_BYTES];
    struct buf out = { room, 0, sizeof(room) };
    bool good = auth_prep(span_str(text), &out);

    return form != NULL ? good && span_equal(span_of(room, out.len), span_str(form))
                        : !good && out.len == 0;
}

/* RFC 4013, 3, and RFC 3454's lists. */
static void examples(void **state)
{
    static const char *const rows[][2] = {
        { "I\xc2\xadX", "IX" },               /* soft hyphen: mapped to nothing */
        { "user", "user" },                   /* as it is */
        { "USER", "USER" },                   /* case is kept */
        { "\xc2\xaa", "a" },                  /* NFKC */
        { "\xe2\x85\xa8", "IX" },             /* a Roman numeral */
        { "a\xc2\xa0z", "a z" },              /* another space is a space */
        { "u\xcc\x88", "\xc3\xbc" },          /* composed */
        { "\xef\xbd\x81\xef\xbd\x82", "ab" }, /* full width */
        { "\x07", NULL },                     /* a control character */
        { "a\tb", NULL },                     /* and another */
        { "\xd8\xa7"
          "1",
          NULL },                 /* directions mixed */
        { "\xff\xfe", NULL },     /* no UTF-8 */
        { "\xed\xa0\x80", NULL }, /* half a pair */
        { "\xc2\xad", NULL },     /* nothing is left */
        { "", NULL },             /* nothing was there */
        { "\xee\x80\x80", NULL }, /* private use */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!prepares(rows[i][0], rows[i][1]))
            fail_msg("row %zu", i);
    }
}

static void room_is_bounded(void **state)
{
    uint8_t room[4];
    struct buf out = { room, 0, sizeof(room) };
    char text[LIMIT_PASSWORD_BYTES + 2];

    (void)state;
    assert_true(auth_prep(SPAN_LITERAL("abcd"), &out));
    assert_false(auth_prep(SPAN_LITERAL("e"), &out));
    out.len = 0;
    assert_false(auth_prep(SPAN_LITERAL("abcde"), &out));
    assert_false(auth_prep(SPAN_LITERAL("\xef\xb7\xba"), &out)); /* 33 bytes of a 3-byte letter */
    assert_false(auth_prep(SPAN_LITERAL("a\0b"), &out));
    memset(text, 0xc3, sizeof(text));
    assert_false(auth_prep(span_of(text, sizeof(text)), &out));
    assert_int_equal(out.len, 0);
}

static struct auth_users *read_users(const char *login, const char *password, char *said)
{
    struct crypt_data *scratch = calloc(1, sizeof(*scratch));
    struct buf errors = { (uint8_t *)said, 0, 255 };
    struct auth_users *u;
    char text[256];

    snprintf(text, sizeof(text), "%s:%s\n", login,
             crypt_r(password, "$6$rounds=1000$salt", scratch));
    free(scratch);
    u = auth_users_parse("users", span_str(text), &errors);
    said[errors.len] = 0;
    return u;
}

static void passwords_are_compared_in_their_form(void **state)
{
    char said[256];
    struct auth_users *u = read_users("ann", "p\xc3\xa4ss IX", said);
    struct span login = SPAN_LITERAL("ann");

    (void)state;
    assert_non_null(u);
    assert_true(auth_users_verify(u, login, SPAN_LITERAL("p\xc3\xa4ss IX")));
    assert_true(auth_users_verify(u, login, SPAN_LITERAL("pa\xcc\x88ss\xc2\xa0\xe2\x85\xa8")));
    assert_false(auth_users_verify(u, login, SPAN_LITERAL("p\xe4ss IX")));
    assert_false(auth_users_verify(u, login, SPAN_LITERAL("pass IX")));
    auth_users_release(u);
}

static void logins_stand_in_their_form(void **state)
{
    char said[256];
    struct auth_users *u = read_users("j\xc3\xbcrgen@example.org", "x", said);

    (void)state;
    assert_non_null(u);
    auth_users_release(u);
    assert_null(read_users("ju\xcc\x88rgen@example.org", "x", said));
    assert_non_null(strstr(said, "users:1: the login is not in the form that SASLprep"));
    assert_null(read_users("j\xfcrgen@example.org", "x", said));
}

/* A SCRAM's login as well, so that it finds the keys and counts as one. */
static void scram_logins_too(void **state)
{
    static const char file[] = "j\xc3\xbcrgen:{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
                               "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
                               "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n";
    static const struct smtp_client client = { .secure = true };
    struct auth_exchange x = { .turn = AUTH_EXCHANGE_FIRST };
    struct smtp_auth q = { .mechanism = SMTP_MECHANISM_SCRAM,
                           .client = &client,
                           .message = SPAN_LITERAL("n,,n=ju\xcc\x88rgen,r=x") };
    char said[256];
    struct buf errors = { (uint8_t *)said, 0, sizeof(said) };
    struct auth_users *u = auth_users_parse("users", span_str(file), &errors);

    (void)state;
    assert_non_null(u);
    assert_int_equal(auth_exchange_step(&x, u, &q, SPAN_LITERAL("nonce")), AUTH_EXCHANGE_ASKS);
    assert_true(x.real);
    assert_true(
        span_equal(span_of(x.scram.login, x.scram.login_len), SPAN_LITERAL("j\xc3\xbcrgen")));
    x = (struct auth_exchange){ .turn = AUTH_EXCHANGE_FIRST };
    q.message = SPAN_LITERAL("n,,n=\xff,r=x");
    assert_int_equal(auth_exchange_step(&x, u, &q, SPAN_LITERAL("nonce")), AUTH_EXCHANGE_WRONG);
    auth_users_release(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples),
        cmocka_unit_test(room_is_bounded),
        cmocka_unit_test(passwords_are_compared_in_their_form),
        cmocka_unit_test(logins_stand_in_their_form),
        cmocka_unit_test(scram_logins_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
