/*
 * The commands of the control socket, a row each. A command runs in steps: `begin` on main;
 * `answer` on each worker's loop, once a turn until it is done; `tell` on main after each of these;
 * `end` on main. Steps that are NULL are left out.
 */
#ifndef POSTERN_CONTROL_COMMAND_H
#define POSTERN_CONTROL_COMMAND_H

#include "base/limits.h"
#include "gateway/json_out.h"
#include "gateway/program.h"
#include "gateway/worker.h"

/* A command under way. */
struct control_run {
    struct program *program;
    const struct control_command *command;
    struct span words[LIMIT_CONTROL_WORDS]; /* the command's name first */
    uint32_t word_count;
    struct json_out *out; /* an object, begun */
    unsigned worker;      /* that is asked */
    void *memory;         /* the command's own, cleared before begin */
    int *passed_fd;       /* a descriptor that came with the line, -1: none; who takes it says -1 */
    struct control_capture *capture;
    const void *client; /* who asks */
};

struct control_command {
    const char *name;
    const char *arguments; /* for the list of commands; "": none */
    const char *help;
    uint32_t words_least; /* the name counted */
    uint32_t words_most;
    size_t memory_bytes;
    /* False: the answer has an error (control_command_error), and nothing follows. */
    bool (*begin)(struct control_run *r);
    bool (*answer)(void *memory, const struct worker_parts *w); /* struct worker_question */
    /* True: the same worker is asked again. */
    bool (*tell)(struct control_run *r);
    void (*end)(struct control_run *r);
};

/* NULL: the answer has an error. */
const struct control_command *control_command_find(struct control_run *r);
/* The member "error". */
void control_command_error(struct control_run *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A word as a whole number. False with an error in the answer. */
bool control_command_number(struct control_run *r, struct span word, uint64_t most,
                            uint64_t *number);

/* --- control_blocks.c, control_connections.c -------------------------------------------------- */

extern const struct control_command control_blocks_list;
extern const struct control_command control_blocks_lift;
extern const struct control_command control_connections_list;

/* --- control_capture.c ----------------------------------------------------------------------- */

/* The one capture that there may be, and the client on whose connection it hangs. */
struct control_capture {
    struct capture *running; /* NULL: none */
    const void *owner;       /* NULL: it has gone */
};

extern const struct control_command control_capture_begin;
extern const struct control_command control_capture_look;
extern const struct control_command control_capture_end;

/* A client goes: its capture ends. */
void control_capture_leave(struct control_capture *c, const void *client);
/* Puts away what has ended and nobody asks about any more. Now and then. */
void control_capture_tick(struct control_capture *c);
/* Ends what there is, and waits for it. Workers must run. */
void control_capture_close(struct control_capture *c);

/* --- control_stats.c ------------------------------------------------------------------------- */

extern const struct control_command control_stats_stats;
extern const struct control_command control_stats_workers;

#endif
