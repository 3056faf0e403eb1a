/* See reply.h. Happy path: LINE, LINE, DONE. After BAD the connection is worth nothing. */
#include "bench/reply.h"

void reply_init(struct reply *r)
{
    r->code = 0;
    r->lines = 0;
    r->len = 0;
    r->done = false;
    r->line_done = false;
}

static bool is_digit(char c, char most)
{
    return c >= '0' && c <= most;
}

/* The line without its CRLF. */
static enum reply_outcome judge(struct reply *r)
{
    const char *l = r->line;
    unsigned code;

    if (r->len < 3 || l[0] < '2' || !is_digit(l[0], '5') || !is_digit(l[1], '5') ||
        !is_digit(l[2], '9'))
        return REPLY_BAD;
    if (r->len > 3 && l[3] != ' ' && l[3] != '-')
        return REPLY_BAD;
    code = (unsigned)(l[0] - '0') * 100 + (unsigned)(l[1] - '0') * 10 + (unsigned)(l[2] - '0');
    if (r->lines > 0 && code != r->code)
        return REPLY_BAD;
    r->code = code;
    r->lines++;
    r->done = r->len == 3 || l[3] == ' ';
    if (r->done)
        return REPLY_DONE;
    return r->lines < REPLY_LINES ? REPLY_LINE : REPLY_BAD;
}

enum reply_outcome reply_feed(struct reply *r, struct span *in)
{
    if (r->done)
        r->lines = 0;
    if (r->line_done)
        r->len = 0;
    r->done = false;
    r->line_done = false;
    while (in->len > 0) {
        char c = (char)in->ptr[0];

        *in = span_skip(*in, 1);
        if (c == '\n') {
            if (r->len == 0 || r->line[r->len - 1] != '\r')
                return REPLY_BAD;
            r->len--;
            r->line_done = true;
            return judge(r);
        }
        /* A CR that no LF follows. */
        if ((r->len > 0 && r->line[r->len - 1] == '\r') || c == 0 || r->len == sizeof(r->line))
            return REPLY_BAD;
        r->line[r->len++] = c;
    }
    return REPLY_MORE;
}

struct span reply_text(const struct reply *r)
{
    return r->len > 4 ? span_of(r->line + 4, r->len - 4) : span_of(r->line + r->len, 0);
}
