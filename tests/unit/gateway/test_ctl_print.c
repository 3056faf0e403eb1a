/* Documents as tables; what is no document is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/ctl_print.h"

/* The text is copied to a block of its size, so that a read past its end is seen. */
static bool print(const char *text, char **out)
{
    size_t len = strlen(text), bytes;
    uint8_t *copy = malloc(len > 0 ? len : 1);
    FILE *f = open_memstream(out, &bytes);
    bool ok;

    assert_non_null(copy);
    assert_non_null(f);
    memcpy(copy, text, len);
    ok = ctl_print(span_of(copy, (uint32_t)len), f);
    fclose(f);
    free(copy);
    return ok;
}

static void check(const char *text, const char *want)
{
    char *out;

    assert_true(print(text, &out));
    assert_string_equal(out, want);
    free(out);
}

static void members_are_lines_and_rows_a_table(void **state)
{
    (void)state;
    check("{\"reloaded\":true}\n", "reloaded                         true\n");
    check("{ \"a\" : {\"b\": 1} }", "# a\nb                                1\n");
    check("{\"w\":[{\"worker\":0,\"n\":12345},{\"n\":6,\"late\":\"x y\"}]}",
          "worker  n      late\n0       12345  -\n-       6      x y\n");
    check("{\"w\":[]}", "none\n");
    check("{}", "");
}

static void what_is_no_document_is_refused(void **state)
{
    static const char whole[] = "{\"a\":{\"b\":1},\"w\":[{\"x\":\"y\\\"z\"},{}],\"t\":true}";
    char text[sizeof(whole)];
    char *out;

    (void)state;
    assert_true(print(whole, &out));
    free(out);
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        memcpy(text, whole, len);
        text[len] = 0;
        if (print(text, &out))
            fail_msg("taken: %s", text);
        free(out);
    }
    assert_false(print("{\"a\":1}}", &out));
    free(out);
    assert_false(print("{\"a\" 1}", &out));
    free(out);
    assert_false(print("{\"w\":[[1]]}", &out));
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_lines_and_rows_a_table),
        cmocka_unit_test(what_is_no_document_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
