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

static const char *const standard_names[COUNTER_COUNT] = {
#define COUNTER_STANDARD(id, name) [COUNTER_##id] = name,
    COUNTER_LIST_STANDARD(COUNTER_STANDARD)
#undef COUNTER_STANDARD
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

const char *counter_standard_name(enum counter_id id)
{
    ASSERT(id < COUNTER_COUNT);
    return standard_names[id];
}
