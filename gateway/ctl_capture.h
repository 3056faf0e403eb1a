/* `postern-ctl capture FILE ...`: makes the file, hands it to the gateway, and stays until the
 * capture has ended, by itself or by SIGINT or SIGTERM. */
#ifndef POSTERN_CTL_CAPTURE_H
#define POSTERN_CTL_CAPTURE_H

#include "gateway/ctl_talk.h"

/* `line`: the command with its settings. The last answer, an error or how much there is. */
struct span ctl_capture(const struct ctl_talk *t, const char *path, struct span line);

#endif
