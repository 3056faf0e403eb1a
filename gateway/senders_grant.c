/*
 * The words are copied and cut once; an address is compared with each as it was written, since a
 * login has few, and sends not as often as a table is worth.
 */
#include "gateway/senders_grant.h"

#include <string.h>

#include "base/assert.h"
#include "base/idna.h"

/* Its domain in A-labels; `name`: where they may stand. */
static bool to_ascii(struct senders_pattern *p, char name[IDNA_BYTES])
{
    if (span_is_ascii(p->domain))
        return true;
    if (!idna_to_ascii(p->domain, name))
        return false;
    p->domain = span_str(name);
    return true;
}

static bool read_pattern(const char *word, struct span login, struct senders_pattern *p,
                         char name[IDNA_BYTES])
{
    return senders_word_pattern(word, login, p) && to_ascii(p, name);
}

/* `text` is written no further than the word ends that is being read. */
static bool read_word(const char *word, struct span login, struct senders_grant *g)
{
    size_t bytes = strlen(word) + 1;
    struct senders_pattern p;
    char name[IDNA_BYTES];
    bool good = true;

    if (strchr(word, '@') == NULL && senders_word_setting(word, &g->limits, &good))
        return good;
    if (!read_pattern(word, login, &p, name))
        return false;
    memmove(g->text + g->len, word, bytes);
    g->len += (uint32_t)bytes;
    g->patterns++;
    return true;
}

bool senders_grant_read(struct span words, struct span login, struct senders_grant *out)
{
    bool good = true;
    char *rest;
    char *word;

    memset(out, 0, sizeof(*out));
    if (words.len == 0)
        return true;
    if (words.len > LIMIT_GRANT_BYTES || memchr(words.ptr, 0, words.len) != NULL)
        return false;
    memcpy(out->text, words.ptr, words.len);
    word = strtok_r(out->text, " \t,", &rest);
    while (good && word != NULL) {
        good = read_word(word, login, out);
        word = strtok_r(NULL, " \t,", &rest);
    }
    return good;
}

bool senders_grant_may_send_as(const struct senders_grant *g, struct span login,
                               struct span mailbox)
{
    struct senders_address a;
    struct senders_pattern p;
    char name[IDNA_BYTES];
    bool may = false;

    if (!senders_word_address(mailbox, &a))
        return false;
    for (uint32_t at = 0; at < g->len && !may; at += (uint32_t)strlen(g->text + at) + 1)
        may = read_pattern(g->text + at, login, &p, name) && senders_word_fits(&p, login, &a);
    return may;
}
