/*
 * Happy path: plain text is copied; other text goes through libidn, in a buffer of the bounded size
 * that any login or password has. Failure modes: see the header; who has no form is nobody.
 */
#include "gateway/auth_prep.h"

#include <stringprep.h>

#include "base/assert.h"
#include "base/limits.h"

STATIC_ASSERT(LIMIT_LOGIN_BYTES <= LIMIT_PASSWORD_BYTES, "one buffer for both");

bool auth_prep_is_plain(struct span text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    }
    return true;
}

/* Unassigned code points are let through, as in a query (RFC 3454, 7): what is stored was made by
 * others. */
static bool prepare(struct span text, struct buf *to)
{
    char room[LIMIT_PASSWORD_BYTES + 1];
    bool good = text.len < sizeof(room) && memchr(text.ptr, 0, text.len) == NULL;

    if (good) {
        memcpy(room, text.ptr, text.len);
        room[text.len] = 0;
        good = stringprep(room, sizeof(room), 0, stringprep_saslprep) == STRINGPREP_OK &&
               room[0] != 0 && buf_put(to, span_str(room));
    }
    explicit_bzero(room, sizeof(room));
    return good;
}

bool auth_prep(struct span text, struct buf *to)
{
    if (!auth_prep_is_plain(text))
        return prepare(text, to);
    if (text.len == 0 || text.len > buf_room(to))
        return false;
    memmove(to->ptr + to->len, text.ptr, text.len);
    to->len += text.len;
    return true;
}
