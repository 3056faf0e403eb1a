/*
 * libconfuse's parser, filled from the table of keys. All values are strings to it; each is looked
 * at as soon as it is read, since only then its line is known. Wrong values are gathered; what
 * libconfuse itself finds (syntax, unknown keys) ends the reading.
 *
 * libconfuse takes the end of the file for the end of every open block and comment. So a line is
 * put behind the text: if it is not read as a key of the root, something was left open.
 */
#include "gateway/config_read.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "gateway/config_value.h"

/* Of a listener with STARTTLS that names none (RFC 6409, 3.1); the table has that of the others. */
#define SUBMISSION_PORT 587

#define END_KEY  "end-of-configuration"
#define END_TEXT "\n" END_KEY "=yes\n"

/* libconfuse hands callbacks no pointer of ours, and its scanner is global anyway. */
static struct config_read *reading;

void config_read_fault(struct config_read *r, uint32_t line, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    r->faults++;
    /* What has no room is missing from the list, never from the count. */
    if (line == 0)
        buf_printf(r->errors, "%s: %s\n", r->path, text);
    else
        buf_printf(r->errors, "%s:%u: %s\n", r->path, line, text);
}

static const struct config_key *find_key(enum config_section section, const char *name,
                                         uint32_t *index)
{
    for (*index = 0; *index < config_key_count(); ++*index) {
        const struct config_key *k = config_key_at(*index);

        if (k->section == section && strcmp(k->name, name) == 0)
            return k;
    }
    return NULL;
}

uint32_t config_read_line(const struct config_read *r, enum config_section section,
                          const char *name)
{
    uint32_t index;
    const struct config_key *k = find_key(section, name, &index);

    ASSERT(k != NULL);
    return r->lines[index];
}

/* END_TEXT's lines are not the user's. */
static uint32_t line_of(const cfg_t *cfg)
{
    return (uint32_t)cfg->line < reading->line_last ? (uint32_t)cfg->line : reading->line_last;
}

static enum config_section section_named(const char *name)
{
    for (enum config_section s = CONFIG_LOG; s < CONFIG_SECTIONS; s++) {
        if (strcmp(config_key_section_name(s), name) == 0)
            return s;
    }
    return CONFIG_ROOT; /* libconfuse's own name of it is "root" */
}

/* NULL: more blocks than there is room for, which end_block reports. */
static void *open_base(struct config_read *r, enum config_section section)
{
    return config_key_base(r->config, section, r->blocks[section]);
}

static void set_value(const struct config_key *k, uint32_t line, const char *text)
{
    struct config_read *r = reading;
    void *base = open_base(r, k->section);
    uint8_t sentence[CONFIG_WHY_MAX];
    struct buf why = { sentence, 0, sizeof(sentence) };

    if (base != NULL && !config_value_set(k, r->config, base, text, &why))
        config_read_fault(r, line, "%s = \"%s\": %.*s", k->name, text, (int)why.len, sentence);
}

/* After each value of a key; of a list also after its end, so lists wait for the end of their
 * block. */
static int key_given(cfg_t *cfg, cfg_opt_t *opt)
{
    uint32_t index;
    const struct config_key *k = find_key(section_named(cfg->name), opt->name, &index);
    uint32_t line = line_of(cfg);
    const char *text;

    ASSERT(k != NULL);
    if (!config_key_is_list(k)) {
        text = cfg_opt_getstr(opt);
        if (text != NULL && strcmp(text, END_KEY) == 0) {
            config_read_fault(reading, line_of(cfg), "%s = is the end: its value is missing",
                              k->name);
            return -1;
        }
        if (reading->lines[index] != 0)
            config_read_fault(reading, line, "%s is given twice, first in line %u: once is right",
                              k->name, reading->lines[index]);
        set_value(k, line, text == NULL ? "" : text);
    }
    reading->lines[index] = line;
    return 0;
}

static void set_list(cfg_t *block, const struct config_key *k, uint32_t line)
{
    cfg_opt_t *opt = cfg_getopt(block, k->name);
    uint32_t count = line == 0 ? 0 : cfg_opt_size(opt);

    for (uint32_t i = 0; i < count; i++) {
        const char *text = cfg_opt_getnstr(opt, i);

        set_value(k, line, text == NULL ? "" : text);
    }
}

/* Keys that a block did not give; and its lists. */
static void finish_keys(enum config_section section, cfg_t *block, uint32_t line)
{
    struct config_read *r = reading;
    void *base = open_base(r, section);

    for (uint32_t i = 0; base != NULL && i < config_key_count(); i++) {
        const struct config_key *k = config_key_at(i);

        if (k->section != section)
            continue;
        if (config_key_is_list(k) && block != NULL)
            set_list(block, k, r->lines[i]);
        if (r->lines[i] == 0 && !config_value_set_default(k, r->config, base))
            config_read_fault(r, line, "%s without %s: it must be given, since no default fits",
                              config_key_section_name(section), k->name);
    }
}

