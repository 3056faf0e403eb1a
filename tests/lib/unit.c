/* See unit.h. */
#include "lib/unit.h"

#include "base/assert.h"

static void on_assert(const char *expr, const char *file, int line)
{
    mock_assert(0, expr, file, line);
}

void unit_catch_asserts(void)
{
    assert_hook = on_assert;
}
