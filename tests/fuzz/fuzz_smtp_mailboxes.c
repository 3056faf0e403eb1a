/* Address lists of From and Sender: the streaming reader against its slow model. */
#include <string.h>

#include "base/assert.h"
#include "smtp/smtp_mailboxes.h"
#include "unit/smtp/model_mailboxes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(struct model_mailboxes *model, struct span got)
{
    struct span wanted;
    bool some = model_mailboxes_next(model, &wanted);

    ASSERT(some);
    ASSERT(span_equal(got, wanted));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_mailboxes model = { .text = span_of(data, (uint32_t)size) };
    struct smtp_mailboxes m;
    struct span found;
    bool more;

    smtp_mailboxes_init(&m);
    for (size_t i = 0; i < size; i++) {
        if (smtp_mailboxes_feed(&m, data[i], &found))
            expect(&model, found);
    }
    if (smtp_mailboxes_end(&m, &found))
        expect(&model, found);
    more = model_mailboxes_next(&model, &found);
    ASSERT(!more);
    return 0;
}
