/* Takers and tests of bytes: smtp_scan.h says what each is for. No failure but "not there". */
#include "smtp/smtp_scan.h"

bool smtp_scan_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool smtp_scan_is_alnum(uint8_t c)
{
    return smtp_scan_is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool smtp_scan_is_printable(uint8_t c)
{
    return c >= ' ' && c <= '~';
}

bool smtp_scan_byte(struct span *s, uint8_t c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = span_skip(*s, 1);
    return true;
}

void smtp_scan_spaces(struct span *s)
{
    while (smtp_scan_byte(s, ' '))
        continue;
}

struct span smtp_scan_while(struct span *s, bool (*passes)(uint8_t c))
{
    uint32_t n = 0;
    struct span front;

    while (n < s->len && passes(s->ptr[n]))
        n++;
    front = span_first(*s, n);
    *s = span_skip(*s, n);
    return front;
}

int smtp_scan_hex(uint8_t c)
{
    if (smtp_scan_is_digit(c))
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Bytes of the character at the front, by its first byte and the bounds that it sets to the second
 * one (RFC 3629, 4); 0: none begins so. */
static uint32_t utf8_length(uint8_t first, uint8_t *least, uint8_t *most)
{
    *least = 0x80;
    *most = 0xbf;
    if (first < 0x80)
        return 1;
    if (first == 0xc2)
        *least = 0xa0; /* the control characters end here */
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first == 0xe0)
        *least = 0xa0;
    if (first == 0xed)
        *most = 0x9f;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    if (first == 0xf0)
        *least = 0x90;
    if (first == 0xf4)
        *most = 0x8f;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

bool smtp_scan_is_utf8(struct span s)
{
    while (s.len > 0) {
        uint8_t least;
        uint8_t most;
        uint32_t n = utf8_length(s.ptr[0], &least, &most);

        if (n == 0 || n > s.len)
            return false;
        if (n > 1 && (s.ptr[1] < least || s.ptr[1] > most))
            return false;
        for (uint32_t i = 2; i < n; i++) {
            if ((s.ptr[i] & 0xc0) != 0x80)
                return false;
        }
        s = span_skip(s, n);
    }
    return true;
}
