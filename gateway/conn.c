/*
 * The life of one connection.
 *
 * Happy path: conn_open begins TLS and sets the timer; conn_pump runs it whenever there is news,
 * until nothing moves. With STARTTLS the session is first, and TLS comes between it and the stream
 * while it waits. A connection that says goodbye sends its end, throws away what still comes
 * and waits for the peer's end, so that the last reply is not lost to a reset.
 *
 * Failure modes: the stream failed: closed. Time out: the session says 421, or, in a handshake, the
 * connection is cut. Every way out is conn_close, which gives back all that was held.
 */

#include "base/assert.h"
#include "base/limits.h"
#include "gateway/conn_priv.h"

/* Said in clear to a client that speaks no TLS on a TLS port: most show it to their user. */
#define NOT_TLS_TEXT \
    "554 5.7.0 This port speaks TLS from the first byte (RFC 8314); use implicit TLS\r\n"
/* The same after the 220 to STARTTLS: commands that somebody put behind it get no further. */
#define NOT_STARTED_TEXT "554 5.7.0 Nothing but TLS may follow STARTTLS\r\n"

static void set_timer(struct conn *c, uint64_t due_ns)
{
    wheel_set(&c->set->wheel, &c->timer, due_ns);
}

static uint64_t seconds_from_now(const struct conn *c, uint32_t s)
{
    return c->set->env.clock->now_ns + s * NS_PER_S;
}

bool conn_has_tls(const struct conn *c)
{
    return c->io != c->lower;
}

void conn_close(struct conn *c, const char *result)
{
    struct conns *cs = c->set;

    if (c->result == NULL)
        c->result = result;
    if (c->committing && c->message != NULL)
        c->result = "gone before durable";
    conn_log_session(c);
    if (c->auth != NULL)
        auth_cancel(cs->env.auth, c->auth);
    conn_body_drop(c);
    conn_session_keep(c, (struct span){ 0 });
    if (c->session != NULL)
        smtp_session_close(c->session);
    if (c->counted)
        conn_clients_leave(cs->clients, &c->peer.addr);
    if (c->tls != NULL && !conn_has_tls(c))
        c->lower = c->io = tls_conn_detach(c->tls);
    c->io->ops->close(c->io);
    wheel_cancel(&cs->wheel, &c->timer);
    list_remove(&c->wait);
    if (cs->viewed == &c->all)
        cs->viewed = c->all.next;
    list_remove(&c->all);
    texts_set(cs->texts, &c->server_name, span_of(NULL, 0));
    texts_set(cs->texts, &c->binding, span_of(NULL, 0));
    pool_put(cs->pool, c);
}

void conn_begin_closing(struct conn *c, const char *result)
{
    if (c->result == NULL)
        c->result = result;
    c->phase = CONN_CLOSING;
    if (!c->committing)
        conn_body_drop(c); /* the rest of it will not come */
    c->io->ops->shutdown(c->io);
    set_timer(c, seconds_from_now(c, c->set->config.linger_s));
}

void conn_wait_for_room(struct conn *c)
{
    if (!list_linked(&c->wait))
        list_append(&c->set->rooms, &c->wait);
}

/* `tls`: what was agreed on; all zero without. */
static void describe_client(const struct conn *c, const struct tls_info *tls,
                            struct smtp_client *out)
{
    *out = (struct smtp_client){
        .peer = c->peer,
        .local = c->local,
        .secure = c->tls != NULL || c->listener->secure,
        .xclient =
            addr_nets_have(c->listener->xclients, c->listener->xclient_count, &c->lower->peer.addr),
        .starttls = c->listener->starttls,
        .mechanisms =
            (uint16_t)auth_mechanisms(c->set->env.auth, tls->bound || tls->end_point.len > 0),
        .tls_version = tls->version,
        .tls_cipher = tls->cipher,
        .tls_group = tls->group,
        .binding = texts_get(c->set->texts, c->binding),
        .end_point = tls->end_point,
        .identity = tls->identity,
    };
    if (out->identity.len == 0)
        out->mechanisms &= (uint16_t)~SMTP_MECHANISM_EXTERNAL;
}

static enum conn_progress begin_session(struct conn *c, const struct tls_info *tls)
{
    struct smtp_client client;

    describe_client(c, tls, &client);
    c->session = smtp_session_open(c->set->env.smtp, &client);
    if (c->session == NULL) {
        conn_close(c, "no session left");
        return CONN_GONE;
    }
    c->phase = CONN_SESSION;
    c->want = SMTP_WANT_OUTPUT;                      /* the banner */
    set_timer(c, smtp_session_deadline(c->session)); /* conn_timer looks further */
    return CONN_MOVED;
}

/* From here on the session reads and writes through TLS; a STARTTLS has its session already. */
static enum conn_progress handshake_done(struct conn *c)
{
    struct smtp_client client;
    struct tls_info tls;

