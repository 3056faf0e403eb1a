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
#include "gateway/config_units.h"
#include "gateway/slurp.h"

/* A star stands for any bytes, none too. */
struct pattern {
    struct span local; /* in front of its star, or all of it */
    struct span local_end;
    struct span domain; /* behind "*.", or all of it, in A-labels; behind "*": "" */
    char *ascii;        /* where they stand, if the file has others */
    bool local_star;
    bool domain_star;
    bool self; /* the login; all else is empty then */
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
static const struct pattern self_alone = { .self = true };
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

/* --- Words ----------------------------------------------------------------------------------- */

static bool read_count(const char *text, uint32_t *out)
{
    uint64_t n;

    if (!config_units_parse(CONFIG_UNITS_NONE, text, &n) || n == 0 || n > UINT32_MAX)
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool read_size(const char *text, uint64_t *out)
{
    return config_units_parse(CONFIG_UNITS_BYTES, text, out) && *out > 0;
}

/* "name=value": true when the name is known; *good: so is the value. */
static bool read_setting(const char *word, struct senders_limits *l, bool *good)
{
    static const char *const rates[SMTP_USE_COUNT] = { "messages=", "recipients=", "bytes=" };

    for (uint32_t i = 0; i < SMTP_USE_COUNT; i++) {
        size_t len = strlen(rates[i]);

        if (strncmp(word, rates[i], len) != 0)
            continue;
        *good =
            config_units_parse_rate(i == SMTP_USE_BYTES ? CONFIG_UNITS_BYTES : CONFIG_UNITS_NONE,
                                    word + len, &l->rates[i]) &&
            l->rates[i].amount > 0;
        return true;
    }
    if (strncmp(word, "sessions=", 9) == 0)
        *good = read_count(word + 9, &l->sessions);
    else if (strncmp(word, "rcpt=", 5) == 0)
        *good = read_count(word + 5, &l->recipients);
    else if (strncmp(word, "size=", 5) == 0)
        *good = read_size(word + 5, &l->message_bytes);
    else
        return false;
    return true;
}

/* Splits at the star. False: there are two. */
static bool read_local(struct span s, struct pattern *p)
{
    const uint8_t *star = memchr(s.ptr, '*', s.len);

    p->local_star = star != NULL;
    p->local = star != NULL ? span_of(s.ptr, (uint32_t)(star - s.ptr)) : s;
    p->local_end = span_skip(s, p->local.len + 1);
    return p->local_end.len == 0 || memchr(p->local_end.ptr, '*', p->local_end.len) == NULL;
}

/* To A-labels, where it has others. */
static bool to_ascii(struct pattern *p)
{
    char name[IDNA_BYTES];

    if (span_is_ascii(p->domain))
        return true;
    if (!idna_to_ascii(p->domain, name))
        return false;
    p->ascii = strdup(name);
    if (p->ascii == NULL)
        return false;
    p->domain = span_str(p->ascii);
    return true;
}

/* "a.b", or "*.a.b" for what is below it. */
static bool read_domain(struct span s, struct pattern *p)
{
    p->domain_star = s.len > 2 && s.ptr[0] == '*' && s.ptr[1] == '.';
    p->domain = p->domain_star ? span_skip(s, 2) : s;
    return p->domain.len > 0 && memchr(p->domain.ptr, '*', p->domain.len) == NULL && to_ascii(p);
}

static struct span domain_of(struct span mailbox, struct span *local)
{
    const uint8_t *at = mailbox.len > 0 ? memrchr(mailbox.ptr, '@', mailbox.len) : NULL;

    if (at == NULL)
        return span_of(NULL, 0);
    *local = span_of(mailbox.ptr, (uint32_t)(at - mailbox.ptr));
    return span_skip(mailbox, local->len + 1);
}

static bool read_pattern(const char *word, struct span login, struct pattern *p)
{
    struct span all = span_str(word);
    struct span local;
    struct span domain;

    *p = (struct pattern){ .self = strcmp(word, "self") == 0 };
    if (p->self)
        return memchr(login.ptr, '@', login.len) != NULL || span_equal(login, SPAN_LITERAL("*"));
    if (strcmp(word, "*") == 0) {
        p->local_star = p->domain_star = true;
        return true;
    }
    domain = domain_of(all, &local);
    return domain.len > 0 && local.len > 0 && read_local(local, p) && read_domain(domain, p);
}

/* --- Lines ----------------------------------------------------------------------------------- */

static void read_word(struct reader *r, struct grant *g, const char *word)
{
    struct pattern *p = &r->table->patterns[r->table->pattern_count];
    bool good = true;

    if (strchr(word, '@') == NULL && read_setting(word, &g->limits, &good)) {
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

/* As DNS has it; "" when it has none. `name`: where that may stand. */
static struct span a_labels(struct span domain, char name[IDNA_BYTES])
{
    if (span_is_ascii(domain))
        return domain;
    return idna_to_ascii(domain, name) ? span_str(name) : span_of(NULL, 0);
}

static bool fits_local(const struct pattern *p, struct span local)
{
    uint32_t fixed = p->local.len + p->local_end.len;

    if (p->local_star ? local.len < fixed : local.len != fixed)
        return false;
    return span_equal_nocase(span_first(local, p->local.len), p->local) &&
           span_equal_nocase(span_skip(local, local.len - p->local_end.len), p->local_end);
}

static bool fits_domain(const struct pattern *p, struct span domain)
{
    if (!p->domain_star)
        return span_equal_nocase(domain, p->domain);
    if (p->domain.len == 0)
        return true;
    return domain.len > p->domain.len && domain.ptr[domain.len - p->domain.len - 1] == '.' &&
           span_equal_nocase(span_skip(domain, domain.len - p->domain.len), p->domain);
}

static bool fits(const struct pattern *p, struct span login, struct span local, struct span domain)
{
    struct pattern own = { .self = false };
    char name[IDNA_BYTES];

    if (!p->self)
        return fits_local(p, local) && fits_domain(p, domain);
    own.domain = a_labels(domain_of(login, &own.local), name);
    if (own.domain.len == 0)
        return false;
    return fits_local(&own, local) && fits_domain(&own, domain);
}

bool senders_may_send_as(const struct senders *t, struct span login, struct span mailbox)
{
    const struct grant *g = grant_of(t, login);
    struct span local = { NULL, 0 };
    struct span domain = domain_of(mailbox, &local);
    char name[IDNA_BYTES];

    domain = a_labels(domain, name);
    if (domain.len == 0)
        return false;
    /* A line of settings alone says nothing about addresses. */
    if (g->count == 0)
        return fits(&self_alone, login, local, domain);
    for (uint32_t i = 0; i < g->count; i++) {
        if (fits(&t->patterns[g->first + i], login, local, domain))
            return true;
    }
    return false;
}
