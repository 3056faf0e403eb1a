/*
 * A senders file from anybody, up to the first NUL, and questions to it: a login, and the mailbox
 * it wants to be, each ended by NUL. The file is taken, or refused with a line that says why;
 * answers do not depend on the case of ASCII letters in a mailbox, and a login that the file says
 * nothing of is nobody but itself.
 */
#include <ctype.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "gateway/senders.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span up_to_nul(struct span *rest)
{
    const uint8_t *nul = rest->len > 0 ? memchr(rest->ptr, 0, rest->len) : NULL;
    struct span s = nul != NULL ? span_first(*rest, (uint32_t)(nul - rest->ptr)) : *rest;

    *rest = span_skip(*rest, s.len + 1);
    return s;
}

static void ask(const struct senders *t, bool nothing_said, struct span login, struct span mailbox)
{
    bool may = senders_may_send_as(t, login, mailbox);
    uint8_t other[LIMIT_PATH_BYTES];

    ASSERT(senders_limits_of(t, login) != NULL);
    if (mailbox.len == 0 || memchr(mailbox.ptr, '@', mailbox.len) == NULL)
        ASSERT(!may);
    if (nothing_said && span_is_ascii(mailbox) && span_is_ascii(login))
        ASSERT(!may || span_equal_nocase(login, mailbox));
    for (uint32_t i = 0; i < mailbox.len; i++) {
        uint8_t c = mailbox.ptr[i];

        other[i] = c >= 0x80 ? c : (uint8_t)(islower(c) ? toupper(c) : tolower(c));
    }
    ASSERT(senders_may_send_as(t, login, span_of(other, mailbox.len)) == may);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, (uint32_t)size);
    uint8_t room[4096];
    struct buf errors = { room, 0, sizeof(room) };
    struct senders *t;
    struct span text;

    if (size > 65536)
        return 0;
    text = up_to_nul(&rest);
    t = senders_parse("s", text, &errors);
    ASSERT((t == NULL) == (errors.len > 0));
    while (t != NULL && rest.len > 0) {
        struct span login = up_to_nul(&rest);
        struct span mailbox = up_to_nul(&rest);

        ask(t, text.len == 0, span_first(login, LIMIT_LOGIN_BYTES),
            span_first(mailbox, LIMIT_PATH_BYTES));
    }
    senders_release(t);
    return 0;
}
