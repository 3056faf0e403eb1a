/*
 * In this order: who is blocked (client, network, login, pair); the cache; the same question under
 * way; a back end. So whoever guesses learns nothing from the cache. A burst may have as many
 * guesses under way as a client may have connections before the first comes back.
 *
 * Passwords live in a struct check from auth_check to the back end's answer, and are wiped there.
 */
#include "gateway/auth.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/list.h"
#include "base/pool.h"
#include "gateway/auth_backend.h"
#include "gateway/auth_cache.h"
#include "gateway/auth_throttle.h"

#define BUCKETS 256

struct auth {
    struct auth_env env;
    struct auth_cache *cache;
    struct auth_throttle *throttle;
    struct pool *checks;
    struct pool *requests;
    struct list under_way[BUCKETS]; /* struct check of passwords, by the key's first byte */
    uint64_t reloads;               /* of the back ends, so far */
};

/* One question on its way to a back end and back. */
struct check {
    struct auth_question question; /* first: done gets its address */
    struct auth *auth;
    uint64_t reloads;      /* as many as there were when it began */
    struct list_node link; /* in under_way */
    struct list waiters;   /* struct auth_request */
    bool asking;           /* the back end was called and has not returned */
    bool answered;         /* ... and had the answer at once */
    uint8_t key[AUTH_KEY_BYTES];
};

struct auth_request {
    struct list_node link; /* in a check's waiters */
    struct check *check;
    void *owner;
    struct addr client;
};

/* --- life ------------------------------------------------------------------------------------ */

static void free_auth(struct auth *a)
{
    if (a->checks != NULL)
        pool_destroy(a->checks);
    if (a->requests != NULL)
        pool_destroy(a->requests);
    auth_cache_destroy(a->cache);
    auth_throttle_destroy(a->throttle);
    free(a);
}

struct auth *auth_create(const struct config_auth *config, uint32_t connections,
                         const struct auth_env *env)
{
    struct auth *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return NULL;
    a->env = *env;
    a->cache =
        auth_cache_create(config->cache_entries, config->cache_lifetime_s * NS_PER_S, env->secret);
    explicit_bzero(a->env.secret, sizeof(a->env.secret));
    a->throttle = auth_throttle_create(config, &env->table_key);
    a->checks = pool_create("auth_checks", LIMIT_AUTH_PENDING, sizeof(struct check));
    a->requests = pool_create("auth_requests", connections, sizeof(struct auth_request));
    for (uint32_t i = 0; i < BUCKETS; i++)
        list_init(&a->under_way[i]);
    if (a->cache != NULL && a->throttle != NULL && a->checks != NULL && a->requests != NULL)
        return a;
    free_auth(a);
    return NULL;
}

void auth_destroy(struct auth *a)
{
    for (uint32_t i = 0; i < LIMIT_AUTH_BACKENDS; i++) {
        if (a->env.backends[i] != NULL)
            a->env.backends[i]->destroy(a->env.backends[i]);
    }
    free_auth(a);
}

static void look_for_reloads(struct auth *a)
{
    for (uint32_t i = 0; i < LIMIT_AUTH_BACKENDS; i++) {
        struct auth_backend *b = a->env.backends[i];

        if (b == NULL || !b->renewed(b))
            continue;
        a->reloads++;
        auth_cache_clear(a->cache);
    }
}

uint32_t auth_mechanisms(struct auth *a, bool bound)
{
    uint32_t all = 0;

    look_for_reloads(a);
    for (uint32_t i = 0; i < LIMIT_AUTH_BACKENDS; i++) {
        struct auth_backend *b = a->env.backends[i];

        all |= b != NULL ? b->mechanisms(b, bound) : 0;
    }
    return all;
}

/* NULL: a reload took the mechanism away since it was offered. */
static struct auth_backend *find_backend(struct auth *a, const struct smtp_auth *asked)
{
    bool bound = asked->client->binding.len > 0 || asked->client->end_point.len > 0;

    for (uint32_t i = 0; i < LIMIT_AUTH_BACKENDS; i++) {
        struct auth_backend *b = a->env.backends[i];

        if (b != NULL && (b->mechanisms(b, bound) & asked->mechanism) != 0)
            return b;
    }
    return NULL;
}

static bool is_of_passwords(enum smtp_mechanism mechanism)
{
    return (mechanism & SMTP_MECHANISMS_OF_PASSWORDS) != 0;
}

/* --- the answer ------------------------------------------------------------------------------ */

/* The login's block does not count when it is empty. */
static bool is_blocked(struct auth *a, const struct addr *client, struct span login)
{
    uint64_t now_ns = a->env.clock->now_ns;
    bool blocked =
        auth_throttle_blocks_client(a->throttle, client, now_ns) ||
        (login.len > 0 && auth_throttle_blocks_login(a->throttle, client, login, now_ns));

    if (blocked)
        counter_inc(a->env.counters, COUNTER_AUTH_BLOCKED);
    return blocked;
}

