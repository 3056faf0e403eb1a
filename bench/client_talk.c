/*
 * What a client says and hears. Every reply is one that was expected, in order, with the code that
 * its step has; anything else ends the connection and is counted.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "bench/client_priv.h"
#include "bench/timing.h"

static const uint16_t wanted[TALLY_STEPS] = {
    [TALLY_BANNER] = 220, [TALLY_EHLO] = 250,    [TALLY_STARTTLS] = 220,
    [TALLY_AUTH] = 235,   [TALLY_MAIL] = 250,    [TALLY_RCPT] = 250,
    [TALLY_DATA] = 354,   [TALLY_MESSAGE] = 250, [TALLY_QUIT] = 221,
};

void client_talk_expect(struct client *c, enum tally_step step)
{
    ASSERT(c->expected_count < CLIENT_EXPECTED_MAX);
    c->expected[c->expected_count++] = (uint8_t)step;
}

void client_talk_say(struct client *c, enum tally_step step, const char *format, ...)
{
    struct buf out = { c->out, c->out_len, sizeof(c->out) };
    char line[CLIENT_OUT_BYTES];
    va_list args;
    bool fits;
    int len;

    va_start(args, format);
    len = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    ASSERT(len > 0 && (size_t)len < sizeof(line)); /* options were held to their lengths */
    fits = buf_put(&out, span_of(line, (uint32_t)len));
    ASSERT(fits);
    c->out_len = out.len;
    client_talk_expect(c, step);
}

static bool may_pipeline(const struct client *c)
{
    return c->set->config->pipelining && c->offers_pipelining;
}

static void say_rcpt(struct client *c)
{
    client_talk_say(c, TALLY_RCPT, "RCPT TO:<%s>\r\n", c->set->config->recipient);
}

static void start_body(struct client *c)
{
    c->has_body = true;
    c->body_sent = 0;
    c->allowance = c->set->config->slow_bytes;
}

static void say_data(struct client *c)
{
    if (!c->by_bdat) {
        client_talk_say(c, TALLY_DATA, "DATA\r\n");
        return;
    }
    client_talk_say(c, TALLY_MESSAGE, "BDAT %llu LAST\r\n", (unsigned long long)c->letter.bytes);
    start_body(c);
}

void client_talk_mail(struct client *c)
{
    c->by_bdat = c->set->config->bdat && c->offers_chunking;
    c->body_out = false;
    client_talk_say(c, TALLY_MAIL, "MAIL FROM:<%s>\r\n", c->set->config->sender);
    if (!may_pipeline(c))
        return;
    say_rcpt(c);
    say_data(c);
}

/* Logged in: a message, or whatever its kind does instead. */
static void be_ready(struct client *c)
{
    const struct client_config *config = c->set->config;
    bool enough = config->messages > 0 && c->messages >= config->messages;

    if (c->kind == CLIENT_SLOW && !c->set->closing) {
        client_take(c, config->slow_letter, c->set->clock.now_ns);
        client_talk_mail(c);
        return;
    }
    if (c->has_job) {
        client_talk_mail(c);
        return;
    }
    if (enough || c->set->closing)
        client_talk_say(c, TALLY_QUIT, "QUIT\r\n");
    else
        client_set_phase(c, CLIENT_READY);
}

static void say_hello_again(struct client *c)
{
    const struct client_config *config = c->set->config;

    if (c->phase == CLIENT_CLEAR) {
        if (c->offers_starttls)
            client_talk_say(c, TALLY_STARTTLS, "STARTTLS\r\n");
        else
            client_fail(c, TALLY_EHLO, TALLY_NOT_OFFERED, span_str("STARTTLS"));
    } else if (config->login[0] == 0) {
        be_ready(c);
    } else if (c->offers_auth) {
        client_talk_say(c, TALLY_AUTH, "AUTH PLAIN %s\r\n", config->login);
    } else {
        client_fail(c, TALLY_EHLO, TALLY_NOT_OFFERED, span_str("AUTH PLAIN"));
    }
}

static void acknowledged(struct client *c, struct span said)
{
    struct tally *t = client_tally(c);
    uint64_t now = timing_now_ns();

    if (!c->body_out) { /* a 250 for a message that is not out yet vouches for nothing */
        client_fail(c, TALLY_MESSAGE, TALLY_UNASKED, span_of(c->reply.line, c->reply.len));
        return;
    }
    hdr_record(&t->message, now - c->intended_ns);
    hdr_record(&t->commit, now - c->body_ns);
    tally_acknowledge(t, &c->letter, now, said);
    c->messages++;
    c->has_job = false;
    be_ready(c);
}