/* Keys may come again in the next block of the same name. */
static void forget_lines(struct config_read *r, enum config_section section)
{
    for (uint32_t i = 0; i < config_key_count(); i++) {
        if (config_key_at(i)->section == section)
            r->lines[i] = 0;
    }
}

static void end_listener(struct config_read *r, cfg_t *block, uint32_t line)
{
    struct config_listener *l = open_base(r, CONFIG_LISTENER);
    const char *title = cfg_title(block);
    struct config_key name = { .kind = CONFIG_TEXT, .least = 1, .most = 63 };
    uint8_t sentence[CONFIG_WHY_MAX];
    struct buf why = { sentence, 0, sizeof(sentence) };

    if (l == NULL) {
        config_read_fault(r, line, "more than %u listeners", LIMIT_LISTENERS);
        return;
    }
    name.offset = offsetof(struct config_listener, name);
    if (!config_value_set(&name, r->config, l, title == NULL ? "" : title, &why))
        config_read_fault(r, line, "a listener's name %.*s", (int)why.len, sentence);
    if (l->tls == CONFIG_LISTENER_STARTTLS && config_read_line(r, CONFIG_LISTENER, "port") == 0)
        l->port = SUBMISSION_PORT;
    l->line = line;
    r->config->listener_count++;
    forget_lines(r, CONFIG_LISTENER);
}

static void end_certificate(struct config_read *r, uint32_t line)
{
    struct config_certificate *c = open_base(r, CONFIG_CERTIFICATE);

    if (c == NULL) {
        config_read_fault(r, line, "more than %u certificates", LIMIT_CERTIFICATES);
        return;
    }
    c->line = line;
    r->config->tls.certificate_count++;
    forget_lines(r, CONFIG_CERTIFICATE);
}

/* At the } of a block; `opt` is the block in its parent, and cfg->line the line of the }. */
static int end_block(cfg_t *cfg, cfg_opt_t *opt)
{
    struct config_read *r = reading;
    enum config_section section = section_named(opt->name);
    cfg_t *block = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    uint32_t line = line_of(cfg);
    bool many = section == CONFIG_LISTENER || section == CONFIG_CERTIFICATE;

    finish_keys(section, block, line);
    if (section == CONFIG_LISTENER)
        end_listener(r, block, line);
    if (section == CONFIG_CERTIFICATE)
        end_certificate(r, line);
    if (section == CONFIG_DEVICE)
        r->config->device.present = true;
    if (!many && r->blocks[section] > 0)
        config_read_fault(r, line, "%s is there twice: put both into one block", opt->name);
    r->blocks[section]++;
    return 0;
}

static int end_of_text(cfg_t *cfg, cfg_opt_t *opt)
{
    (void)cfg;
    (void)opt;
    reading->complete = true;
    return 0;
}

/* What may stand in a block, for somebody who wrote something else. */
static void list_known(enum config_section section, struct buf *out)
{
    for (uint32_t i = 0; i < config_key_count(); i++) {
        const struct config_key *k = config_key_at(i);

        if (k->section == section)
            buf_printf(out, "%s%s", out->len == 0 ? "" : ", ", k->name);
    }
    for (enum config_section s = CONFIG_LOG; s < CONFIG_SECTIONS; s++) {
        bool inside = s == CONFIG_CERTIFICATE ? section == CONFIG_TLS : section == CONFIG_ROOT;

        if (inside)
            buf_printf(out, "%s%s {}", out->len == 0 ? "" : ", ", config_key_section_name(s));
    }
}

static void unknown_key(cfg_t *cfg, const char *said)
{
    uint8_t text[512];
    struct buf known = { text, 0, sizeof(text) };
    enum config_section section = section_named(cfg->name);

    if (strstr(said, "'" END_KEY "'") != NULL) {
        config_read_fault(reading, line_of(cfg),
                          "the file ends inside the block %s: a } is missing", cfg->name);
        return;
    }
    list_known(section, &known);
    config_read_fault(reading, line_of(cfg), "%s in %s; known there: %.*s", said,
                      section == CONFIG_ROOT ? "the file" : cfg->name, (int)known.len, text);
}

__attribute__((format(printf, 2, 0))) static void parser_fault(cfg_t *cfg, const char *fmt,
                                                               va_list args)
{
    char said[256];

    vsnprintf(said, sizeof(said), fmt, args);
    if (strncmp(said, "no such option", 14) == 0)
        unknown_key(cfg, said);
    else if (strncmp(said, "found duplicate title", 21) == 0)
        config_read_fault(reading, line_of(cfg), "%s: each listener has a name of its own", said);
    else if (strcmp(said, "premature end of file") == 0)
        config_read_fault(reading, line_of(cfg), "%s: a quote or a value is not ended", said);
    else
        config_read_fault(reading, line_of(cfg), "%s", said);
}

