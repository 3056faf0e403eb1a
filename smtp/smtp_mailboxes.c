/*
 * One step for each byte. What was gathered is an address at "," or ";", at ">", and at the end; it
 * was a phrase at "<", a group's name or a source route at ":". There is no failure: what is no
 * address is given out as it stands, and will be nobody's.
 */
#include "smtp/smtp_mailboxes.h"

#include <string.h>

#include "base/assert.h"

void smtp_mailboxes_init(struct smtp_mailboxes *m)
{
    m->at = SMTP_MAILBOXES_TEXT;
    m->escaped = false;
    m->in_angle = false;
    m->too_long = false;
    m->doubtful = false;
    m->depth = 0;
    m->len = 0;
}

static void forget(struct smtp_mailboxes *m)
{
    m->len = 0;
    m->too_long = false;
}

static void keep(struct smtp_mailboxes *m, uint8_t c)
{
    if (m->len < sizeof(m->bytes))
        m->bytes[m->len++] = c;
    else
        m->too_long = true;
}

static bool give(struct smtp_mailboxes *m, struct span *found)
{
    bool some = m->len > 0 || m->doubtful;

    *found = span_of(m->bytes, m->too_long || m->doubtful ? 0 : m->len);
    m->doubtful = false;
    forget(m);
    return some;
}

/* \" <a>, " <b>: whoever lets the backslash quote reads a, and we would read b. */
static void doubt(struct smtp_mailboxes *m, uint8_t c)
{
    if (m->escaped && memchr("\"()[]<>:;,", c, 10) != NULL)
        m->doubtful = true;
    m->escaped = !m->escaped && c == '\\';
}

static bool text(struct smtp_mailboxes *m, uint8_t c, struct span *found)
{
    doubt(m, c);
    switch (c) {
    case ' ':
    case '\t':
    case '\r':
    case '\n': return false;
    case '(':
        m->at = SMTP_MAILBOXES_COMMENT;
        m->depth = 1;
        return false;
    case '"': m->at = SMTP_MAILBOXES_QUOTED; break;
    case '[': m->at = SMTP_MAILBOXES_LITERAL; break;
    case ':': forget(m); return false;
    case '<':
        forget(m);
        m->in_angle = true;
        return false;
    case '>': m->in_angle = false; return give(m, found);
    case ',':
    case ';': return m->in_angle ? false : give(m, found); /* in <> it is a source route's */
    default: break;
    }
    keep(m, c);
    return false;
}

static void comment(struct smtp_mailboxes *m, uint8_t c)
{
    ASSERT(m->depth > 0);
    if (c == '(')
        m->depth++;
    else if (c == ')' && --m->depth == 0)
        m->at = SMTP_MAILBOXES_TEXT;
}

bool smtp_mailboxes_feed(struct smtp_mailboxes *m, uint8_t c, struct span *found)
{
    bool plain = !m->escaped && c != '\\';

    if (m->at == SMTP_MAILBOXES_TEXT)
        return text(m, c, found);
    m->escaped = !m->escaped && c == '\\';
    if (m->at == SMTP_MAILBOXES_COMMENT) {
        if (plain)
            comment(m, c);
        return false;
    }
    keep(m, c);
    if (plain && c == (m->at == SMTP_MAILBOXES_QUOTED ? '"' : ']'))
        m->at = SMTP_MAILBOXES_TEXT;
    return false;
}

bool smtp_mailboxes_end(struct smtp_mailboxes *m, struct span *found)
{
    bool some = give(m, found);

    smtp_mailboxes_init(m);
    return some;
}
