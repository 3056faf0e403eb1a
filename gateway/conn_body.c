/*
 * A body on its way from the stream to the spool.
 *
 * Happy path: get an extent; the stream reads (TLS decrypts) straight into it; the session looks at
 * the new bytes where they lie; a full extent is appended; at the end of data the message is
 * committed and the session waits until it is durable. No byte is moved twice but the few that were
 * read behind a command.
 *
 * Failure modes: no extent, no message or no place in the ring: nothing is read, the transport's
 * window closes, and the connection waits in conns.rooms. The spool has no room or failed: the
 * session skips the rest and answers 452 or 451. The connection breaks: the message is aborted; or,
 * if its commit is under way, it becomes durable without an owner, and the client, who saw no 250,
 * may send it again (RFC 5321, 6.1).
 */
#include "base/assert.h"
#include "base/limits.h"
#include "gateway/conn_priv.h"

static enum smtp_delivery delivery_of(enum spool_state state)
{
    switch (state) {
    case SPOOL_DURABLE: return SMTP_DELIVERY_DURABLE;
    case SPOOL_FULL: return SMTP_DELIVERY_FULL;
    case SPOOL_FAILED: return SMTP_DELIVERY_FAILED;
    case SPOOL_FILLING:
    case SPOOL_COMMITTING: break;
    }
    UNREACHABLE("a message in flight has no delivery");
}

/* While nothing is read for want of room, it is not the client who is slow. */
static void stop_the_watch(struct conn *c)
{
    if (c->full_ns == 0)
        c->full_ns = c->set->env.clock->now_ns;
}

static void start_the_watch(struct conn *c)
{
    if (c->full_ns != 0)
        c->body_ns += c->set->env.clock->now_ns - c->full_ns;
    c->full_ns = 0;
}

void conn_body_drop(struct conn *c)
{
    struct spool_port *port = c->set->env.spool;

    start_the_watch(c);
    if (c->extent != NULL)
        spool_extent_put(port, c->extent);
    c->extent = NULL;
    if (c->message == NULL)
        return;
    c->message->owner = NULL;
    if (!c->committing)
        spool_message_abort(port, c->message);
    c->message = NULL;
    c->committing = false;
}

/* A message and an extent with room, or false: none now. */
static bool have_room(struct conn *c)
{
    struct spool_port *port = c->set->env.spool;

    if (c->message == NULL)
        c->message = spool_message_begin(port, c);
    if (c->message == NULL)
        return false;
    if (c->extent == NULL)
        c->extent = spool_extent_get(port);
    return c->extent != NULL;
}

/* Hands an extent to the spool. */
static void append_extent(struct conn *c)
{
    spool_message_append(c->set->env.spool, c->message, c->extent);
    c->extent = NULL;
}

/* The spool can't keep it: forget the message, let the session look for the end alone. */
static void lose(struct conn *c)
{
    enum smtp_delivery why = delivery_of(c->message->state);

    conn_body_drop(c);
    smtp_session_body_lost(c->session, why);
}

static void note_progress(struct conn *c, uint32_t taken, enum smtp_body_outcome outcome)
{
    c->body_received += taken;
    if (!smtp_session_body_kept(c->session))
        conn_body_drop(c); /* refused: the next message must not go on behind it */
    if (outcome == SMTP_BODY_MORE)
        return;
    /* The message is there: it is kept, whether or not there is room for a reply now. */
    c->want = outcome == SMTP_BODY_SEALED ? SMTP_WANT_DURABLE : SMTP_WANT_OUTPUT;
    c->commit_ns = c->set->env.clock->now_ns;
}

/*
 * Shows the session up to cap bytes at `at`: first those that were read behind a command, then the
 * stream's. What is of the body stays there, and *len grows by it; what is not is input.
 */
static enum conn_progress feed(struct conn *c, uint8_t *at, uint32_t cap, uint32_t *len)
{
    struct span input = span_of(c->input.ptr, c->input.len);
    uint32_t n = input.len < cap ? input.len : cap;
    enum smtp_body_outcome outcome;
    uint32_t taken;

    if (n > 0)
        memcpy(at, input.ptr, n);
    else
        n = c->io->ops->read(c->io, at, cap);
    if (n == 0)
        return CONN_STUCK;
    outcome = smtp_session_body(c->session, span_of(at, n), &taken);
    ASSERT(taken <= n);
    if (input.len > 0)
        conn_session_keep(c, span_skip(input, taken));
    else if (taken < n)
        conn_session_keep(c, span_of(at + taken, n - taken));
    *len += taken;
    note_progress(c, taken, outcome);
    return CONN_MOVED;
}

enum conn_progress conn_body_step(struct conn *c)
{
    struct spool_extent *e;
    uint32_t room;

    if (c->message != NULL && c->message->state > SPOOL_COMMITTING)
        lose(c);
    if (!smtp_session_body_kept(c->session)) {
        conn_body_drop(c);
        return feed(c, c->set->scratch, LIMIT_READ_BYTES, &(uint32_t){ 0 });
    }
    if (c->extent != NULL && c->extent->len == c->extent->cap)
        append_extent(c);
    if (!have_room(c)) {
        stop_the_watch(c);
        conn_wait_for_room(c);
        return CONN_STUCK;
    }
    start_the_watch(c);
    e = c->extent;
    room = e->cap - e->len;
    return feed(c, e->data + e->len, room < LIMIT_READ_BYTES ? room : LIMIT_READ_BYTES, &e->len);
}

enum conn_progress conn_body_commit(struct conn *c)
{
    struct spool_port *port = c->set->env.spool;
    struct mail mail;

    if (c->committing)
        return CONN_STUCK;
    smtp_session_mail(c->session, &mail);
    ASSERT(c->message != NULL || mail.body_bytes == 0);
    if (c->message == NULL)
        c->message = spool_message_begin(port, c);
    if (c->message == NULL) {
        conn_wait_for_room(c);
        return CONN_STUCK;
    }
    if (c->message->state > SPOOL_COMMITTING) {
        conn_body_done(c);
        return CONN_MOVED;
    }
    if (c->extent != NULL)
        append_extent(c);
    if (!spool_message_commit(port, c->message, &mail)) {
        conn_wait_for_room(c);
        return CONN_STUCK;
    }
    c->committing = true;
    return CONN_STUCK;
}

void conn_body_done(struct conn *c)
{
    static const char *const results[] = {
        [SMTP_DELIVERY_DURABLE] = "durable",
        [SMTP_DELIVERY_FULL] = "spool full",
        [SMTP_DELIVERY_FAILED] = "spool failed",
    };
    enum smtp_delivery how = delivery_of(c->message->state);
    struct spool_message *m = c->message;
    struct mail mail;

    smtp_session_mail(c->session, &mail);
    conn_log_message(c, &mail, results[how]);
    if (c->committing) {
        spool_message_release(c->set->env.spool, m);
        c->message = NULL;
        c->committing = false;
    }
    conn_body_drop(c);
    smtp_session_durable(c->session, how);
    c->want = SMTP_WANT_OUTPUT;
}

bool conn_body_is_too_slow(const struct conn *c)
{
    uint64_t age_s = (c->set->env.clock->now_ns - c->body_ns) / NS_PER_S;

    if ((c->want != SMTP_WANT_BODY && c->extent == NULL) || age_s <= LIMIT_BODY_GRACE_S)
        return false;
    return c->body_received < (age_s - LIMIT_BODY_GRACE_S) * LIMIT_BODY_BYTES_PER_S;
}
