/* The system's clocks, for the threads that set a struct clock once a turn. */
#ifndef POSTERN_NOW_H
#define POSTERN_NOW_H

#include "base/clock.h"

/* Sets both times. All threads read the same wall clock, the coarse one, which moves once a tick of
 * the kernel: so their log lines can be compared. */
void now_read(struct clock *c);

#endif
