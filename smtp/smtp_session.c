/*
 * The life of a connection as SMTP sees it. One loop: give the reply that is owed, then see what
 * the state waits for, then take the next line. A handler never touches the output: it says which
 * reply is owed, so replies leave in the order of their commands.
 *
 * Failure modes: every way to the end goes through smtp_session_stop. One policy for line ends: a
 * bare CR, LF or NUL, in a command or a body, is answered and ends the session, as two programs
 * that disagree about where a line ends are how mail is smuggled.
 */
#include <stdlib.h>

#include "smtp/smtp_priv.h"

/* --- The room -------------------------------------------------------------------------------- */

struct smtp *smtp_create(const struct smtp_config *config, uint32_t sessions_max,
                         const struct smtp_env *env)
{
    struct smtp *m = calloc(1, sizeof(*m));

    ASSERT(sessions_max > 0);
    ASSERT(smtp_syntax_domain(span_str(config->hostname)));
    ASSERT(config->message_bytes_max > 0);
    ASSERT(config->recipients_max > 0);
    if (m == NULL)
        return NULL;
    m->config = *config;
    m->env = *env;
    m->sessions = pool_create("smtp_session", sessions_max, sizeof(struct smtp_session));
    m->txs = pool_create("smtp_tx", sessions_max, sizeof(struct smtp_tx));
    m->sasls = pool_create("smtp_sasl", sessions_max, sizeof(struct smtp_sasl));
    m->names = texts_create(2 * sessions_max);
    if (m->sessions == NULL || m->txs == NULL || m->sasls == NULL || m->names == NULL) {
        smtp_destroy(m);
        return NULL;
    }
    return m;
}

void smtp_destroy(struct smtp *m)
{
    if (m->sessions != NULL)
        pool_destroy(m->sessions);
    if (m->txs != NULL)
        pool_destroy(m->txs);
    if (m->sasls != NULL)
        pool_destroy(m->sasls);
    texts_destroy(m->names);
    free(m);
}

void smtp_set_short(struct smtp *m, bool is_short)
{
    m->is_short = is_short;
}

/* --- State ----------------------------------------------------------------------------------- */

/* From which states a state may be entered. */
static uint32_t may_come_from(enum smtp_state next)
{
    const uint32_t tx = SMTP_STATE_MAIL | SMTP_STATE_RCPT;
    const uint32_t waits = SMTP_STATE_VERDICT | SMTP_STATE_DURABLE | SMTP_STATE_STARTTLS;
    const uint32_t skip = SMTP_STATE_SKIP;
    const uint32_t chunk = SMTP_STATE_CHUNK;
    const uint32_t chunks = SMTP_STATE_CHUNKS;

    switch (next) {
    case SMTP_STATE_BANNER: return 0;
    case SMTP_STATE_START:
        return SMTP_STATE_BANNER | SMTP_STATE_HANDSHAKE | SMTP_STATE_READY | skip;
    case SMTP_STATE_READY: return SMTP_STATES_OF_LINES | SMTP_STATES_OF_BYTES | waits;
    case SMTP_STATE_STARTTLS: return SMTP_STATE_READY;
    case SMTP_STATE_HANDSHAKE: return SMTP_STATE_STARTTLS;
    case SMTP_STATE_MAIL: return SMTP_STATE_READY | skip;
    case SMTP_STATE_RCPT: return tx | skip;
    case SMTP_STATE_SASL: return SMTP_STATE_READY | SMTP_STATE_SASL | SMTP_STATE_VERDICT;
    case SMTP_STATE_VERDICT: return SMTP_STATE_READY | SMTP_STATE_SASL;
    case SMTP_STATE_BODY: return SMTP_STATE_RCPT;
    case SMTP_STATE_CHUNK: return SMTP_STATE_RCPT | chunks;
    case SMTP_STATE_CHUNKS: return SMTP_STATE_RCPT | chunk | chunks;
    case SMTP_STATE_SKIP: return SMTP_STATES_ANY & ~chunks;
    case SMTP_STATE_DURABLE: return SMTP_STATE_RCPT | SMTP_STATE_BODY | chunk | chunks;
    case SMTP_STATE_CLOSING:
        return SMTP_STATE_BANNER | SMTP_STATES_OF_LINES | SMTP_STATES_OF_BYTES |
               SMTP_STATE_VERDICT | SMTP_STATE_STARTTLS;
    }
    UNREACHABLE("a state without a branch");
}

