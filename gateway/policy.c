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

/* Beside one for each scope and use: what quota_key_of keeps apart. */
#define SESSIONS_OF_LOGIN (CONFIG_SCOPES * SMTP_USE_COUNT)

struct policy {
    struct smtp_policy smtp; /* first: its functions get its address */
    const struct config_policy *config;
    struct policy_env env;
    _Atomic(struct senders *) offered; /* the next table, or NULL */
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

static const struct senders_limits *limits_of(struct policy *p, struct span login)
{
    static const struct senders_limits none;
    const struct senders *t = senders_of(p);

    return t != NULL ? senders_limits_of(t, login) : &none;
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
        own = limits_of(p, who->login)->rates[use];
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

static bool enters(struct smtp_policy *smtp, const struct smtp_sender *who, struct smtp_own *own)
{
    struct policy *p = (struct policy *)smtp;
    const struct senders_limits *l = limits_of(p, who->login);
    uint32_t most = l->sessions != 0 ? l->sessions : p->config->sessions;
    enum quota_entry how;

    if (l->recipients != 0)
        own->recipients_max = l->recipients;
    if (l->message_bytes != 0)
        own->message_bytes_max = l->message_bytes;
    if (most == 0)
        return true;
    how = quota_enter(p->env.quota, quota_key_of(p->env.quota, SESSIONS_OF_LOGIN, who->login), most,
                      p->env.clock->now_ns);
    own->counted = how == QUOTA_ENTERED;
    if (how == QUOTA_UNCOUNTED)
        counter_inc(p->env.counters, COUNTER_POLICY_UNCOUNTED);
    if (how == QUOTA_CROWDED)
        counter_inc(p->env.counters, COUNTER_POLICY_LIMITED);
    return how != QUOTA_CROWDED;
}

static void leaves(struct smtp_policy *smtp, const struct smtp_sender *who,
                   const struct smtp_own *own)
{
    struct policy *p = (struct policy *)smtp;

    if (own->counted)
        quota_leave(p->env.quota, quota_key_of(p->env.quota, SESSIONS_OF_LOGIN, who->login));
}

static bool may_send_as(struct smtp_policy *smtp, struct span login, struct span mailbox)
{
    struct policy *p = (struct policy *)smtp;
    const struct senders *t = senders_of(p);

    if (t == NULL || senders_may_send_as(t, login, mailbox))
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
    if (env->senders != NULL)
        senders_ref(env->senders);
    return p;
}

void policy_destroy(struct policy *p)
{
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
