/*
 * Borrowed bytes. A span owns nothing: whoever gave it says how long it lives.
 * Strings past the configuration are spans, never NUL-ended.
 */
#ifndef POSTERN_BASE_SPAN_H
#define POSTERN_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *ptr;
    uint32_t len; /* bytes */
};

/* Room to write to: `len` bytes are used of `cap`. */
struct buf {
    uint8_t *ptr;
    uint32_t len; /* bytes written */
    uint32_t cap; /* bytes of room in all */
};

#define SPAN_LITERAL(s) ((struct span){ (const uint8_t *)(s), sizeof(s) - 1 })

static inline struct span span_of(const void *ptr, uint32_t len)
{
    return (struct span){ (const uint8_t *)ptr, len };
}

/* From a NUL-ended string: configuration and tests only. */
static inline struct span span_str(const char *s)
{
    return (struct span){ (const uint8_t *)s, (uint32_t)strlen(s) };
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ASCII case folded; bytes above 127 compare as they are. */
bool span_equal_nocase(struct span a, struct span b);
bool span_is_ascii(struct span s);
/* 1*20DIGIT, all of `s`; more than 64 bits hold is UINT64_MAX. False: it is none. */
bool span_number(struct span s, uint64_t *out);

/* The part from `from` on; empty when `from` is at or past the end. */
static inline struct span span_skip(struct span s, uint32_t from)
{
    return from >= s.len ? (struct span){ s.ptr + s.len, 0 }
                         : (struct span){ s.ptr + from, s.len - from };
}

static inline struct span span_first(struct span s, uint32_t n)
{
    return (struct span){ s.ptr, n < s.len ? n : s.len };
}

static inline uint32_t buf_room(const struct buf *b)
{
    return b->cap - b->len;
}

/* Appends all of `s`, or nothing: false when there is no room. */
bool buf_put(struct buf *b, struct span s);
/* printf into the buffer, all or nothing; false when there is no room for it and a NUL, which is
 * not counted. */
bool buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
