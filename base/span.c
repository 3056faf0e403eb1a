/* The parts of spans and buffers that are too long for a header. Appends are all or nothing. */
#include "base/span.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/assert.h"

static uint8_t fold(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool span_equal_nocase(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (uint32_t i = 0; i < a.len; i++) {
        if (fold(a.ptr[i]) != fold(b.ptr[i]))
            return false;
    }
    return true;
}

bool span_is_ascii(struct span s)
{
    for (uint32_t i = 0; i < s.len; i++) {
        if (s.ptr[i] >= 128)
            return false;
    }
    return true;
}

bool span_number(struct span s, uint64_t *out)
{
    *out = 0;
    if (s.len == 0 || s.len > 20)
        return false;
    for (uint32_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(*out, 10U, out) ||
            __builtin_add_overflow(*out, (uint64_t)s.ptr[i] - '0', out))
            *out = UINT64_MAX; /* only the 20th digit can get here */
    }
    return true;
}

bool buf_put(struct buf *b, struct span s)
{
    ASSERT(b->len <= b->cap);
    if (s.len > buf_room(b))
        return false;
    if (s.len > 0)
        memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
    return true;
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    int len;

    ASSERT(b->len <= b->cap);
    if (buf_room(b) == 0)
        return false;
    va_start(args, fmt);
    len = vsnprintf((char *)b->ptr + b->len, buf_room(b), fmt, args);
    va_end(args);
    if (len < 0 || (uint32_t)len >= buf_room(b))
        return false;
    b->len += (uint32_t)len;
    return true;
}