static struct span login_of(const struct auth_question *q)
{
    return is_of_passwords(q->mechanism) ? span_of(q->login, q->login_len) : q->answer.login;
}

static void remember_right(struct auth *a, struct check *c)
{
    struct auth_question *q = &c->question;
    struct auth_kept kept = { q->answer.login, q->answer.grant };
    uint64_t now_ns = a->env.clock->now_ns;
    struct list_node *n;

    if (span_equal(kept.login, login_of(q)))
        kept.login.len = 0; /* most are called as they said */
    /* A pair that was right before a reload may be wrong after it. */
    if (is_of_passwords(q->mechanism) && c->reloads == a->reloads)
        auth_cache_put(a->cache, c->key, now_ns, &kept);
    for (n = c->waiters.head.next; n != &c->waiters.head; n = n->next) {
        struct auth_request *r = LIST_ENTRY(n, struct auth_request, link);

        auth_throttle_right(a->throttle, &r->client, login_of(q), now_ns);
    }
}

/* What the back end said, as it counts: in the question's answer. */
static void judge(struct auth *a, struct check *c)
{
    struct auth_question *q = &c->question;
    struct auth_answer *answer = &q->answer;
    bool guess =
        answer->asks ? answer->guessed : answer->verdict == SMTP_VERDICT_WRONG && !answer->excused;

    /* Only now is it known whose message it was. */
    if (!is_of_passwords(q->mechanism) && is_blocked(a, &q->client.addr, answer->login))
        *answer = (struct auth_answer){ .verdict = SMTP_VERDICT_BLOCKED };
    else if (guess)
        auth_throttle_wrong(a->throttle, &q->client.addr, login_of(q), a->env.clock->now_ns);
    else if (!answer->asks && answer->verdict == SMTP_VERDICT_OK)
        remember_right(a, c);
}

static void put_check(struct auth *a, struct check *c)
{
    list_remove(&c->link);
    explicit_bzero(c, sizeof(*c));
    pool_put(a->checks, c);
}

static void end_check(struct auth_question *q)
{
    struct check *c = (struct check *)q;
    struct auth *a = c->auth;
    struct list_node *n;

    if (c->asking) {
        c->answered = true; /* ask_backend goes on */
        return;
    }
    judge(a, c);
    /* Nobody may join any more while owners are told. */
    list_remove(&c->link);
    while ((n = list_pop(&c->waiters)) != NULL) {
        struct auth_request *r = LIST_ENTRY(n, struct auth_request, link);
        void *owner = r->owner;

        pool_put(a->requests, r);
        a->env.done(owner, &q->answer);
    }
    put_check(a, c);
}

/* --- the question ---------------------------------------------------------------------------- */

/* NULL: too many under way. */
static struct check *make_check(struct auth *a, const struct smtp_auth *asked)
{
    struct check *c = pool_get(a->checks);
    struct span secret = is_of_passwords(asked->mechanism) ? asked->password : asked->message;

    if (c == NULL)
        return NULL;
    ASSERT(secret.len <= LIMIT_AUTH_MESSAGE_BYTES);
    memset(c, 0, sizeof(*c));
    c->auth = a;
    c->reloads = a->reloads;
    list_init(&c->waiters);
    list_node_init(&c->link);
    c->question.done = end_check;
    c->question.mechanism = asked->mechanism;
    c->question.client = asked->client->peer;
    c->question.local = asked->client->local;
    c->question.tls_version = asked->client->tls_version;
    c->question.tls_cipher = asked->client->tls_cipher;
    c->question.attempt = asked->attempt;
    c->question.login_len = asked->login.len;
    c->question.secret_len = secret.len;
    if (asked->login.len > 0)
        memcpy(c->question.login, asked->login.ptr, asked->login.len);
    if (secret.len > 0)
        memcpy(c->question.secret, secret.ptr, secret.len);
    c->question.memo = is_of_passwords(asked->mechanism) ? NULL : asked->memo;
    c->question.answer.verdict = SMTP_VERDICT_TEMPORARY;
    return c;
}

/* False: *answer has it already, and the check is gone. */
static bool ask_backend(struct auth *a, struct check *c, const struct smtp_auth *asked,
                        struct auth_answer *answer)
{
    struct auth_backend *b = find_backend(a, asked);

    c->asking = true;
    c->question.asked = asked;
    if (b != NULL)
        b->ask(b, &c->question);
    c->question.asked = NULL;
    c->asking = false;
    if (b != NULL && !c->answered)
        return true;
    judge(a, c);
    *answer = c->question.answer;
    put_check(a, c);
    return false;
}

static struct auth_request *wait_for(struct check *c, struct auth_request *r,
                                     const struct smtp_auth *asked)
{
    r->check = c;
    r->client = asked->client->peer.addr;
    list_append(&c->waiters, &r->link);
    return r;
}

