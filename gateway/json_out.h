/*
 * One JSON document (RFC 8259) on one line, as it is written: it grows up to a bound. Past the
 * bound, or without memory, it is broken and says so at its end; writers need not look before. Main
 * alone uses it: it allocates.
 */
#ifndef POSTERN_JSON_OUT_H
#define POSTERN_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct json_out {
    char *text;
    size_t len;
    size_t cap;
    size_t most;  /* bytes that it may have */
    bool broken;  /* it had to have more, or memory was short */
    bool between; /* the next value stands behind another */
};

/* An empty one of at most `most` bytes. */
void json_out_init(struct json_out *j, size_t most);
void json_out_free(struct json_out *j);
/* Begins an object or a list ("{", "["), ends it; `key`: NULL inside a list and at the top. */
void json_out_open(struct json_out *j, const char *key, char bracket);
void json_out_close(struct json_out *j, char bracket);
void json_out_u64(struct json_out *j, const char *key, uint64_t value);
void json_out_bool(struct json_out *j, const char *key, bool value);
void json_out_str(struct json_out *j, const char *key, const char *value);
/* Bytes above 127 that are no UTF-8 become U+FFFD, controls are escaped. */
void json_out_span(struct json_out *j, const char *key, struct span value);
/* Ends the line. False: broken. */
bool json_out_end(struct json_out *j);

#endif
