/* See tcp_dsl_script.h. */
#include "tcp_dsl_script.h"

#include <stddef.h>
#include <string.h>

#include "base/assert.h"

#define WORDS_MAX 24

static bool run_statement(char *statement, tcp_dsl_statement *run, void *context)
{
    char *words[WORDS_MAX], *save = NULL;
    unsigned count = 0;

    for (char *w = strtok_r(statement, " \t", &save); w != NULL && count < WORDS_MAX;
         w = strtok_r(NULL, " \t", &save))
        words[count++] = w;
    return count == 0 || words[0][0] == '#' || run(context, words, count);
}

bool tcp_dsl_script(const char *script, tcp_dsl_statement *run, void *context, const char **at)
{
    while (*script != '\0') {
        size_t len = strcspn(script, ";\n");
        char statement[256];

        ASSERT(len < sizeof(statement));
        memcpy(statement, script, len);
        statement[len] = '\0';
        *at = script;
        if (!run_statement(statement, run, context))
            return false;
        script += len + (script[len] != '\0');
    }
    return true;
}
