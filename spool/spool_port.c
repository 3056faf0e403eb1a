/*
 * Happy path, worker: take from a free list, fill, push to the ring; the reply comes back by the
 * other ring. Failure modes: no extent, no message, no room for texts: NULL or false, and the
 * worker comes again in its next turn.
 */
#include "spool/spool_port.h"

#include <stdlib.h>

#include "spool/spool_priv.h"

STATIC_ASSERT(LIMIT_SPOOL_COMMIT_RING_BYTES >=
                  2 * (sizeof(struct spool_commit) + LIMIT_ENVELOPE_BYTES + LIMIT_HEADER_BYTES + 8),
              "an empty ring has room for any commit, wherever its head is");

static uint32_t power_of_two(uint32_t least)
{
    uint32_t size = 1;

    while (size < least)
        size *= 2;
    return size;
}

static void extents_init(struct spool_port *p, uint32_t count, uint8_t *slots)
{
    for (uint32_t i = 0; i < count; i++) {
        struct spool_port_extent *e = &p->extents[i];

        e->pub.data = slots + (size_t)i * LIMIT_EXTENT_BYTES;
        e->pub.cap = LIMIT_EXTENT_BYTES;
        list_append(&p->free_extents, &e->link);
    }
}

static void messages_init(struct spool_port *p, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct spool_port_message *m = &p->messages[i];

        m->port = p;
        list_node_init(&m->live);
        list_node_init(&m->wait);
        list_append(&p->free_messages, &m->link);
    }
}

bool spool_port_create(struct spool_port *p, struct spool *s, uint8_t *slots, int event)
{
    uint32_t extents = s->config.extents_per_port;
    uint32_t messages = s->config.messages_per_port;

    ASSERT(extents > 0);
    ASSERT(messages > 0);
    *p = (struct spool_port){ .spool = s, .event = event };
    list_init(&p->free_extents);
    list_init(&p->free_messages);
    list_init(&p->done);
    p->asks = ring_create(power_of_two(extents + messages));
    p->replies = ring_create(power_of_two(extents + 2 * messages));
    p->extents = calloc(extents, sizeof(*p->extents));
    p->messages = calloc(messages, sizeof(*p->messages));
    p->texts = malloc(LIMIT_SPOOL_COMMIT_RING_BYTES);
    if (p->asks == NULL || p->replies == NULL || p->extents == NULL || p->messages == NULL ||
        p->texts == NULL)
        return false;
    extents_init(p, extents, slots);
    messages_init(p, messages);
    return true;
}

void spool_port_destroy(struct spool_port *p)
{
    ring_destroy(p->asks);
    ring_destroy(p->replies);
    free(p->extents);
    free(p->messages);
    free(p->texts);
}

/* --- the worker's side ------------------------------------------------------------------------ */

static void message_set_state(struct spool_port_message *m, enum spool_state state)
{
    static const uint8_t from[] = {
        [SPOOL_FILLING] = 1 << SPOOL_FILLING,
        [SPOOL_COMMITTING] = 1 << SPOOL_FILLING | 1 << SPOOL_FULL | 1 << SPOOL_FAILED,
        [SPOOL_DURABLE] = 1 << SPOOL_COMMITTING,
        [SPOOL_FULL] = 1 << SPOOL_FILLING | 1 << SPOOL_COMMITTING,
        [SPOOL_FAILED] = 1 << SPOOL_FILLING | 1 << SPOOL_COMMITTING,
    };

    ASSERT((from[state] & 1 << m->pub.state) != 0);
    m->pub.state = state;
}

static void ask(struct spool_port *p, struct spool_item *item, enum spool_item_kind kind)
{
    bool pushed;

    item->kind = kind;
    pushed = ring_push(p->asks, item);
    ASSERT(pushed); /* the ring has room for every extent and message */
    spool_turn_wake(p->spool);
}

