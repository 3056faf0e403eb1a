/* The place where the control socket stands in the file system. */
#ifndef POSTERN_CONTROL_SOCKET_H
#define POSTERN_CONTROL_SOCKET_H

#include <sys/types.h>

#include "base/span.h"

/*
 * Listens at `path` without blocking, mode 0600, owned by `user` where we are root; makes the
 * folder when it is not there. A socket that a dead process left is replaced. -1 with a sentence in
 * *why.
 */
int control_socket_listen(const char *path, const char *user, struct buf *why);
/* Takes the path away too; where the folder is not ours that cannot be, and the next start does. */
void control_socket_close(int fd, const char *path);

/* read(2) of a client, and a descriptor that it may have sent along: it takes the place of the one
 * in *passed_fd, which is closed. */
ssize_t control_socket_read(int fd, char *to, size_t room, int *passed_fd);

#endif
