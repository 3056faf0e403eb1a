/*
 * A ring of whole lines. The writer builds a line in the next free slot and publishes it by moving
 * `head`; the reader prints it and moves `tail`.
 *
 * Failure modes: no free slot: the line is dropped and LOG_DROPPED counted; a line too long: the
 * value that does not fit is cut and ends in "...", and the fields after it are left out.
 */
#include "base/log.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/civil.h"

/* Kept free at the end of a line: `..."`, or ` ...`, and the newline. */
#define TAIL_BYTES 5

struct log_line {
    uint32_t len;
    bool cut; /* something did not fit; nothing more is added */
    char text[LOG_LINE_MAX];
};

struct log {
    _Alignas(64) _Atomic uint32_t head; /* next to write; the writer's */
    _Alignas(64) _Atomic uint32_t tail; /* next to read; the reader's */
    _Alignas(64) const struct clock *clock;
    struct counters *counters;
    struct log_line *building; /* between log_begin and log_end */
    enum log_level least;
    uint32_t mask;
    struct log_line slots[];
};

struct log *log_create(uint32_t slots, enum log_level least, const struct clock *clock,
                       struct counters *counters)
{
    struct log *l;
    size_t bytes = sizeof(*l) + (size_t)slots * sizeof(l->slots[0]);

    ASSERT(slots > 0);
    ASSERT((slots & (slots - 1)) == 0);
    l = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    if (l == NULL)
        return NULL;
    *l = (struct log){ .clock = clock, .counters = counters, .least = least, .mask = slots - 1 };
    return l;
}

void log_destroy(struct log *l)
{
    free(l);
}

/* Appends all or nothing, and never into the tail. */
static bool put(struct log_line *line, const char *text, uint32_t len)
{
    if (len > LOG_LINE_MAX - TAIL_BYTES - line->len)
        return false;
    memcpy(line->text + line->len, text, len);
    line->len += len;
    return true;
}

static void put_mark(struct log_line *line, const char *mark)
{
    uint32_t len = (uint32_t)strlen(mark);

    ASSERT(line->len + len < LOG_LINE_MAX);
    memcpy(line->text + line->len, mark, len);
    line->len += len;
    line->cut = true;
}

static bool is_bare(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("-._:/@+,", c) != NULL);
}

static bool is_bare_value(struct span value)
{
    for (uint32_t i = 0; i < value.len; i++) {
        if (!is_bare(value.ptr[i]))
            return false;
    }
    return value.len > 0;
}

/* One byte of a quoted value. What is not printable ASCII becomes \xNN, so a line stays one line.
 */
static bool put_escaped(struct log_line *line, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    char text[4] = { '\\', 'x', hex[c >> 4], hex[c & 15] };

    if (c < 0x20 || c >= 0x7f)
        return put(line, text, 4);
    text[1] = (char)c;
    return c == '"' || c == '\\' ? put(line, text, 2) : put(line, text + 1, 1);
}

static void put_quoted(struct log_line *line, struct span value)
{
    for (uint32_t i = 0; i < value.len; i++) {
        if (!put_escaped(line, value.ptr[i])) {
            put_mark(line, "...\"");
            return;
        }
    }
    if (!put(line, "\"", 1))
        put_mark(line, "...\"");
}

static void put_bare(struct log_line *line, struct span value)
{
    uint32_t room = LOG_LINE_MAX - TAIL_BYTES - line->len;
    struct span part = span_first(value, room);

    put(line, (const char *)part.ptr, part.len);
    if (part.len < value.len)
        put_mark(line, "...");
}

void log_span(struct log_line *line, const char *key, struct span value)
{
    uint32_t before;
    bool bare;

    if (line == NULL || line->cut)
        return;
    before = line->len;
    bare = is_bare_value(value);
    if ((before > 0 && !put(line, " ", 1)) || !put(line, key, (uint32_t)strlen(key)) ||
        !put(line, bare ? "=" : "=\"", bare ? 1 : 2)) {
        line->len = before;
        put_mark(line, " ...");
        return;
    }
    if (bare)
        put_bare(line, value);
    else
        put_quoted(line, value);
}

void log_str(struct log_line *line, const char *key, const char *value)
{
    log_span(line, key, span_str(value));
}

void log_u64(struct log_line *line, const char *key, uint64_t value)
{
    uint8_t digits[20];
    uint32_t at = sizeof(digits);

    do {
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    log_span(line, key, span_of(digits + at, (uint32_t)sizeof(digits) - at));
}

static void put_digits(char *to, uint32_t width, uint64_t value)
{
    while (width > 0) {
        to[--width] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* RFC 3339, UTC, milliseconds. */
static void put_time(struct log_line *line, uint64_t unix_ms)
{
    char text[] = "0000-00-00T00:00:00.000Z";
    struct civil at;

    civil_from_unix(unix_ms / 1000, &at);
    put_digits(text, 4, at.year);
    put_digits(text + 5, 2, at.month);
    put_digits(text + 8, 2, at.day);
    put_digits(text + 11, 2, at.hour);
    put_digits(text + 14, 2, at.minute);
    put_digits(text + 17, 2, at.second);
    put_digits(text + 20, 3, unix_ms % 1000);
    log_span(line, "time", span_of(text, sizeof(text) - 1));
}

struct log_line *log_begin(struct log *l, enum log_level level, const char *event)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    uint32_t head = atomic_load_explicit(&l->head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&l->tail, memory_order_acquire);
    struct log_line *line = &l->slots[head & l->mask];

    ASSERT(l->building == NULL);
    if (level < l->least)
        return NULL;
    if (head - tail > l->mask) {
        counter_inc(l->counters, COUNTER_LOG_DROPPED);
        return NULL;
    }
    line->len = 0;
    line->cut = false;
    l->building = line;
    put_time(line, l->clock->unix_ms);
    log_str(line, "level", names[level]);
    log_str(line, "event", event);
    return line;
}

void log_end(struct log *l, struct log_line *line)
{
    uint32_t head = atomic_load_explicit(&l->head, memory_order_relaxed);

    if (line == NULL)
        return;
    ASSERT(line == l->building);
    ASSERT(line->len < LOG_LINE_MAX);
    line->text[line->len++] = '\n';
    l->building = NULL;
    atomic_store_explicit(&l->head, head + 1, memory_order_release);
}

struct span log_peek(struct log *l)
{
    uint32_t tail = atomic_load_explicit(&l->tail, memory_order_relaxed);
    uint32_t head = atomic_load_explicit(&l->head, memory_order_acquire);
    const struct log_line *line = &l->slots[tail & l->mask];

    return head == tail ? span_of(NULL, 0) : span_of(line->text, line->len);
}

void log_pop(struct log *l)
{
    uint32_t tail = atomic_load_explicit(&l->tail, memory_order_relaxed);

    ASSERT(tail != atomic_load_explicit(&l->head, memory_order_acquire));
    atomic_store_explicit(&l->tail, tail + 1, memory_order_release);
}
