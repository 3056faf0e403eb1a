/*
 * Happy path: read, cut into words, sort by login, find by halves; a login's patterns stand behind
 * each other and are tried in turn. Failure modes: a word that is neither an address nor a setting:
 * the whole file is refused, each fault with its line.
 */
#include "gateway/senders.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/idna.h"
#include "base/limits.h"
#include "gateway/slurp.h"

struct pattern {
    struct senders_pattern word;
    char *ascii; /* its domain in A-labels, if the file has others */
};

struct grant {
    struct span login;
    uint32_t first; /* in patterns */
    uint32_t count;
    uint32_t line;
    struct senders_limits limits;
};

struct senders {
    _Atomic uint32_t references;
    char *text;           /* the file, words ended by NUL */
    struct grant *grants; /* sorted by login */
    uint32_t grant_count;
    struct pattern *patterns;
    uint32_t pattern_count;
    const struct grant *rest; /* of everybody else */
};

/* Of everybody, where the file says nothing. */
static const struct senders_pattern self_alone = { .self = true };
static const struct grant of_nobody;

struct reader {
    struct senders *table;
    const char *path;
    struct buf *errors;
    uint32_t faults;
    uint32_t line;
};

static void fault(struct reader *r, uint32_t line, const char *word, const char *sentence)
{
    r->faults++;
    buf_printf(r->errors, "%s:%u: %s %s\n", r->path, line, word, sentence);
}

/* --- Lines ----------------------------------------------------------------------------------- */

/* To A-labels, where it has others. */
static bool to_ascii(struct pattern *p)
{
    char name[IDNA_BYTES];

    if (span_is_ascii(p->word.domain))
        return true;
    if (!idna_to_ascii(p->word.domain, name))
        return false;
    p->ascii = strdup(name);
    if (p->ascii == NULL)
        return false;
    p->word.domain = span_str(p->ascii);
    return true;
}

static bool read_pattern(const char *word, struct span login, struct pattern *p)
{
    return senders_word_pattern(word, login, &p->word) && to_ascii(p);
}

static void read_word(struct reader *r, struct grant *g, const char *word)
{
    struct pattern *p = &r->table->patterns[r->table->pattern_count];
    bool good = true;

    if (strchr(word, '@') == NULL && senders_word_setting(word, &g->limits, &good)) {
        if (!good)
            fault(r, r->line, word, "must have a number behind it, like messages=500/1h");
    } else if (read_pattern(word, g->login, p)) {
        r->table->pattern_count++;
        g->count++;
    } else {
        fault(r, r->line, word, "must be an address, self, * or a setting");
    }
}

static void read_line(struct reader *r, char *line)
{
    static const char blanks[] = " \t\r";
    struct senders *t = r->table;
    struct grant *g = &t->grants[t->grant_count];
    char *rest;
    char *word = strtok_r(line, blanks, &rest);

    if (word == NULL || word[0] == '#')
        return;
    if (strlen(word) > LIMIT_LOGIN_BYTES) {
        fault(r, r->line, "the login", "must have 1 to 256 bytes");
        return;
    }
    *g = (struct grant){ .login = span_str(word), .first = t->pattern_count, .line = r->line };
    while ((word = strtok_r(NULL, blanks, &rest)) != NULL)
        read_word(r, g, word);
    t->grant_count++;
}

