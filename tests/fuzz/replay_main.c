/*
 * Runs a fuzz target without libFuzzer: every file of the folders (or files) given, and of each a
 * fixed number of mutations made from a fixed seed, so that a run is the same run everywhere. A
 * crash of the target ends the program; the file and the number of the mutation stand on stderr by
 * then.
 *
 * Usage: TARGET [-n MUTATIONS] FOLDER|FILE...      default: 200 mutations a file
 */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/rng.h"

#define MUTATIONS_DEFAULT 200
#define INPUT_MAX         (1024 * 1024)
#define FILES_MAX         65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    char *path;
    uint8_t *bytes;
    size_t len;
};

static struct input inputs[FILES_MAX];
static size_t input_count;
static uint8_t scratch[2 * INPUT_MAX];

/* For the signal handler: what was being run. */
static const char *volatile running_path = "";
static volatile uint64_t running_mutation;

static void die(const char *what, const char *path)
{
    perror(path);
    fprintf(stderr, "replay: %s\n", what);
    exit(2);
}

/* Defined by the sanitizers' runtime when there is one. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static struct sigaction old_abort;
static struct sigaction old_fault;

static void write_text(const char *text, size_t len)
{
    if (write(STDERR_FILENO, text, len) < 0)
        _exit(2);
}

/* Only write(2): we may stand anywhere in the target. */
static void say_where(void)
{
    char text[32];
    size_t at = sizeof(text);
    uint64_t n = running_mutation;

    text[--at] = '\n';
    do {
        text[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    write_text("replay: crash in ", 17);
    write_text(running_path, strlen(running_path));
    write_text(" mutation ", 10);
    write_text(text + at, sizeof(text) - at);
}

/* Then what would have happened without us: the sanitizer's report or a core. */
static void on_crash(int signal_number)
{
    sigaction(SIGABRT, &old_abort, NULL);
    sigaction(SIGSEGV, &old_fault, NULL);
    say_where();
    if (signal_number == SIGABRT)
        raise(signal_number);
}

static void catch_crashes(void)
{
    struct sigaction action = { .sa_handler = on_crash };

    sigaction(SIGABRT, &action, &old_abort);
    sigaction(SIGSEGV, &action, &old_fault);
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(say_where);
}

static void load_file(const char *path)
{
    struct input *in = &inputs[input_count];
    FILE *f = fopen(path, "rb");

    if (f == NULL)
        die("cannot open", path);
    if (input_count == FILES_MAX)
        die("too many files", path);
    in->path = strdup(path);
    in->bytes = malloc(INPUT_MAX);
    if (in->path == NULL || in->bytes == NULL)
        die("memory is short", path);
    in->len = fread(in->bytes, 1, INPUT_MAX, f);
    if (ferror(f))
        die("cannot read", path);
    fclose(f);
    input_count++;
}

static void load_path(const char *path)
{
    struct stat st;
    struct dirent **names;
    int count;

    if (stat(path, &st) != 0)
        die("cannot stat", path);
    if (!S_ISDIR(st.st_mode)) {
        load_file(path);
        return;
    }
    /* In order of names, so that a run is the same everywhere. */
    count = scandir(path, &names, NULL, alphasort);
    if (count < 0)
        die("cannot list", path);
    for (int i = 0; i < count; i++) {
        char *full;

        if (names[i]->d_name[0] != '.') {
            if (asprintf(&full, "%s/%s", path, names[i]->d_name) < 0)
                die("memory is short", path);
            load_path(full);
            free(full);
        }
        free(names[i]);
    }
    free(names);
}

/* A run in an exact allocation, so that AddressSanitizer sees a read past its end. */
static void run(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    if (copy == NULL)
        die("memory is short", running_path);
    memcpy(copy, bytes, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void flip_bits(struct rng *r, size_t len)
{
    for (uint64_t i = 1 + rng_below(r, 8); i > 0 && len > 0; i--)
        scratch[rng_below(r, len)] ^= (uint8_t)(1u << rng_below(r, 8));
}

static void set_bytes(struct rng *r, size_t len)
{
    static const uint8_t edges[] = { 0x00, 0x01, 0x7f, 0x80, 0xff, '\r', '\n', '.', ' ' };

    for (uint64_t i = 1 + rng_below(r, 4); i > 0 && len > 0; i--)
        scratch[rng_below(r, len)] = edges[rng_below(r, sizeof(edges))];
}

/* A part of the input stands twice. */
static size_t duplicate(struct rng *r, size_t len)
{
    size_t from = rng_below(r, len + 1);
    size_t part = rng_below(r, len - from + 1);

    memmove(scratch + from + part, scratch + from, len - from);
    return len + part;
}

/* A part of the input is missing. */
static size_t cut_out(struct rng *r, size_t len)
{
    size_t from = rng_below(r, len + 1);
    size_t part = rng_below(r, len - from + 1);

    memmove(scratch + from, scratch + from + part, len - from - part);
    return len - part;
}

/* The front of one input and the back of another. */
static size_t splice(struct rng *r, size_t len)
{
    const struct input *other = &inputs[rng_below(r, input_count)];
    size_t front = rng_below(r, len + 1);
    size_t from = rng_below(r, other->len + 1);

    memcpy(scratch + front, other->bytes + from, other->len - from);
    return front + other->len - from;
}

static size_t mutate(struct rng *r, size_t len)
{
    switch (rng_below(r, 6)) {
    case 0: flip_bits(r, len); return len;
    case 1: set_bytes(r, len); return len;
    case 2: return rng_below(r, len + 1);
    case 3: return duplicate(r, len);
    case 4: return cut_out(r, len);
    default: return splice(r, len);
    }
}

static void run_mutations(const struct input *in, uint64_t count)
{
    static const struct hash_key key = { 0x706f737465726e, 1 };
    struct rng r;

    rng_seed(&r, hash_sip24(&key, in->bytes, (uint32_t)in->len));
    for (running_mutation = 1; running_mutation <= count; running_mutation++) {
        size_t len = in->len;

        memcpy(scratch, in->bytes, in->len);
        for (uint64_t rounds = 1 + rng_below(&r, 3); rounds > 0 && len <= INPUT_MAX; rounds--)
            len = mutate(&r, len);
        run(scratch, len < INPUT_MAX ? len : INPUT_MAX);
    }
}

static void free_inputs(void)
{
    for (size_t i = 0; i < input_count; i++) {
        free(inputs[i].path);
        free(inputs[i].bytes);
    }
}

int main(int argc, char **argv)
{
    uint64_t mutations = MUTATIONS_DEFAULT;
    int arg = 1;

    if (argc > 2 && strcmp(argv[1], "-n") == 0) {
        mutations = strtoull(argv[2], NULL, 10);
        arg = 3;
    }
    for (; arg < argc; arg++)
        load_path(argv[arg]);
    if (input_count == 0) {
        fprintf(stderr, "replay: no input: give the corpus folders of the target\n");
        return 2;
    }
    catch_crashes();
    for (size_t i = 0; i < input_count; i++) {
        running_path = inputs[i].path;
        running_mutation = 0;
        run(inputs[i].bytes, inputs[i].len);
        run_mutations(&inputs[i], mutations);
    }
    printf("replay: %zu files, %" PRIu64 " mutations each, %" PRIu64 " runs\n", input_count,
           mutations, (uint64_t)input_count * (mutations + 1));
    free_inputs();
    return 0;
}
