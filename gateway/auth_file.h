/*
 * The users file as a back end: passwords are checked on helper threads, the messages of SCRAM at
 * once. One for each worker; workers share only the table, which never changes.
 *
 * Failure modes: the helpers' queue is full: TEMPORARY. A new table takes effect with the worker's
 * next question; what is under way is judged by the one that it began with.
 */
#ifndef POSTERN_AUTH_FILE_H
#define POSTERN_AUTH_FILE_H

#include "gateway/auth_backend.h"
#include "gateway/auth_users.h"

struct auth_file;

struct auth_file_env {
    struct counters *counters;
    struct job_queue *jobs;
    struct auth_users *users;          /* a reference of its own is taken */
    uint8_t secret[AUTH_SECRET_BYTES]; /* random, for nonces; copied */
};

/* NULL: memory is short. */
struct auth_file *auth_file_create(const struct auth_file_env *env);
/* For auth_create, which destroys it. */
struct auth_backend *auth_file_backend(struct auth_file *f);
/* From any one thread (main, after a reload): the worker goes over to this table with its next
 * question. Takes one reference of `users`. */
void auth_file_offer(struct auth_file *f, struct auth_users *users);

#endif
