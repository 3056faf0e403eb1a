/* See hand.h. Asserts are cmocka's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "hand.h"

static bool submit(struct job_queue *q, struct job *job)
{
    struct hand *h = (struct hand *)q;

    if (h->count == h->room) {
        h->refused++;
        return false;
    }
    h->jobs[h->count++] = job;
    return true;
}

struct hand hand_of(unsigned room)
{
    return (struct hand){ .queue = { submit }, .room = room };
}

void hand_work(struct hand *h)
{
    struct job *job = h->jobs[0];

    assert_true(h->count > 0);
    h->count--;
    for (unsigned i = 0; i < h->count; i++)
        h->jobs[i] = h->jobs[i + 1];
    job->run(job);
    assert_int_equal(ERR_peek_error(), 0);
    job->done(job);
}
