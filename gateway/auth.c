/*
 * In this order: a client that is blocked; the cache; a login that is blocked; the same question
 * under way; a check by a helper. So a login that strangers guess at still works from the cache,
 * and a client that guesses learns nothing from the cache. A burst may have as many guesses under
 * way as a client may have connections before the first comes back.
 *
 * Passwords live in a struct check from auth_check to the end of the helper's run, and are wiped
 * there.
 */
#include "gateway/auth.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/base64.h"
#include "base/list.h"
#include "base/pool.h"
#include "gateway/auth_cache.h"
#include "gateway/auth_exchange.h"
#include "gateway/auth_throttle.h"
#include "gateway/auth_users.h"

#define BUCKETS 256

struct auth {
    struct auth_env env;
    struct auth_users *users;
    _Atomic(struct auth_users *) offered; /* the next table, or NULL */
    struct auth_cache *cache;
    struct auth_throttle *throttle;
    struct pool *checks;
    struct pool *requests;
    struct list under_way[BUCKETS]; /* struct check, by the key's first byte */
    struct hmac_sha256_ctx nonce_maker;
    uint64_t nonces; /* made so far */
};

/* One question on its way to a helper and back. */
struct check {
    struct job job; /* first: run and done get its address */
    struct auth *auth;
    struct auth_users *users; /* a reference */
    struct list_node link;    /* in under_way */
    struct list waiters;      /* struct auth_request */
    struct addr client;       /* that asked first: a wrong guess is counted for it */
    uint8_t key[AUTH_KEY_BYTES];
    bool right;
    uint32_t login_len;
    uint32_t password_len;
    uint8_t login[LIMIT_LOGIN_BYTES];
    uint8_t password[LIMIT_PASSWORD_BYTES];
};

struct auth_request {
    struct list_node link; /* in a check's waiters */
    void *owner;
    struct addr client;
};

static void destroy_pools(struct auth *a)
{
    if (a->checks != NULL)
        pool_destroy(a->checks);
    if (a->requests != NULL)
        pool_destroy(a->requests);
}

static void free_auth(struct auth *a)
{
    destroy_pools(a);
    auth_cache_destroy(a->cache);
    auth_throttle_destroy(a->throttle);
    auth_users_release(a->users);
    auth_users_release(atomic_load_explicit(&a->offered, memory_order_acquire));
    explicit_bzero(a, sizeof(*a));
    free(a);
}

struct auth *auth_create(const struct config_auth *config, uint32_t connections,
                         const struct auth_env *env)
{
    struct auth *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return NULL;
    a->env = *env;
    a->users = auth_users_ref(env->users);
    a->cache =
        auth_cache_create(config->cache_entries, config->cache_lifetime_s * NS_PER_S, env->secret);
    hmac_sha256_set_key(&a->nonce_maker, sizeof(a->env.secret), a->env.secret);
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
    free_auth(a);
}

void auth_offer_users(struct auth *a, struct auth_users *users)
{
    auth_users_release(atomic_exchange_explicit(&a->offered, users, memory_order_acq_rel));
}

static void take_offer(struct auth *a)
{
    struct auth_users *next;

    if (atomic_load_explicit(&a->offered, memory_order_relaxed) == NULL)
        return;
    next = atomic_exchange_explicit(&a->offered, NULL, memory_order_acq_rel);
    if (next == NULL)
        return;
    auth_users_release(a->users);
    a->users = next;
    auth_cache_clear(a->cache);
}

uint32_t auth_mechanisms(struct auth *a, bool bound)
{
    uint32_t all = SMTP_MECHANISM_PLAIN | SMTP_MECHANISM_LOGIN;

    take_offer(a);
    if (auth_users_have_scram(a->users))
        all |= SMTP_MECHANISM_SCRAM | (bound ? SMTP_MECHANISM_SCRAM_PLUS : 0);
    return all;
}

/* On a helper thread. */
static void run_check(struct job *job)
{
    struct check *c = (struct check *)job;

    c->right = auth_users_verify(c->users, span_of(c->login, c->login_len),
                                 span_of(c->password, c->password_len));
    explicit_bzero(c->password, sizeof(c->password));
}

