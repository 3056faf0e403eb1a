/* With AddressSanitizer: a free object may not be touched. */
#include "base/pool_poison.h"

#include <sanitizer/asan_interface.h>

void pool_poison(void *object, size_t size)
{
    __asan_poison_memory_region(object, size);
}

void pool_unpoison(void *object, size_t size)
{
    __asan_unpoison_memory_region(object, size);
}