static int compare_logins(struct span a, struct span b)
{
    uint32_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_grants(const void *a, const void *b)
{
    return compare_logins(((const struct grant *)a)->login, ((const struct grant *)b)->login);
}

static const struct grant *find(const struct senders *t, struct span login)
{
    const struct grant key = { .login = login };

    return t->grant_count == 0
               ? NULL
               : bsearch(&key, t->grants, t->grant_count, sizeof(key), compare_grants);
}

static void check_twins(struct reader *r)
{
    const struct senders *t = r->table;

    for (uint32_t i = 1; i < t->grant_count; i++) {
        const struct grant *a = &t->grants[i - 1];
        const struct grant *b = &t->grants[i];

        if (span_equal(a->login, b->login))
            fault(r, a->line > b->line ? a->line : b->line, "the login",
                  "is there already: one line each");
    }
}

static void read_lines(struct reader *r, char *text)
{
    struct senders *t = r->table;

    while (text != NULL) {
        char *end = strchr(text, '\n');

        if (end != NULL)
            *end++ = '\0';
        r->line++;
        read_line(r, text);
        text = end;
    }
    if (t->grant_count > 0)
        qsort(t->grants, t->grant_count, sizeof(t->grants[0]), compare_grants);
    check_twins(r);
    t->rest = find(t, SPAN_LITERAL("*"));
}

/* --- Tables ---------------------------------------------------------------------------------- */

static void free_table(struct senders *t)
{
    for (uint32_t i = 0; t->patterns != NULL && i < t->pattern_count; i++)
        free(t->patterns[i].ascii);
    free(t->text);
    free(t->grants);
    free(t->patterns);
    free(t);
}

/* Room for as many lines and words as the text can have. */
static struct senders *create(struct span text)
{
    struct senders *t = calloc(1, sizeof(*t));
    size_t lines = 1;
    size_t words = 1;

    if (t == NULL)
        return NULL;
    for (uint32_t i = 0; i < text.len; i++) {
        lines += text.ptr[i] == '\n';
        words += text.ptr[i] <= ' ';
    }
    atomic_init(&t->references, 1);
    t->text = malloc((size_t)text.len + 1);
    t->grants = calloc(lines, sizeof(t->grants[0]));
    t->patterns = calloc(words, sizeof(t->patterns[0]));
    if (t->text == NULL || t->grants == NULL || t->patterns == NULL) {
        free_table(t);
        return NULL;
    }
    if (text.len > 0)
        memcpy(t->text, text.ptr, text.len);
    t->text[text.len] = '\0';
    return t;
}

struct senders *senders_parse(const char *path, struct span text, struct buf *errors)
{
    struct reader r = { .path = path, .errors = errors };

    if (text.len > 0 && memchr(text.ptr, 0, text.len) != NULL) {
        buf_printf(errors, "%s: has a NUL: it is no text\n", path);
        return NULL;
    }
    r.table = create(text);
    if (r.table == NULL) {
        buf_printf(errors, "%s: not enough memory\n", path);
        return NULL;
    }
    read_lines(&r, r.table->text);
    if (r.faults == 0)
        return r.table;
    free_table(r.table);
    return NULL;
}

struct senders *senders_load(const char *path, struct buf *errors)
{
    struct senders *t;
    struct span text;

    if (!slurp_file(path, LIMIT_USERS_BYTES, &text, errors))
        return NULL;
    t = senders_parse(path, text, errors);
    slurp_free(text);
    return t;
}

struct senders *senders_ref(struct senders *t)
{
    atomic_fetch_add_explicit(&t->references, 1, memory_order_relaxed);
    return t;
}

void senders_release(struct senders *t)
{
    if (t != NULL && atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) == 1)
        free_table(t);
}

/* --- Answers --------------------------------------------------------------------------------- */

static const struct grant *grant_of(const struct senders *t, struct span login)
{
    const struct grant *g = find(t, login);

    if (g == NULL)
        g = t->rest;
    return g != NULL ? g : &of_nobody;
}

const struct senders_limits *senders_limits_of(const struct senders *t, struct span login)
{
    return &grant_of(t, login)->limits;
}

bool senders_may_send_as(const struct senders *t, struct span login, struct span mailbox)
{
    const struct grant *g = grant_of(t, login);
    struct senders_address a;

    if (!senders_word_address(mailbox, &a))
        return false;
    /* A line of settings alone says nothing about addresses. */
    if (g->count == 0)
        return senders_word_fits(&self_alone, login, &a);
    for (uint32_t i = 0; i < g->count; i++) {
        if (senders_word_fits(&t->patterns[g->first + i].word, login, &a))
            return true;
    }
    return false;
}