/* `key`: of a password, else NULL. NULL: *answer has it. */
static struct auth_request *start_check(struct auth *a, const struct smtp_auth *asked,
                                        const uint8_t *key, struct auth_answer *answer)
{
    struct auth_request *r = pool_get(a->requests);
    struct check *c = r != NULL ? make_check(a, asked) : NULL;

    if (c == NULL) {
        counter_inc(a->env.counters, COUNTER_AUTH_BUSY);
        answer->verdict = SMTP_VERDICT_TEMPORARY;
        if (r != NULL)
            pool_put(a->requests, r);
        return NULL;
    }
    wait_for(c, r, asked);
    if (!ask_backend(a, c, asked, answer)) {
        pool_put(a->requests, r);
        return NULL;
    }
    if (key != NULL) {
        memcpy(c->key, key, AUTH_KEY_BYTES);
        list_append(&a->under_way[key[0]], &c->link);
    }
    return r;
}

static struct check *find_under_way(struct auth *a, const uint8_t *key)
{
    struct list *bucket = &a->under_way[key[0]];

    for (struct list_node *n = bucket->head.next; n != &bucket->head; n = n->next) {
        struct check *c = LIST_ENTRY(n, struct check, link);

        if (memcmp(c->key, key, AUTH_KEY_BYTES) == 0 && c->reloads == a->reloads)
            return c;
    }
    return NULL;
}

/* NULL: nobody asks the same, or there is no room to wait with them. */
static struct auth_request *join(struct auth *a, const struct smtp_auth *asked, const uint8_t *key)
{
    struct check *c = find_under_way(a, key);
    struct auth_request *r = c != NULL ? pool_get(a->requests) : NULL;

    if (r == NULL)
        return NULL;
    counter_inc(a->env.counters, COUNTER_AUTH_SHARED);
    return wait_for(c, r, asked);
}

/* What nobody can have is wrong without a question, and tells nothing about who is known. */
static bool may_be_right(const struct smtp_auth *asked)
{
    return asked->login.len > 0 && asked->login.len <= LIMIT_LOGIN_BYTES &&
           asked->password.len > 0 && asked->password.len < LIMIT_PASSWORD_BYTES;
}

/* True: *answer is known without a question. */
static bool decide(struct auth *a, const struct smtp_auth *asked, const uint8_t *key,
                   struct auth_answer *answer)
{
    const struct addr *client = &asked->client->peer.addr;
    struct span login = span_first(asked->login, LIMIT_LOGIN_BYTES);
    uint64_t now_ns = a->env.clock->now_ns;
    struct auth_kept kept;
    bool cached = auth_cache_find(a->cache, key, now_ns, &kept);

    if (is_blocked(a, client, login)) {
        answer->verdict = SMTP_VERDICT_BLOCKED;
    } else if (cached) {
        counter_inc(a->env.counters, COUNTER_AUTH_CACHE_HITS);
        auth_throttle_right(a->throttle, client, login, now_ns);
        *answer = (struct auth_answer){ .login = kept.login, .grant = kept.grant };
    } else if (!may_be_right(asked)) {
        auth_throttle_wrong(a->throttle, client, login, now_ns);
        answer->verdict = SMTP_VERDICT_WRONG;
    } else {
        return false;
    }
    return true;
}

static struct auth_request *check_password(struct auth *a, const struct smtp_auth *asked,
                                           struct auth_answer *answer)
{
    uint8_t key[AUTH_KEY_BYTES];
    struct auth_request *r;

    auth_cache_key(a->cache, asked->login, asked->password, key);
    if (decide(a, asked, key, answer))
        return NULL;
    r = join(a, asked, key);
    return r != NULL ? r : start_check(a, asked, key, answer);
}

static struct auth_request *check_message(struct auth *a, const struct smtp_auth *asked,
                                          struct auth_answer *answer)
{
    /* Counted when it is known whose it is, too: here only so that a guesser costs nothing. */
    if (!auth_throttle_blocks_client(a->throttle, &asked->client->peer.addr, a->env.clock->now_ns))
        return start_check(a, asked, NULL, answer);
    counter_inc(a->env.counters, COUNTER_AUTH_BLOCKED);
    answer->verdict = SMTP_VERDICT_BLOCKED;
    return NULL;
}

struct auth_request *auth_check(struct auth *a, const struct smtp_auth *asked, void *owner,
                                struct auth_answer *answer)
{
    struct auth_request *r;

    look_for_reloads(a);
    *answer = (struct auth_answer){ .asks = false };
    r = is_of_passwords(asked->mechanism) ? check_password(a, asked, answer)
                                          : check_message(a, asked, answer);
    if (r != NULL)
        r->owner = owner;
    return r;
}

void auth_cancel(struct auth *a, struct auth_request *r)
{
    r->check->question.memo = NULL; /* of no use to anybody who shares the check: see make_check */
    list_remove(&r->link);
    pool_put(a->requests, r);
}

struct auth_throttle *auth_guesses(struct auth *a)
{
    return a->throttle;
}
