/*
 * A temporary directory on a real file system (TMPDIR, or /var/tmp), and a message into the spool
 * that stands there.
 */
#ifndef POSTERN_TESTS_UNIT_SPOOL_FOLDER_H
#define POSTERN_TESTS_UNIT_SPOOL_FOLDER_H

#include "spool/spool.h"

void folder_make(char *path, size_t room);
/* With all that is in it, folders below it included. */
void folder_remove(const char *path);
/* Writes a message (from a@x.example to b@y.example and c@z.example, dot-stuffed, one header field)
 * and returns when it is durable. */
void folder_send(struct spool *s, struct spool_port *p, uint64_t id, struct span body);

#endif