/* --- hearing ---------------------------------------------------------------------------------- */

/* A word of a line, with blanks or nothing around it. */
static bool has_word(struct span text, const char *word)
{
    struct span want = span_str(word);
    uint32_t end;

    for (uint32_t from = 0; from < text.len; from = end + 1) {
        for (end = from; end < text.len && text.ptr[end] != ' ';)
            end++;
        if (span_equal_nocase(span_of(text.ptr + from, end - from), want))
            return true;
    }
    return false;
}

static bool is_keyword(struct span text, const char *keyword)
{
    const uint8_t *blank = memchr(text.ptr, ' ', text.len);
    uint32_t len = blank != NULL ? (uint32_t)(blank - text.ptr) : text.len;

    return span_equal_nocase(span_first(text, len), span_str(keyword));
}

static void note_offer(struct client *c, struct span text)
{
    c->offers_pipelining |= is_keyword(text, "PIPELINING");
    c->offers_chunking |= is_keyword(text, "CHUNKING");
    c->offers_starttls |= is_keyword(text, "STARTTLS");
    c->offers_auth |= is_keyword(text, "AUTH") && has_word(text, "PLAIN");
}

static void forget_offers(struct client *c)
{
    c->offers_pipelining = c->offers_chunking = false;
    c->offers_starttls = c->offers_auth = false;
}

/* The reply that a step waited for, with its good code. */
static void go_on(struct client *c, enum tally_step step)
{
    switch (step) {
    case TALLY_BANNER:
        forget_offers(c);
        client_talk_say(c, TALLY_EHLO, "EHLO bench.example.org\r\n");
        break;
    case TALLY_EHLO: say_hello_again(c); break;
    case TALLY_STARTTLS:
        forget_offers(c);
        client_set_phase(c, CLIENT_SHAKING);
        break;
    case TALLY_AUTH: be_ready(c); break;
    case TALLY_MAIL:
        if (!may_pipeline(c))
            say_rcpt(c);
        break;
    case TALLY_RCPT:
        if (!may_pipeline(c))
            say_data(c);
        break;
    case TALLY_DATA:
        client_talk_expect(c, TALLY_MESSAGE);
        start_body(c);
        break;
    case TALLY_MESSAGE: acknowledged(c, reply_text(&c->reply)); break;
    case TALLY_QUIT:
        wire_shutdown(&c->wire);
        client_set_phase(c, CLIENT_LEAVING);
        break;
    default: UNREACHABLE("no reply belongs to this step");
    }
}

static enum tally_fault fault_of(unsigned code)
{
    if (code >= 500)
        return TALLY_REFUSED_5XX;
    return code >= 400 ? TALLY_REFUSED_4XX : TALLY_WRONG_CODE;
}

/* A whole reply. */
static void take_reply(struct client *c)
{
    struct span whole = span_of(c->reply.line, c->reply.len);
    enum tally_step step = client_step(c);

    if (c->expected_count == 0) {
        client_fail(c, step, c->reply.code == 421 ? TALLY_REFUSED_4XX : TALLY_UNASKED, whole);
        return;
    }
    if (c->reply.code != wanted[step]) {
        client_fail(c, step, fault_of(c->reply.code), whole);
        return;
    }
    memmove(c->expected, c->expected + 1, --c->expected_count);
    if (step == TALLY_EHLO && c->reply.lines > 1)
        note_offer(c, reply_text(&c->reply));
    go_on(c, step);
}

bool client_talk_hear(struct client *c, struct span in)
{
    while (in.len > 0) {
        switch (reply_feed(&c->reply, &in)) {
        case REPLY_MORE: break;
        case REPLY_LINE:
            if (c->expected_count > 0 && c->expected[0] == TALLY_EHLO && c->reply.lines > 1)
                note_offer(c, reply_text(&c->reply));
            break;
        case REPLY_DONE: take_reply(c); break;
        case REPLY_BAD:
            client_fail(c, client_step(c), TALLY_NOT_A_REPLY, span_of(c->reply.line, c->reply.len));
            break;
        }
        if (c->phase == CLIENT_CLOSED)
            return false;
        /* Plain text behind the reply to STARTTLS is somebody's who stands between. */
        if (c->phase == CLIENT_SHAKING) {
            if (in.len > 0)
                client_fail(c, TALLY_STARTTLS, TALLY_UNASKED, in);
            return false;
        }
    }
    return true;
}
