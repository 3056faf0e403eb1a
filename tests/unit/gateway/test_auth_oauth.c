/* Are the two forms of a bearer token's message read, and nothing else? */
#include "lib/unit.h"

#include "gateway/auth_oauth.h"

struct row {
    const char *message; /* ^ stands for the byte 1 */
    bool google;
    const char *user; /* NULL: it is refused */
    const char *token;
};

static const struct row rows[] = {
    { "n,a=a@example.org,^host=h^port=465^auth=Bearer abc.d-e_f~+/==^^", false, "a@example.org",
      "abc.d-e_f~+/==" },
    { "n,,^auth=bearer  x^^", false, "", "x" },
    { "y,a=a=2Cb=3D,^AUTH=BEARER x^^", false, "a,b=", "x" },
    { "n,,^auth=^^", false, "", "" },
    { "n,,^^", false, "", "" },
    { "^", false, NULL, NULL },
    { "", false, NULL, NULL },
    { "n,,^auth=Bearer x^", false, NULL, NULL },
    { "n,,^auth=Bearer x^^x", false, NULL, NULL },
    { "n,,^auth=Bearer x^^^", false, NULL, NULL },
    { "n,,^auth=Bearer x^auth=Bearer y^^", false, NULL, NULL },
    { "n,,^auth=Basic x^^", false, NULL, NULL },
    { "n,,^auth=Bearer x y^^", false, NULL, NULL },
    { "n,,^auth=Bearer \"x\"^^", false, NULL, NULL },
    { "n,,^1=x^^", false, NULL, NULL },
    { "n,,^auth^^", false, NULL, NULL },
    { "p=tls-exporter,,^auth=Bearer x^^", false, NULL, NULL },
    { "n,b=x,^auth=Bearer x^^", false, NULL, NULL },
    { "n,a=,^auth=Bearer x^^", false, NULL, NULL },
    { "n,,x^auth=Bearer x^^", false, NULL, NULL },
    { "n^auth=Bearer x^^", false, NULL, NULL },
    { "n,^auth=Bearer x^^", false, NULL, NULL },
    { "n,a=x^auth=Bearer x^^", false, NULL, NULL },
    { "n,a=x,a=y,^auth=Bearer x^^", false, NULL, NULL },
    { "user=a@example.org^auth=Bearer x^^", false, NULL, NULL },
    { "user=a@example.org^auth=Bearer x^^", true, "a@example.org", "x" },
    { "user=^auth=Bearer x^^", true, "", "x" },
    { "n,,^auth=Bearer x^^", true, NULL, NULL },
    { "a@example.org^auth=Bearer x^^", true, NULL, NULL },
};

static void reads_each_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct auth_oauth m;
        char text[128];
        size_t len = strlen(row->message);

        for (size_t k = 0; k <= len; k++)
            text[k] = row->message[k] == '^' ? 1 : row->message[k];
        if (auth_oauth_read(&m, span_of(text, (uint32_t)len), row->google) != (row->user != NULL))
            fail_msg("%s", row->message);
        if (row->user == NULL)
            continue;
        assert_true(span_equal(span_of(m.user, m.user_len), span_str(row->user)));
        assert_true(span_equal(m.token, span_str(row->token)));
    }
}

static void users_are_bounded(void **state)
{
    uint8_t text[512] = "user=";
    struct auth_oauth m;

    (void)state;
    memset(text + 5, 'a', LIMIT_LOGIN_BYTES + 1);
    memcpy(text + 5 + LIMIT_LOGIN_BYTES, "\1\1", 2);
    assert_true(auth_oauth_read(&m, span_of(text, 7 + LIMIT_LOGIN_BYTES), true));
    memcpy(text + 5 + LIMIT_LOGIN_BYTES, "a\1\1", 3);
    assert_false(auth_oauth_read(&m, span_of(text, 8 + LIMIT_LOGIN_BYTES), true));
}

static void a_token_is_for_its_owner(void **state)
{
    struct auth_oauth m;

    (void)state;
    assert_true(auth_oauth_read(&m, SPAN_LITERAL("user=A@example.org\1auth=Bearer x\1\1"), true));
    assert_true(auth_oauth_fits(&m, SPAN_LITERAL("a@example.org")));
    assert_false(auth_oauth_fits(&m, SPAN_LITERAL("b@example.org")));
    assert_true(auth_oauth_read(&m, SPAN_LITERAL("n,,\1auth=Bearer x\1\1"), false));
    assert_true(auth_oauth_fits(&m, SPAN_LITERAL("b@example.org")));
}

static void refusals_are_json(void **state)
{
    uint8_t room[512];
    struct buf out = { room, 0, sizeof(room) };

    (void)state;
    auth_oauth_refuse(AUTH_OAUTH_INVALID_TOKEN, SPAN_LITERAL(""), false, &out);
    assert_true(span_equal(span_of(room, out.len),
                           SPAN_LITERAL("{\"status\":\"invalid_token\",\"schemes\":\"bearer\"}")));
    out.len = 0;
    auth_oauth_refuse(AUTH_OAUTH_INSUFFICIENT_SCOPE, SPAN_LITERAL("mail"), true, &out);
    assert_true(
        span_equal(span_of(room, out.len),
                   SPAN_LITERAL("{\"status\":\"403\",\"schemes\":\"bearer\",\"scope\":\"mail\"}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_form),
        cmocka_unit_test(users_are_bounded),
        cmocka_unit_test(a_token_is_for_its_owner),
        cmocka_unit_test(refusals_are_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
