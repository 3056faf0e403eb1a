/*
 * What the process may do. At start: limits on open files and locked memory go up. Once ports,
 * devices, certificates and listeners are open: the process becomes the configured user, for good.
 */
#ifndef POSTERN_PRIVS_H
#define POSTERN_PRIVS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/*
 * At least `files` open files, and as much locked memory as may be had (io_uring's registered
 * buffers). False with a sentence in *why when `files` is more than the hard limit, and we may not
 * raise that.
 */
bool privs_raise_limits(uint64_t files, struct buf *why);

/*
 * Sets umask 077 and no_new_privs. As root, becomes `user` with its groups, keeps no capability,
 * and makes sure that there is no way back; all threads of the process go along. As another user,
 * or with "": stays who it is. Open devices, sockets and rings go on working. False with a sentence
 * in *why; the process must then end.
 */
bool privs_drop(const char *user, struct buf *why);
/* Makes `user` the owner of what stands at `path`; not as root, or with "": nothing is done. False
 * with a sentence in *why. */
bool privs_give(const char *path, const char *user, struct buf *why);
/* True when the user is there, or "": for the check at start. Else false with a sentence in *why.
 */
bool privs_user_exists(const char *user, struct buf *why);

#endif
