/*
 * Happy path: ask holds the set for as long as the token is under way; a helper judges it (an RSA
 * signature takes 20 us, one of P-256 or Ed25519 100, and JSON takes memory); the loop tells the
 * client. What a token says is logged never, why it is refused always.
 */
#include "gateway/auth_token.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/pool.h"
#include "gateway/auth_grant.h"
#include "gateway/auth_oauth.h"
#include "gateway/auth_prep.h"

struct auth_token {
    struct auth_backend backend; /* first: its functions get this address */
    struct auth_token_env env;
    _Atomic(struct auth_jwks *) offered; /* the next set, or NULL */
    struct pool *checks;
};

/* One token on its way to a helper and back. */
struct check {
    struct auth_token *back;
    struct auth_jwks *keys; /* a reference */
    uint64_t unix_s;
    struct auth_oauth message;
    enum auth_jwt_outcome outcome;
    struct auth_jwt_answer answer;
};

/* What the session keeps between the refusal and the client's reply to it. */
struct memo {
    bool refused;
    uint8_t challenge[LIMIT_SASL_CHALLENGE_BYTES + 1];
};

STATIC_ASSERT(sizeof(struct memo) <= LIMIT_SASL_MEMO_BYTES, "a refusal fits the memo");
STATIC_ASSERT(LIMIT_AUTH_ANSWER_BYTES > LIMIT_LOGIN_BYTES + LIMIT_SASL_CHALLENGE_BYTES,
              "a login or a refusal fits the answer");

static void take_offer(struct auth_token *t)
{
    struct auth_jwks *next;

    if (atomic_load_explicit(&t->offered, memory_order_relaxed) == NULL)
        return;
    next = atomic_exchange_explicit(&t->offered, NULL, memory_order_acq_rel);
    if (next == NULL)
        return;
    auth_jwks_release(t->env.keys);
    t->env.keys = next;
}

static uint32_t mechanisms(struct auth_backend *b, bool bound)
{
    (void)b;
    (void)bound;
    return SMTP_MECHANISM_OAUTHBEARER | SMTP_MECHANISM_XOAUTH2;
}

/* Nothing is remembered of a token, so nothing is to be forgotten. */
static bool renewed(struct auth_backend *b)
{
    (void)b;
    return false;
}

static void log_refusal(struct auth_token *t, const struct auth_question *q, const char *why)
{
    struct log_line *line = log_begin(t->env.log, LOG_LEVEL_INFO, "token refused");
    char text[ADDR_TEXT_MAX];

    if (line == NULL)
        return;
    addr_format(&q->client.addr, text);
    log_str(line, "client", text);
    log_str(line, "why", why);
    log_end(t->env.log, line);
}

/* The client is told why, and has the right to a reply, before the verdict. `room`: for the
 * challenge. */
static void refuse(struct auth_token *t, struct auth_question *q, enum auth_jwt_outcome outcome,
                   uint8_t *room)
{
    struct memo *memo = (struct memo *)q->memo;
    struct buf out = { room, 0, LIMIT_SASL_CHALLENGE_BYTES + 1 };

    counter_inc(t->env.counters, COUNTER_AUTH_TOKENS_REFUSED);
    if (memo != NULL)
        memo->refused = true;
    auth_oauth_refuse(outcome == AUTH_JWT_FORBIDDEN ? AUTH_OAUTH_INSUFFICIENT_SCOPE
                                                    : AUTH_OAUTH_INVALID_TOKEN,
                      t->env.rules.scope, q->mechanism == SMTP_MECHANISM_XOAUTH2, &out);
    q->answer = (struct auth_answer){ .asks = true,
                                      .challenge = span_of(out.ptr, out.len),
                                      .guessed = outcome == AUTH_JWT_WRONG };
}

/* One form for a login (RFC 4013). */
static bool prepare_login(struct auth_jwt_answer *answer)
{
    uint8_t room[LIMIT_LOGIN_BYTES];
    struct buf form = { room, 0, sizeof(room) };

    if (!auth_prep(span_of(answer->login, answer->login_len), &form))
        return false;
    memcpy(answer->login, room, form.len);
    answer->login_len = form.len;
    return true;
}

