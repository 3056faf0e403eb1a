/*
 * Writes the Received field, word by word, so that it folds between words.
 * Failure mode: no room, told by the return value and nothing else.
 */
#include "smtp/smtp_trace.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/mail.h"

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

/* RFC 3848. Without EHLO there is no AUTH, and so no keyword for it. */
static const char *protocol_of(const struct smtp_trace *t)
{
    static const char *const names[2][2] = { { "ESMTP", "ESMTPA" }, { "ESMTPS", "ESMTPSA" } };

    if (!t->esmtp && !t->authenticated)
        return "SMTP";
    return names[t->secure][t->authenticated];
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

/* Days since 1970-01-01 to a civil date (Howard Hinnant's algorithm: eras of 400 years begin in
 * March). */
static void civil_from_days(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t z = days + 719468;
    uint64_t era = z / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;

    ASSERT(doe < 146097);
    ASSERT(doy <= 365);
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (unsigned)(era * 400) + yoe + (*month <= 2);
}

void smtp_trace_date(uint64_t unix_ms, char out[SMTP_TRACE_DATE_BYTES])
{
    static const char days[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    uint64_t s = unix_ms / 1000;
    unsigned in_day = (unsigned)(s % 86400);
    unsigned year;
    unsigned month;
    unsigned day;
    int len;

    civil_from_days(s / 86400, &year, &month, &day);
    ASSERT(month >= 1 && month <= 12);
    ASSERT(day >= 1 && day <= 31);
    len = snprintf(out, SMTP_TRACE_DATE_BYTES, "%s, %u %s %04u %02u:%02u:%02u +0000",
                   days[s / 86400 % 7], day, months[month - 1], year % 10000, in_day / 3600,
                   in_day / 60 % 60, in_day % 60);
    ASSERT(len > 0 && len < SMTP_TRACE_DATE_BYTES);
}

bool smtp_trace_received(const struct smtp_trace *t, struct buf *out)
{
    struct folder f = { .out = out };
    char id[MAIL_ID_TEXT];
    char date[SMTP_TRACE_DATE_BYTES];
    bool single = t->recipient.len > 0;

    ASSERT(t->helo.len <= LIMIT_HELO_BYTES);
    ASSERT(t->id != 0);
    mail_id_format(t->id, id);
    smtp_trace_date(t->unix_ms, date);
    put(&f, SPAN_LITERAL("Received: from"));
    put_word(&f, t->helo);
    put_client(&f, &t->client);
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