void smtp_session_set_state(struct smtp_session *s, enum smtp_state next)
{
    const uint32_t with_tx = SMTP_STATE_MAIL | SMTP_STATE_RCPT | SMTP_STATES_OF_BODY;

    ASSERT(may_come_from(next) & s->state);
    ASSERT(next == SMTP_STATE_SKIP || (s->tx != NULL) == ((next & with_tx) != 0));
    ASSERT((s->sasl != NULL) == ((next & (SMTP_STATE_SASL | SMTP_STATE_VERDICT)) != 0));
    s->state = next;
}

struct span smtp_session_helo(const struct smtp_session *s)
{
    return texts_get(s->room->names, s->helo);
}

struct span smtp_session_user(const struct smtp_session *s)
{
    return texts_get(s->room->names, s->user);
}

enum smtp_reply_id smtp_session_stop(struct smtp_session *s, enum smtp_reply_id reply,
                                     const char *result)
{
    ASSERT(reply != SMTP_REPLY_NONE);
    ASSERT(s->state != SMTP_STATE_CLOSING);
    smtp_tx_end(s);
    smtp_cmd_auth_wipe(s);
    s->owed = reply;
    s->result = result;
    smtp_session_set_state(s, SMTP_STATE_CLOSING);
    return reply;
}

static void note_progress(struct smtp_session *s)
{
    ASSERT(s->room->env.clock->now_ns >= s->progress_ns);
    s->progress_ns = s->room->env.clock->now_ns;
}

struct smtp_session *smtp_session_open(struct smtp *m, const struct smtp_client *client)
{
    struct smtp_session *s = pool_get(m->sessions);

    if (s == NULL)
        return NULL;
    *s = (struct smtp_session){
        .room = m,
        .state = SMTP_STATE_BANNER,
        .progress_ns = m->env.clock->now_ns,
        .result = "lost",
        .client = *client,
    };
    smtp_allow_logout(s);
    return s;
}

void smtp_session_close(struct smtp_session *s)
{
    smtp_tx_end(s);
    smtp_cmd_auth_wipe(s);
    smtp_allow_logout(s);
    ASSERT(s->tx == NULL);
    ASSERT(s->sasl == NULL);
    texts_set(s->room->names, &s->helo, span_of(NULL, 0));
    texts_set(s->room->names, &s->user, span_of(NULL, 0));
    pool_put(s->room->sessions, s);
}

/* --- The loop -------------------------------------------------------------------------------- */

static void put_help(const struct smtp_session *s, struct buf *out)
{
    uint8_t bytes[LIMIT_REPLY_LINE_BYTES];
    struct buf words = { bytes, 0, sizeof(bytes) };

    (void)s;
    smtp_command_list(&words);
    smtp_reply_put(SMTP_REPLY_HELP,
                   &(struct smtp_reply_fill){ .words = span_of(words.ptr, words.len) }, out);
}

static void put_line(const struct smtp_session *s, struct buf *out)
{
    char id[MAIL_ID_TEXT] = "";
    struct span words = { NULL, 0 };

    if (s->owed == SMTP_REPLY_QUEUED) {
        mail_id_format(s->queued_id, id);
        words = span_str(id);
    } else if (s->owed == SMTP_REPLY_ASK_CHALLENGE) {
        words = s->sasl->challenge;
    }
    smtp_reply_put(s->owed,
                   &(struct smtp_reply_fill){
                       .host = span_str(s->room->config.hostname),
                       .words = words,
                       .number = s->own.message_bytes_max,
                   },
                   out);
}

/* False: there is no room. */
static bool give_owed(struct smtp_session *s, struct buf *out)
{
    bool several = s->owed == SMTP_REPLY_EHLO;

    ASSERT(s->owed != SMTP_REPLY_NONE);
    if (buf_room(out) < (several ? LIMIT_REPLY_BYTES : LIMIT_REPLY_LINE_BYTES))
        return false;
    if (s->owed == SMTP_REPLY_EHLO)
        smtp_cmd_ehlo_reply(s, out);
    else if (s->owed == SMTP_REPLY_HELP)
        put_help(s, out);
    else
        put_line(s, out);
    if (smtp_reply_blames(s->owed)) {
        s->errors++;
        counter_inc(s->room->env.counters, COUNTER_SMTP_SYNTAX_ERRORS);
    }
    s->owed = SMTP_REPLY_NONE;
    s->pause_until_ns = 0;
    return true;
}

/* Past the soft limit the reply to a mistake waits, and with it all that stands behind it. */
static bool must_pause(struct smtp_session *s)
{
    const struct smtp_config *config = &s->room->config;
    uint64_t now_ns = s->room->env.clock->now_ns;

    if (config->error_delay_s == 0 || s->errors < config->errors_soft || s->end_asked)
        return false;
    if (!smtp_reply_blames(s->owed))
        return false;
    if (s->pause_until_ns == 0)
        s->pause_until_ns = now_ns + config->error_delay_s * NS_PER_S;
    return now_ns < s->pause_until_ns;
}

