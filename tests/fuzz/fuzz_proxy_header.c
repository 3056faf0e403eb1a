/*
 * A PROXY header from anybody. Held: the verdict is the same whether the bytes come at once or one
 * by one; a reader that takes what it is told to takes nothing behind the header; what is handed
 * out lies within the header.
 */
#include "base/assert.h"
#include "gateway/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(struct span part, struct span all)
{
    if (part.len > 0)
        ASSERT(part.ptr >= all.ptr && part.ptr + part.len <= all.ptr + all.len);
}

static enum proxy_header_outcome read_by(struct span all, uint32_t step, struct proxy_header *out)
{
    enum proxy_header_outcome outcome;
    uint32_t given = 0;

    while ((outcome = proxy_header_parse(span_first(all, given), out)) == PROXY_HEADER_MORE) {
        ASSERT(out->bytes > given && out->bytes <= PROXY_HEADER_BYTES_MAX);
        if (given == all.len)
            return outcome;
        given += out->bytes - given < step ? out->bytes - given : step;
        given = given < all.len ? given : all.len;
    }
    ASSERT((outcome == PROXY_HEADER_BAD) == (out->fault != NULL));
    if (outcome == PROXY_HEADER_WHOLE) {
        ASSERT(out->bytes == given);
        check_within(out->authority, span_first(all, given));
        check_within(out->unique_id, span_first(all, given));
        check_within(out->ssl_cn, span_first(all, given));
    }
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_of(data, size < 8192 ? (uint32_t)size : 8192);
    struct proxy_header whole;
    struct proxy_header cut;
    enum proxy_header_outcome outcome = read_by(all, UINT32_MAX, &whole);

    ASSERT(read_by(all, 1, &cut) == outcome);
    ASSERT(addr_equal(&whole.peer.addr, &cut.peer.addr));
    ASSERT(span_equal(whole.unique_id, cut.unique_id));
    return 0;
}
