/*
 * Happy path: one walk over the text. A table is walked twice: for its columns' widths, and to be
 * printed. Failure: false at the first byte that is not as it should be; what was printed stays.
 */
#include "gateway/ctl_print.h"

#include <string.h>

#define COLUMNS_MAX 48
#define NAME_WIDTH  32

struct table {
    uint32_t count;
    struct span names[COLUMNS_MAX];
    uint32_t widths[COLUMNS_MAX];
};

static void skip_space(struct span *in)
{
    while (in->len > 0 && strchr(" \t\r\n", in->ptr[0]) != NULL)
        *in = span_skip(*in, 1);
}

static bool take(struct span *in, char c)
{
    skip_space(in);
    if (in->len == 0 || in->ptr[0] != (uint8_t)c)
        return false;
    *in = span_skip(*in, 1);
    return true;
}

static bool is_next(struct span *in, char c)
{
    skip_space(in);
    return in->len > 0 && in->ptr[0] == (uint8_t)c;
}

/* A string, without its quotes and with its escapes: they are safe on a terminal. */
static bool take_string(struct span *in, struct span *out)
{
    uint32_t len = 0;

    if (!take(in, '"'))
        return false;
    while (len < in->len && in->ptr[len] != '"')
        len += in->ptr[len] == '\\' ? 2 : 1;
    if (len >= in->len)
        return false;
    *out = span_first(*in, len);
    *in = span_skip(*in, len + 1);
    return true;
}

/* A number, true, false, null or a string. */
static bool take_scalar(struct span *in, struct span *out)
{
    uint32_t len = 0;

    if (is_next(in, '"'))
        return take_string(in, out);
    while (len < in->len && strchr(",]} \n", in->ptr[len]) == NULL)
        len++;
    *out = span_first(*in, len);
    *in = span_skip(*in, len);
    return len > 0;
}

static bool take_name(struct span *in, struct span *name)
{
    return take_string(in, name) && take(in, ':');
}

/* The column of that name, new if need be; COLUMNS_MAX: there is no room. */
static uint32_t column_of(struct table *t, struct span name)
{
    uint32_t i = 0;

    while (i < t->count && !span_equal(t->names[i], name))
        i++;
    if (i == t->count && i < COLUMNS_MAX) {
        t->names[i] = name;
        t->widths[i] = name.len;
        t->count++;
    }
    return i;
}

/* One row: its values by column, widths kept up. */
static bool take_row(struct span *in, struct table *t, struct span values[COLUMNS_MAX])
{
    memset(values, 0, COLUMNS_MAX * sizeof(*values));
    if (!take(in, '{'))
        return false;
    while (!take(in, '}')) {
        struct span name, value;
        uint32_t i;

        if (!take_name(in, &name) || !take_scalar(in, &value))
            return false;
        i = column_of(t, name);
        if (i < COLUMNS_MAX) {
            values[i] = value;
            t->widths[i] = value.len > t->widths[i] ? value.len : t->widths[i];
        }
        if (!take(in, ',') && !is_next(in, '}'))
            return false;
    }
    return true;
}

static void print_row(const struct table *t, const struct span *values, FILE *out)
{
    for (uint32_t i = 0; i < t->count; i++) {
        bool end = i + 1 == t->count;
        struct span v = values[i].len > 0 ? values[i] : SPAN_LITERAL("-");

        fprintf(out, "%-*.*s%s", end ? 0 : (int)t->widths[i], (int)v.len, (const char *)v.ptr,
                end ? "\n" : "  ");
    }
}

/* Walks the rows behind "["; prints them when `out` is given. */
static bool walk_rows(struct span *in, struct table *t, FILE *out)
{
    struct span values[COLUMNS_MAX];

    while (!take(in, ']')) {
        if (!take_row(in, t, values))
            return false;
        if (out != NULL)
            print_row(t, values, out);
        if (!take(in, ',') && !is_next(in, ']'))
            return false;
    }
    return true;
}

static bool print_table(struct span *in, FILE *out)
{
    struct table t = { 0 };
    struct span first = *in;

    if (!walk_rows(&first, &t, NULL))
        return false;
    if (t.count == 0) {
        fputs("none\n", out);
    } else {
        print_row(&t, t.names, out);
    }
    return walk_rows(in, &t, out);
}

/* The members of an object, behind "{"; an object in it is a part with a heading. */
static bool print_members(struct span *in, FILE *out)
{
    while (!take(in, '}')) {
        struct span name, value;
        bool ok;

        if (!take_name(in, &name))
            return false;
        if (take(in, '{')) {
            fprintf(out, "# %.*s\n", (int)name.len, (const char *)name.ptr);
            ok = print_members(in, out);
        } else if (take(in, '[')) {
            ok = print_table(in, out);
        } else {
            ok = take_scalar(in, &value);
            if (ok)
                fprintf(out, "%-*.*s %.*s\n", NAME_WIDTH, (int)name.len, (const char *)name.ptr,
                        (int)value.len, (const char *)value.ptr);
        }
        if (!ok || (!take(in, ',') && !is_next(in, '}')))
            return false;
    }
    return true;
}

bool ctl_print(struct span text, FILE *out)
{
    if (!take(&text, '{') || !print_members(&text, out))
        return false;
    skip_space(&text);
    return text.len == 0;
}
