/*
 * A session fed with anything. The first byte says what stands before the input (nothing, a login,
 * a whole envelope), whether TLS is there or to be begun, and whether XCLIENT is obeyed, the second
 * how the bytes are cut, the third what the world answers.
 *
 * Held: replies are well-formed lines; there are as many "queued" as durable answers; what is left
 * to be shown again is bounded; two different cuts give the same replies; every pool is home at the
 * end.
 */
#include <stddef.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "smtp/smtp.h"

#define MECHANISMS (SMTP_MECHANISM_PLAIN | SMTP_MECHANISM_LOGIN)

/* HELP gives most for its bytes, and an input of the replay has a megabyte. */
#define REPLIES_MAX (32 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct smtp *room;
    struct smtp_session *s;
    struct clock clock;
    struct counters counters;
    struct mail_id_gen ids;
    uint8_t answers; /* two bits for each answer in turn */
    uint32_t asked;
    uint32_t durable; /* messages said to be durable */
    uint64_t kept;    /* bytes of the message under way, by the session's word */
    struct buf replies;
};

static const char *const fronts[] = {
    "",
    "EHLO f.example\r\nAUTH PLAIN AHUAcA==\r\n",
    "EHLO f.example\r\nAUTH PLAIN AHUAcA==\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n",
    "EHLO f.example\r\nAUTH PLAIN AHUAcA==\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n",
};

static uint32_t next_answer(struct world *w)
{
    return w->answers >> (w->asked++ % 4 * 2) & 3;
}

static void answer_mail(struct world *w)
{
    static const enum smtp_delivery deliveries[] = {
        SMTP_DELIVERY_DURABLE,
        SMTP_DELIVERY_DURABLE,
        SMTP_DELIVERY_FULL,
        SMTP_DELIVERY_FAILED,
    };
    enum smtp_delivery how = deliveries[next_answer(w)];
    struct mail_field field;
    struct mail mail;

    smtp_session_mail(w->s, &mail);
    while (mail_field_next(&mail.envelope, &field))
        ASSERT(mail_field_name(field.type) != NULL);
    ASSERT(mail.envelope.len == 0);
    ASSERT(mail.header.len > 2);
    ASSERT(mail.flags & MAIL_DOT_STUFFED ? mail.body_bytes + 3 == w->kept
                                         : mail.body_bytes == w->kept);
    w->kept = 0;
    w->durable += how == SMTP_DELIVERY_DURABLE;
    smtp_session_durable(w->s, how);
}

static void answer_auth(struct world *w)
{
    static const enum smtp_verdict verdicts[] = {
        SMTP_VERDICT_OK,
        SMTP_VERDICT_WRONG,
        SMTP_VERDICT_TEMPORARY,
        SMTP_VERDICT_BLOCKED,
    };
    struct smtp_auth auth;

    smtp_session_auth(w->s, &auth);
    ASSERT(auth.login.len > 0 && auth.password.len > 0);
    /* The login of the front must work. */
    smtp_session_verdict(w->s, w->asked == 0 ? SMTP_VERDICT_OK : verdicts[next_answer(w)]);
    w->asked++;
}

static void answer_starttls(struct world *w)
{
    static const enum smtp_starttls answers[] = {
        SMTP_STARTTLS_GO,
        SMTP_STARTTLS_GO,
        SMTP_STARTTLS_TEMPORARY,
        SMTP_STARTTLS_PIPELINED,
    };

    smtp_session_starttls(w->s, answers[next_answer(w)]);
}

/* What the session wants of the bytes that are there. False: more are needed, or none any more. */
static bool turn(struct world *w, struct span *in, bool *closed)
{
    struct buf out = { w->replies.ptr + w->replies.len, 0, LIMIT_REPLY_BYTES };
    enum smtp_want want = smtp_session_run(w->s, in, &out);
    uint32_t taken;

    if (!smtp_session_body_begun(w->s))
        w->kept = 0;
    w->replies.len += out.len;
    ASSERT(w->replies.cap - w->replies.len > LIMIT_REPLY_BYTES);
    switch (want) {
    case SMTP_WANT_INPUT: ASSERT(in->len < LIMIT_AUTH_LINE_BYTES); return false;
    case SMTP_WANT_OUTPUT: return true;
    case SMTP_WANT_PAUSE: w->clock.now_ns = smtp_session_deadline(w->s); return true;
    case SMTP_WANT_BODY:
        if (in->len == 0)
            return false;
        (void)smtp_session_body(w->s, *in, &taken);
        ASSERT(taken <= in->len);
        w->kept = smtp_session_body_kept(w->s) ? w->kept + taken : 0;
        *in = span_skip(*in, taken);
        return true;
    case SMTP_WANT_VERDICT: answer_auth(w); return true;
    case SMTP_WANT_DURABLE: answer_mail(w); return true;
    case SMTP_WANT_STARTTLS: answer_starttls(w); return true;
    case SMTP_WANT_HANDSHAKE:
        smtp_session_secured(w->s,
                             &(struct smtp_client){ .secure = true, .mechanisms = MECHANISMS });
        return true;
    case SMTP_WANT_CLOSE: *closed = true; return false;
    }
    abort();
}

