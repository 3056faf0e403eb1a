/*
 * Happy path: a word is a setting, or an address cut at its stars; an address fits when its parts
 * do. Failure modes: said by the return value, none costs more than the word's length.
 */
#include "gateway/senders_word.h"

#include <string.h>

#include "base/assert.h"
#include "base/idna.h"
#include "gateway/config_units.h"

STATIC_ASSERT(IDNA_BYTES <= sizeof(((struct senders_address *)0)->name), "a domain fits");

/* --- Settings -------------------------------------------------------------------------------- */

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

bool senders_word_setting(const char *word, struct senders_limits *l, bool *good)
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

/* --- Addresses ------------------------------------------------------------------------------ */

/* Splits at the star. False: there are two. */
static bool read_local(struct span s, struct senders_pattern *p)
{
    const uint8_t *star = memchr(s.ptr, '*', s.len);

    p->local_star = star != NULL;
    p->local = star != NULL ? span_of(s.ptr, (uint32_t)(star - s.ptr)) : s;
    p->local_end = span_skip(s, p->local.len + 1);
    return p->local_end.len == 0 || memchr(p->local_end.ptr, '*', p->local_end.len) == NULL;
}

/* "a.b", or "*.a.b" for what is below it. */
static bool read_domain(struct span s, struct senders_pattern *p)
{
    p->domain_star = s.len > 2 && s.ptr[0] == '*' && s.ptr[1] == '.';
    p->domain = p->domain_star ? span_skip(s, 2) : s;
    return p->domain.len > 0 && memchr(p->domain.ptr, '*', p->domain.len) == NULL;
}

static struct span domain_of(struct span mailbox, struct span *local)
{
    const uint8_t *at = mailbox.len > 0 ? memrchr(mailbox.ptr, '@', mailbox.len) : NULL;

    if (at == NULL)
        return span_of(NULL, 0);
    *local = span_of(mailbox.ptr, (uint32_t)(at - mailbox.ptr));
    return span_skip(mailbox, local->len + 1);
}

bool senders_word_pattern(const char *word, struct span login, struct senders_pattern *p)
{
    struct span all = span_str(word);
    struct span local;
    struct span domain;

    *p = (struct senders_pattern){ .self = strcmp(word, "self") == 0 };
    if (p->self)
        return memchr(login.ptr, '@', login.len) != NULL || span_equal(login, SPAN_LITERAL("*"));
    if (strcmp(word, "*") == 0) {
        p->local_star = p->domain_star = true;
        return true;
    }
    domain = domain_of(all, &local);
    return domain.len > 0 && local.len > 0 && read_local(local, p) && read_domain(domain, p);
}

/* As DNS has it; "" when it has none. `name`: where that may stand. */
static struct span a_labels(struct span domain, char name[IDNA_BYTES])
{
    if (span_is_ascii(domain))
        return domain;
    return idna_to_ascii(domain, name) ? span_str(name) : span_of(NULL, 0);
}

static bool fits_local(const struct senders_pattern *p, struct span local)
{
    uint32_t fixed = p->local.len + p->local_end.len;

    if (p->local_star ? local.len < fixed : local.len != fixed)
        return false;
    return span_equal_nocase(span_first(local, p->local.len), p->local) &&
           span_equal_nocase(span_skip(local, local.len - p->local_end.len), p->local_end);
}

static bool fits_domain(const struct senders_pattern *p, struct span domain)
{
    if (!p->domain_star)
        return span_equal_nocase(domain, p->domain);
    if (p->domain.len == 0)
        return true;
    return domain.len > p->domain.len && domain.ptr[domain.len - p->domain.len - 1] == '.' &&
           span_equal_nocase(span_skip(domain, domain.len - p->domain.len), p->domain);
}

bool senders_word_address(struct span mailbox, struct senders_address *out)
{
    out->local = span_of(NULL, 0);
    out->domain = a_labels(domain_of(mailbox, &out->local), out->name);
    return out->domain.len > 0;
}

bool senders_word_fits(const struct senders_pattern *p, struct span login,
                       const struct senders_address *a)
{
    struct senders_pattern own = { .self = false };
    struct senders_address self;

    if (!p->self)
        return fits_local(p, a->local) && fits_domain(p, a->domain);
    if (!senders_word_address(login, &self))
        return false;
    own.local = self.local;
    own.domain = self.domain;
    return fits_local(&own, a->local) && fits_domain(&own, a->domain);
}
