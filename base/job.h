/*
 * Work that may take long (a password hash, an RSA signature, a key exchange), done on a helper
 * thread. The room that needs it embeds a job in its own pooled object; gateway/helper moves it
 * there and back by rings.
 */
#ifndef POSTERN_BASE_JOB_H
#define POSTERN_BASE_JOB_H

#include <stdbool.h>
#include <stdint.h>

struct job {
    /* On a helper thread: may take its time, touches only the job's own data. */
    void (*run)(struct job *job);
    /* Back on the worker's loop; owns the object again. */
    void (*done)(struct job *job);
    uint32_t worker; /* set by gateway/helper */
    bool ran; /* set by gateway/helper; false in done(): the program stops, run() was not called */
};

/* How a room hands a job over without knowing gateway/. */
struct job_queue {
    /* Takes the job until its done() runs; false: the queue is full, and nothing was taken. */
    bool (*submit)(struct job_queue *q, struct job *job);
};

#endif