static void remember_right(struct auth *a, struct check *c, uint64_t now_ns)
{
    struct list_node *n;

    /* A pair that was right by an older table may be wrong by the new one. */
    if (c->users == a->users)
        auth_cache_put(a->cache, c->key, now_ns);
    for (n = c->waiters.head.next; n != &c->waiters.head; n = n->next) {
        struct auth_request *r = LIST_ENTRY(n, struct auth_request, link);

        auth_throttle_right(a->throttle, &r->client, span_of(c->login, c->login_len), now_ns);
    }
}

static enum smtp_verdict judge(struct auth *a, struct check *c)
{
    uint64_t now_ns = a->env.clock->now_ns;

    if (!c->job.ran)
        return SMTP_VERDICT_TEMPORARY;
    if (c->right) {
        remember_right(a, c, now_ns);
        return SMTP_VERDICT_OK;
    }
    auth_throttle_wrong(a->throttle, &c->client, span_of(c->login, c->login_len), now_ns);
    return SMTP_VERDICT_WRONG;
}

static void put_check(struct auth *a, struct check *c)
{
    list_remove(&c->link);
    auth_users_release(c->users);
    explicit_bzero(c, sizeof(*c));
    pool_put(a->checks, c);
}

/* Back on the worker's loop. */
static void end_check(struct job *job)
{
    struct check *c = (struct check *)job;
    struct auth *a = c->auth;
    enum smtp_verdict verdict = judge(a, c);
    struct list_node *n;

    /* Nobody may join any more while owners are told. */
    list_remove(&c->link);
    while ((n = list_pop(&c->waiters)) != NULL) {
        struct auth_request *r = LIST_ENTRY(n, struct auth_request, link);
        void *owner = r->owner;

        pool_put(a->requests, r);
        a->env.done(owner, verdict);
    }
    put_check(a, c);
}

static struct check *find_under_way(struct auth *a, const uint8_t *key)
{
    struct list *bucket = &a->under_way[key[0]];

    for (struct list_node *n = bucket->head.next; n != &bucket->head; n = n->next) {
        struct check *c = LIST_ENTRY(n, struct check, link);

        if (memcmp(c->key, key, AUTH_KEY_BYTES) == 0 && c->users == a->users)
            return c;
    }
    return NULL;
}

/* NULL: too many under way. */
static struct check *start_check(struct auth *a, const struct addr *client,
                                 const struct smtp_auth *q, const uint8_t *key)
{
    struct check *c = pool_get(a->checks);

    if (c == NULL)
        return NULL;
    memset(c, 0, sizeof(*c));
    c->job.run = run_check;
    c->job.done = end_check;
    c->auth = a;
    c->users = auth_users_ref(a->users);
    c->client = *client;
    c->login_len = q->login.len;
    c->password_len = q->password.len;
    memcpy(c->key, key, AUTH_KEY_BYTES);
    memcpy(c->login, q->login.ptr, q->login.len);
    memcpy(c->password, q->password.ptr, q->password.len);
    list_init(&c->waiters);
    list_node_init(&c->link);
    if (!a->env.jobs->submit(a->env.jobs, &c->job)) {
        put_check(a, c);
        return NULL;
    }
    list_append(&a->under_way[key[0]], &c->link);
    counter_inc(a->env.counters, COUNTER_AUTH_HASHES);
    return c;
}

static struct auth_request *wait_for(struct auth *a, const struct addr *client,
                                     const struct smtp_auth *q, const uint8_t *key)
{
    struct auth_request *r = pool_get(a->requests);
    struct check *c;

    if (r == NULL)
        return NULL;
    c = find_under_way(a, key);
    if (c != NULL)
        counter_inc(a->env.counters, COUNTER_AUTH_SHARED);
    else
        c = start_check(a, client, q, key);
    if (c == NULL) {
        pool_put(a->requests, r);
        return NULL;
    }
    r->client = *client;
    list_append(&c->waiters, &r->link);
    return r;
}

/* What no users file can hold is wrong without a hash, and tells nothing about who is in the file.
 */
static bool may_be_right(const struct smtp_auth *q)
{
    return q->login.len > 0 && q->login.len <= LIMIT_LOGIN_BYTES && q->password.len > 0 &&
           q->password.len < LIMIT_PASSWORD_BYTES;
}

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

