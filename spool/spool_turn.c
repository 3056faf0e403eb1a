/*
 * The writer's turn: results of the disk first, then the segments, then requests of the workers in
 * turn, then the batch. One request of a port that must wait holds back the ones behind it: order
 * within a message is the port's order.
 *
 * Failure modes are those of spool_append.c; here a message that is FULL or FAILED has its further
 * extents sent home, and its commit answered with what it is.
 */
#include <errno.h>

#include "spool/spool_append.h"
#include "spool/spool_roll.h"
#include "spool/spool_segment.h"

/* Requests of one port in one turn: results are looked at in between. */
#define ASKS_PER_TURN 256
#define RESULTS_MAX   32

static void handle_result(struct spool *s, const struct spool_io_result *r)
{
    struct spool_flight *f = r->tag;
    int error = 0;

    ASSERT(f->flying);
    if (f->kind == FLIGHT_BATCH) {
        spool_append_done(s, f, r->result);
        return;
    }
    if (r->result < 0)
        error = -r->result;
    else if ((uint32_t)r->result != f->len)
        error = EIO;
    if (f->kind == FLIGHT_OPEN)
        spool_roll_opened(s, f, error);
    else
        spool_segment_zeroed(s, f, error);
}

unsigned spool_turn_reap(struct spool *s)
{
    struct spool_io_result results[RESULTS_MAX];
    unsigned count = s->io->ops->reap(s->io, results, RESULTS_MAX);

    for (unsigned i = 0; i < count; i++)
        handle_result(s, &results[i]);
    return count;
}

/* The writer meets a message with its first request. */
static void meet(struct spool *s, struct spool_port_message *m)
{
    if (m->ticket != 0)
        return;
    ASSERT(!list_linked(&m->live));
    m->ticket = s->next_ticket++;
    if (s->next_ticket == 0)
        s->next_ticket = 1;
    m->stored_bytes = 0;
    m->first_sequence = 0;
    m->last_sequence = 0;
    m->last_end = 0;
    m->extents = 0;
    m->extents_crc = 0;
    m->verdict = SPOOL_FILLING;
    m->committed = false;
    list_append(&s->live, &m->live);
}

/* Each of these: false when the request must wait. */
static bool append(struct spool *s, struct spool_port_extent *e)
{
    struct spool_port_message *m = e->message;
    enum spool_append_result result;

    meet(s, m);
    if (m->verdict == SPOOL_FILLING) {
        result = spool_append_extent(s, e);
        if (result != APPEND_REFUSED)
            return result == APPEND_PLACED;
        spool_append_doom(s, m, spool_append_verdict(s->error));
    }
    spool_port_send_home(e);
    return true;
}

static bool commit(struct spool *s, struct spool_port_message *m)
{
    enum spool_append_result result;

    meet(s, m);
    if (m->verdict == SPOOL_FILLING) {
        result = spool_append_commit(s, m);
        if (result != APPEND_REFUSED)
            return result == APPEND_PLACED;
        m->verdict = spool_append_verdict(s->error);
        spool_segment_let_go(s, m);
    }
    spool_port_texts_taken(m);
    list_remove(&m->live);
    spool_port_reply(m, ITEM_DONE, m->verdict);
    return true;
}

static bool give_up(struct spool *s, struct spool_port_message *m)
{
    meet(s, m);
    ASSERT(!m->committed);
    spool_segment_let_go(s, m);
    list_remove(&m->live);
    spool_port_reply(m, ITEM_GONE, SPOOL_FAILED);
    return true;
}

static bool handle(struct spool *s, struct spool_item *item)
{
    switch (item->kind) {
    case ITEM_APPEND: return append(s, LIST_ENTRY(item, struct spool_port_extent, item));
    case ITEM_COMMIT: return commit(s, LIST_ENTRY(item, struct spool_port_message, ask));
    case ITEM_ABORT: return give_up(s, LIST_ENTRY(item, struct spool_port_message, ask));
    default: UNREACHABLE("a worker sends no other");
    }
}

static unsigned serve(struct spool *s, struct spool_port *p)
{
    for (unsigned done = 0; done < ASKS_PER_TURN; done++) {
        struct spool_item *item = p->held != NULL ? p->held : ring_pop(p->asks);

        p->held = NULL;
        if (item == NULL)
            return done;
        if (!handle(s, item)) {
            p->held = item;
            s->stalled = true;
            return done;
        }
    }
    return ASKS_PER_TURN;
}

unsigned spool_turn(struct spool *s)
{
    unsigned work = spool_turn_reap(s);

    s->stalled = false;
    s->looked = false;
    work += spool_roll_turn(s);
    for (unsigned i = 0; i < s->config.ports && !s->stalled; i++)
        work += serve(s, &s->ports[(s->first_port + i) % s->config.ports]);
    s->first_port = (s->first_port + 1) % s->config.ports;
    spool_append_submit(s);
    /* What was asked for may be done at once: draining with nothing under way, zeros for a new
     * file. */
    work += spool_roll_turn(s);
    s->io->ops->flush(s->io);
    for (unsigned i = 0; i < s->config.ports; i++)
        spool_port_signal(&s->ports[i]);
    return work;
}

static bool asked(const struct spool *s)
{
    for (unsigned i = 0; i < s->config.ports; i++)
        if (ring_count(s->ports[i].asks) > 0)
            return true;
    return false;
}

static bool under_way(const struct spool *s)
{
    return s->flight_count > 0 || s->opening.flying || s->zeroing.flying;
}

bool spool_idle(const struct spool *s)
{
    for (unsigned i = 0; i < s->config.ports; i++)
        if (s->ports[i].held != NULL)
            return false;
    return !asked(s) && s->open == NULL && list_empty(&s->withheld) && !under_way(s);
}

void spool_wait(struct spool *s)
{
    atomic_exchange(&s->asleep, 1);
    /* What was pushed before the exchange is seen here; who pushes after it sees that we sleep. */
    if (s->stalled ? under_way(s) : !asked(s))
        s->io->ops->wait(s->io);
    atomic_store(&s->asleep, 0);
}

void spool_wake(struct spool *s)
{
    s->io->ops->wake(s->io);
}

void spool_turn_wake(struct spool *s)
{
    /* A read-modify-write, so that it stands in one order with the writer's exchange. */
    if (atomic_fetch_add(&s->asleep, 0) != 0 && atomic_exchange(&s->asleep, 0) != 0)
        s->io->ops->wake(s->io);
}
