/*
 * What a login may do: by the configuration, by the senders file, by what its back end grants; and
 * which of them wins.
 */
#include "lib/unit.h"

#include "gateway/policy.h"

#define SESSIONS 2

static struct clock clk;
static struct counters counters;
static struct config_policy config;
static struct quota *quota;
static struct policy *policy;
static struct smtp_policy *smtp;

static void open_policy(const char *file)
{
    static const struct hash_key key;
    uint8_t room[512];
    struct buf errors = { room, 0, sizeof(room) };
    struct policy_env env = { &clk, &counters, NULL, NULL, SESSIONS };

    clk.now_ns = NS_PER_S;
    quota = quota_create(64, &key);
    assert_non_null(quota);
    env.quota = quota;
    if (file != NULL)
        env.senders = senders_parse("f", span_str(file), &errors);
    assert_true(file == NULL || env.senders != NULL);
    policy = policy_create(&config, &env);
    assert_non_null(policy);
    senders_release(env.senders);
    smtp = policy_of_smtp(policy);
}

static void close_policy(void)
{
    policy_destroy(policy);
    quota_destroy(quota);
}

/* A session of one login. */
struct inside {
    struct smtp_own own;
    struct smtp_sender who;
};

static bool enter(struct inside *s, const char *login, const char *grant)
{
    s->own = (struct smtp_own){ .message_bytes_max = 1000, .recipients_max = 100 };
    s->who = (struct smtp_sender){ .login = span_str(login), .own = &s->own };
    return smtp->enters(smtp, &s->who, span_str(grant), &s->own);
}

static bool may(const struct inside *s, const char *mailbox)
{
    return smtp->may_send_as(smtp, &s->who, span_str(mailbox));
}

static uint32_t messages_of(const struct inside *s)
{
    uint32_t n = 0;

    for (; n < 50 && smtp->has_room(smtp, &s->who, SMTP_USE_MESSAGES); n++)
        smtp->uses(smtp, &s->who, SMTP_USE_MESSAGES, 1);
    return n;
}

static void the_file_says_who(void **state)
{
    struct inside ann;

    (void)state;
    open_policy("ann sales@x.example size=10 rcpt=7 messages=3/1h\n");
    assert_true(enter(&ann, "ann", ""));
    assert_true(may(&ann, "sales@x.example"));
    assert_false(may(&ann, "ann@x.example"));
    assert_int_equal(ann.own.message_bytes_max, 10);
    assert_int_equal(ann.own.recipients_max, 7);
    assert_int_equal(messages_of(&ann), 3);
    smtp->leaves(smtp, &ann.who);
    close_policy();
}

static void a_grant_wins_where_it_speaks(void **state)
{
    struct inside ann;
    struct inside other;

    (void)state;
    open_policy("ann sales@x.example size=10 rcpt=7 messages=3/1h sessions=1\n");
    assert_true(enter(&ann, "ann", "*@y.example,rcpt=9 messages=5/1h sessions=2"));
    assert_true(may(&ann, "any@y.example"));
    assert_false(may(&ann, "sales@x.example"));
    assert_int_equal(ann.own.message_bytes_max, 10); /* it does not say */
    assert_int_equal(ann.own.recipients_max, 9);
    assert_int_equal(messages_of(&ann), 5);
    /* Settings alone: addresses are the file's. */
    assert_true(enter(&other, "ann", "sessions=2"));
    assert_true(may(&other, "sales@x.example"));
    assert_false(may(&other, "any@y.example"));
    smtp->leaves(smtp, &other.who);
    smtp->leaves(smtp, &ann.who);
    close_policy();
}

static void without_a_file_it_binds_too(void **state)
{
    struct inside ann;
    struct inside bob;

    (void)state;
    open_policy(NULL);
    assert_true(enter(&ann, "ann@x.example", "self"));
    assert_true(enter(&bob, "bob", ""));
    assert_true(may(&ann, "ann@x.example"));
    assert_false(may(&ann, "bob@x.example"));
    assert_true(may(&bob, "ann@x.example"));
    smtp->leaves(smtp, &ann.who);
    smtp->leaves(smtp, &bob.who);
    close_policy();
}

/* Rights are given back on every way out: by policy_destroy at the latest it would show. */
static void who_is_too_many_takes_nothing(void **state)
{
    struct inside s[SESSIONS];

    (void)state;
    open_policy(NULL);
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(enter(&s[0], "ann", "a@x.example sessions=1"));
        assert_false(enter(&s[1], "ann", "a@x.example sessions=1"));
        assert_null(s[1].own.rights);
        smtp->leaves(smtp, &s[0].who);
    }
    close_policy();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_says_who),
        cmocka_unit_test(a_grant_wins_where_it_speaks),
        cmocka_unit_test(without_a_file_it_binds_too),
        cmocka_unit_test(who_is_too_many_takes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
