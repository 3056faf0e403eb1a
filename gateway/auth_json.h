/*
 * JSON from elsewhere (tokens, files of keys): one object, bounded in depth, no name twice. Not for
 * a poll loop: it takes memory as it goes.
 */
#ifndef POSTERN_AUTH_JSON_H
#define POSTERN_AUTH_JSON_H

#include <jansson.h>

#include "base/span.h"

/* An object, to be given back by json_decref. NULL: it is none, or is refused; *fault is the end of
 * a sentence, good until the next call of this thread. */
json_t *auth_json_read(struct span text, const char **fault);
/* The text of a member; false when it is not there or is no text. The span lives as the object. */
bool auth_json_text(const json_t *object, const char *name, struct span *out);
/* A member is this text, or is not there. */
bool auth_json_is_or_lacks(const json_t *object, const char *name, const char *text);
/* A member is this text, or an array with it; false when it is not there. */
bool auth_json_has_text(const json_t *object, const char *name, struct span text);

#endif
