/*
 * A file that others replace: has it changed since we looked? By its number, size and times, which
 * costs one system call a look; main's business.
 */
#ifndef POSTERN_WATCH_H
#define POSTERN_WATCH_H

#include <stdbool.h>
#include <sys/stat.h>

struct watch {
    const char *path; /* "": no file, which never changes */
    struct stat seen;
};

/* From now on; before the file is read, so that a change meanwhile is seen. */
void watch_begin(struct watch *w, const char *path);
/* True once after each change, when there is a file: one that is being replaced may be away. */
bool watch_changed(struct watch *w);

#endif
