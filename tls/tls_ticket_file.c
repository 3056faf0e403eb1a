/*
 * Happy path: two or three lines, in any order. Failure modes: a line that is none, a time or a
 * name twice, no key at all, too many: the file is refused with its line, and whoever has an older
 * one keeps it.
 */
#include "tls/tls_ticket_file.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/mem.h>

#include "base/base64.h"
#include "tls/tls_error.h"

#define LINE_BYTES_MAX 128
#define FILE_BYTES_MAX (64 * LINE_BYTES_MAX)

/* Takes a line off the front. */
static struct span take_line(struct span *text)
{
    const uint8_t *end = text->len > 0 ? memchr(text->ptr, '\n', text->len) : NULL;
    struct span line = span_first(*text, end ? (uint32_t)(end - text->ptr) : text->len);

    *text = span_skip(*text, line.len + 1);
    return line;
}

/* Takes digits and the space behind them; false: there are none, or more than a time has. */
static bool take_time(struct span *line, uint64_t *time)
{
    uint32_t len = 0;

    *time = 0;
    while (len < line->len && line->ptr[len] >= '0' && line->ptr[len] <= '9')
        *time = *time * 10 + (line->ptr[len++] - '0');
    if (len == 0 || len > 12 || len == line->len || line->ptr[len] != ' ')
        return false;
    *line = span_skip(*line, len + 1);
    return true;
}

/* NULL: fine, or no key. */
static const char *read_line(struct tls_ticket_file *f, struct span line)
{
    struct tls_ticket_file_key *to = &f->keys[f->count];

    if (line.len == 0 || line.ptr[0] == '#')
        return NULL;
    if (f->count == LIMIT_TLS_TICKET_KEYS)
        return "is one key too many: 16 are read at most";
    if (!take_time(&line, &to->from_s))
        return "must begin with the time, in seconds since 1970, from which the key seals";
    if (base64_decode(line, (uint8_t *)&to->key, sizeof(to->key)) != sizeof(to->key))
        return "must have 48 bytes in base64 behind the time, as openssl rand -base64 48 makes "
               "them";
    for (unsigned i = 0; i < f->count; i++) {
        if (f->keys[i].from_s == to->from_s)
            return "has the time of one before it";
        if (memcmp(f->keys[i].key.name, to->key.name, sizeof(to->key.name)) == 0)
            return "has the key of one before it";
    }
    f->count++;
    return NULL;
}

static int compare(const void *a, const void *b)
{
    const struct tls_ticket_file_key *x = a;
    const struct tls_ticket_file_key *y = b;

    return (x->from_s > y->from_s) - (x->from_s < y->from_s);
}

bool tls_ticket_file_parse(struct tls_ticket_file *f, const char *path, struct span text,
                           struct buf *why)
{
    uint32_t number = 0;

    f->count = 0;
    while (text.len > 0) {
        const char *fault = read_line(f, take_line(&text));

        number++;
        if (fault == NULL)
            continue;
        buf_printf(why, "%s:%u: %s", path, number, fault);
        return false;
    }
    if (f->count == 0) {
        buf_printf(why, "%s: holds no ticket key", path);
        return false;
    }
    qsort(f->keys, f->count, sizeof(f->keys[0]), compare);
    return true;
}

bool tls_ticket_file_read(struct tls_ticket_file *f, const char *path, struct buf *why)
{
    uint8_t room[FILE_BYTES_MAX + 1];
    BIO *file;
    bool good = false;
    int len;

    errno = 0;
    file = BIO_new_file(path, "r");
    if (file == NULL) {
        buf_printf(why, "%s: %s", path, strerror(errno));
        tls_error_forget();
        return false;
    }
    len = BIO_read(file, room, sizeof(room));
    BIO_free(file);
    tls_error_forget();
    if (len < 0 || len > FILE_BYTES_MAX)
        buf_printf(why, "%s: %s", path, len < 0 ? "cannot be read" : "is too large");
    else
        good = tls_ticket_file_parse(f, path, span_of(room, (uint32_t)len), why);
    OPENSSL_cleanse(room, sizeof(room));
    return good;
}

const struct tls_ticket_key *tls_ticket_file_current(const struct tls_ticket_file *f,
                                                     uint64_t unix_s)
{
    unsigned i = f->count - 1;

    while (i > 0 && f->keys[i].from_s > unix_s)
        i--;
    return &f->keys[i].key;
}

const struct tls_ticket_key *tls_ticket_file_find(const struct tls_ticket_file *f,
                                                  struct span sealed)
{
    for (unsigned i = 0; i < f->count; i++) {
        const struct tls_ticket_key *key = &f->keys[i].key;

        if (span_equal(span_first(sealed, sizeof(key->name)),
                       span_of(key->name, sizeof(key->name))))
            return key;
    }
    return NULL;
}
