/*
 * One step for each byte up to a field's colon, one memchr for the rest of its line. What is
 * neither a field, nor a folded line of one, is where the body begins, as other servers see it too.
 * There is no failure: limits are the caller's, who has the counters.
 */
#include "smtp/smtp_header.h"

#include "base/assert.h"
#include "smtp/smtp_scan.h"

static const struct {
    const char *name;
    enum smtp_header_field field;
} known[] = {
    { "date", SMTP_HEADER_DATE },
    { "message-id", SMTP_HEADER_MESSAGE_ID },
    { "from", SMTP_HEADER_FROM },
    { "sender", SMTP_HEADER_SENDER },
};

void smtp_header_init(struct smtp_header *h, bool stuffed, struct smtp_header_judge judge)
{
    *h = (struct smtp_header){ .at = SMTP_HEADER_LINE, .stuffed = stuffed, .judge = judge };
}

/* --- Whose addresses ------------------------------------------------------------------------- */

static void judge(struct smtp_header *h, struct span mailbox)
{
    if (mailbox.len == 0 || !h->judge.permits(h->judge.owner, mailbox))
        h->foreign |= h->judged;
}

static void begin_judging(struct smtp_header *h, enum smtp_header_field field)
{
    if (h->judge.permits == NULL || !(field & (SMTP_HEADER_FROM | SMTP_HEADER_SENDER)))
        return;
    h->judged = field;
    smtp_mailboxes_init(&h->mailboxes);
}

static void end_judging(struct smtp_header *h)
{
    struct span mailbox;

    if (h->judged != 0 && smtp_mailboxes_end(&h->mailboxes, &mailbox))
        judge(h, mailbox);
    h->judged = 0;
}

static void judge_bytes(struct smtp_header *h, struct span value)
{
    struct span mailbox;

    for (uint32_t i = 0; h->judged != 0 && i < value.len; i++) {
        if (smtp_mailboxes_feed(&h->mailboxes, value.ptr[i], &mailbox))
            judge(h, mailbox);
    }
}

/* --- Fields ---------------------------------------------------------------------------------- */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* ftext (RFC 5322, 3.6.8), without the colon */
static bool is_name_byte(uint8_t c)
{
    return c > ' ' && c <= '~' && c != ':';
}

static enum smtp_header_state begin_name(struct smtp_header *h, uint8_t c)
{
    end_judging(h);
    h->name[0] = c;
    h->name_len = 1;
    h->field_bytes = 0;
    return SMTP_HEADER_NAME;
}

static enum smtp_header_state add_to_name(struct smtp_header *h, uint8_t c)
{
    if (h->name_len < SMTP_HEADER_NAME_BYTES)
        h->name[h->name_len++] = c;
    return SMTP_HEADER_NAME;
}

/* Its colon is here: it is a field. */
static enum smtp_header_state begin_value(struct smtp_header *h)
{
    struct span name = span_of(h->name, h->name_len);

    ASSERT(h->name_len > 0);
    h->fields++;
    if (span_equal_nocase(name, SPAN_LITERAL("received")))
        h->received++;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!span_equal_nocase(name, span_str(known[i].name)))
            continue;
        h->seen |= known[i].field;
        begin_judging(h, known[i].field);
    }
    return SMTP_HEADER_VALUE;
}

static enum smtp_header_state end(struct smtp_header *h, bool empty_line)
{
    end_judging(h);
    h->missing = h->fields == 0 && !empty_line;
    return SMTP_HEADER_BODY;
}

static enum smtp_header_state begin_line(struct smtp_header *h, uint8_t c)
{
    if (c == '.' && h->stuffed && h->at == SMTP_HEADER_LINE)
        return SMTP_HEADER_UNDOT;
    if (is_space(c) && h->fields > 0) {
        judge_bytes(h, span_of(&c, 1));
        return SMTP_HEADER_VALUE; /* folded (RFC 5322, 2.2.3) */
    }
    return is_name_byte(c) ? begin_name(h, c) : end(h, c == '\r' || c == '\n');
}

static enum smtp_header_state next(struct smtp_header *h, uint8_t c)
{
    switch (h->at) {
    case SMTP_HEADER_LINE:
    case SMTP_HEADER_UNDOT: return begin_line(h, c);
    case SMTP_HEADER_NAME:
        if (is_name_byte(c))
            return add_to_name(h, c);
        break;
    case SMTP_HEADER_VALUE: return c == '\n' ? SMTP_HEADER_LINE : SMTP_HEADER_VALUE;
    case SMTP_HEADER_COLON:
    case SMTP_HEADER_BODY: break;
    }
    if (c == ':')
        return begin_value(h);
    return is_space(c) ? SMTP_HEADER_COLON : end(h, false);
}

/* Behind a field's colon, up to where its last line ends; what stands before a colon may be text.
 */
static bool is_within_field(const struct smtp_header *h)
{
    return h->at == SMTP_HEADER_VALUE || h->at == SMTP_HEADER_LINE;
}

/* The rest of a value up to the line's end, as far as it is here: how many bytes. */
static uint32_t skip_value(const struct smtp_header *h, struct span bytes)
{
    const uint8_t *line_end;

    if (h->at != SMTP_HEADER_VALUE)
        return 0;
    line_end = memchr(bytes.ptr, '\n', bytes.len);
    return line_end != NULL ? (uint32_t)(line_end - bytes.ptr) : bytes.len;
}

void smtp_header_feed(struct smtp_header *h, struct span bytes)
{
    while (bytes.len > 0 && h->at != SMTP_HEADER_BODY) {
        uint32_t n = skip_value(h, bytes);

        h->field_bytes += n;
        judge_bytes(h, span_first(bytes, n));
        bytes = span_skip(bytes, n);
        if (bytes.len > 0) {
            h->at = next(h, bytes.ptr[0]);
            h->field_bytes++;
            bytes = span_skip(bytes, 1);
        }
        if (is_within_field(h) && h->field_bytes > h->longest)
            h->longest = h->field_bytes;
    }
}

void smtp_header_end(struct smtp_header *h)
{
    end_judging(h);
}
