/* How a script brings a connection to a state. */
#ifndef POSTERN_TESTS_TCP_DSL_PRELUDE_H
#define POSTERN_TESTS_TCP_DSL_PRELUDE_H

/* The script of a state's name, or NULL. */
const char *tcp_dsl_prelude(const char *state);

#endif
