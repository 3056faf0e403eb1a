/* Happy path: append. Failure: `broken`, and nothing is appended any more. */
#include "gateway/json_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 1024

void json_out_init(struct json_out *j, size_t most)
{
    *j = (struct json_out){ .most = most };
}

void json_out_free(struct json_out *j)
{
    free(j->text);
    *j = (struct json_out){ .most = j->most };
}

static bool grow(struct json_out *j, size_t bytes)
{
    size_t cap = j->cap > 0 ? j->cap : FIRST_BYTES;
    char *text;

    while (cap < j->len + bytes)
        cap *= 2;
    text = realloc(j->text, cap);
    if (text == NULL)
        return false;
    j->text = text;
    j->cap = cap;
    return true;
}

static void put(struct json_out *j, const char *bytes, size_t count)
{
    j->broken =
        j->broken || j->len + count > j->most || (j->len + count > j->cap && !grow(j, count));
    if (j->broken)
        return;
    memcpy(j->text + j->len, bytes, count);
    j->len += count;
}

/* Bytes of the UTF-8 sequence (RFC 3629, 4) at the start of `s`; 0: it is none. */
static uint32_t utf8_length(struct span s)
{
    uint8_t first = s.ptr[0];
    uint32_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint8_t low = 0x80, high = 0xbf;

    if (len == 1)
        return 1;
    if (first < 0xc2 || first > 0xf4 || s.len < len)
        return 0;
    low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : low;
    high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : high;
    if (s.ptr[1] < low || s.ptr[1] > high)
        return 0;
    for (uint32_t i = 2; i < len; i++)
        if ((s.ptr[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

static void put_quoted(struct json_out *j, struct span s)
{
    char escape[8];

    put(j, "\"", 1);
    while (s.len > 0) {
        uint32_t len = utf8_length(s);
        uint8_t c = s.ptr[0];

        if (len == 0)
            put(j, "\xef\xbf\xbd", 3);
        else if (c == '"' || c == '\\')
            put(j, escape, (size_t)snprintf(escape, sizeof(escape), "\\%c", c));
        else if (c < 0x20 || c == 0x7f)
            put(j, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", c));
        else
            put(j, (const char *)s.ptr, len);
        s = span_skip(s, len > 0 ? len : 1);
    }
    put(j, "\"", 1);
}

static void begin(struct json_out *j, const char *key)
{
    if (j->between)
        put(j, ",", 1);
    j->between = true;
    if (key == NULL)
        return;
    put_quoted(j, span_str(key));
    put(j, ":", 1);
}

void json_out_open(struct json_out *j, const char *key, char bracket)
{
    begin(j, key);
    put(j, &bracket, 1);
    j->between = false;
}

void json_out_close(struct json_out *j, char bracket)
{
    put(j, &bracket, 1);
    j->between = true;
}

void json_out_u64(struct json_out *j, const char *key, uint64_t value)
{
    char text[24];

    begin(j, key);
    put(j, text, (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)value));
}

void json_out_bool(struct json_out *j, const char *key, bool value)
{
    begin(j, key);
    put(j, value ? "true" : "false", value ? 4 : 5);
}

void json_out_str(struct json_out *j, const char *key, const char *value)
{
    json_out_span(j, key, span_str(value));
}

void json_out_span(struct json_out *j, const char *key, struct span value)
{
    begin(j, key);
    put_quoted(j, value);
}

bool json_out_end(struct json_out *j)
{
    put(j, "\n", 1);
    return !j->broken;
}
