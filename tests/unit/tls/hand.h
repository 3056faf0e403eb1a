/* A queue of jobs that a test empties by hand, one at a time, when and if it likes. */
#ifndef POSTERN_TESTS_UNIT_TLS_HAND_H
#define POSTERN_TESTS_UNIT_TLS_HAND_H

#include "base/job.h"

#define HAND_ROOM_MAX 64

struct hand {
    struct job_queue queue;
    struct job *jobs[HAND_ROOM_MAX];
    unsigned room;
    unsigned count;
    unsigned refused;
};

struct hand hand_of(unsigned room);
/* Runs the first job, and brings it back; BoringSSL's error queue must be empty in between. */
void hand_work(struct hand *h);

#endif
