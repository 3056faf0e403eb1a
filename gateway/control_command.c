/* The table of commands, and the short ones. A new command is a row here. */
#include "gateway/control_command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERROR_BYTES 1024

static bool begin_help(struct control_run *r);
static bool begin_reload(struct control_run *r);
static bool begin_drain(struct control_run *r);

static const struct control_command help = {
    .name = "help",
    .arguments = "",
    .help = "the commands",
    .words_most = 1,
    .begin = begin_help,
};
static const struct control_command reload = {
    .name = "reload",
    .arguments = "",
    .help = "the users file and the log file anew, as by SIGHUP",
    .words_most = 1,
    .begin = begin_reload,
};
static const struct control_command drain = {
    .name = "drain",
    .arguments = "",
    .help = "no new connections, messages on their way are let in, then the end, as by SIGTERM",
    .words_most = 1,
    .begin = begin_drain,
};

static const struct control_command *const commands[] = {
    &control_stats_stats,
    &control_stats_workers,
    &control_connections_list,
    &control_blocks_list,
    &control_blocks_lift,
    &control_capture_begin,
    &control_capture_look,
    &control_capture_end,
    &reload,
    &drain,
    &help,
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

void control_command_error(struct control_run *r, const char *fmt, ...)
{
    char text[ERROR_BYTES];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    json_out_str(r->out, "error", text);
}

bool control_command_number(struct control_run *r, struct span word, uint64_t most,
                            uint64_t *number)
{
    *number = 0;
    for (uint32_t i = 0; i < word.len; i++) {
        uint64_t digit = (uint64_t)word.ptr[i] - '0';

        if (digit > 9 || *number > (most - digit) / 10) {
            control_command_error(r, "%.*s: must be a whole number up to %llu", (int)word.len,
                                  (const char *)word.ptr, (unsigned long long)most);
            return false;
        }
        *number = *number * 10 + digit;
    }
    return true;
}

static const struct control_command *find(struct span name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (span_equal(name, span_str(commands[i]->name)))
            return commands[i];
    return NULL;
}

const struct control_command *control_command_find(struct control_run *r)
{
    const struct control_command *c = find(r->words[0]);

    if (c == NULL) {
        control_command_error(r, "unknown command '%.*s'; 'help' lists them", (int)r->words[0].len,
                              (const char *)r->words[0].ptr);
        return NULL;
    }
    if (r->word_count >= c->words_least && r->word_count <= c->words_most)
        return c;
    control_command_error(r, "usage: %s%s%s", c->name, c->arguments[0] != 0 ? " " : "",
                          c->arguments);
    return NULL;
}

static bool begin_help(struct control_run *r)
{
    json_out_open(r->out, "commands", '[');
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        json_out_open(r->out, NULL, '{');
        json_out_str(r->out, "command", commands[i]->name);
        json_out_str(r->out, "arguments", commands[i]->arguments);
        json_out_str(r->out, "does", commands[i]->help);
        json_out_close(r->out, '}');
    }
    json_out_close(r->out, ']');
    return true;
}

static bool begin_reload(struct control_run *r)
{
    char text[ERROR_BYTES] = "";
    struct buf why = { (uint8_t *)text, 0, sizeof(text) - 1 };

    if (!program_reload(r->program, &why)) {
        control_command_error(r, "%.*s", (int)why.len, text);
        return false;
    }
    json_out_bool(r->out, "reloaded", true);
    return true;
}

static bool begin_drain(struct control_run *r)
{
    program_ask_to_drain(r->program);
    json_out_bool(r->out, "draining", true);
    return true;
}