/* Somebody outside wants it to end, and it is not a message's turn first. */
static bool may_end(const struct smtp_session *s)
{
    return s->end_asked && (s->end_why != SMTP_END_DRAIN || (s->state & SMTP_STATES_OF_BODY) == 0);
}

/* True when the session has just been stopped for what it has done so far, or from outside. */
static bool stop_if_due(struct smtp_session *s)
{
    const struct smtp_config *config = &s->room->config;

    if (s->auth_tries > 0 && s->auth_tries >= config->auth_tries_max)
        smtp_session_stop(s, SMTP_REPLY_TOO_MANY_TRIES, "too many wrong passwords");
    else if (s->errors > config->errors_max)
        smtp_session_stop(s, SMTP_REPLY_TOO_MANY_ERRORS, "too many errors");
    else if (may_end(s) && s->end_why == SMTP_END_TIMEOUT)
        smtp_session_stop(s, SMTP_REPLY_TIMEOUT, "timeout");
    else if (may_end(s))
        smtp_session_stop(s, SMTP_REPLY_SHUTDOWN, "shutdown");
    else
        return false;
    return true;
}

/* Takes one line and does it. False: there is no whole line. */
static bool run_line(struct smtp_session *s, struct span *in)
{
    bool sasl = s->state == SMTP_STATE_SASL;
    uint32_t max = sasl ? LIMIT_AUTH_LINE_BYTES : smtp_command_line_max(*in);
    struct span line = { NULL, 0 };
    enum smtp_line_outcome outcome = smtp_line_take(&s->line, in, max, &line);

    ASSERT(s->owed == SMTP_REPLY_NONE);
    if (outcome == SMTP_LINE_MORE)
        return false;
    note_progress(s);
    s->commands++;
    counter_inc(s->room->env.counters, COUNTER_SMTP_COMMANDS);
    if (outcome == SMTP_LINE_BAD)
        smtp_session_stop(s, SMTP_REPLY_BAD_LINE, "bad line end");
    else if (sasl)
        s->owed = smtp_cmd_auth_line(s, outcome, line);
    else if (outcome == SMTP_LINE_LONG)
        s->owed = SMTP_REPLY_LINE_TOO_LONG;
    else
        s->owed = smtp_command_run(s, line);
    return true;
}

/* What a state waits for that no line from the client can give; WANT_INPUT: nothing of that kind.
 */
static enum smtp_want want_of(enum smtp_state state)
{
    switch (state) {
    case SMTP_STATE_VERDICT: return SMTP_WANT_VERDICT;
    case SMTP_STATE_DURABLE: return SMTP_WANT_DURABLE;
    case SMTP_STATE_STARTTLS: return SMTP_WANT_STARTTLS;
    case SMTP_STATE_HANDSHAKE: return SMTP_WANT_HANDSHAKE;
    case SMTP_STATE_CLOSING: return SMTP_WANT_CLOSE;
    default: return SMTP_WANT_INPUT;
    }
}

enum smtp_want smtp_session_run(struct smtp_session *s, struct span *in, struct buf *out)
{
    enum smtp_want want = want_of(s->state);

    if (s->owed == SMTP_REPLY_NONE && want != SMTP_WANT_INPUT)
        return want;
    ASSERT(buf_room(out) >= LIMIT_REPLY_BYTES);
    if (s->state == SMTP_STATE_BANNER) {
        s->owed = SMTP_REPLY_BANNER;
        smtp_session_set_state(s, SMTP_STATE_START);
    }
    for (;;) {
        if (s->owed != SMTP_REPLY_NONE && must_pause(s))
            return SMTP_WANT_PAUSE;
        if (s->owed != SMTP_REPLY_NONE && !give_owed(s, out))
            return SMTP_WANT_OUTPUT;
        want = want_of(s->state);
        if (want != SMTP_WANT_INPUT)
            return want;
        if (stop_if_due(s))
            continue;
        if (s->state & SMTP_STATES_OF_BYTES)
            return SMTP_WANT_BODY;
        ASSERT(s->state & SMTP_STATES_OF_LINES);
        if (!run_line(s, in))
            return SMTP_WANT_INPUT;
    }
}

/* --- What the wants lead to ------------------------------------------------------------------ */

enum smtp_body_outcome smtp_session_body(struct smtp_session *s, struct span chunk, uint32_t *taken)
{
    if (chunk.len > 0)
        note_progress(s);
    return s->state == SMTP_STATE_BODY ? smtp_cmd_data_feed(s, chunk, taken)
                                       : smtp_cmd_bdat_feed(s, chunk, taken);
}