    c->io = tls_conn_stream(c->tls);
    tls_conn_info(c->tls, &tls);
    texts_set(c->set->texts, &c->server_name, span_str(tls.server_name));
    texts_set(c->set->texts, &c->binding,
              span_of(tls.binding, tls.bound ? sizeof(tls.binding) : 0));
    if (c->session == NULL)
        return begin_session(c, &tls);
    describe_client(c, &tls, &client);
    smtp_session_secured(c->session, &client);
    c->phase = CONN_SESSION;
    c->want = SMTP_WANT_OUTPUT; /* a 421, if somebody has ended it meanwhile */
    set_timer(c, smtp_session_deadline(c->session));
    return CONN_MOVED;
}

static enum conn_progress not_tls(struct conn *c)
{
    bool started = c->session != NULL;

    stream_write(c->lower, started ? SPAN_LITERAL(NOT_STARTED_TEXT) : SPAN_LITERAL(NOT_TLS_TEXT));
    conn_begin_closing(c, started ? "clear text behind STARTTLS" : "not TLS");
    return CONN_MOVED;
}

static enum conn_progress handshake_failed(struct conn *c)
{
    struct tls_error error = *tls_conn_error(c->tls);

    c->lower = c->io = tls_conn_detach(c->tls);
    c->tls = NULL;
    if (c->lower->ready & STREAM_FAILED) {
        conn_close(c, error.reason);
        return CONN_GONE;
    }
    if (error.not_tls)
        return not_tls(c);
    conn_begin_closing(c, error.reason);
    return CONN_MOVED;
}

static enum conn_progress wait_for_turn(struct conn *c)
{
    if (!list_linked(&c->wait))
        list_append(&c->set->handshakes, &c->wait);
    return CONN_STUCK;
}

/* A dear step is for this turn, or for a helper, or for another turn. */
static enum tls_outcome step_tls(struct conn *c)
{
    struct conns *cs = c->set;

    if (!tls_conn_handshake_is_dear(c->tls))
        return tls_conn_handshake(c->tls);
    if (cs->handshake_budget > 0) {
        cs->handshake_budget--;
        return tls_conn_handshake(c->tls);
    }
    if (cs->hint_budget == 0)
        return TLS_WANT_TURN;
    cs->hint_budget--;
    return tls_conn_handshake_helped(c->tls);
}

static enum conn_progress handshake_step(struct conn *c)
{
    switch (step_tls(c)) {
    case TLS_DONE: return handshake_done(c);
    case TLS_WANT_INPUT:
    case TLS_WANT_OUTPUT:
    case TLS_WANT_SIGNATURE: return CONN_STUCK;
    case TLS_WANT_TURN: return wait_for_turn(c);
    case TLS_FAILED: return handshake_failed(c);
    }
    UNREACHABLE("every outcome is met");
}

/* Throws away what still comes, from below TLS: nobody will look at it. */
static enum conn_progress closing_step(struct conn *c)
{
    struct stream *s = c->lower;
    struct span run;

    if (s->ready & STREAM_FAILED) {
        conn_close(c, NULL);
        return CONN_GONE;
    }
    while (s->ops->peek(s, &run, 1) == 1)
        s->ops->consume(s, run.len);
    if ((s->ready & STREAM_ENDED) == 0)
        return CONN_STUCK;
    conn_close(c, NULL);
    return CONN_GONE;
}

static enum conn_progress step(struct conn *c)
{
    switch (c->phase) {
    case CONN_PROXY: return conn_proxy_step(c);
    case CONN_HANDSHAKE: return handshake_step(c);
    case CONN_SESSION: return conn_session_step(c);
    case CONN_CLOSING: return closing_step(c);
    }
    UNREACHABLE("every phase has a step");
}

/* Ends a session whose peer may have sent its end already, so that no news will come of it. */
static void end_now(struct conn *c, const char *result)
{
    conn_begin_closing(c, result);
    stream_requeue(c->lower);
}

/* Nothing moves any more: is that because the other side is gone? */
static void look_for_the_end(struct conn *c)
{
    bool asks_peer = c->want == SMTP_WANT_INPUT || c->want == SMTP_WANT_BODY;

    if (c->lower->ready & STREAM_FAILED) {
        conn_close(c, "connection lost");
        return;
    }
    if (c->phase == CONN_SESSION && c->io->ready & STREAM_FAILED) {
        end_now(c, tls_conn_error(c->tls)->reason); /* its alert is on its way */
        return;
    }
    if ((c->io->ready & STREAM_ENDED) == 0 || (c->io->ready & STREAM_READABLE) != 0)
        return;
    if (c->phase == CONN_PROXY)
        conn_close(c, "ended before its PROXY header did");
    else if (c->phase == CONN_HANDSHAKE)
        conn_close(c, "ended in the handshake");
    else if (c->phase == CONN_SESSION && asks_peer && !list_linked(&c->wait))
        end_now(c, c->want == SMTP_WANT_BODY ? "ended within a message" : "ended");
}

void conn_pump(struct conn *c)
{
    enum conn_progress p = CONN_MOVED;

    if (c->tls != NULL && c->phase != CONN_HANDSHAKE)
        tls_conn_update(c->tls);
    for (unsigned n = 0; n < LIMIT_PUMP_STEPS && p == CONN_MOVED; n++)
        p = step(c);
    if (p == CONN_MOVED)
        stream_requeue(c->lower); /* it has had its share of this turn */
    else if (p == CONN_STUCK)
        look_for_the_end(c);
}