static cfg_opt_t make_block(enum config_section section, cfg_opt_t *inside)
{
    cfg_flag_t flags = CFGF_NODEFAULT;

    if (section == CONFIG_LISTENER)
        flags = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;
    if (section == CONFIG_CERTIFICATE)
        flags = CFGF_MULTI;
    return (cfg_opt_t){ .name = config_key_section_name(section),
                        .type = CFGT_SEC,
                        .flags = flags,
                        .subopts = inside,
                        .validcb = end_block };
}

static uint32_t make_keys(enum config_section section, cfg_opt_t *to)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < config_key_count(); i++) {
        const struct config_key *k = config_key_at(i);

        if (k->section == section)
            to[count++] =
                (cfg_opt_t){ .name = k->name,
                             .type = CFGT_STR,
                             .flags = CFGF_NODEFAULT | (config_key_is_list(k) ? CFGF_LIST : 0),
                             .validcb = key_given };
    }
    return count;
}

/* libconfuse copies all of this. */
struct grammar {
    cfg_opt_t block[CONFIG_SECTIONS][CONFIG_KEYS_MAX + CONFIG_SECTIONS + 2];
};

static cfg_t *make_parser(struct grammar *g)
{
    uint32_t count[CONFIG_SECTIONS];
    cfg_t *parser;

    memset(g, 0, sizeof(*g));
    for (enum config_section s = CONFIG_ROOT; s < CONFIG_SECTIONS; s++)
        count[s] = make_keys(s, g->block[s]);
    g->block[CONFIG_TLS][count[CONFIG_TLS]] =
        make_block(CONFIG_CERTIFICATE, g->block[CONFIG_CERTIFICATE]);
    for (enum config_section s = CONFIG_LOG; s < CONFIG_SECTIONS; s++) {
        if (s != CONFIG_CERTIFICATE)
            g->block[CONFIG_ROOT][count[CONFIG_ROOT]++] = make_block(s, g->block[s]);
    }
    g->block[CONFIG_ROOT][count[CONFIG_ROOT]] = (cfg_opt_t){
        .name = END_KEY, .type = CFGT_STR, .flags = CFGF_NODEFAULT, .validcb = end_of_text
    };
    parser = cfg_init(g->block[CONFIG_ROOT], CFGF_NONE);
    if (parser != NULL)
        cfg_set_error_function(parser, parser_fault);
    return parser;
}

static void parse(struct config_read *r, cfg_t *parser, FILE *file)
{
    uint32_t before = r->faults;
    int rc;

    parser->filename = strdup(r->path);
    rc = cfg_parse_fp(parser, file);
    if (rc != CFG_SUCCESS && r->faults == before)
        config_read_fault(r, 0, "cannot be read to its end");
    else if (rc == CFG_SUCCESS && !r->complete)
        config_read_fault(r, 0, "the file ends inside a comment: a */ is missing");
}

/* Blocks that the file does not have, with their defaults. */
static void finish_blocks(struct config_read *r)
{
    for (enum config_section s = CONFIG_ROOT; s < CONFIG_SECTIONS; s++) {
        bool optional = s == CONFIG_DEVICE || s == CONFIG_LISTENER || s == CONFIG_CERTIFICATE;

        if (!optional && r->blocks[s] == 0)
            finish_keys(s, NULL, 0);
    }
}

static char *with_end(struct span text, size_t *len)
{
    char *all = malloc((size_t)text.len + sizeof(END_TEXT));

    if (all == NULL)
        return NULL;
    memcpy(all, text.ptr, text.len);
    memcpy(all + text.len, END_TEXT, sizeof(END_TEXT));
    *len = text.len + sizeof(END_TEXT) - 1;
    return all;
}

static uint32_t last_line(struct span text)
{
    uint32_t lines = 1;

    for (uint32_t i = 0; i + 1 < text.len; i++)
        lines += text.ptr[i] == '\n';
    return lines;
}

void config_read_text(struct config_read *r, struct span text)
{
    struct grammar *grammar = malloc(sizeof(*grammar));
    cfg_t *parser = grammar == NULL ? NULL : make_parser(grammar);
    size_t len = 0;
    char *all = with_end(text, &len);
    FILE *file = all == NULL ? NULL : fmemopen(all, len, "r");

    ASSERT(reading == NULL);
    r->line_last = last_line(text);
    reading = r;
    if (memchr(text.ptr, 0, text.len) != NULL)
        config_read_fault(r, 0, "holds a NUL byte: it must be text");
    else if (parser == NULL || file == NULL)
        config_read_fault(r, 0, "memory is short");
    else
        parse(r, parser, file);
    finish_blocks(r);
    reading = NULL;
    if (file != NULL)
        fclose(file);
    free(all);
    if (parser != NULL)
        cfg_free(parser);
    free(grammar);
}
