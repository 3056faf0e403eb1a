/*
 * Plays the part of gateway/conn: meets what the session wants, keeps body bytes, writes all down.
 * What it gives must not depend on the cut; the caller compares.
 */
#include "dialogue/talk.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"

#define OUTPUT_MAX (1024 * 1024)
#define BODY_SHOWN 2000
#define UNIX_MS    1790000000123ULL
#define WORKER     5

/* Reused from run to run: there are some hundred thousand of them. */
static uint8_t body_bytes[SCRIPT_BYTES_MAX];
static uint8_t input_bytes[SCRIPT_BYTES_MAX + TALK_READ_MAX];
static uint8_t reply_bytes[OUTPUT_MAX];

struct talk {
    const struct script *script;
    struct cut cut;
    struct link *link; /* NULL: the session reads the script itself */
    struct smtp *room;
    struct smtp_session *session;
    struct clock clock;
    struct counters counters;
    struct mail_id_gen ids;
    struct policy_talk policy;
    FILE *out;
    const uint8_t *input; /* what comes from the client, as far as it came */
    uint32_t said;        /* bytes of the script that the client says so far */
    uint32_t clear;       /* of the script, before what must wait for TLS */
    uint32_t given;       /* bytes of the script that were handed over */
    uint32_t taken;       /* of those, bytes that the session took */
    uint32_t verdicts;    /* answers used up */
    uint32_t deliveries;
    bool lost_said;
    bool ended;
    uint8_t *body;
    uint32_t body_len;
    uint8_t *replies;
    uint32_t reply_len;
};

static void show(FILE *out, struct span s)
{
    for (uint32_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];

        if (c == '\\')
            fputs("\\\\", out);
        else if (c == '\r')
            fputs("\\r", out);
        else if (c == '\n')
            fputs("\\n", out);
        else if (isprint(c))
            fputc(c, out);
        else
            fprintf(out, "\\x%02x", c);
    }
}

static void show_line(struct talk *t, const char *name, struct span s)
{
    fprintf(t->out, "%s", name);
    show(t->out, span_first(s, BODY_SHOWN));
    if (s.len > BODY_SHOWN)
        fprintf(t->out, "... (%u bytes)", s.len);
    fputc('\n', t->out);
}

/* Whole reply lines to the transcript, as the client sees them. */
static void show_replies(struct talk *t)
{
    const uint8_t *p = t->replies;
    uint32_t left = t->reply_len;

    if (t->link != NULL)
        link_down(t->link, t->replies, t->reply_len);
    while (left > 0) {
        const uint8_t *end = memmem(p, left, "\r\n", 2);

        ASSERT(end != NULL);
        show_line(t, "S: ", span_of(p, (uint32_t)(end - p)));
        left -= (uint32_t)(end - p) + 2;
        p = end + 2;
    }
    t->reply_len = 0;
}

static void answer_auth(struct talk *t)
{
    const struct script *s = t->script;
    struct smtp_auth auth;
    int answer;

    smtp_session_auth(t->session, &auth);
    answer = t->verdicts < s->verdict_count ? s->verdicts[t->verdicts] : SMTP_VERDICT_OK;
    t->verdicts++;
    if (auth.mechanism >= SMTP_MECHANISM_SCRAM) {
        show_line(t, "auth message: ", auth.message);
    } else {
        show_line(t, "auth login: ", auth.login);
        show_line(t, "auth password: ", auth.password);
    }
    if (answer == SCRIPT_CHALLENGE)
        smtp_session_challenge(t->session, SPAN_LITERAL("user"), SPAN_LITERAL("challenge"));
    else if (auth.mechanism < SMTP_MECHANISM_OAUTHBEARER || answer != SMTP_VERDICT_OK ||
             smtp_session_login(t->session, auth.mechanism == SMTP_MECHANISM_EXTERNAL
                                                ? auth.client->identity
                                                : SPAN_LITERAL("user")))
        smtp_session_verdict(t->session, (enum smtp_verdict)answer);
}

