/*
 * A users file from anybody: taken, or refused with a line that says why. Nothing is hashed, since
 * a hash may name a cost of hours.
 */
#include <string.h>

#include "base/assert.h"
#include "gateway/auth_users.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t room[4096];
    struct buf errors = { room, 0, sizeof(room) };
    struct auth_users *u;

    if (size > 65536)
        return 0;
    u = auth_users_parse("u", span_of(data, (uint32_t)size), &errors);
    ASSERT((u == NULL) == (errors.len > 0));
    if (u != NULL)
        ASSERT(auth_users_count(u) <= size);
    auth_users_release(u);
    return 0;
}
