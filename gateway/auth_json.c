/*
 * Happy path: the depth is counted before the parser, which calls itself for each level, sees the
 * text. Failure modes: too deep, a name twice (which of the two is meant depends on the reader, and
 * RFC 7519, 4 lets us refuse it), text behind the object, no UTF-8, a NUL: not read.
 */
#include "gateway/auth_json.h"

#include <stdio.h>

#include "base/limits.h"

/* How deep objects and arrays stand in each other; exact for what is JSON. */
static uint32_t depth_of(struct span text)
{
    uint32_t depth = 0;
    uint32_t most = 0;
    bool quoted = false;

    for (uint32_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c == '"')
            quoted = !quoted;
        else if (quoted)
            i += c == '\\';
        else if (c == '{' || c == '[')
            most = ++depth > most ? depth : most;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return most;
}

json_t *auth_json_read(struct span text, const char **fault)
{
    static _Thread_local char sentence[JSON_ERROR_TEXT_LENGTH + 64];
    json_error_t error;
    json_t *object;

    *fault = sentence;
    if (depth_of(text) > LIMIT_JSON_DEPTH) {
        *fault = "has too many objects in each other";
        return NULL;
    }
    object = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL) {
        snprintf(sentence, sizeof(sentence), "is no JSON: line %d: %s", error.line, error.text);
        return NULL;
    }
    if (json_is_object(object))
        return object;
    json_decref(object);
    *fault = "is no JSON object";
    return NULL;
}

bool auth_json_text(const json_t *object, const char *name, struct span *out)
{
    const json_t *member = json_object_get(object, name);

    if (!json_is_string(member))
        return false;
    *out = span_of(json_string_value(member), (uint32_t)json_string_length(member));
    return true;
}

static bool is_text(const json_t *value, struct span text)
{
    return json_is_string(value) &&
           span_equal(text, span_of(json_string_value(value), (uint32_t)json_string_length(value)));
}

bool auth_json_is_or_lacks(const json_t *object, const char *name, const char *text)
{
    const json_t *member = json_object_get(object, name);

    return member == NULL || is_text(member, span_str(text));
}

bool auth_json_has_text(const json_t *object, const char *name, struct span text)
{
    const json_t *member = json_object_get(object, name);
    size_t count = json_array_size(member);

    for (size_t i = 0; i < count; i++) {
        if (is_text(json_array_get(member, i), text))
            return true;
    }
    return is_text(member, text);
}
