/* Happy path: it pumps until it is told to stop. Failure: no thread is to be had. */
#include "gateway/exception.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct exception {
    struct nic_exception *path;
    pthread_t thread;
    bool wants_stop; /* set by main */
};

static void *run(void *arg)
{
    struct exception *e = arg;

    while (!__atomic_load_n(&e->wants_stop, __ATOMIC_ACQUIRE))
        nic_exception_pump(e->path);
    return NULL;
}

struct exception *exception_start(struct nic_exception *x, struct buf *why)
{
    struct exception *e = calloc(1, sizeof(*e));
    int err;

    if (e == NULL) {
        buf_printf(why, "exception: not enough memory");
        return NULL;
    }
    e->path = x;
    err = pthread_create(&e->thread, NULL, run, e);
    if (err == 0)
        return e;
    buf_printf(why, "exception: thread: %s", strerror(err));
    free(e);
    return NULL;
}

void exception_stop(struct exception *e)
{
    __atomic_store_n(&e->wants_stop, true, __ATOMIC_RELEASE);
    nic_exception_wake(e->path);
    pthread_join(e->thread, NULL);
    free(e);
}
