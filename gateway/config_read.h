/*
 * One reading of a configuration file: what is found goes into the struct, faults into a list of
 * lines.
 */
#ifndef POSTERN_CONFIG_READ_H
#define POSTERN_CONFIG_READ_H

#include "gateway/config_key.h"

struct config_read {
    struct config *config;
    const char *path;
    struct buf *errors;
    uint32_t faults;                  /* found, shown or not */
    uint32_t lines[CONFIG_KEYS_MAX];  /* where a key was given last; 0: not at all */
    uint32_t blocks[CONFIG_SECTIONS]; /* of each kind begun and ended so far */
    uint32_t line_last;               /* of the text */
    bool complete;                    /* the text was read to its end, with all blocks closed */
};

/* Adds "path:line: text" (no line when it is 0) and counts it. */
void config_read_fault(struct config_read *r, uint32_t line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The line where a key was given, 0: it has its default. */
uint32_t config_read_line(const struct config_read *r, enum config_section section,
                          const char *name);

/* Fills r->config from text by libconfuse's grammar: syntax, known keys, values one by one,
 * defaults. */
void config_read_text(struct config_read *r, struct span text);

/* config_check.c: what values mean together. */
void config_check_sense(struct config_read *r);
/* config_check.c: that the files which are named can be read. */
void config_check_files(struct config_read *r);

#endif
