/*
 * Three scopes for each use: the login's own, its client's, and all together. A use needs room in
 * all of them and is charged to all of them; between the two other workers may slip in, a message
 * or so past the limit. The network of a client is its IPv4 address or IPv6 /64, as for
 * connections.
 */
#include "gateway/policy.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/pool.h"
#include "gateway/senders_grant.h"

/* Beside one for each scope and use: what quota_key_of keeps apart. */
#define SESSIONS_OF_LOGIN (CONFIG_SCOPES * SMTP_USE_COUNT)

struct policy {
    struct smtp_policy smtp; /* first: its functions get its address */
    const struct config_policy *config;
    struct policy_env env;
    struct pool *rights;
    _Atomic(struct senders *) offered; /* the next table, or NULL */
};

/* What one session's back end grants it. */
struct smtp_rights {
    struct senders_grant grant;
};

/* One use in one scope. */
struct account {
    struct quota_key key;
    struct quota_rate rate;
};

static struct senders *senders_of(struct policy *p)
{
    struct senders *next;

    if (atomic_load_explicit(&p->offered, memory_order_relaxed) == NULL)
        return p->env.senders;
    next = atomic_exchange_explicit(&p->offered, NULL, memory_order_acq_rel);
    senders_release(p->env.senders);
    p->env.senders = next;
    return next;
}

/* One login's own: what its back end grants, and for the rest what the file has; 0: neither. */
static struct senders_limits limits_of(struct policy *p, const struct smtp_sender *who)
{
    const struct smtp_rights *rights = who->own->rights;
    const struct senders *t = senders_of(p);
    struct senders_limits l = { .sessions = 0 };

    if (t != NULL)
        l = *senders_limits_of(t, who->login);
    if (rights == NULL)
        return l;
    for (enum smtp_use use = 0; use < SMTP_USE_COUNT; use++) {
        if (rights->grant.limits.rates[use].amount != 0)
            l.rates[use] = rights->grant.limits.rates[use];
    }
    if (rights->grant.limits.sessions != 0)
        l.sessions = rights->grant.limits.sessions;
    if (rights->grant.limits.recipients != 0)
        l.recipients = rights->grant.limits.recipients;
    if (rights->grant.limits.message_bytes != 0)
        l.message_bytes = rights->grant.limits.message_bytes;
    return l;
}

static struct span client_of(const struct addr *client)
{
    return addr_is_v4(client) ? span_of(client->octets, 16) : span_of(client->octets, 8);
}

static struct account account_of(struct policy *p, const struct smtp_sender *who, enum smtp_use use,
                                 enum config_scope scope)
{
    const struct config_policy *c = p->config;
    struct account a = { .rate = c->rates[scope][use] };
    struct quota_rate own = { 0, 0 };
    struct span names[CONFIG_SCOPES] = { who->login, client_of(&who->client), { NULL, 0 } };

    if (scope == CONFIG_SCOPE_LOGIN)
        own = limits_of(p, who).rates[use];
    if (own.amount != 0)
        a.rate = own;
    if (a.rate.amount != 0)
        a.key = quota_key_of(p->env.quota, (uint8_t)(scope * SMTP_USE_COUNT + use), names[scope]);
    return a;
}

static bool has_room(struct smtp_policy *smtp, const struct smtp_sender *who, enum smtp_use use)
{
    struct policy *p = (struct policy *)smtp;
    uint64_t now_ns = p->env.clock->now_ns;

    for (enum config_scope scope = 0; scope < CONFIG_SCOPES; scope++) {
        struct account a = account_of(p, who, use, scope);

        if (a.rate.amount == 0 || quota_has_room(p->env.quota, a.key, a.rate, 1, now_ns))
            continue;
        counter_inc(p->env.counters, COUNTER_POLICY_LIMITED);
        return false;
    }
    return true;
}

static void uses(struct smtp_policy *smtp, const struct smtp_sender *who, enum smtp_use use,
                 uint64_t amount)
{
    struct policy *p = (struct policy *)smtp;
    uint64_t now_ns = p->env.clock->now_ns;

    for (enum config_scope scope = 0; scope < CONFIG_SCOPES; scope++) {
        struct account a = account_of(p, who, use, scope);

        if (a.rate.amount != 0 && !quota_charge(p->env.quota, a.key, a.rate, amount, now_ns))
            counter_inc(p->env.counters, COUNTER_POLICY_UNCOUNTED);
    }
}

