#include "rig.h"

static const struct smtp_config config = {
    .hostname = "mx.example.org",
    .message_bytes_max = 1000,
    .recipients_max = 10,
    .errors_max = 3,
    .auth_tries_max = 3,
    .command_timeout_s = 300,
    .data_timeout_s = 180,
    .hops_max = LIMIT_HOPS_DEFAULT,
};

int rig_open(void **state, uint32_t sessions, const struct smtp_client *client)
{
    static struct rig r;
    const struct smtp_env env = { &r.clock, &r.counters, &r.ids, NULL };

    memset(&r, 0, sizeof(r));
    r.clock = (struct clock){ 1000 * NS_PER_S, 1790000000000ULL };
    r.out = (struct buf){ r.replies, 0, sizeof(r.replies) };
    mail_id_init(&r.ids, 1, 0);
    r.room = smtp_create(&config, sessions, &env);
    if (r.room == NULL)
        return -1;
    r.s = smtp_session_open(r.room, client);
    *state = &r;
    return 0;
}

int rig_close(void **state)
{
    struct rig *r = *state;

    if (r->s != NULL)
        smtp_session_close(r->s);
    smtp_destroy(r->room);
    return 0;
}

enum smtp_want rig_say(struct rig *r, const char *text, uint32_t *left)
{
    struct span in = span_str(text);
    enum smtp_want want;

    r->out.len = 0;
    want = smtp_session_run(r->s, &in, &r->out);
    if (left != NULL)
        *left = in.len;
    else
        assert_int_equal(in.len, 0);
    return want;
}

void rig_replies_are(const struct rig *r, const char *want)
{
    assert_true(span_equal(span_of(r->out.ptr, r->out.len), span_str(want)));
}
