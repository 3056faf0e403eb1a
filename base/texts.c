/*
 * A block is a length in one byte (less one: an empty text has no block) and the bytes. A place is
 * the block's number in its pool, with the class below it; classes count from one, so that zero is
 * no place.
 *
 * Failure modes: none but memory at creation; a set that is full is a fault of its owners.
 */
#include "base/texts.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/pool.h"

#define CLASSES    5
#define CLASS_BITS 3
#define CLASS_MASK ((1u << CLASS_BITS) - 1)

/* Bytes of a block, its length with them: most names fit into the first. */
static const uint16_t sizes[CLASSES] = { 16, 32, 64, 128, 1 + LIMIT_TEXT_BYTES };

struct texts {
    struct pool *pools[CLASSES];
};

STATIC_ASSERT(LIMIT_TEXT_BYTES - 1 <= UINT8_MAX, "a length less one is a byte");
STATIC_ASSERT(CLASSES <= CLASS_MASK, "a place has room for a class");

struct texts *texts_create(uint32_t count)
{
    struct texts *t = calloc(1, sizeof(*t));

    ASSERT(count <= UINT32_MAX >> (CLASS_BITS + 1));
    if (t == NULL)
        return NULL;
    for (unsigned i = 0; i < CLASSES; i++) {
        t->pools[i] = pool_create("texts", count, sizes[i]);
        if (t->pools[i] == NULL) {
            texts_destroy(t);
            return NULL;
        }
    }
    return t;
}

void texts_destroy(struct texts *t)
{
    if (t == NULL)
        return;
    for (unsigned i = 0; i < CLASSES; i++)
        pool_destroy(t->pools[i]);
    free(t);
}

/* From one up; the empty text has none, zero. */
static uint32_t class_of(uint32_t len)
{
    uint32_t row = 1;

    ASSERT(len <= LIMIT_TEXT_BYTES);
    if (len == 0)
        return 0;
    while (1 + len > sizes[row - 1])
        row++;
    return row;
}

static uint8_t *block_of(const struct texts *t, struct text text)
{
    return pool_at(t->pools[(text.at & CLASS_MASK) - 1], text.at >> CLASS_BITS);
}

static void take(struct texts *t, struct text *text, uint32_t row)
{
    struct pool *p = t->pools[row - 1];
    uint8_t *block = pool_get(p);

    ASSERT(block != NULL); /* more texts than the set was made for */
    text->at = pool_index(p, block) << CLASS_BITS | row;
}

static void give_back(struct texts *t, struct text text)
{
    if (text.at != 0)
        pool_put(t->pools[(text.at & CLASS_MASK) - 1], block_of(t, text));
}

void texts_set(struct texts *t, struct text *text, struct span s)
{
    const struct text old = *text;
    uint32_t row = class_of(s.len);
    bool stays = row == (old.at & CLASS_MASK);
    uint8_t *block;

    if (!stays)
        *text = (struct text){ 0 };
    if (!stays && row != 0)
        take(t, text, row);
    if (row != 0) {
        block = block_of(t, *text);
        memmove(block + 1, s.ptr, s.len);
        block[0] = (uint8_t)(s.len - 1);
    }
    if (!stays)
        give_back(t, old);
}

struct span texts_get(const struct texts *t, struct text text)
{
    const uint8_t *block;

    if (text.at == 0)
        return span_of(NULL, 0);
    block = block_of(t, text);
    return span_of(block + 1, block[0] + 1u);
}