static void answer_mail(struct talk *t)
{
    const struct script *s = t->script;
    struct mail_field field;
    struct mail mail;
    char id[MAIL_ID_TEXT];

    show_replies(t);
    smtp_session_mail(t->session, &mail);
    ASSERT(mail.body_bytes <= t->body_len);
    mail_id_format(mail.id, id);
    fprintf(t->out, "mail %s\n", id);
    while (mail_field_next(&mail.envelope, &field)) {
        ASSERT(mail_field_name(field.type) != NULL);
        fprintf(t->out, "  %s: ", mail_field_name(field.type));
        show_line(t, "", field.value);
    }
    ASSERT(mail.envelope.len == 0);
    show_line(t, "  header: ", mail.header);
    show_line(t, mail.flags & MAIL_DOT_STUFFED ? "  stored: " : "  stored exactly: ",
              span_of(t->body, (uint32_t)mail.body_bytes));
    smtp_session_durable(t->session, t->deliveries < s->delivery_count
                                         ? s->deliveries[t->deliveries]
                                         : SMTP_DELIVERY_DURABLE);
    t->deliveries++;
    t->body_len = 0;
}

/* What the client has said and may send by now reaches the session. */
static void bring(struct talk *t)
{
    uint32_t until = t->said < t->clear ? t->said : t->clear;
    struct span piece = span_of(t->script->bytes + t->given, until - t->given);
    uint32_t came;

    if (t->link != NULL && piece.len > 0) {
        came = link_up(t->link, piece, input_bytes + t->given, t->cut.read);
        ASSERT(came == piece.len);
    }
    t->given = until;
}

/* As gateway/conn does: TLS begins when nothing came behind STARTTLS. What is looked at is the
 * script and not what was handed over, so that the cut makes no difference. */
static void answer_starttls(struct talk *t)
{
    enum smtp_starttls how = SMTP_STARTTLS_GO;

    if (t->taken < t->script->clear)
        how = SMTP_STARTTLS_PIPELINED;
    else if (t->script->no_tls)
        how = SMTP_STARTTLS_TEMPORARY;
    smtp_session_starttls(t->session, how);
    if (how != SMTP_STARTTLS_GO) {
        t->clear = t->script->len;
        bring(t);
    }
}

/* The 220 was the last thing said in clear. */
static void begin_tls(struct talk *t)
{
    struct smtp_client client = t->script->client;

    client.secure = true;
    client.tls_version = "TLSv1.3";
    client.tls_cipher = "TLS_AES_128_GCM_SHA256";
    client.tls_group = "X25519MLKEM768";
    show_replies(t);
    if (t->link != NULL) {
        link_secure(t->link);
        link_describe(t->link, &client);
    }
    fprintf(t->out, "tls\n");
    smtp_session_secured(t->session, &client);
    t->clear = t->script->len;
    bring(t);
}

/* A pause lasts as long as the session says. */
static void rest(struct talk *t)
{
    uint64_t until_ns = smtp_session_deadline(t->session);

    ASSERT(until_ns > t->clock.now_ns);
    show_replies(t);
    fprintf(t->out, "pause %us\n", (unsigned)((until_ns - t->clock.now_ns) / NS_PER_S));
    t->clock.now_ns = until_ns;
}

static struct span waiting(const struct talk *t)
{
    return span_of(t->input + t->taken, t->given - t->taken);
}

/* False: more input is needed. */
static bool feed_body(struct talk *t)
{
    struct span chunk = waiting(t);
    enum smtp_body_outcome outcome;
    uint32_t taken;

    if (chunk.len == 0)
        return false;
    if (t->script->lost && !t->lost_said && smtp_session_body_kept(t->session)) {
        smtp_session_body_lost(t->session, t->script->lost_why);
        ASSERT(!smtp_session_body_kept(t->session));
        t->lost_said = true;
    }
    outcome = smtp_session_body(t->session, chunk, &taken);
    ASSERT(taken <= chunk.len);
    ASSERT(outcome != SMTP_BODY_MORE || taken == chunk.len);
    memcpy(t->body + t->body_len, chunk.ptr, taken);
    t->body_len = smtp_session_body_kept(t->session) ? t->body_len + taken : 0;
    t->taken += taken;
    if (outcome == SMTP_BODY_SEALED)
        answer_mail(t);
    return true;
}

