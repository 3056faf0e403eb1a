/* Who may send as whom, line by line, and every fault of a file. */
#include "lib/unit.h"

#include "gateway/senders.h"
#include "gateway/senders_grant.h"

static uint8_t room[4096];
static struct buf errors;

static struct senders *parse(const char *text)
{
    errors = (struct buf){ room, 0, sizeof(room) - 1 };
    return senders_parse("f", span_str(text), &errors);
}

static struct senders *good(const char *text)
{
    struct senders *t = parse(text);

    if (t == NULL)
        fail_msg("%.*s", (int)errors.len, room);
    return t;
}

static bool may(const struct senders *t, const char *login, const char *mailbox)
{
    return senders_may_send_as(t, span_str(login), span_str(mailbox));
}

static void an_empty_file_lets_all_be_themselves(void **state)
{
    struct senders *t = good("# nothing\n\n");

    (void)state;
    assert_true(may(t, "ann@example.org", "ANN@example.ORG"));
    assert_false(may(t, "ann@example.org", "bob@example.org"));
    assert_false(may(t, "ann", "ann"));
    assert_false(may(t, "ann", "ann@example.org"));
    senders_release(t);
}

static void who_may_be_who(void **state)
{
    struct senders *t =
        good("ann sales@x.example\n"
             "\tbob@x.example  self bob+*@x.example *@bob.example *@*.bob.example\r\n"
             "all *\n"
             "q *-bounce@x.example pre*post@x.example\n"
             "* self news@x.example\n");

    (void)state;
    assert_true(may(t, "ann", "Sales@X.example"));
    assert_false(may(t, "ann", "ann@x.example"));
    assert_false(may(t, "ann", "sales@x.example.org"));
    assert_false(may(t, "ann", "sales"));
    assert_false(may(t, "ann", "\"x@y\"@z"));
    assert_true(may(t, "bob@x.example", "bob@x.example"));
    assert_true(may(t, "bob@x.example", "bob+@x.example"));
    assert_true(may(t, "bob@x.example", "bob+list@x.example"));
    assert_false(may(t, "bob@x.example", "bobby@x.example"));
    assert_true(may(t, "bob@x.example", "any@bob.example"));
    assert_true(may(t, "bob@x.example", "any@a.b.bob.example"));
    assert_false(may(t, "bob@x.example", "any@xbob.example"));
    assert_false(may(t, "bob@x.example", "any@.bob.example.org"));
    assert_true(may(t, "all", "who@ever"));
    assert_false(may(t, "all", "nobody"));
    assert_true(may(t, "q", "x-bounce@x.example"));
    assert_true(may(t, "q", "prepost@x.example"));
    assert_true(may(t, "q", "pre-post@x.example"));
    assert_false(may(t, "q", "prepos@x.example"));
    assert_true(may(t, "eve@x.example", "news@x.example"));
    assert_true(may(t, "eve@x.example", "eve@x.example"));
    assert_false(may(t, "eve@x.example", "bob@x.example"));
    senders_release(t);
}

static void settings(void **state)
{
    struct senders *t = good("ann messages=500/1h recipients=2000/1d bytes=1G/1d sessions=3 "
                             "size=20M rcpt=50\n"
                             "* sessions=9\n");
    const struct senders_limits *l = senders_limits_of(t, SPAN_LITERAL("ann"));

    (void)state;
    assert_int_equal(l->rates[SMTP_USE_MESSAGES].amount, 500);
    assert_int_equal(l->rates[SMTP_USE_MESSAGES].window_s, 3600);
    assert_int_equal(l->rates[SMTP_USE_RECIPIENTS].amount, 2000);
    assert_int_equal(l->rates[SMTP_USE_BYTES].amount, 1 << 30);
    assert_int_equal(l->rates[SMTP_USE_BYTES].window_s, 86400);
    assert_int_equal(l->sessions, 3);
    assert_int_equal(l->message_bytes, 20 << 20);
    assert_int_equal(l->recipients, 50);
    assert_int_equal(senders_limits_of(t, SPAN_LITERAL("eve"))->sessions, 9);
    /* Settings alone: addresses are as without a line. */
    assert_true(may(t, "eve@x.example", "eve@x.example"));
    senders_release(t);
}

