/*
 * See client.h: the connection, its timer, what is sent and received. client_talk.c has the words.
 *
 * Failure modes: each ends in client_fail, which counts it and closes.
 */
#include "base/assert.h"
#include "bench/client_priv.h"
#include "bench/timing.h"

#define PART_BYTES 16384 /* a full record */

struct tally *client_tally(const struct client *c)
{
    return c->kind == CLIENT_WORKER ? c->set->tally : c->set->aside;
}

static void arm(struct client *c)
{
    wheel_set(&c->set->wheel, &c->timer, c->set->clock.now_ns + c->set->config->timeout_ns);
}

static bool is_opening(enum client_phase phase)
{
    return phase == CLIENT_CONNECTING || phase == CLIENT_CLEAR || phase == CLIENT_SHAKING;
}

void client_set_phase(struct client *c, enum client_phase phase)
{
    bool worker = c->kind == CLIENT_WORKER;

    if (c->phase == CLIENT_READY && c->kind == CLIENT_IDLE)
        c->set->idle--;
    c->set->open += (phase != CLIENT_CLOSED) - (c->phase != CLIENT_CLOSED);
    c->set->opening += is_opening(phase) - is_opening(c->phase);
    c->phase = phase;
    if (list_linked(&c->link))
        list_remove(&c->link);
    if (phase == CLIENT_READY || phase == CLIENT_CLOSED)
        wheel_cancel(&c->set->wheel, &c->timer);
    else
        arm(c);
    if (worker && phase == CLIENT_READY)
        list_append(&c->set->ready, &c->link);
    if (worker && phase == CLIENT_CLOSED)
        list_append(&c->set->closed, &c->link);
    if (c->kind == CLIENT_IDLE && phase == CLIENT_READY)
        c->set->idle++;
}

void client_init(struct client *c, struct client_set *set, enum client_kind kind)
{
    c->set = set;
    c->kind = kind;
    list_node_init(&c->link);
    wheel_entry_init(&c->timer);
    client_set_phase(c, CLIENT_CLOSED);
}

static void close_client(struct client *c)
{
    wire_close(&c->wire);
    c->has_job = false;
    c->has_body = false;
    client_set_phase(c, CLIENT_CLOSED);
}

void client_fail(struct client *c, enum tally_step step, enum tally_fault fault, struct span text)
{
    tally_error(client_tally(c), step, fault, text);
    close_client(c);
}

enum tally_step client_step(const struct client *c)
{
    if (c->phase == CLIENT_CONNECTING)
        return TALLY_CONNECT;
    if (c->phase == CLIENT_SHAKING)
        return TALLY_TLS;
    if (c->phase == CLIENT_LEAVING)
        return TALLY_QUIT;
    return c->expected_count > 0 ? c->expected[0] : TALLY_MESSAGE;
}

/* True: go on. False: wait, or it is over. */
static bool judge(struct client *c, enum wire_outcome how)
{
    enum tally_step step = client_step(c);

    /* After 221 nothing is left to lose, by a reset either. */
    if (c->phase == CLIENT_LEAVING && (how == WIRE_END || (how == WIRE_BROKEN && !c->wire.crypto)))
        close_client(c);
    else if (how == WIRE_BROKEN)
        client_fail(c, step, c->wire.crypto ? TALLY_CRYPTO : TALLY_SYSTEM, span_str(c->wire.why));
    else if (how == WIRE_END)
        client_fail(c, step, TALLY_CLOSED, span_str(""));
    return how == WIRE_OK;
}

void client_open(struct client *c)
{
    enum wire_outcome how = wire_connect(&c->wire, c->set->wires, c);

    client_set_phase(c, CLIENT_CONNECTING);
    reply_init(&c->reply);
    c->expected_count = 0;
    c->out_len = c->out_sent = 0;
    c->messages = 0;
    c->connect_ns = c->set->clock.now_ns;
    client_tally(c)->connections++;
    if (how == WIRE_BROKEN)
        (void)judge(c, how);
}

void client_take(struct client *c, uint64_t bytes, uint64_t intended_ns)
{
    struct client_set *set = c->set;

    letter_init(&c->letter, set->run, set->next_letter++, bytes, set->config->sender);
    c->has_job = true;
    c->intended_ns = intended_ns;
    client_tally(c)->started++;
}

