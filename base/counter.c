/* The names and texts of counter_list.h as tables. */
#include "base/counter.h"

#include "base/assert.h"

static const char *const names[COUNTER_COUNT] = {
#define COUNTER_NAME(id, name, help) name,
    COUNTER_LIST(COUNTER_NAME)
#undef COUNTER_NAME
};

static const char *const helps[COUNTER_COUNT] = {
#define COUNTER_HELP(id, name, help) help,
    COUNTER_LIST(COUNTER_HELP)
#undef COUNTER_HELP
};

const char *counter_name(enum counter_id id)
{
    ASSERT(id < COUNTER_COUNT);
    return names[id];
}

const char *counter_help(enum counter_id id)
{
    ASSERT(id < COUNTER_COUNT);
    return helps[id];
}