/* True: *verdict is known without a hash. */
static bool decide(struct auth *a, const struct addr *client, const struct smtp_auth *q,
                   const uint8_t *key, enum smtp_verdict *verdict)
{
    uint64_t now_ns = a->env.clock->now_ns;
    bool cached = auth_cache_has(a->cache, key, now_ns);

    if (is_blocked(a, client, cached ? span_of(NULL, 0) : q->login)) {
        *verdict = SMTP_VERDICT_BLOCKED;
        return true;
    }
    if (!cached)
        return false;
    counter_inc(a->env.counters, COUNTER_AUTH_CACHE_HITS);
    auth_throttle_right(a->throttle, client, q->login, now_ns);
    *verdict = SMTP_VERDICT_OK;
    return true;
}

/* Our part of a nonce: never the same again, and nobody else can make it. */
static struct span make_nonce(struct auth *a, uint8_t text[AUTH_SCRAM_NONCE_BYTES])
{
    struct buf out = { text, 0, AUTH_SCRAM_NONCE_BYTES };
    uint8_t digest[SHA256_DIGEST_SIZE];

    a->nonces++;
    /* No pair of the cache begins like this: it would be a login of a gigabyte. */
    hmac_sha256_update(&a->nonce_maker, 5, (const uint8_t *)"nonce");
    hmac_sha256_update(&a->nonce_maker, sizeof(a->nonces), (const uint8_t *)&a->nonces);
    hmac_sha256_digest(&a->nonce_maker, sizeof(digest), digest);
    base64_encode(&out, span_of(digest, AUTH_SCRAM_NONCE_BYTES / 4 * 3));
    return span_of(text, out.len);
}

static void speak(struct auth *a, const struct addr *client, const struct smtp_auth *q,
                  struct auth_answer *answer)
{
    struct auth_exchange *x = (struct auth_exchange *)q->memo;
    uint64_t now_ns = a->env.clock->now_ns;
    uint8_t nonce[AUTH_SCRAM_NONCE_BYTES];
    enum auth_exchange_outcome outcome = auth_exchange_step(x, a->users, q, make_nonce(a, nonce));

    answer->login = span_of(x->scram.login, x->scram.login_len);
    answer->challenge = span_of(x->answer, x->answer_len);
    if (is_blocked(a, client, answer->login)) {
        answer->verdict = SMTP_VERDICT_BLOCKED;
    } else if (outcome == AUTH_EXCHANGE_ASKS) {
        answer->asks = true;
    } else if (outcome == AUTH_EXCHANGE_RIGHT) {
        auth_throttle_right(a->throttle, client, answer->login, now_ns);
        answer->verdict = SMTP_VERDICT_OK;
    } else {
        auth_throttle_wrong(a->throttle, client, answer->login, now_ns);
        answer->verdict = SMTP_VERDICT_WRONG;
    }
}

/* NULL: *verdict has the answer. */
static struct auth_request *check_password(struct auth *a, const struct addr *client,
                                           const struct smtp_auth *question,
                                           enum smtp_verdict *verdict)
{
    struct smtp_auth q = *question;
    uint8_t key[AUTH_KEY_BYTES];
    struct auth_request *r;

    q.login = span_first(q.login, LIMIT_LOGIN_BYTES);
    auth_cache_key(a->cache, q.login, q.password, key);
    if (decide(a, client, &q, key, verdict))
        return NULL;
    if (!may_be_right(question)) {
        auth_throttle_wrong(a->throttle, client, q.login, a->env.clock->now_ns);
        *verdict = SMTP_VERDICT_WRONG;
        return NULL;
    }
    r = wait_for(a, client, &q, key);
    if (r == NULL) {
        counter_inc(a->env.counters, COUNTER_AUTH_BUSY);
        *verdict = SMTP_VERDICT_TEMPORARY;
    }
    return r;
}

struct auth_request *auth_check(struct auth *a, const struct endpoint *peer,
                                const struct smtp_auth *question, void *owner,
                                struct auth_answer *answer)
{
    struct auth_request *r = NULL;

    take_offer(a);
    *answer = (struct auth_answer){ .asks = false };
    if (question->mechanism & (SMTP_MECHANISM_SCRAM | SMTP_MECHANISM_SCRAM_PLUS))
        speak(a, &peer->addr, question, answer);
    else
        r = check_password(a, &peer->addr, question, &answer->verdict);
    if (r != NULL)
        r->owner = owner;
    return r;
}

void auth_cancel(struct auth *a, struct auth_request *r)
{
    list_remove(&r->link);
    pool_put(a->requests, r);
}
