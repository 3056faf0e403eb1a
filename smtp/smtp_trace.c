/*
 * Writes the Received field, word by word, so that it folds between words.
 * Failure mode: no room, told by the return value and nothing else.
 */
#include "smtp/smtp_trace.h"

#include "base/assert.h"
#include "base/limits.h"
#include "base/mail.h"
#include "smtp/smtp_date.h"

#define LINE_BYTES  78 /* RFC 5322, 2.1.1, without CRLF */
#define TAB_COLUMNS 1  /* a tab counts as the one byte that it is */

/* A field being written. */
struct folder {
    struct buf *out;
    uint32_t column;
    bool full; /* a word did not fit; all later ones are dropped */
};

static void put(struct folder *f, struct span s)
{
    if (!buf_put(f->out, s))
        f->full = true;
    f->column += s.len;
}

/* One more word behind a space, or behind a fold when the line would get too long. */
static void put_word(struct folder *f, struct span word)
{
    if (f->column + 1 + word.len > LINE_BYTES) {
        put(f, SPAN_LITERAL("\r\n\t"));
        f->column = TAB_COLUMNS;
    } else {
        put(f, SPAN_LITERAL(" "));
    }
    put(f, word);
}

/* A word made of a front, a middle and an end. */
static void put_word_of(struct folder *f, const char *front, struct span middle, const char *end)
{
    uint8_t bytes[LIMIT_PATH_BYTES + 16];
    struct buf word = { bytes, 0, sizeof(bytes) };
    bool fits =
        buf_put(&word, span_str(front)) && buf_put(&word, middle) && buf_put(&word, span_str(end));

    ASSERT(fits);
    put_word(f, span_of(word.ptr, word.len));
}

/* RFC 3848; RFC 6531, 4.3. Without EHLO there is no AUTH, and so no keyword for it. */
static const char *protocol_of(const struct smtp_trace *t)
{
    static const char *const names[2][2][2] = {
        { { "ESMTP", "ESMTPA" }, { "ESMTPS", "ESMTPSA" } },
        { { "UTF8SMTP", "UTF8SMTPA" }, { "UTF8SMTPS", "UTF8SMTPSA" } },
    };

    if (!t->esmtp && !t->authenticated)
        return "SMTP";
    return names[t->utf8][t->secure][t->authenticated];
}

/* TCP-info = address-literal (RFC 5321, 4.4) */
static void put_client(struct folder *f, const struct addr *client)
{
    char text[ADDR_TEXT_MAX];
    uint32_t len = addr_format(client, text);

    put_word_of(f, addr_is_v4(client) ? "([" : "([IPv6:", span_of(text, len), "])");
}

static void put_tls(struct folder *f, const struct smtp_trace *t)
{
    const char *const words[] = { t->tls_version, t->tls_cipher, t->tls_group };
    struct span last = { NULL, 0 };
    bool first = true;

    if (t->tls_version == NULL)
        return;
    for (int i = 0; i < 3; i++) {
        if (words[i] == NULL)
            continue;
        if (last.ptr != NULL) {
            put_word_of(f, first ? "(" : "", last, "");
            first = false;
        }
        last = span_str(words[i]);
    }
    put_word_of(f, first ? "(" : "", last, ")");
}

bool smtp_trace_received(const struct smtp_trace *t, struct buf *out)
{
    struct folder f = { .out = out };
    char id[MAIL_ID_TEXT];
    char date[SMTP_DATE_MAIL_BYTES];
    bool single = t->recipient.len > 0;

    ASSERT(t->helo.len <= LIMIT_HELO_BYTES);
    ASSERT(t->id != 0);
    mail_id_format(t->id, id);
    smtp_date_mail(t->unix_ms, date);
    put(&f, SPAN_LITERAL("Received: from"));
    if (t->hide_client) {
        put_word(&f, SPAN_LITERAL("client.invalid")); /* the grammar wants a name (RFC 2606, 2) */
    } else {
        put_word(&f, t->helo);
        put_client(&f, &t->client);
    }
    put_word_of(&f, "by ", t->host, "");
    put_word(&f, SPAN_LITERAL("(Postern)"));
    put_word_of(&f, "with ", span_str(protocol_of(t)), "");
    put_tls(&f, t);
    put_word_of(&f, "id ", span_str(id), single ? "" : ";");
    if (single)
        put_word_of(&f, "for <", t->recipient, ">;");
    put_word(&f, span_str(date));
    put(&f, SPAN_LITERAL("\r\n"));
    return !f.full;
}
