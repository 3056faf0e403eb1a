/* SipHash-2-4 with a 64-bit result, as its paper and reference code have it. */
#include "base/hash.h"

#include "base/byteorder.h"

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate_left(uint64_t v, unsigned n)
{
    return (v << n) | (v >> (64 - n));
}

static void sip_rounds(struct sip *s, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        s->v0 += s->v1;
        s->v1 = rotate_left(s->v1, 13) ^ s->v0;
        s->v0 = rotate_left(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = rotate_left(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotate_left(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotate_left(s->v1, 17) ^ s->v2;
        s->v2 = rotate_left(s->v2, 32);
    }
}

static void sip_word(struct sip *s, uint64_t m)
{
    s->v3 ^= m;
    sip_rounds(s, 2);
    s->v0 ^= m;
}

/* The last 0 to 7 bytes, with the length in the top byte. */
static uint64_t last_word(const uint8_t *p, uint32_t left, uint32_t len)
{
    uint64_t m = (uint64_t)(len & 0xff) << 56;

    for (uint32_t i = 0; i < left; i++)
        m |= (uint64_t)p[i] << (8 * i);
    return m;
}

uint64_t hash_sip24(const struct hash_key *key, const void *data, uint32_t len)
{
    const uint8_t *p = data;
    struct sip s = {
        .v0 = key->k0 ^ 0x736f6d6570736575ULL,
        .v1 = key->k1 ^ 0x646f72616e646f6dULL,
        .v2 = key->k0 ^ 0x6c7967656e657261ULL,
        .v3 = key->k1 ^ 0x7465646279746573ULL,
    };
    uint32_t whole = len & ~7u;

    for (uint32_t i = 0; i < whole; i += 8)
        sip_word(&s, load_le64(p + i));
    sip_word(&s, last_word(p + whole, len - whole, len));
    s.v2 ^= 0xff;
    sip_rounds(&s, 4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