enum conn_progress conn_refuse_client(struct conn *c)
{
    counter_inc(c->set->env.counters, COUNTER_CONN_REFUSED);
    c->lower->ops->abort(c->lower);
    conn_close(c, "too many connections of this client");
    return CONN_GONE;
}

void conn_begin_handshake(struct conn *c)
{
    c->phase = CONN_HANDSHAKE;
    set_timer(c, seconds_from_now(c, c->set->config.handshake_timeout_s));
}

enum conn_progress conn_begin(struct conn *c)
{
    if (!c->listener->tls)
        return begin_session(c, &(struct tls_info){ 0 });
    c->tls = tls_conn_open(c->set->env.tls, c->lower);
    if (c->tls == NULL) {
        conn_close(c, "no TLS connection left");
        return CONN_GONE;
    }
    conn_begin_handshake(c);
    return CONN_MOVED;
}

void conn_open(struct conn *c)
{
    enum conn_progress p = CONN_MOVED;

    if (c->phase == CONN_PROXY)
        set_timer(c, seconds_from_now(c, c->set->config.handshake_timeout_s));
    else
        p = conn_begin(c);
    if (p == CONN_MOVED)
        conn_pump(c);
}

/* 421 now, whatever it is at. */
static void end_session(struct conn *c, enum smtp_end why)
{
    c->giving_up = true;
    smtp_session_end(c->session, why);
    conn_body_drop(c);
    c->want = SMTP_WANT_OUTPUT;
    set_timer(c, seconds_from_now(c, c->set->config.linger_s)); /* the 421 has to get out by then */
    conn_pump(c);
}

/* The client had its time, or it is too slow; or it does not end what is over for us. */
static void give_up(struct conn *c)
{
    if (c->phase == CONN_CLOSING || c->giving_up) {
        conn_close(c, c->phase == CONN_CLOSING ? NULL : "does not read");
        return;
    }
    counter_inc(c->set->env.counters, COUNTER_CONN_TIMEOUTS);
    if (c->phase == CONN_SESSION)
        end_session(c, SMTP_END_TIMEOUT);
    else
        conn_close(c, c->phase == CONN_PROXY ? "PROXY header timed out" : "handshake timed out");
}

/* When to look at it again: the session's deadline, or earlier, to see how a body goes and how old
 * it all is. */
static uint64_t look_again_ns(const struct conn *c)
{
    uint64_t due_ns = smtp_session_deadline(c->session);
    uint64_t end_ns = c->accepted_ns + c->set->config.session_timeout_s * NS_PER_S;
    uint64_t body_ns = seconds_from_now(c, LIMIT_BODY_GRACE_S);

    if (end_ns < due_ns)
        due_ns = end_ns;
    return (c->want == SMTP_WANT_BODY || c->extent != NULL) && body_ns < due_ns ? body_ns : due_ns;
}

/* A helper or the spool has its question, and an answer comes. */
static bool has_asked(const struct conn *c)
{
    return c->want == SMTP_WANT_VERDICT || c->want == SMTP_WANT_DURABLE;
}

void conn_pause(struct conn *c)
{
    set_timer(c, smtp_session_deadline(c->session));
}

/* A pause is over, or so it seems: the session is asked, and says so again when it is not. */
static void end_pause(struct conn *c)
{
    c->want = SMTP_WANT_OUTPUT;
    set_timer(c, seconds_from_now(c, 1));
    conn_pump(c);
}

void conn_timer(struct conn *c)
{
    if (c->phase != CONN_SESSION || c->giving_up)
        give_up(c);
    else if (has_asked(c) || list_linked(&c->wait))
        set_timer(c, seconds_from_now(c, 1)); /* it is not the client who is slow */
    else if (conn_body_is_too_slow(c))
        give_up(c);
    else if (c->want == SMTP_WANT_PAUSE)
        end_pause(c);
    else if (look_again_ns(c) > c->set->env.clock->now_ns)
        set_timer(c, look_again_ns(c));
    else
        give_up(c);
}

void conn_end(struct conn *c)
{
    if (c->phase == CONN_PROXY || c->phase == CONN_HANDSHAKE) {
        conn_close(c, "shutting down");
        return;
    }
    if (c->phase != CONN_SESSION || c->giving_up)
        return;
    smtp_session_end(c->session, SMTP_END_DRAIN);
    if (c->want == SMTP_WANT_INPUT || c->want == SMTP_WANT_PAUSE)
        c->want = SMTP_WANT_OUTPUT;
    conn_pump(c);
}

void conn_expire(struct conn *c)
{
    /* Who has asked ends with the answer: 421 for a message that is then kept makes a double. */
    if (c->phase == CONN_SESSION && !c->giving_up && !has_asked(c))
        end_session(c, SMTP_END_SHUTDOWN);
}

void conn_abort(struct conn *c)
{
    c->io->ops->abort(c->io);
    conn_close(c, "shutting down");
}