static void take_message(struct spool_port *p, struct spool_item *item)
{
    struct spool_port_message *m;

    if (item->kind == ITEM_NOTICE) {
        m = LIST_ENTRY(item, struct spool_port_message, notice);
        if (m->pub.state == SPOOL_FILLING && !list_linked(&m->link))
            message_set_state(m, item->result);
        return;
    }
    m = LIST_ENTRY(item, struct spool_port_message, reply);
    ASSERT(!list_linked(&m->link));
    if (item->kind == ITEM_GONE) {
        list_append(&p->free_messages, &m->link);
        return;
    }
    ASSERT(item->kind == ITEM_DONE);
    message_set_state(m, item->result);
    list_append(&p->done, &m->link);
}

static void take_replies(struct spool_port *p)
{
    struct spool_item *item;

    /* Looked at before the ring: what is pushed after this sets the event again. */
    if (p->event >= 0 && atomic_load_explicit(&p->signalled, memory_order_relaxed) != 0 &&
        atomic_exchange(&p->signalled, 0) != 0)
        p->spool->io->ops->event_clear(p->spool->io, p->event);
    while ((item = ring_pop(p->replies)) != NULL) {
        if (item->kind == ITEM_HOME) {
            struct spool_port_extent *e = LIST_ENTRY(item, struct spool_port_extent, item);

            list_append(&p->free_extents, &e->link);
        } else {
            take_message(p, item);
        }
    }
}

struct spool_message *spool_message_begin(struct spool_port *p, void *owner)
{
    struct list_node *n;
    struct spool_port_message *m;

    take_replies(p);
    n = list_pop(&p->free_messages);
    if (n == NULL)
        return NULL;
    m = LIST_ENTRY(n, struct spool_port_message, link);
    ASSERT(!list_linked(&m->live));
    ASSERT(!list_linked(&m->wait));
    m->pub = (struct spool_message){ SPOOL_FILLING, owner };
    m->given_bytes = 0;
    return &m->pub;
}

struct spool_extent *spool_extent_get(struct spool_port *p)
{
    struct list_node *n = list_pop(&p->free_extents);

    if (n == NULL) {
        take_replies(p);
        n = list_pop(&p->free_extents);
        if (n == NULL)
            return NULL;
    }
    LIST_ENTRY(n, struct spool_port_extent, link)->pub.len = 0;
    return &LIST_ENTRY(n, struct spool_port_extent, link)->pub;
}

void spool_extent_put(struct spool_port *p, struct spool_extent *e)
{
    struct spool_port_extent *x = LIST_ENTRY(e, struct spool_port_extent, pub);

    ASSERT(!list_linked(&x->link));
    list_append(&p->free_extents, &x->link);
}

void spool_message_append(struct spool_port *p, struct spool_message *m, struct spool_extent *e)
{
    struct spool_port_extent *x = LIST_ENTRY(e, struct spool_port_extent, pub);

    ASSERT(e->len > 0);
    ASSERT(e->len <= e->cap);
    ASSERT(m->state != SPOOL_COMMITTING);
    ASSERT(m->state != SPOOL_DURABLE);
    x->message = LIST_ENTRY(m, struct spool_port_message, pub);
    ASSERT(x->message->port == p);
    x->message->given_bytes += e->len;
    ask(p, &x->item, ITEM_APPEND);
}

/* A place for `bytes` in one piece, or NULL; *end is where the ring's tail goes when it is taken.
 */
static uint8_t *texts_place(struct spool_port *p, uint32_t bytes, uint64_t *end)
{
    uint64_t size = LIMIT_SPOOL_COMMIT_RING_BYTES;
    uint64_t at = p->texts_head;
    uint64_t tail = atomic_load_explicit(&p->texts_tail, memory_order_acquire);

    ASSERT(at >= tail);
    if (at % size + bytes > size)
        at += size - at % size;
    *end = (at + bytes + 7) & ~7ULL;
    return *end - tail <= size ? p->texts + at % size : NULL;
}

