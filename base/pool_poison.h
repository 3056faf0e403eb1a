/* Marks free objects so that a build with AddressSanitizer sees their use; meson picks the file. */
#ifndef POSTERN_BASE_POOL_POISON_H
#define POSTERN_BASE_POOL_POISON_H

#include <stddef.h>

void pool_poison(void *object, size_t size);
void pool_unpoison(void *object, size_t size);

#endif
