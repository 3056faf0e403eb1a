/*
 * Where a broken invariant ends: the place and the expression on stderr, then abort(2), so that a
 * core is left. Tests set assert_hook and leave by longjmp; a hook that returns does not save the
 * program.
 */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

assert_hook_fn assert_hook;

void assert_fail(const char *expr, const char *file, int line)
{
    if (assert_hook != NULL)
        assert_hook(expr, file, line);
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
    abort();
}
