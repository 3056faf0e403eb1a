/*
 * A capture of the device's frames into a file: a thread of its own takes what the workers' queues
 * copied (nic_capture.h) and writes it as pcapng, so that neither they nor main ever wait for the
 * disk. It ends by itself: after so many frames, bytes or seconds, when the file takes no more, or
 * when it is told to.
 */
#ifndef POSTERN_CAPTURE_H
#define POSTERN_CAPTURE_H

#include <stdbool.h>

#include "base/span.h"
#include "dataplane/nic/nic_capture.h"

struct capture;

struct capture_config {
    struct nic_port *port;
    uint16_t queues; /* of it */
    struct nic_capture_rules rules;
    uint64_t frames;  /* the most that are written */
    uint64_t bytes;   /* the same of the file */
    uint64_t seconds; /* the longest that it lasts */
    int fd;           /* a regular file, open for writing; taken when it begins */
};

struct capture_report {
    uint64_t frames; /* written */
    uint64_t bytes;
    uint64_t dropped; /* not written: they came faster than the thread wrote */
    const char *over; /* why it has ended; NULL: it goes on */
};

/* NULL with a sentence in *why. */
struct capture *capture_begin(const struct capture_config *config, struct buf *why);
void capture_ask_to_end(struct capture *c);
void capture_look(const struct capture *c, struct capture_report *out);
/* Waits until it has ended: at once when capture_look said so, else for a write at most. Workers
 * must run. */
void capture_finish(struct capture *c);

#endif
