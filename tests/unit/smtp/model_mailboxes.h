/*
 * The slow model of the addresses in a From field that the streaming reader is held against: the
 * whole value at once, an element (quoted string, literal, comment, one byte) at a time.
 */
#ifndef POSTERN_TESTS_UNIT_SMTP_MODEL_MAILBOXES_H
#define POSTERN_TESTS_UNIT_SMTP_MODEL_MAILBOXES_H

#include <stdbool.h>

#include "base/limits.h"
#include "base/span.h"

struct model_mailboxes {
    struct span text;
    uint32_t at; /* what follows was not read yet */
    bool in_angle;
    bool doubtful;
    uint32_t len;
    uint8_t bytes[LIMIT_PATH_BYTES];
};

/* The length of what begins with an opening byte and goes to its `end`, or to the end of all. */
static inline uint32_t model_mailboxes_closed(struct span s, uint8_t end)
{
    for (uint32_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == end)
            return i + 1;
    }
    return s.len;
}

static inline uint32_t model_mailboxes_comment(struct span s)
{
    uint32_t depth = 0;

    for (uint32_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '(')
            depth++;
        else if (s.ptr[i] == ')' && --depth == 0)
            return i + 1;
    }
    return s.len;
}

static inline uint32_t model_mailboxes_element(struct span s)
{
    switch (s.ptr[0]) {
    case '(': return model_mailboxes_comment(s);
    case '"': return model_mailboxes_closed(s, '"');
    case '[': return model_mailboxes_closed(s, ']');
    default: return 1;
    }
}

/* What has a meaning stands behind an odd number of backslashes. */
static inline bool model_mailboxes_doubt(const struct model_mailboxes *m, uint32_t from)
{
    uint32_t n = 0;

    while (n < m->at - from && m->text.ptr[m->at - n - 1] == '\\')
        n++;
    return n % 2 == 1 && memchr("\"()[]<>:;,", m->text.ptr[m->at], 10) != NULL;
}

/* True when an address ends behind this element. */
static inline bool model_mailboxes_take(struct model_mailboxes *m, struct span element)
{
    uint8_t c = element.ptr[0];

    if (strchr("( \t\r\n", c) != NULL && c != '\0')
        return false;
    if (c == ':' || c == '<') {
        m->in_angle |= c == '<';
        m->len = 0;
        return false;
    }
    if (c == '>' || ((c == ',' || c == ';') && !m->in_angle)) {
        m->in_angle &= c != '>';
        return m->len > 0 || m->doubtful;
    }
    if (c == ',' || c == ';')
        return false;
    for (uint32_t i = 0; i < element.len; i++, m->len++) {
        if (m->len < sizeof(m->bytes))
            m->bytes[m->len] = element.ptr[i];
    }
    return false;
}

/* The next address; false: there is none. Empty when it is too long for any. */
static inline bool model_mailboxes_next(struct model_mailboxes *m, struct span *found)
{
    uint32_t from = m->at; /* of bytes, not of what stands in an element before */
    bool some = false;

    m->len = 0;
    m->doubtful = false;
    while (!some && m->at < m->text.len) {
        struct span rest = span_skip(m->text, m->at);
        uint32_t n = model_mailboxes_element(rest);

        m->doubtful |= model_mailboxes_doubt(m, from);
        some = model_mailboxes_take(m, span_first(rest, n < rest.len ? n : rest.len));
        m->at += n;
        if (n > 1)
            from = m->at;
    }
    *found = span_of(m->bytes, m->len <= sizeof(m->bytes) && !m->doubtful ? m->len : 0);
    return m->len > 0 || m->doubtful;
}

#endif
