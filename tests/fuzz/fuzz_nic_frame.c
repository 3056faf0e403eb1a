/* Frames' headers, and what they quote: nothing is read past the end, whatever the lengths say. */
#include <stddef.h>
#include <stdint.h>

#include "dataplane/nic/nic_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span frame = span_of(data, (uint32_t)size);
    struct nic_frame f, quote;

    if (!nic_frame_read(frame, &f))
        return 0;
    if (f.rest.ptr < frame.ptr || f.rest.ptr + f.rest.len > frame.ptr + frame.len)
        __builtin_trap();
    if (nic_frame_read_quote(&f, &quote) &&
        (quote.rest.ptr < f.rest.ptr || quote.rest.ptr + quote.rest.len > f.rest.ptr + f.rest.len))
        __builtin_trap();
    return 0;
}