/* One call of the session and what it wants. False: nothing goes on without more input. */
static bool turn(struct talk *t)
{
    struct span in = waiting(t);
    struct buf out = { t->replies + t->reply_len, 0, t->cut.output };
    enum smtp_want want;

    ASSERT(t->reply_len + t->cut.output <= OUTPUT_MAX);
    want = smtp_session_run(t->session, &in, &out);
    if (!smtp_session_body_begun(t->session))
        t->body_len = 0;
    t->taken = t->given - in.len;
    t->reply_len += out.len;
    switch (want) {
    case SMTP_WANT_INPUT: ASSERT(in.len < LIMIT_AUTH_LINE_BYTES); return false;
    case SMTP_WANT_OUTPUT: return true;
    case SMTP_WANT_PAUSE: rest(t); return true;
    case SMTP_WANT_BODY: return feed_body(t);
    case SMTP_WANT_VERDICT:
        show_replies(t);
        answer_auth(t);
        return true;
    case SMTP_WANT_DURABLE: answer_mail(t); return true;
    case SMTP_WANT_STARTTLS: answer_starttls(t); return true;
    case SMTP_WANT_HANDSHAKE: begin_tls(t); return true;
    case SMTP_WANT_CLOSE: t->ended = true; return false;
    }
    abort();
}

static void run_until_input(struct talk *t)
{
    while (!t->ended && turn(t))
        continue;
    show_replies(t);
}

static void say_end(struct talk *t)
{
    struct smtp_summary sum;

    smtp_session_summary(t->session, &sum);
    fprintf(t->out, "%s: result=\"%s\" commands=%u messages=%u errors=%u",
            t->ended ? "closed" : "open", sum.result, sum.commands, sum.messages, sum.errors);
    show_line(t, " user=", sum.user);
    fprintf(t->out, "counters: commands=%u refused=%u auth=%u/%u messages=%u/%u\n",
            (unsigned)counter_get(&t->counters, COUNTER_SMTP_COMMANDS),
            (unsigned)counter_get(&t->counters, COUNTER_SMTP_SYNTAX_ERRORS),
            (unsigned)counter_get(&t->counters, COUNTER_SMTP_AUTH_OK),
            (unsigned)counter_get(&t->counters, COUNTER_SMTP_AUTH_FAILED),
            (unsigned)counter_get(&t->counters, COUNTER_SMTP_MESSAGES),
            (unsigned)counter_get(&t->counters, COUNTER_SMTP_MESSAGES_REFUSED));
}

static void start(struct talk *t, const struct script *s, struct cut cut, struct link *link,
                  char *transcript)
{
    struct smtp_client client = s->client;
    const struct smtp_env env = { &t->clock, &t->counters, &t->ids,
                                  s->has_policy ? &t->policy.smtp : NULL };

    memset(t, 0, sizeof(*t));
    t->script = s;
    t->cut = cut;
    t->link = link;
    t->input = link != NULL ? input_bytes : s->bytes;
    t->clear = link != NULL && client.starttls ? s->clear : s->len;
    t->clock.now_ns = NS_PER_S;
    t->clock.unix_ms = UNIX_MS;
    mail_id_init(&t->ids, WORKER, 0);
    policy_talk_init(&t->policy, &s->policy);
    t->body = body_bytes;
    t->replies = reply_bytes;
    t->out = fmemopen(transcript, TRANSCRIPT_MAX, "w");
    t->room = smtp_create(&s->config, 1, &env);
    ASSERT(cut.output <= OUTPUT_MAX / 2);
    ASSERT(t->out != NULL && t->room != NULL);
    if (link != NULL) {
        link_begin(link, client.secure, cut.chunk);
        if (client.secure)
            link_describe(link, &client);
    }
    t->session = smtp_session_open(t->room, &client);
    ASSERT(t->session != NULL);
    ASSERT(smtp_session_open(t->room, &s->client) == NULL);
}

void talk_run(const struct script *s, struct cut cut, struct link *link,
              char transcript[TRANSCRIPT_MAX])
{
    struct talk t;
    uint32_t next = cut.first < s->len ? cut.first : s->len;

    start(&t, s, cut, link, transcript);
    run_until_input(&t);
    for (;;) {
        uint32_t step = cut.step > 0 && cut.step < s->len - next ? cut.step : s->len - next;
        bool at_end = s->end && t.said < s->end_at && next >= s->end_at;

        t.said = at_end ? s->end_at : next;
        bring(&t);
        run_until_input(&t);
        if (s->end && t.said == s->end_at) {
            smtp_session_end(t.session, s->end_why);
            run_until_input(&t);
        }
        if (t.ended || t.said == s->len)
            break;
        next = at_end && next > t.said ? next : next + step;
    }
    ASSERT(t.ended || t.given == s->len);
    say_end(&t);
    fclose(t.out);
    smtp_session_close(t.session);
    ASSERT(t.policy.inside == 0);
    smtp_destroy(t.room); /* asserts that all pools are home */
}
