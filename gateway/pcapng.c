/*
 * Happy path: a block is its type, its length, a body of 32-bit words, options, and its length
 * again; the byte order is this machine's. Failure mode: no room, and then *out is as it was.
 */
#include "gateway/pcapng.h"

#include <string.h>

#include "base/byteorder.h"

#define SECTION        0x0a0d0d0a
#define BYTE_ORDER_IS  0x1a2b3c4d
#define INTERFACE      1
#define COUNTS         5
#define PACKET         6
#define ETHERNET       1 /* LINKTYPE_ETHERNET */
#define END_OF_OPTIONS 0

#define SECTION_PROGRAM      4 /* shb_userappl */
#define INTERFACE_NAME       2 /* if_name */
#define INTERFACE_RESOLUTION 9 /* if_tsresol: 10^-9 */
#define PACKET_FLAGS         2 /* epb_flags: 1 in, 2 out */
#define COUNTS_BEGIN         2 /* isb_starttime */
#define COUNTS_END           3
#define COUNTS_SEEN          4 /* isb_ifrecv */
#define COUNTS_DROPPED       5 /* isb_ifdrop */

/* A block being written: what did not fit is noticed at its end. */
struct block {
    struct buf *out;
    uint32_t begin;
    bool whole;
};

static void put(struct block *b, struct span bytes)
{
    static const uint8_t zeros[4];

    b->whole = b->whole && buf_put(b->out, bytes) &&
               buf_put(b->out, span_of(zeros, -bytes.len % (uint32_t)sizeof(zeros)));
}

static void put_u32(struct block *b, uint32_t value)
{
    uint8_t raw[4];

    store_le32(raw, value);
    put(b, span_of(raw, sizeof(raw)));
}

/* Two words, the higher one first. */
static void put_time(struct block *b, uint64_t ns)
{
    put_u32(b, (uint32_t)(ns >> 32));
    put_u32(b, (uint32_t)ns);
}

static void put_option(struct block *b, uint32_t code, uint32_t len)
{
    put_u32(b, code | len << 16);
}

static void put_text(struct block *b, uint32_t code, const char *text)
{
    put_option(b, code, (uint32_t)strlen(text));
    put(b, span_str(text));
}

static void put_count(struct block *b, uint32_t code, uint64_t value)
{
    put_option(b, code, sizeof(value));
    put_u32(b, (uint32_t)value);
    put_u32(b, (uint32_t)(value >> 32));
}

static struct block begin(struct buf *out, uint32_t type)
{
    struct block b = { out, out->len, true };

    put_u32(&b, type);
    put_u32(&b, 0); /* its length, not known yet */
    return b;
}

static bool end(struct block *b)
{
    uint32_t len = b->out->len - b->begin + 4;

    put_u32(b, len);
    if (b->whole)
        store_le32(b->out->ptr + b->begin + 4, len);
    else
        b->out->len = b->begin;
    return b->whole;
}

bool pcapng_section(struct buf *out, const char *program)
{
    struct block b = begin(out, SECTION);

    put_u32(&b, BYTE_ORDER_IS);
    put_u32(&b, 1);          /* version 1.0 */
    put_u32(&b, UINT32_MAX); /* its length is not told, in 64 bits */
    put_u32(&b, UINT32_MAX);
    put_text(&b, SECTION_PROGRAM, program);
    put_option(&b, END_OF_OPTIONS, 0);
    return end(&b);
}

bool pcapng_interface(struct buf *out, const char *name, uint32_t bytes)
{
    struct block b = begin(out, INTERFACE);

    put_u32(&b, ETHERNET);
    put_u32(&b, bytes);
    put_text(&b, INTERFACE_NAME, name);
    put_option(&b, INTERFACE_RESOLUTION, 1);
    put_u32(&b, 9);
    put_option(&b, END_OF_OPTIONS, 0);
    return end(&b);
}

bool pcapng_packet(struct buf *out, const struct pcapng_packet *p)
{
    struct block b = begin(out, PACKET);

    put_u32(&b, p->interface);
    put_time(&b, p->unix_ns);
    put_u32(&b, p->bytes.len);
    put_u32(&b, p->wire_len);
    put(&b, p->bytes);
    put_option(&b, PACKET_FLAGS, 4);
    put_u32(&b, p->sent ? 2 : 1);
    put_option(&b, END_OF_OPTIONS, 0);
    return end(&b);
}

bool pcapng_counts(struct buf *out, const struct pcapng_counts *c)
{
    struct block b = begin(out, COUNTS);

    put_u32(&b, c->interface);
    put_time(&b, c->end_ns);
    put_option(&b, COUNTS_BEGIN, 8);
    put_time(&b, c->begin_ns);
    put_option(&b, COUNTS_END, 8);
    put_time(&b, c->end_ns);
    put_count(&b, COUNTS_SEEN, c->seen);
    put_count(&b, COUNTS_DROPPED, c->dropped);
    put_option(&b, END_OF_OPTIONS, 0);
    return end(&b);
}
