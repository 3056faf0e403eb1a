/*
 * The slow model of a header that the streaming parser is held against: the whole message at once,
 * line by line, with no state between two bytes.
 */
#ifndef POSTERN_TESTS_UNIT_SMTP_MODEL_HEADER_H
#define POSTERN_TESTS_UNIT_SMTP_MODEL_HEADER_H

#include "smtp/smtp_header.h"

struct model_header {
    uint32_t fields;
    uint32_t received;
    uint32_t seen;
    uint64_t longest;
    bool missing;
};

/* Bytes of a field's name at the front of a line, 0: there is none. */
static inline uint32_t model_header_name(struct span line)
{
    uint32_t n = 0;
    uint32_t colon;

    while (n < line.len && line.ptr[n] > ' ' && line.ptr[n] <= '~' && line.ptr[n] != ':')
        n++;
    colon = n;
    while (colon < line.len && (line.ptr[colon] == ' ' || line.ptr[colon] == '\t'))
        colon++;
    return colon < line.len && line.ptr[colon] == ':' ? n : 0;
}

static inline void model_header_count(struct model_header *m, struct span name)
{
    m->fields++;
    m->received += span_equal_nocase(name, SPAN_LITERAL("Received"));
    if (span_equal_nocase(name, SPAN_LITERAL("Date")))
        m->seen |= SMTP_HEADER_DATE;
    if (span_equal_nocase(name, SPAN_LITERAL("Message-ID")))
        m->seen |= SMTP_HEADER_MESSAGE_ID;
}

static inline struct model_header model_header_of(struct span all, bool stuffed)
{
    struct model_header m = { 0 };
    uint64_t field = 0;

    while (all.len > 0) {
        const uint8_t *lf = memchr(all.ptr, '\n', all.len);
        struct span line = span_first(all, lf ? (uint32_t)(lf - all.ptr) + 1 : all.len);
        uint32_t dot = stuffed && line.ptr[0] == '.';
        struct span text = span_skip(line, dot);
        uint32_t name = model_header_name(text);

        all = span_skip(all, line.len);
        if (text.len > 0 && m.fields > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t')) {
            field += line.len;
        } else if (name > 0) {
            model_header_count(&m, span_first(text, name));
            field = line.len - dot;
        } else {
            bool empty = text.len == 0 || text.ptr[0] == '\r' || text.ptr[0] == '\n';

            m.missing = m.fields == 0 && !empty;
            break;
        }
        if (field > m.longest)
            m.longest = field;
    }
    return m;
}

#endif
