/*
 * Does SMTP answer this script? Runs each script whole and compares the transcript with its .ref;
 * then cut in two at every byte, byte by byte, and with the least room for replies: the transcript
 * must be the same each time.
 *
 * Usage: run [--write] SCRIPT.in...      --write makes the .ref anew, to be read by a human before
 * it is kept
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "dialogue/talk.h"

#define OUTPUT_ROOM 65536
/* A longer script is cut at this many places, evenly, and at each of its first and last bytes. */
#define CUTS_MAX 4096

static char expected[TRANSCRIPT_MAX];
static char whole[TRANSCRIPT_MAX];
static char other[TRANSCRIPT_MAX];

static void ref_path(const char *script, char *out, size_t cap)
{
    size_t len = strlen(script);

    if (len < 3 || strcmp(script + len - 3, ".in") != 0 || len + 2 > cap) {
        fprintf(stderr, "%s: not a .in file\n", script);
        exit(2);
    }
    memcpy(out, script, len - 3);
    memcpy(out + len - 3, ".ref", 5);
}

static bool load_expected(const char *path)
{
    FILE *f = fopen(path, "r");
    size_t len;

    if (f == NULL) {
        perror(path);
        return false;
    }
    len = fread(expected, 1, sizeof(expected) - 1, f);
    expected[len] = '\0';
    fclose(f);
    return true;
}

static bool write_ref(const char *path)
{
    FILE *f = fopen(path, "w");

    if (f == NULL || fputs(whole, f) == EOF || fclose(f) != 0) {
        perror(path);
        return false;
    }
    return true;
}

static bool same(const char *script, const char *how, const char *want, const char *got)
{
    if (strcmp(want, got) == 0)
        return true;
    printf("%s: %s: the transcript differs\n--- wanted\n%s--- got\n%s---\n", script, how, want,
           got);
    return false;
}

static bool same_cut(const char *path, const struct script *s, struct cut cut)
{
    char how[64];

    talk_run(s, cut, other);
    snprintf(how, sizeof(how), "cut at %u, then every %u", cut.first, cut.step);
    return same(path, how, whole, other);
}

static bool check_cuts(const char *path, const struct script *s)
{
    uint32_t stride = s->len / CUTS_MAX + 1;

    for (uint32_t at = 1; at < s->len; at += stride) {
        if (!same_cut(path, s, (struct cut){ at, 0, OUTPUT_ROOM }))
            return false;
    }
    if (!same_cut(path, s, (struct cut){ 0, 1, OUTPUT_ROOM }))
        return false;
    if (!same_cut(path, s, (struct cut){ 0, 7, OUTPUT_ROOM }))
        return false;
    return same_cut(path, s, (struct cut){ s->len, 0, LIMIT_REPLY_BYTES });
}

static bool run_script(const char *path, bool write)
{
    char ref[4096];
    struct script s;
    bool good;

    ref_path(path, ref, sizeof(ref));
    script_load(&s, path);
    talk_run(&s, (struct cut){ s.len, 0, OUTPUT_ROOM }, whole);
    if (write)
        good = write_ref(ref);
    else
        good = load_expected(ref) && same(path, "whole", expected, whole);
    good = good && check_cuts(path, &s);
    script_free(&s);
    return good;
}

int main(int argc, char **argv)
{
    bool write = argc > 1 && strcmp(argv[1], "--write") == 0;
    int failed = 0;

    for (int i = write ? 2 : 1; i < argc; i++) {
        if (!run_script(argv[i], write))
            failed++;
    }
    if (argc < (write ? 3 : 2)) {
        fprintf(stderr, "usage: run [--write] SCRIPT.in...\n");
        return 2;
    }
    return failed > 0;
}