static void faults(void **state)
{
    static const char *const bad[] = {
        "ann sales\n",         "ann @x.example\n",     "ann a@\n",         "ann self\n",
        "ann a*b*c@x\n",       "ann a@*x\n",           "ann a@x*\n",       "ann messages=5\n",
        "ann messages=0/1h\n", "ann messages=5/32d\n", "ann messages=/\n", "ann sessions=0\n",
        "ann size=0\n",        "ann messages=1k/1h\n", "ann size=1x\n",    "ann rcpt=\n",
        "ann a@x\nann b@x\n",  "ann a@x speed=5\n",    "ann messages=\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse(bad[i]) != NULL)
            fail_msg("taken: %s", bad[i]);
        assert_memory_equal(room, "f:", 2);
    }
    assert_null(parse("# 1\nann a@x\nbob\tself\n"));
    assert_memory_equal(room, "f:3: self ", 10);
}

static void domains_are_what_dns_has(void **state)
{
    struct senders *t = good("ann *@b\xc3\xbc"
                             "cher.example *@*.xn--mnchen-3ya.example\n"
                             "\xc3\xa4@\xc3\xb6.example self\n");

    (void)state;
    assert_true(may(t, "ann",
                    "x@B\xc3\x9c"
                    "CHER.example"));
    assert_true(may(t, "ann", "x@xn--bcher-kva.example"));
    assert_true(may(t, "ann",
                    "x@a.m\xc3\xbc"
                    "nchen.example"));
    assert_false(may(t, "ann", "x@bucher.example"));
    assert_false(may(t, "ann", "x@\xe2\x80\xae.example"));
    assert_true(may(t, "\xc3\xa4@\xc3\xb6.example", "\xc3\xa4@xn--nda.example"));
    senders_release(t);
    assert_null(parse("ann a@\xe2\x80\xae.example\n"));
}

static struct senders_grant grant;

static bool read_grant(const char *words)
{
    return senders_grant_read(span_str(words), SPAN_LITERAL("ann@x.example"), &grant);
}

static bool granted(const char *mailbox)
{
    return senders_grant_may_send_as(&grant, SPAN_LITERAL("ann@x.example"), span_str(mailbox));
}

static void what_a_back_end_grants(void **state)
{
    char much[LIMIT_GRANT_BYTES + 2];

    (void)state;
    assert_true(read_grant(" self,*@y.example ,, size=5 ann+*@b\xc3\xbc"
                           "cher.example\tmessages=2/1m,"));
    assert_int_equal(grant.patterns, 3);
    assert_int_equal(grant.limits.message_bytes, 5);
    assert_int_equal(grant.limits.rates[SMTP_USE_MESSAGES].amount, 2);
    assert_true(granted("Ann@x.example"));
    assert_true(granted("any@Y.example"));
    assert_true(granted("ann+1@xn--bcher-kva.example"));
    assert_false(granted("bob@x.example"));
    assert_false(granted("any@"));
    assert_true(read_grant(""));
    assert_int_equal(grant.patterns, 0);
    assert_false(granted("ann@x.example"));
    assert_false(read_grant("self nonsense"));
    assert_false(read_grant("size=0"));
    assert_false(read_grant("a@\xe2\x80\xae.example"));
    assert_false(senders_grant_read(SPAN_LITERAL("a@x\0b@y"), SPAN_LITERAL("ann"), &grant));
    assert_false(senders_grant_read(SPAN_LITERAL("self"), SPAN_LITERAL("ann"), &grant));
    memset(much, ' ', sizeof(much));
    much[LIMIT_GRANT_BYTES + 1] = 0;
    assert_false(read_grant(much));
    memset(much, 'a', LIMIT_GRANT_BYTES);
    memcpy(much + LIMIT_GRANT_BYTES - 2, "@x", 3);
    assert_true(read_grant(much));
    assert_true(granted(much));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_lets_all_be_themselves),
        cmocka_unit_test(who_may_be_who),
        cmocka_unit_test(settings),
        cmocka_unit_test(domains_are_what_dns_has),
        cmocka_unit_test(faults),
        cmocka_unit_test(what_a_back_end_grants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
