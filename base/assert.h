/*
 * Assertions about ourselves, never about input.
 *
 * ASSERT stays in release builds: a broken invariant must not travel to somebody's mail.
 * ASSERT_SLOW is for walks and counts and is compiled in only with -Dslow_asserts=true.
 */
#ifndef POSTERN_BASE_ASSERT_H
#define POSTERN_BASE_ASSERT_H

/* Called with the failed expression; the default prints and aborts. Tests set their own. */
typedef void (*assert_hook_fn)(const char *expr, const char *file, int line);
extern assert_hook_fn assert_hook;

/* Prints the place and the expression, then aborts, unless a hook is set and does not return. */
void assert_fail(const char *expr, const char *file, int line) __attribute__((cold, noreturn));

#define ASSERT(expr)                                \
    do {                                            \
        if (__builtin_expect(!(expr), 0))           \
            assert_fail(#expr, __FILE__, __LINE__); \
    } while (0)

#define STATIC_ASSERT(expr, why) _Static_assert(expr, why)
#define UNREACHABLE(why)         assert_fail(why, __FILE__, __LINE__)

#ifdef POSTERN_SLOW_ASSERTS
#define ASSERT_SLOW(expr) ASSERT(expr)
#else
#define ASSERT_SLOW(expr) ((void)sizeof(expr))
#endif

#endif
