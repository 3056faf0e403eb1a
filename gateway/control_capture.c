/*
 * The commands of a capture: one begins it, with its settings as words "name=value" and the file as
 * a descriptor beside the line; one looks how far it is; one asks for its end. The file is the
 * client's, opened by the client: its rights count, not ours. The capture hangs on the client's
 * connection, and ends with it.
 *
 * Failure modes: one is under way already, there is no device, no descriptor came, a word is wrong:
 * an error each.
 */
#include "gateway/control_command.h"

#include <string.h>

#include "dataplane/nic/nic_port.h"
#include "gateway/capture.h"

struct setting {
    const char *name;
    uint64_t most; /* 0: an address */
    uint64_t *number;
};

static bool read_address(struct control_run *r, struct span word, struct addr *out)
{
    char text[ADDR_TEXT_MAX] = "";

    if (word.len < sizeof(text))
        memcpy(text, word.ptr, word.len);
    if (addr_parse(text, out))
        return true;
    control_command_error(r, "host: '%.*s' is no address", (int)word.len, (const char *)word.ptr);
    return false;
}

/* One word: "name=value". */
static bool read_word(struct control_run *r, struct span word, const struct setting *settings,
                      struct addr *host)
{
    const uint8_t *mark = memchr(word.ptr, '=', word.len);
    struct span name = span_first(word, mark != NULL ? (uint32_t)(mark - word.ptr) : 0);
    struct span value = span_skip(word, name.len + 1);

    if (span_equal(name, SPAN_LITERAL("host")))
        return read_address(r, value, host);
    for (; settings->name != NULL; settings++) {
        if (!span_equal(name, span_str(settings->name)))
            continue;
        if (!control_command_number(r, value, settings->most, settings->number))
            return false;
        if (value.len > 0)
            return true;
    }
    control_command_error(r,
                          "'%.*s': must be one of snaplen=, count=, seconds=, size=, worker=, "
                          "host=, port=, with a value",
                          (int)word.len, (const char *)word.ptr);
    return false;
}

static bool read_words(struct control_run *r, struct capture_config *config)
{
    uint64_t bytes = LIMIT_CAPTURE_FRAME_BYTES, port = 0, worker = UINT64_MAX;
    const struct setting settings[] = {
        { "snaplen", LIMIT_CAPTURE_FRAME_BYTES, &bytes },
        { "count", UINT64_MAX / 10, &config->frames },
        { "seconds", LIMIT_CAPTURE_S, &config->seconds },
        { "size", LIMIT_CAPTURE_BYTES, &config->bytes },
        { "worker", LIMIT_WORKERS, &worker },
        { "port", UINT16_MAX, &port },
        { 0 },
    };

    for (uint32_t i = 1; i < r->word_count; i++)
        if (!read_word(r, r->words[i], settings, &config->rules.host))
            return false;
    if (bytes == 0 || (worker != UINT64_MAX && worker >= config->queues)) {
        control_command_error(r,
                              "snaplen must not be 0, and worker must be below %u, the device's "
                              "queues",
                              config->queues);
        return false;
    }
    config->rules.bytes = (uint32_t)bytes;
    config->rules.port = (uint32_t)port;
    config->rules.queue = worker != UINT64_MAX ? (uint16_t)worker : NIC_CAPTURE_ALL;
    return true;
}

static void put_report(struct control_run *r)
{
    struct capture_report report;

    capture_look(r->capture->running, &report);
    json_out_u64(r->out, "frames", report.frames);
    json_out_u64(r->out, "bytes", report.bytes);
    json_out_u64(r->out, "dropped", report.dropped);
    json_out_bool(r->out, "ended", report.over != NULL);
    if (report.over != NULL)
        json_out_str(r->out, "why", report.over);
}

/* One that has ended makes room. */
static bool make_room(struct control_run *r)
{
    struct capture_report report;

    if (r->capture->running == NULL)
        return true;
    capture_look(r->capture->running, &report);
    if (report.over == NULL) {
        control_command_error(r, "a capture is under way");
        return false;
    }
    control_capture_close(r->capture);
    return true;
}

static bool begin(struct control_run *r)
{
    struct capture_config config = { .port = program_port(r->program),
                                     .frames = UINT64_MAX,
                                     .bytes = LIMIT_CAPTURE_BYTES_DEFAULT,
                                     .seconds = LIMIT_CAPTURE_S_DEFAULT,
                                     .fd = *r->passed_fd };
    char text[256] = "";
    struct buf why = { (uint8_t *)text, 0, sizeof(text) - 1 };
    struct nic_port_info info;

    if (config.port == NULL) {
        control_command_error(r, "there is no device: tcpdump sees what goes by the kernel");
        return false;
    }
    if (config.fd < 0) {
        control_command_error(r, "a descriptor of the file must come with the line");
        return false;
    }
    nic_port_info(config.port, &info);
    config.queues = info.queues;
    if (!read_words(r, &config) || !make_room(r))
        return false;
    r->capture->running = capture_begin(&config, &why);
    if (r->capture->running == NULL) {
        control_command_error(r, "%.*s", (int)why.len, text);
        return false;
    }
    *r->passed_fd = -1;
    r->capture->owner = r->client;
    put_report(r);
    return true;
}

static bool is_owner(struct control_run *r)
{
    if (r->capture->running != NULL && r->capture->owner == r->client)
        return true;
    control_command_error(r, "no capture has begun on this connection");
    return false;
}

static bool look(struct control_run *r)
{
    if (!is_owner(r))
        return false;
    put_report(r);
    return true;
}

static bool end(struct control_run *r)
{
    if (!is_owner(r))
        return false;
    capture_ask_to_end(r->capture->running);
    put_report(r);
    return true;
}

const struct control_command control_capture_begin = {
    .name = "capture",
    .arguments = "[snaplen=N] [count=N] [seconds=N] [size=BYTES] [worker=N] [host=ADDRESS] "
                 "[port=N]",
    .help = "the device's frames into a file, whose descriptor comes with the line",
    .words_most = LIMIT_CONTROL_WORDS,
    .begin = begin,
};
const struct control_command control_capture_look = {
    .name = "capture-look",
    .arguments = "",
    .help = "how far the capture is that began on this connection",
    .words_most = 1,
    .begin = look,
};
const struct control_command control_capture_end = {
    .name = "capture-end",
    .arguments = "",
    .help = "asks for its end",
    .words_most = 1,
    .begin = end,
};

void control_capture_leave(struct control_capture *c, const void *client)
{
    if (c->running == NULL || c->owner != client)
        return;
    capture_ask_to_end(c->running);
    c->owner = NULL;
}

void control_capture_tick(struct control_capture *c)
{
    struct capture_report report;

    if (c->running == NULL || c->owner != NULL)
        return;
    capture_look(c->running, &report);
    if (report.over != NULL)
        control_capture_close(c);
}

void control_capture_close(struct control_capture *c)
{
    if (c->running != NULL)
        capture_finish(c->running);
    *c = (struct control_capture){ 0 };
}
