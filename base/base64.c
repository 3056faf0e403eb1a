/*
 * Happy path: four characters are three bytes. Failure modes: what is not base64 or has no room is
 * refused; nothing is guessed.
 */
#include "base/base64.h"

#include "base/assert.h"

/* What the last two digits are: the two alphabets differ in nothing else. */
struct alphabet {
    uint8_t digit62;
    uint8_t digit63;
};

static int value_of(uint8_t c, struct alphabet a)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == a.digit62)
        return 62;
    return c == a.digit63 ? 63 : -1;
}

/* Two to four digits to a byte less, as a number of 24 bits; -1 when they are none, or have bits
 * set that no byte gets. */
static int32_t read_quantum(const uint8_t *p, uint32_t digits, struct alphabet a)
{
    int32_t bits = 0;

    ASSERT(digits >= 2 && digits <= 4);
    for (uint32_t i = 0; i < 4; i++) {
        int value = i < digits ? value_of(p[i], a) : 0;

        if (value < 0)
            return -1;
        bits = bits << 6 | value;
    }
    return bits & ((1 << (8 * (4 - digits))) - 1) ? -1 : bits;
}

/* Digits alone, the padding is off. */
static int decode(struct span digits, struct alphabet a, uint8_t *to, uint32_t cap)
{
    uint32_t rest = digits.len % 4;
    uint32_t n = 0;

    if (rest == 1 || digits.len / 4 * 3 + (rest > 0 ? rest - 1 : 0) > cap)
        return -1;
    for (uint32_t i = 0; i < digits.len; i += 4) {
        uint32_t count = digits.len - i < 4 ? rest : 4;
        int32_t bits = read_quantum(digits.ptr + i, count, a);

        if (bits < 0)
            return -1;
        for (uint32_t k = 0; k < count - 1; k++)
            to[n++] = (uint8_t)(bits >> (16 - 8 * k));
    }
    ASSERT(n <= cap);
    return (int)n;
}

int base64_decode(struct span text, uint8_t *to, uint32_t cap)
{
    uint32_t pad = 0;

    if (text.len % 4 != 0)
        return -1;
    if (text.len > 0 && text.ptr[text.len - 1] == '=')
        pad = text.ptr[text.len - 2] == '=' ? 2 : 1;
    return decode(span_first(text, text.len - pad), (struct alphabet){ '+', '/' }, to, cap);
}

int base64_decode_url(struct span text, uint8_t *to, uint32_t cap)
{
    return decode(text, (struct alphabet){ '-', '_' }, to, cap);
}

bool base64_encode(struct buf *out, struct span bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *to = out->ptr + out->len;

    if (BASE64_LEN((uint64_t)bytes.len) > buf_room(out))
        return false;
    for (uint32_t i = 0; i < bytes.len; i += 3) {
        uint32_t left = bytes.len - i;
        uint32_t bits = (uint32_t)bytes.ptr[i] << 16 |
                        (left > 1 ? (uint32_t)bytes.ptr[i + 1] << 8 : 0) |
                        (left > 2 ? bytes.ptr[i + 2] : 0);

        *to++ = (uint8_t)digits[bits >> 18];
        *to++ = (uint8_t)digits[bits >> 12 & 63];
        *to++ = left > 1 ? (uint8_t)digits[bits >> 6 & 63] : '=';
        *to++ = left > 2 ? (uint8_t)digits[bits & 63] : '=';
    }
    out->len += BASE64_LEN(bytes.len);
    return true;
}