bool smtp_session_body_kept(const struct smtp_session *s)
{
    return (s->state & SMTP_STATES_OF_BODY) != 0 && smtp_tx_refusal(s) == SMTP_REPLY_NONE;
}

bool smtp_session_body_begun(const struct smtp_session *s)
{
    return smtp_session_body_kept(s) && s->tx->body.total > 0;
}

void smtp_session_body_lost(struct smtp_session *s, enum smtp_delivery why)
{
    ASSERT(s->state & (SMTP_STATE_BODY | SMTP_STATE_CHUNK));
    ASSERT(why != SMTP_DELIVERY_DURABLE);
    s->tx->lost = true;
    s->tx->lost_why = why;
}

void smtp_session_mail(const struct smtp_session *s, struct mail *out)
{
    ASSERT(s->state == SMTP_STATE_DURABLE);
    smtp_tx_mail(s, out);
}

void smtp_session_durable(struct smtp_session *s, enum smtp_delivery how)
{
    ASSERT(s->owed == SMTP_REPLY_NONE);
    note_progress(s);
    s->owed = smtp_cmd_data_durable(s, how);
}

void smtp_session_auth(const struct smtp_session *s, struct smtp_auth *out)
{
    ASSERT(s->state == SMTP_STATE_VERDICT);
    *out = (struct smtp_auth){
        .mechanism = (enum smtp_mechanism)s->sasl->mechanism->bit,
        .client = &s->client,
        .login = span_of(s->sasl->login, s->sasl->login_len),
        .password = s->sasl->password,
        .message = s->sasl->message,
        .attempt = s->auth_tries + 1,
        .memo = s->sasl->memo,
    };
}

void smtp_session_verdict(struct smtp_session *s, enum smtp_verdict v)
{
    ASSERT(s->owed == SMTP_REPLY_NONE);
    note_progress(s);
    s->owed = smtp_cmd_auth_verdict(s, v);
}

bool smtp_session_login(struct smtp_session *s, struct span login)
{
    ASSERT(s->state == SMTP_STATE_VERDICT);
    return smtp_sasl_login(s->sasl, login);
}

void smtp_session_grant(struct smtp_session *s, struct span grant)
{
    ASSERT(s->state == SMTP_STATE_VERDICT);
    s->sasl->grant = grant;
}

void smtp_session_challenge(struct smtp_session *s, struct span login, struct span challenge)
{
    ASSERT(s->owed == SMTP_REPLY_NONE);
    note_progress(s);
    s->owed = smtp_cmd_auth_challenge(s, login, challenge);
}

void smtp_session_starttls(struct smtp_session *s, enum smtp_starttls how)
{
    ASSERT(s->state == SMTP_STATE_STARTTLS);
    ASSERT(s->owed == SMTP_REPLY_NONE);
    s->owed = smtp_cmd_starttls_answer(s, how);
}

void smtp_session_secured(struct smtp_session *s, const struct smtp_client *client)
{
    ASSERT(s->state == SMTP_STATE_HANDSHAKE);
    ASSERT(s->owed == SMTP_REPLY_NONE);
    ASSERT(client->secure);
    note_progress(s);
    s->client = *client;
    smtp_cmd_starttls_forget(s);
    smtp_session_set_state(s, SMTP_STATE_START);
}

/* --- Time, end, log -------------------------------------------------------------------------- */

uint64_t smtp_session_deadline(const struct smtp_session *s)
{
    const struct smtp_config *config = &s->room->config;

    if (s->pause_until_ns != 0)
        return s->pause_until_ns;
    if (s->state & (SMTP_STATE_VERDICT | SMTP_STATE_DURABLE))
        return UINT64_MAX;
    if (s->state & (SMTP_STATES_OF_BYTES | SMTP_STATE_CHUNKS))
        return s->progress_ns + config->data_timeout_s * NS_PER_S;
    return s->progress_ns + config->command_timeout_s * NS_PER_S;
}

void smtp_session_end(struct smtp_session *s, enum smtp_end why)
{
    s->end_asked = true;
    s->end_why = why;
}

const struct endpoint *smtp_session_peer(const struct smtp_session *s)
{
    return &s->client.peer;
}

void smtp_session_summary(const struct smtp_session *s, struct smtp_summary *out)
{
    *out = (struct smtp_summary){
        .user = smtp_session_user(s),
        .helo = smtp_session_helo(s),
        .commands = s->commands,
        .messages = s->messages,
        .errors = s->errors,
        .result = s->result,
    };
}
