/*
 * A configuration file from anybody. Whatever it is: taken, and then what config_print makes of it
 * means the same; or refused, and then with a line that says why.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "gateway/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t first[1 << 18];
static uint8_t second[1 << 18];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t room[CONFIG_ERRORS_MAX];
    struct buf errors = { room, 0, sizeof(room) };
    struct buf one = { first, 0, sizeof(first) };
    struct buf two = { second, 0, sizeof(second) };
    struct config *c;
    struct config *again;

    if (size > 65536)
        return 0;
    c = config_parse("f", span_of(data, (uint32_t)size), &errors);
    ASSERT((c == NULL) == (errors.len > 0));
    if (c == NULL)
        return 0;
    ASSERT(config_print(c, &one));
    again = config_parse("f", span_of(first, one.len), &errors);
    ASSERT(again != NULL);
    ASSERT(config_print(again, &two));
    ASSERT(span_equal(span_of(first, one.len), span_of(second, two.len)));
    config_free(c);
    config_free(again);
    return 0;
}
