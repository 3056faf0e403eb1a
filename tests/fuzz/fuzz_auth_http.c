/*
 * What may an HTTP hook say? The head is found where a slow search finds it, what is read of it
 * stays within, and only a head whose one Auth-Status is OK lets anybody in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "gateway/auth_http_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct span part, struct span head)
{
    ASSERT(part.len == 0 || (part.ptr >= head.ptr && part.ptr + part.len <= head.ptr + head.len));
}

static void check_head(struct span head)
{
    struct auth_http_head h;

    if (auth_http_wire_read(head, &h) != NULL)
        return;
    check_inside(h.status, head);
    check_inside(h.user, head);
    ASSERT(span_equal(h.status, SPAN_LITERAL("OK")) == (h.verdict == SMTP_VERDICT_OK));
    ASSERT(memmem(head.ptr, head.len, " 200", 4) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *in = malloc(size + 1); /* its own, so that a sanitizer sees its end */
    uint32_t len = 0;
    uint32_t i = 0;

    ASSERT(in != NULL);
    if (size > 0)
        memcpy(in, data, size);
    while (len == 0 && i + 4 <= size) {
        if (memcmp(in + i, "\r\n\r\n", 4) == 0)
            len = i + 4;
        i++;
    }
    ASSERT(auth_http_wire_whole(span_of(in, (uint32_t)size)) == len);
    if (len > 0)
        check_head(span_of(in, len));
    free(in);
    return 0;
}
