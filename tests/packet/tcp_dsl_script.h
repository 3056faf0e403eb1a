/* Takes a script of tcp_dsl.h apart. */
#ifndef POSTERN_TESTS_TCP_DSL_SCRIPT_H
#define POSTERN_TESTS_TCP_DSL_SCRIPT_H

#include <stdbool.h>

/* One statement; false ends the script. The words may be changed. */
typedef bool tcp_dsl_statement(void *context, char **words, unsigned count);

/* False when a statement was; *at is the one that was run last, in the text of the script. */
bool tcp_dsl_script(const char *script, tcp_dsl_statement *run, void *context, const char **at);

#endif
