/* Read anew with each users file, so that a fault in either leaves the old table in place. */
#include "gateway/auth_salt.h"

#include "base/limits.h"
#include "gateway/slurp.h"

static bool set_key(struct auth_users *u, const char *path, struct buf *errors)
{
    struct span key;
    bool good;

    if (path[0] == '\0')
        return true;
    if (!slurp_file(path, LIMIT_SALT_KEY_BYTES, &key, errors))
        return false;
    good = key.len >= LIMIT_SALT_KEY_BYTES_LEAST;
    if (good)
        auth_users_invent_from(u, key);
    else
        buf_printf(errors, "%s: must have %u random bytes at least\n", path,
                   LIMIT_SALT_KEY_BYTES_LEAST);
    slurp_free(key);
    return good;
}

struct auth_users *auth_salt_load_users(const char *path, const char *key_path, struct buf *errors)
{
    struct auth_users *u = auth_users_load(path, errors);

    if (u != NULL && !set_key(u, key_path, errors)) {
        auth_users_release(u);
        return NULL;
    }
    return u;
}
