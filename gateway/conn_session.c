/*
 * The session's wants, met: bytes for SMTP_WANT_INPUT, a segment for its replies, a verdict,
 * durability, TLS in its midst.
 *
 * Plaintext is read into the worker's scratch and used from there; only what is left over (the
 * start of a line, or commands behind one that waits) is kept, in a buffer that the connection has
 * while there is anything to keep. Replies go straight into the segment that will leave: all that
 * one input gave is one segment.
 */
#include "base/assert.h"
#include "base/limits.h"
#include "gateway/auth_prep.h"
#include "gateway/conn_priv.h"

void conn_session_hold(struct conn *c)
{
    if (c->input.ptr != NULL)
        return;
    c->input = (struct buf){ pool_get(c->set->inputs), 0, LIMIT_CONN_INPUT_BYTES };
    ASSERT(c->input.ptr != NULL); /* there is one for each connection */
}

void conn_session_keep(struct conn *c, struct span rest)
{
    struct conns *cs = c->set;
    uint32_t len_before = c->input.len;

    ASSERT(rest.len <= LIMIT_CONN_INPUT_BYTES);
    if (rest.len == 0) {
        if (c->input.ptr != NULL) {
            explicit_bzero(c->input.ptr, c->input.len); /* it may have been an AUTH line */
            pool_put(cs->inputs, c->input.ptr);
        }
        c->input = (struct buf){ 0 };
        return;
    }
    conn_session_hold(c);
    if (rest.ptr != c->input.ptr)
        memmove(c->input.ptr, rest.ptr, rest.len);
    if (rest.len < len_before) /* an AUTH line may have been in front of it */
        explicit_bzero(c->input.ptr + rest.len, len_before - rest.len);
    c->input.len = rest.len;
}

/* What there is to show to the session: what was kept, and what the stream has behind it. */
static struct span gather_input(struct conn *c, bool *more)
{
    struct buf *in = &c->input;
    uint8_t *at = c->set->scratch;
    uint32_t n;

    *more = false;
    if (c->want != SMTP_WANT_INPUT)
        return span_of(in->ptr, in->len);
    if (in->len == 0) {
        n = c->io->ops->read(c->io, at, LIMIT_READ_BYTES);
        *more = n > 0;
        return span_of(at, n);
    }
    n = buf_room(in) < LIMIT_READ_BYTES ? buf_room(in) : LIMIT_READ_BYTES;
    n = n > 0 ? c->io->ops->read(c->io, in->ptr + in->len, n) : 0;
    in->len += n;
    *more = n > 0;
    return span_of(in->ptr, in->len);
}

/* Who is let in is who the back end says it is. */
static enum smtp_verdict name_user(struct conn *c, const struct auth_answer *answer)
{
    if (answer->verdict != SMTP_VERDICT_OK)
        return answer->verdict;
    smtp_session_grant(c->session, answer->grant);
    if (answer->login.len == 0)
        return SMTP_VERDICT_OK;
    return smtp_session_login(c->session, answer->login) ? SMTP_VERDICT_OK : SMTP_VERDICT_WRONG;
}

/* After an OK there is no AUTH, and nothing to be bound. */
static void give_verdict(struct conn *c, enum smtp_verdict v)
{
    smtp_session_verdict(c->session, v);
    if (v == SMTP_VERDICT_OK)
        texts_set(c->set->texts, &c->binding, span_of(NULL, 0));
}

static void take_answer(struct conn *c, const struct auth_answer *answer)
{
    c->auth = NULL;
    if (answer->asks)
        smtp_session_challenge(c->session, answer->login, answer->challenge);
    else
        give_verdict(c, name_user(c, answer));
    c->want = SMTP_WANT_OUTPUT; /* it has something to say */
}

void conn_session_answer(void *conn, const struct auth_answer *answer)
{
    struct conn *c = conn;

    ASSERT(c->auth != NULL && c->want == SMTP_WANT_VERDICT);
    take_answer(c, answer);
    conn_pump(c);
}

/*
 * A login has one form (RFC 4013), for limits, log and envelope as for the back end. False: nobody
 * can be called so. A login that is not plain ASCII costs a few us here, 0.2 ms at worst: two
 * handshakes.
 */
static bool prepare_login(struct conn *c, struct smtp_auth *question)
{
    uint8_t room[LIMIT_LOGIN_BYTES];
    struct buf form = { room, 0, sizeof(room) };

    if (auth_prep_is_plain(question->login))
        return true;
    if (!auth_prep(question->login, &form) ||
        !smtp_session_login(c->session, span_of(form.ptr, form.len)))
        return false;
    smtp_session_auth(c->session, question);
    return true;
}

static enum conn_progress ask_for_verdict(struct conn *c)
{
    struct auth_answer answer = { .verdict = SMTP_VERDICT_WRONG };
    struct smtp_auth question;

