/* See letter.h. It does not fail. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "bench/letter.h"

#define BLOCK_LINES 256
#define BLOCK_BYTES (BLOCK_LINES * LETTER_LINE_BYTES)

static uint8_t block[BLOCK_BYTES];

static void fill_block(void)
{
    static const char text[] =
        "The postern is the small door: who knows it need not wait before the gate. ";

    for (uint32_t i = 0; i < BLOCK_BYTES; i++) {
        uint32_t at = i % LETTER_LINE_BYTES;

        block[i] = (uint8_t)(at == LETTER_LINE_BYTES - 2   ? '\r'
                             : at == LETTER_LINE_BYTES - 1 ? '\n'
                                                           : text[at % (sizeof(text) - 1)]);
    }
}

void letter_init(struct letter *l, const char *run, uint64_t number, uint64_t bytes,
                 const char *sender)
{
    int len;

    if (block[0] == 0)
        fill_block();
    l->number = number;
    l->bytes = bytes;
    len = snprintf(l->header, sizeof(l->header),
                   "From: <%.64s>\r\nTo: <bench@example.net>\r\nSubject: postern-bench\r\n"
                   "X-Postern-Bench: %.32s.%llu\r\n\r\n",
                   sender, run, (unsigned long long)number);
    ASSERT(len > 0 && (size_t)len < sizeof(l->header) && (uint64_t)len < bytes);
    l->header_len = (uint32_t)len;
    l->tail_len = (uint32_t)((bytes - l->header_len) % LETTER_LINE_BYTES);
    if (l->tail_len == 1) /* a line needs its CRLF: the one before gives way */
        l->tail_len += LETTER_LINE_BYTES;
}

/* The last line, `at` bytes into it. */
static uint8_t tail_byte(const struct letter *l, uint64_t at)
{
    if (at + 2 < l->tail_len)
        return '=';
    return at + 2 == l->tail_len ? '\r' : '\n';
}

static uint32_t least(uint64_t a, uint32_t b)
{
    return a < b ? (uint32_t)a : b;
}

uint32_t letter_read(const struct letter *l, uint64_t offset, uint8_t *to, uint32_t cap)
{
    uint64_t tail = l->bytes - l->tail_len;
    uint32_t done = 0;

    while (done < cap && offset + done < l->bytes) {
        uint64_t at = offset + done;
        uint32_t room = cap - done;

        if (at < l->header_len) {
            uint32_t n = least(l->header_len - at, room);

            memcpy(to + done, l->header + at, n);
            done += n;
        } else if (at < tail) {
            uint32_t from = (uint32_t)((at - l->header_len) % BLOCK_BYTES);
            uint32_t n = least(tail - at, least(BLOCK_BYTES - from, room));

            memcpy(to + done, block + from, n);
            done += n;
        } else {
            to[done++] = tail_byte(l, at - tail);
        }
    }
    return done;
}

uint32_t letter_crc32c(const struct letter *l)
{
    uint8_t part[16384];
    uint64_t offset = 0;
    uint32_t crc = 0;
    uint32_t n;

    while ((n = letter_read(l, offset, part, sizeof(part))) > 0) {
        crc = crc32c_update(crc, part, n);
        offset += n;
    }
    return crc;
}
