/* Without AddressSanitizer there is nobody to tell. */
#include "base/pool_poison.h"

void pool_poison(void *object, size_t size)
{
    (void)object;
    (void)size;
}

void pool_unpoison(void *object, size_t size)
{
    (void)object;
    (void)size;
}
