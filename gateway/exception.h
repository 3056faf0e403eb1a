/*
 * The thread that gives the kernel those of the device's frames that are not Postern's
 * (dataplane/nic/nic_exception.h).
 */
#ifndef POSTERN_EXCEPTION_H
#define POSTERN_EXCEPTION_H

#include "base/span.h"
#include "dataplane/nic/nic_exception.h"

struct exception;

/* NULL with a sentence in *why. */
struct exception *exception_start(struct nic_exception *x, struct buf *why);
/* Ends the thread and waits for it. */
void exception_stop(struct exception *e);

#endif