/* On a helper thread. */
static void run_check(struct job *job)
{
    struct auth_question *q = (struct auth_question *)job;
    struct check *c = q->context;

    c->outcome =
        auth_jwt_check(c->message.token, c->keys, &c->back->env.rules, c->unix_s, &c->answer);
    explicit_bzero(q->secret, q->secret_len);
    if (c->outcome == AUTH_JWT_VALID && !prepare_login(&c->answer)) {
        c->outcome = AUTH_JWT_WRONG;
        c->answer.why = "login is none that a user can have";
    }
}

static void judge(struct auth_token *t, struct auth_question *q, struct check *c)
{
    struct span login = span_of(c->answer.login, c->answer.login_len);

    if (c->outcome == AUTH_JWT_VALID && !auth_oauth_fits(&c->message, login)) {
        c->outcome = AUTH_JWT_WRONG;
        c->answer.why = "login is another";
    }
    if (c->outcome == AUTH_JWT_VALID) {
        if (auth_grant(q, login, span_of(c->answer.grant, c->answer.grant_len)))
            return;
        c->outcome = AUTH_JWT_FORBIDDEN;
        c->answer.why = "postern_senders has a word that is none";
    }
    log_refusal(t, q, c->answer.why);
    refuse(t, q, c->outcome, q->text);
}

/* Back on the worker's loop; when the program stops, without having run: the answer is TEMPORARY
 * then, as it was from the start. */
static void end_check(struct job *job)
{
    struct auth_question *q = (struct auth_question *)job;
    struct check *c = q->context;
    struct auth_token *t = c->back;

    if (job->ran)
        judge(t, q, c);
    auth_jwks_release(c->keys);
    explicit_bzero(c, sizeof(*c));
    pool_put(t->checks, c);
    q->done(q);
}

static void check_token(struct auth_token *t, struct auth_question *q,
                        const struct auth_oauth *message)
{
    struct check *c = pool_get(t->checks);

    if (c == NULL) {
        counter_inc(t->env.counters, COUNTER_AUTH_BUSY);
        q->done(q);
        return;
    }
    *c = (struct check){ .back = t,
                         .keys = auth_jwks_ref(t->env.keys),
                         .unix_s = t->env.clock->unix_ms / 1000,
                         .message = *message };
    q->job.run = run_check;
    q->job.done = end_check;
    q->context = c;
    if (t->env.jobs->submit(t->env.jobs, &q->job)) {
        counter_inc(t->env.counters, COUNTER_AUTH_TOKENS);
        return;
    }
    counter_inc(t->env.counters, COUNTER_AUTH_BUSY);
    end_check(&q->job);
}

static void ask(struct auth_backend *b, struct auth_question *q)
{
    struct auth_token *t = (struct auth_token *)b;
    struct memo *memo = (struct memo *)q->memo;
    bool google = q->mechanism == SMTP_MECHANISM_XOAUTH2;
    struct auth_oauth message;

    take_offer(t);
    if (memo->refused) {
        /* Whatever it says: RFC 7628, 3.2.3 has one byte, Google's form none. */
        q->answer = (struct auth_answer){ .verdict = SMTP_VERDICT_WRONG, .excused = true };
    } else if (!auth_oauth_read(&message, span_of(q->secret, q->secret_len), google)) {
        q->answer = (struct auth_answer){ .verdict = SMTP_VERDICT_WRONG };
    } else if (message.token.len == 0) {
        refuse(t, q, AUTH_JWT_EXPIRED, memo->challenge); /* RFC 7628, 3.1: it only asks */
    } else {
        check_token(t, q, &message);
        return;
    }
    q->done(q);
}

static void destroy(struct auth_backend *b)
{
    struct auth_token *t = (struct auth_token *)b;

    auth_jwks_release(t->env.keys);
    auth_jwks_release(atomic_load_explicit(&t->offered, memory_order_acquire));
    pool_destroy(t->checks);
    free(t);
}

struct auth_token *auth_token_create(const struct auth_token_env *env)
{
    struct auth_token *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    t->backend = (struct auth_backend){ mechanisms, renewed, ask, destroy };
    t->env = *env;
    auth_jwks_ref(t->env.keys);
    t->checks = pool_create("auth_tokens", LIMIT_AUTH_TOKENS, sizeof(struct check));
    if (t->checks != NULL)
        return t;
    auth_jwks_release(t->env.keys);
    free(t);
    return NULL;
}

struct auth_backend *auth_token_backend(struct auth_token *t)
{
    return &t->backend;
}

void auth_token_offer(struct auth_token *t, struct auth_jwks *keys)
{
    auth_jwks_release(atomic_exchange_explicit(&t->offered, keys, memory_order_acq_rel));
}
