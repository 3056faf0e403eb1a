/* A turn for each message; what is wrong ends it, in any of them. */
#include "gateway/auth_exchange.h"

#include "base/assert.h"
#include "gateway/auth_prep.h"

STATIC_ASSERT(sizeof(struct auth_exchange) <= LIMIT_SASL_MEMO_BYTES, "an exchange fits the memo");

/* One form for a login (RFC 4013); a few us when it is not plain ASCII. */
static bool prepare_login(struct auth_scram *s)
{
    uint8_t room[LIMIT_LOGIN_BYTES];
    struct buf form = { room, 0, sizeof(room) };

    if (!auth_prep(span_of(s->login, s->login_len), &form))
        return false;
    memcpy(s->login, room, form.len);
    s->login_len = form.len;
    return true;
}

static bool read_first(struct auth_exchange *x, const struct auth_users *u,
                       const struct smtp_auth *q, struct span nonce)
{
    const struct auth_scram_channel channel = {
        .plus = q->mechanism == SMTP_MECHANISM_SCRAM_PLUS,
        .plus_offered = (q->client->mechanisms & SMTP_MECHANISM_SCRAM_PLUS) != 0,
        .binding = q->client->binding,
        .end_point = q->client->end_point,
    };
    struct buf out = { x->answer, 0, sizeof(x->answer) };
    struct auth_scram_keys keys;

    if (!auth_scram_first(&x->scram, q->message, &channel) || !prepare_login(&x->scram))
        return false;
    x->real = auth_users_scram(u, span_of(x->scram.login, x->scram.login_len), &keys);
    auth_scram_challenge(&x->scram, &keys, nonce, &out);
    explicit_bzero(&keys, sizeof(keys));
    x->answer_len = out.len;
    x->turn = AUTH_EXCHANGE_FINAL;
    return true;
}

static bool read_final(struct auth_exchange *x, const struct smtp_auth *q)
{
    struct buf out = { x->answer, 0, sizeof(x->answer) };

    if (!auth_scram_final(&x->scram, q->message, &out) || !x->real)
        return false;
    x->answer_len = out.len;
    x->turn = AUTH_EXCHANGE_LAST;
    return true;
}

enum auth_exchange_outcome auth_exchange_step(struct auth_exchange *x, const struct auth_users *u,
                                              const struct smtp_auth *q, struct span nonce)
{
    bool good = false;

    switch (x->turn) {
    case AUTH_EXCHANGE_FIRST: good = read_first(x, u, q, nonce); break;
    case AUTH_EXCHANGE_FINAL: good = read_final(x, q); break;
    case AUTH_EXCHANGE_LAST: return q->message.len == 0 ? AUTH_EXCHANGE_RIGHT : AUTH_EXCHANGE_WRONG;
    }
    return good ? AUTH_EXCHANGE_ASKS : AUTH_EXCHANGE_WRONG;
}
