/*
 * postern-ctl's connection to a gateway: a line there, a line back. What fails is said on standard
 * error, and the program ends with exit status 1.
 */
#ifndef POSTERN_CTL_TALK_H
#define POSTERN_CTL_TALK_H

#include "base/span.h"

struct ctl_talk {
    const char *path; /* of the socket */
    int fd;
};

void ctl_talk_connect(struct ctl_talk *t, const char *path);
/* `what`: why; NULL: what errno says. */
void ctl_talk_fail(const struct ctl_talk *t, const char *what) __attribute__((noreturn));
/* `line` ends in LF; passed_fd goes along, or -1. The answer is good until the next one. */
struct span ctl_talk_ask(const struct ctl_talk *t, struct span line, int passed_fd);
/* Whether the answer says that it was not done. */
bool ctl_talk_is_error(struct span answer);

#endif