void client_send(struct client *c, uint64_t bytes, uint64_t intended_ns)
{
    client_take(c, bytes, intended_ns);
    if (c->phase == CLIENT_CLOSED) {
        client_open(c);
        return;
    }
    ASSERT(c->phase == CLIENT_READY);
    client_set_phase(c, CLIENT_TALKING);
    client_talk_mail(c);
    client_event(c);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* The next bytes of the letter and, after DATA, the end that marks it. */
static uint32_t next_part(const struct client *c, uint8_t *to, uint32_t cap)
{
    uint32_t n = letter_read(&c->letter, c->body_sent, to, cap);

    for (; !c->by_bdat && n < cap && c->body_sent + n < c->letter.bytes + 3; n++)
        to[n] = (uint8_t) ".\r\n"[c->body_sent + n - c->letter.bytes];
    return n;
}

/* Commands and the letter behind them share a record where they fit. */
static uint32_t gather(const struct client *c, uint8_t *to, uint32_t cap)
{
    uint32_t len = c->out_len - c->out_sent;

    memcpy(to, c->out + c->out_sent, len);
    if (!c->has_body)
        return len;
    if (c->kind == CLIENT_SLOW && cap - len > c->allowance)
        cap = len + (uint32_t)c->allowance;
    return len + next_part(c, to + len, cap - len);
}

static void account(struct client *c, uint32_t put)
{
    uint32_t commands = c->out_len - c->out_sent;

    if (put < commands) {
        c->out_sent += put;
        return;
    }
    c->out_sent = c->out_len = 0;
    put -= commands;
    c->body_sent += put;
    if (c->kind == CLIENT_SLOW)
        c->allowance -= put;
    if (!c->has_body || c->body_sent < c->letter.bytes + (c->by_bdat ? 0 : 3))
        return;
    c->has_body = false;
    c->body_out = true;
    c->body_ns = timing_now_ns();
}

static bool flush(struct client *c)
{
    uint8_t part[PART_BYTES];
    uint32_t len, put;

    while ((len = gather(c, part, sizeof(part))) > 0) {
        if (!judge(c, wire_write(&c->wire, span_of(part, len), &put)))
            return c->phase != CLIENT_CLOSED;
        account(c, put);
        if (!(c->kind == CLIENT_SLOW && c->has_body))
            arm(c);
    }
    if (c->kind == CLIENT_SLOW && c->has_body)
        wheel_set(&c->set->wheel, &c->timer, c->set->clock.now_ns + NS_PER_S);
    return true;
}

/* --- going on --------------------------------------------------------------------------------- */

static void begin(struct client *c)
{
    if (c->set->config->starttls) {
        client_set_phase(c, CLIENT_CLEAR);
        client_talk_expect(c, TALLY_BANNER);
    } else {
        client_set_phase(c, CLIENT_SHAKING);
    }
}

static void shake(struct client *c)
{
    if (!judge(c, wire_handshake(&c->wire)))
        return;
    hdr_record(&client_tally(c)->handshake, timing_now_ns() - c->connect_ns);
    client_tally(c)->resumed += wire_resumed(&c->wire);
    client_set_phase(c, CLIENT_TALKING);
    if (c->set->config->starttls)
        client_talk_say(c, TALLY_EHLO, "EHLO bench.example.org\r\n");
    else
        client_talk_expect(c, TALLY_BANNER);
}

static bool receive(struct client *c)
{
    uint8_t in[4096];
    uint32_t got;

    while (judge(c, wire_read(&c->wire, in, sizeof(in), &got))) {
        if (!client_talk_hear(c, span_of(in, got)))
            return false;
        if (!flush(c))
            return false;
    }
    return c->phase != CLIENT_CLOSED;
}

void client_event(struct client *c)
{
    if (c->phase == CLIENT_CONNECTING && judge(c, wire_connected(&c->wire)))
        begin(c);
    if (c->phase == CLIENT_CLEAR && flush(c))
        (void)receive(c);
    if (c->phase == CLIENT_SHAKING)
        shake(c);
    if (c->phase == CLIENT_TALKING || c->phase == CLIENT_READY || c->phase == CLIENT_LEAVING)
        if (flush(c))
            (void)receive(c);
}

void client_timer(struct client *c)
{
    if (c->kind == CLIENT_SLOW && c->has_body) {
        c->allowance = c->set->config->slow_bytes;
        client_event(c);
        return;
    }
    client_fail(c, client_step(c), TALLY_TIMEOUT, span_str(""));
}

void client_leave(struct client *c)
{
    if (c->phase != CLIENT_READY)
        return;
    client_set_phase(c, CLIENT_TALKING);
    client_talk_say(c, TALLY_QUIT, "QUIT\r\n");
    client_event(c);
}

void client_abandon(struct client *c)
{
    if (c->phase == CLIENT_CLOSED)
        return;
    if (c->kind == CLIENT_SLOW) /* it has no end of its own */
        close_client(c);
    else
        client_fail(c, client_step(c), TALLY_UNFINISHED, span_str(""));
}
