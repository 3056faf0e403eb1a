/*
 * The messages that are sent: a header with the message's id, then lines of text up to the size.
 * Any part of a letter is made when it is wanted and is the same each time, so a connection keeps
 * none. No line begins with a dot: the form on the wire and the text are the same. Pure.
 */
#ifndef POSTERN_BENCH_LETTER_H
#define POSTERN_BENCH_LETTER_H

#include <stdint.h>

#define LETTER_HEADER_MAX 256
#define LETTER_LINE_BYTES 78 /* with CRLF */

struct letter {
    uint64_t number;
    uint64_t bytes; /* as the server stores it, CRLF at its end */
    uint32_t header_len;
    uint32_t tail_len; /* of the last line, which makes the size come out */
    char header[LETTER_HEADER_MAX];
};

/* bytes >= 512: room for the header and a line. `run` tells one run's letters from another's: the
 * id is "RUN.NUMBER". */
void letter_init(struct letter *l, const char *run, uint64_t number, uint64_t bytes,
                 const char *sender);
/* Up to cap bytes from `offset` on; returns how many, 0 at the end. */
uint32_t letter_read(const struct letter *l, uint64_t offset, uint8_t *to, uint32_t cap);
uint32_t letter_crc32c(const struct letter *l);

#endif
