/*
 * Expanded keys: 600 bytes a direction, so only connections that speak have them. An idle one keeps
 * its two secrets and the records' numbers (struct tls_own) and gets its keys again when bytes
 * come.
 *
 * Happy path: tls_awake_keys finds the keys where the last record left them. Nobody watches for
 * idleness: when all places are taken, the connection that was silent longest gives its up.
 *
 * Failure modes: BoringSSL's HMAC finds no memory: NULL, and the connection fails.
 */
#include "base/assert.h"
#include "tls/tls_conn.h"
#include "tls/tls_error.h"

static struct tls_awake *oldest(struct tls_worker *w)
{
    ASSERT(!list_empty(&w->awake_order));
    return LIST_ENTRY(w->awake_order.head.next, struct tls_awake, link);
}

/* A place, somebody else's if need be. */
static struct tls_awake *get_place(struct tls_worker *w)
{
    struct tls_awake *a = pool_get(w->awake);

    if (a != NULL)
        return a;
    tls_awake_rest(oldest(w)->conn);
    a = pool_get(w->awake);
    ASSERT(a != NULL);
    return a;
}

static struct tls_awake *wake(struct tls_conn *c)
{
    struct tls_worker *w = c->worker;
    struct tls_awake *a = get_place(w);

    *a = (struct tls_awake){ .conn = c };
    if (!tls_record_key_make(&a->in, &c->own.in) || !tls_record_key_make(&a->out, &c->own.out)) {
        tls_record_key_wipe(&a->in);
        tls_record_key_wipe(&a->out);
        pool_put(w->awake, a);
        tls_error_forget();
        return NULL;
    }
    list_append(&w->awake_order, &a->link);
    counter_inc(w->env.counters, COUNTER_TLS_WAKES);
    return a;
}

struct tls_awake *tls_awake_keys(struct tls_conn *c)
{
    struct tls_worker *w = c->worker;

    if (c->own.awake == NULL) {
        c->own.awake = wake(c);
    } else if (w->awake_order.head.prev != &c->own.awake->link) {
        list_remove(&c->own.awake->link);
        list_append(&w->awake_order, &c->own.awake->link);
    }
    return c->own.awake;
}

void tls_awake_rest(struct tls_conn *c)
{
    struct tls_awake *a = c->own.awake;

    if (a == NULL)
        return;
    c->own.awake = NULL;
    list_remove(&a->link);
    tls_record_key_wipe(&a->in);
    tls_record_key_wipe(&a->out);
    pool_put(c->worker->awake, a);
}