bool spool_message_commit(struct spool_port *p, struct spool_message *m, const struct mail *mail)
{
    struct spool_port_message *x = LIST_ENTRY(m, struct spool_port_message, pub);
    struct spool_commit commit = { 0 };
    uint8_t *to;

    ASSERT(x->port == p);
    ASSERT(mail->id != 0);
    ASSERT(mail->body_bytes <= x->given_bytes);
    ASSERT(mail->envelope.len <= LIMIT_ENVELOPE_BYTES);
    ASSERT(mail->header.len <= LIMIT_HEADER_BYTES);
    x->texts_bytes = (uint32_t)sizeof(commit) + mail->envelope.len + mail->header.len;
    to = texts_place(p, x->texts_bytes, &x->texts_end);
    if (to == NULL)
        return false;
    commit.id = mail->id;
    commit.body_bytes = mail->body_bytes;
    commit.flags = mail->flags;
    commit.envelope_bytes = mail->envelope.len;
    commit.header_bytes = mail->header.len;
    memcpy(to, &commit, sizeof(commit));
    if (mail->envelope.len > 0)
        memcpy(to + sizeof(commit), mail->envelope.ptr, mail->envelope.len);
    if (mail->header.len > 0)
        memcpy(to + sizeof(commit) + mail->envelope.len, mail->header.ptr, mail->header.len);
    x->texts = to;
    p->texts_head = x->texts_end;
    message_set_state(x, SPOOL_COMMITTING);
    ask(p, &x->ask, ITEM_COMMIT);
    return true;
}

void spool_message_abort(struct spool_port *p, struct spool_message *m)
{
    struct spool_port_message *x = LIST_ENTRY(m, struct spool_port_message, pub);

    ASSERT(x->port == p);
    ASSERT(m->state != SPOOL_COMMITTING);
    ASSERT(m->state != SPOOL_DURABLE);
    ASSERT(!list_linked(&x->link));
    m->owner = NULL;
    ask(p, &x->ask, ITEM_ABORT);
}

struct spool_message *spool_port_poll(struct spool_port *p)
{
    struct list_node *n;

    take_replies(p);
    n = list_pop(&p->done);
    return n == NULL ? NULL : &LIST_ENTRY(n, struct spool_port_message, link)->pub;
}

void spool_message_release(struct spool_port *p, struct spool_message *m)
{
    struct spool_port_message *x = LIST_ENTRY(m, struct spool_port_message, pub);

    ASSERT(x->port == p);
    ASSERT(m->state >= SPOOL_DURABLE);
    ASSERT(!list_linked(&x->link));
    m->owner = NULL;
    list_append(&p->free_messages, &x->link);
}

int spool_port_fd(const struct spool_port *p)
{
    return p->event;
}

/* --- the writer's side ------------------------------------------------------------------------ */

static void reply(struct spool_port *p, struct spool_item *item, enum spool_item_kind kind)
{
    bool pushed;

    item->kind = kind;
    pushed = ring_push(p->replies, item);
    ASSERT(pushed);
    p->has_news = true;
}

void spool_port_send_home(struct spool_port_extent *e)
{
    reply(e->message->port, &e->item, ITEM_HOME);
}

void spool_port_notice(struct spool_port_message *m, enum spool_state result)
{
    ASSERT(result == SPOOL_FULL || result == SPOOL_FAILED);
    m->notice.result = result;
    reply(m->port, &m->notice, ITEM_NOTICE);
}

void spool_port_reply(struct spool_port_message *m, enum spool_item_kind kind,
                      enum spool_state result)
{
    ASSERT(kind == ITEM_DONE || kind == ITEM_GONE);
    ASSERT(!list_linked(&m->live));
    ASSERT(!list_linked(&m->wait));
    m->ticket = 0;
    m->reply.result = result;
    reply(m->port, &m->reply, kind);
}

void spool_port_texts_taken(struct spool_port_message *m)
{
    atomic_store_explicit(&m->port->texts_tail, m->texts_end, memory_order_release);
}

void spool_port_signal(struct spool_port *p)
{
    if (!p->has_news)
        return;
    p->has_news = false;
    if (p->event < 0)
        return;
    /* A read-modify-write, so that a worker that has just looked sees what was pushed before. */
    if (atomic_fetch_add(&p->signalled, 0) == 0) {
        p->spool->io->ops->event_set(p->spool->io, p->event);
        atomic_store(&p->signalled, 1);
    }
}
