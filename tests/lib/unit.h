/* What every unit test includes first: cmocka with the headers that it wants before it. */
#ifndef POSTERN_TESTS_LIB_UNIT_H
#define POSTERN_TESTS_LIB_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* From here on a failing ASSERT is for expect_assert_failure(), and fails the test elsewhere. */
void unit_catch_asserts(void);

#endif
