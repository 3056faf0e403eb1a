/*
 * What may Dovecot say? Each line of the input is read; what is read stays within the line, and a
 * challenge or a login is what the line has.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "gateway/auth_dovecot_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct span part, const uint8_t *line, uint32_t len)
{
    ASSERT(part.len == 0 || (part.ptr >= line && part.ptr + part.len <= line + len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;

    while (data < end) {
        const uint8_t *lf = memchr(data, '\n', (size_t)(end - data));
        uint32_t len = (uint32_t)((lf != NULL ? lf : end) - data);
        struct auth_dovecot_line out;
        uint8_t *line = malloc(len + 1); /* its own, so that a sanitizer sees its end */

        ASSERT(line != NULL);
        memcpy(line, data, len);
        auth_dovecot_wire_read(line, len, &out);
        check_inside(out.text, line, len);
        check_inside(out.user, line, len);
        ASSERT(!out.temporary || out.kind == AUTH_DOVECOT_FAIL);
        free(line);
        data += len + 1;
    }
    return 0;
}