static void take_limits(const struct senders_limits *l, struct smtp_own *own)
{
    if (l->recipients != 0)
        own->recipients_max = l->recipients;
    if (l->message_bytes != 0)
        own->message_bytes_max = l->message_bytes;
}

/* auth_grant has read it before, so it can be read. NULL when there is none. */
static struct smtp_rights *read_grant(struct policy *p, struct span login, struct span grant)
{
    struct smtp_rights *r;
    bool good;

    if (grant.len == 0)
        return NULL;
    r = pool_get(p->rights);
    ASSERT(r != NULL); /* there is one for each session */
    good = senders_grant_read(grant, login, &r->grant);
    ASSERT(good);
    return r;
}

static void drop_rights(struct policy *p, struct smtp_rights *r)
{
    if (r != NULL)
        pool_put(p->rights, r);
}

static bool enters(struct smtp_policy *smtp, const struct smtp_sender *who, struct span grant,
                   struct smtp_own *own)
{
    struct policy *p = (struct policy *)smtp;
    struct senders_limits l;
    uint32_t most;
    enum quota_entry how;

    ASSERT(who->own == own);
    own->rights = read_grant(p, who->login, grant);
    l = limits_of(p, who);
    most = l.sessions != 0 ? l.sessions : p->config->sessions;
    take_limits(&l, own);
    if (most == 0)
        return true;
    how = quota_enter(p->env.quota, quota_key_of(p->env.quota, SESSIONS_OF_LOGIN, who->login), most,
                      p->env.clock->now_ns);
    own->counted = how == QUOTA_ENTERED;
    if (how == QUOTA_UNCOUNTED)
        counter_inc(p->env.counters, COUNTER_POLICY_UNCOUNTED);
    if (how != QUOTA_CROWDED)
        return true;
    counter_inc(p->env.counters, COUNTER_POLICY_LIMITED);
    drop_rights(p, own->rights);
    own->rights = NULL;
    return false;
}

static void leaves(struct smtp_policy *smtp, const struct smtp_sender *who)
{
    struct policy *p = (struct policy *)smtp;

    if (who->own->counted)
        quota_leave(p->env.quota, quota_key_of(p->env.quota, SESSIONS_OF_LOGIN, who->login));
    drop_rights(p, who->own->rights);
}

static bool owns(struct policy *p, const struct smtp_sender *who, struct span mailbox)
{
    const struct smtp_rights *rights = who->own->rights;
    const struct senders *t = senders_of(p);

    if (rights != NULL && rights->grant.patterns > 0)
        return senders_grant_may_send_as(&rights->grant, who->login, mailbox);
    return t == NULL || senders_may_send_as(t, who->login, mailbox);
}

static bool may_send_as(struct smtp_policy *smtp, const struct smtp_sender *who,
                        struct span mailbox)
{
    struct policy *p = (struct policy *)smtp;

    if (owns(p, who, mailbox))
        return true;
    counter_inc(p->env.counters, COUNTER_POLICY_FOREIGN);
    return false;
}

struct policy *policy_create(const struct config_policy *config, const struct policy_env *env)
{
    struct policy *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->smtp = (struct smtp_policy){ enters, leaves, may_send_as, has_room, uses };
    p->config = config;
    p->env = *env;
    p->rights = pool_create("policy_rights", env->sessions_max, sizeof(struct smtp_rights));
    if (p->rights == NULL) {
        free(p);
        return NULL;
    }
    if (env->senders != NULL)
        senders_ref(env->senders);
    return p;
}

void policy_destroy(struct policy *p)
{
    pool_destroy(p->rights);
    senders_release(p->env.senders);
    senders_release(atomic_load_explicit(&p->offered, memory_order_acquire));
    free(p);
}

struct smtp_policy *policy_of_smtp(struct policy *p)
{
    return &p->smtp;
}

void policy_offer_senders(struct policy *p, struct senders *senders)
{
    senders_release(atomic_exchange_explicit(&p->offered, senders, memory_order_acq_rel));
}
