/*
 * Text to a frozen struct: read, value by value; then what values mean together; then files. A
 * stage runs only when the one before found no fault, since its findings would be about values that
 * are not there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/config_read.h"
#include "gateway/config_value.h"
#include "gateway/slurp.h"

static bool read_text(struct config_read *r, struct span text)
{
    static const struct config_key path = { .kind = CONFIG_TEXT,
                                            .offset = offsetof(struct config, path) };
    uint8_t sentence[CONFIG_WHY_MAX];
    struct buf why = { sentence, 0, sizeof(sentence) };

    r->config = calloc(1, sizeof(*r->config));
    if (r->config == NULL || !config_value_set(&path, r->config, r->config, r->path, &why)) {
        config_read_fault(r, 0, "memory is short, or the file's name is not printable");
        return false;
    }
    config_read_text(r, text);
    if (r->faults == 0)
        config_check_sense(r);
    return r->faults == 0;
}

static struct config *finish(struct config_read *r, bool good)
{
    if (good)
        return r->config;
    config_free(r->config);
    return NULL;
}

struct config *config_parse(const char *path, struct span text, struct buf *errors)
{
    struct config_read r = { .path = path, .errors = errors };

    return finish(&r, read_text(&r, text));
}

/* Where the file names none. */
static bool find_hostname(struct config_read *r)
{
    static const struct config_key key = { .kind = CONFIG_HOSTNAME,
                                           .offset = offsetof(struct config, hostname) };
    char name[256] = "";
    uint8_t sentence[CONFIG_WHY_MAX];
    struct buf why = { sentence, 0, sizeof(sentence) };

    if (r->config->hostname[0] != 0)
        return true;
    if (gethostname(name, sizeof(name) - 1) == 0 && name[0] != 0 &&
        config_value_set(&key, r->config, r->config, name, &why))
        return true;
    config_read_fault(r, 0, "hostname is not given, and the machine has no proper one: give it");
    return false;
}

struct config *config_load(const char *path, struct buf *errors)
{
    struct config_read r = { .path = path, .errors = errors };
    struct span text;
    bool good;

    if (!slurp_file(path, LIMIT_CONFIG_BYTES, &text, errors))
        return NULL;
    good = read_text(&r, text) && find_hostname(&r);
    if (good)
        config_check_files(&r);
    slurp_free(text);
    return finish(&r, good && r.faults == 0);
}

void config_free(struct config *c)
{
    if (c == NULL)
        return;
    config_value_free_texts(c);
    free(c);
}