    if (c->auth != NULL)
        return CONN_STUCK;
    explicit_bzero(c->set->scratch, LIMIT_READ_BYTES); /* the AUTH line was read there */
    smtp_session_auth(c->session, &question);
    if (prepare_login(c, &question))
        c->auth = auth_check(c->set->env.auth, &question, c, &answer);
    if (c->auth != NULL)
        return CONN_STUCK;
    take_answer(c, &answer);
    return CONN_MOVED;
}

/*
 * RFC 3207, 4: the client says nothing behind STARTTLS before it has read the reply. What is there
 * now, whether the session was shown it or it still waits in the stream, may have been put in by
 * somebody else. What comes later is shown to TLS alone.
 */
static bool is_pipelined(const struct conn *c)
{
    return c->input.len > 0 || (c->io->ready & STREAM_READABLE) != 0;
}

static enum conn_progress answer_starttls(struct conn *c)
{
    enum smtp_starttls how = SMTP_STARTTLS_PIPELINED;

    ASSERT(c->tls == NULL && c->listener->starttls);
    if (!is_pipelined(c)) {
        c->tls = tls_conn_open(c->set->env.tls, c->lower);
        how = c->tls != NULL ? SMTP_STARTTLS_GO : SMTP_STARTTLS_TEMPORARY;
    }
    smtp_session_starttls(c->session, how);
    c->want = SMTP_WANT_OUTPUT; /* the reply, in clear */
    return CONN_MOVED;
}

static enum conn_progress meet_want(struct conn *c, bool moved)
{
    switch (c->want) {
    case SMTP_WANT_INPUT:
    case SMTP_WANT_OUTPUT: return moved ? CONN_MOVED : CONN_STUCK;
    case SMTP_WANT_BODY:
        if (smtp_session_body_begun(c->session))
            return CONN_MOVED; /* a further chunk: its message is as old as the first one */
        c->body_ns = c->set->env.clock->now_ns;
        c->body_received = 0;
        return CONN_MOVED;
    case SMTP_WANT_PAUSE: conn_pause(c); return CONN_STUCK;
    case SMTP_WANT_VERDICT: return ask_for_verdict(c);
    case SMTP_WANT_DURABLE: return conn_body_commit(c);
    case SMTP_WANT_STARTTLS: return answer_starttls(c);
    case SMTP_WANT_HANDSHAKE: conn_begin_handshake(c); return CONN_MOVED;
    case SMTP_WANT_CLOSE: conn_begin_closing(c, NULL); return CONN_MOVED;
    }
    UNREACHABLE("every want is met");
}

/* XCLIENT may have named another client: what it has open is counted for it. False: too much. */
static bool note_client(struct conn *c)
{
    const struct endpoint *peer = smtp_session_peer(c->session);
    struct conns *cs = c->set;

    if (addr_equal(&peer->addr, &c->peer.addr) && peer->port == c->peer.port)
        return true;
    if (c->counted)
        conn_clients_leave(cs->clients, &c->peer.addr);
    c->peer = *peer;
    c->counted = conn_clients_enter(cs->clients, &c->peer.addr, cs->config.connections_per_client);
    return c->counted;
}

/* Runs the session once, its replies straight into the segment that will leave. */
static enum conn_progress run(struct conn *c)
{
    struct seg *seg;
    struct span in;
    struct buf out;
    bool moved;

    if (c->want == SMTP_WANT_INPUT && (c->io->ready & STREAM_READABLE) == 0)
        return CONN_STUCK;
    seg = c->io->ops->reserve(c->io, LIMIT_REPLY_BYTES);
    if (seg == NULL)
        return CONN_STUCK;
    in = gather_input(c, &moved);
    out = (struct buf){ seg->data, 0, seg_tailroom(seg) };
    c->want = smtp_session_run(c->session, &in, &out);
    ASSERT(out.len <= out.cap);
    conn_session_keep(c, in);
    if (!smtp_session_body_begun(c->session))
        conn_body_drop(c); /* RSET or its like, between two chunks */
    if (out.len > 0) {
        seg->len = out.len;
        c->io->ops->commit(c->io, seg);
        moved = true;
    } else {
        seg_release(seg);
    }
    if (!note_client(c))
        return conn_refuse_client(c);
    return meet_want(c, moved);
}

enum conn_progress conn_session_step(struct conn *c)
{
    switch (c->want) {
    case SMTP_WANT_BODY: return conn_body_step(c);
    case SMTP_WANT_VERDICT: return ask_for_verdict(c);
    case SMTP_WANT_DURABLE: return conn_body_commit(c);
    case SMTP_WANT_INPUT:
    case SMTP_WANT_OUTPUT: return run(c);
    case SMTP_WANT_PAUSE: return CONN_STUCK; /* conn_timer ends it */
    case SMTP_WANT_STARTTLS:                 /* was met when it was said */
    case SMTP_WANT_HANDSHAKE:                /* another phase */
    case SMTP_WANT_CLOSE: break;
    }
    UNREACHABLE("a session that is not to be run");
}
