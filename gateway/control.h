/*
 * The control socket: what postern-ctl(1) asks, main answers. A line is a command with its
 * arguments; the answer is one JSON document on one line, with a member "error" where the command
 * was not done. A client may ask again on the same connection.
 *
 * Happy path: a client's line names a row of control_command.c; what only workers know they are
 * asked, one after the other, and answer between two turns; the answer goes out. Commands run one
 * at a time, clients wait their turn. Failure modes: a client that is neither root nor who we are,
 * a line too long, an unknown command, a worker that does not answer in time: a clear error. A
 * client that sends or takes nothing in time is closed, one too many is told so.
 */
#ifndef POSTERN_CONTROL_H
#define POSTERN_CONTROL_H

#include <stdbool.h>

#include "base/span.h"

struct control;
struct program;

/*
 * Listens at `path`, mode 0600, which `user` (the one to become) owns; its folder is made if it is
 * not there. "": no socket, and the others below do nothing of use but wait. NULL with a sentence
 * in *why.
 */
struct control *control_open(struct program *p, const char *path, const char *user,
                             struct buf *why);
/* Waits for news of the socket, or of other_fd, for ms at most, and serves what there is. */
void control_wait(struct control *c, int other_fd, int ms);
/* Ends a capture that is under way, which needs workers that run. */
void control_end_capture(struct control *c);
/* Workers must be stopped: one may have a question. Takes the socket away. */
void control_close(struct control *c);

#endif