/* Line after line: three digits, a space or a dash, printable text; returns how many say "queued".
 */
static uint32_t check_replies(struct span r)
{
    uint32_t queued = 0;

    while (r.len > 0) {
        const uint8_t *end = memmem(r.ptr, r.len, "\r\n", 2);
        struct span line;

        ASSERT(end != NULL);
        line = span_first(r, (uint32_t)(end - r.ptr));
        ASSERT(line.len >= 4 && line.len + 2 <= LIMIT_REPLY_LINE_BYTES);
        for (uint32_t i = 0; i < line.len; i++)
            ASSERT(i < 3 ? line.ptr[i] >= '0' && line.ptr[i] <= '9'
                         : line.ptr[i] >= ' ' && line.ptr[i] <= '~');
        ASSERT(line.ptr[3] == ' ' || line.ptr[3] == '-');
        queued += memmem(line.ptr, line.len, "queued", 6) != NULL;
        r = span_skip(r, line.len + 2);
    }
    return queued;
}

/* Returns the replies, in the memory of `replies`. */
static struct span run(const uint8_t *choice, struct span all, uint32_t step, uint8_t *replies)
{
    static const struct smtp_config config = {
        .hostname = "mx.example.org",
        .message_bytes_max = 5000,
        .recipients_max = 5,
        .errors_max = 10,
        .errors_soft = 5,
        .error_delay_s = 1,
        .auth_tries_max = 3,
        .command_timeout_s = 300,
        .data_timeout_s = 180,
        .hops_max = LIMIT_HOPS_DEFAULT,
        .hold_s_max = 86400,
    };
    const struct smtp_client client = { .secure = (choice[0] & 4) == 0,
                                        .mechanisms = MECHANISMS,
                                        .starttls = (choice[0] & 8) != 0,
                                        .xclient = (choice[0] & 16) != 0,
                                        .tls_version = "TLSv1.3" };
    struct world w = { .answers = choice[2] };
    const struct smtp_env env = { &w.clock, &w.counters, &w.ids, NULL };
    uint32_t taken = 0;
    uint32_t given = 0;
    bool closed = false;

    w.clock = (struct clock){ NS_PER_S, 1790000000000ULL };
    w.replies = (struct buf){ replies, 0, REPLIES_MAX };
    mail_id_init(&w.ids, 1, 0);
    w.room = smtp_create(&config, 1, &env);
    ASSERT(w.room != NULL);
    w.s = smtp_session_open(w.room, &client);
    while (!closed) {
        struct span in = span_of(all.ptr + taken, given - taken);

        while (turn(&w, &in, &closed))
            continue;
        taken = given - in.len;
        if (given == all.len)
            break;
        given = step < all.len - given ? given + step : all.len;
    }
    smtp_session_close(w.s);
    smtp_destroy(w.room);
    ASSERT(check_replies(span_of(w.replies.ptr, w.replies.len)) == w.durable);
    return span_of(w.replies.ptr, w.replies.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t replies[2][REPLIES_MAX];
    struct span front;
    struct span whole;
    struct span cut;
    uint8_t *all;
    uint32_t len;

    if (size < 3)
        return 0;
    front = span_str(fronts[data[0] & 3]);
    len = front.len + (uint32_t)size - 3;
    all = malloc(len + 1);
    ASSERT(all != NULL);
    memcpy(all, front.ptr, front.len);
    memcpy(all + front.len, data + 3, size - 3);
    whole = run(data, span_of(all, len), UINT32_MAX, replies[0]);
    cut = run(data, span_of(all, len), data[1] + 1U, replies[1]);
    ASSERT(span_equal(whole, cut));
    free(all);
    return 0;
}
