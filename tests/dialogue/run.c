/*
 * Does SMTP answer this script? Runs each script whole and compares the transcript with its .ref;
 * then cut in two at every byte, byte by byte, and with the least room for replies: the transcript
 * must be the same each time. With --tls the same, in fewer cuts, through tls/ from a client of
 * BoringSSL's: a cut is then a border of records, and the wire cuts these once more.
 *
 * Usage: run [--write | --tls own|boringssl|1.2] SCRIPT.in...
 *     --write makes the .ref anew, to be read by a human before it is kept
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "dialogue/talk.h"

#define OUTPUT_ROOM 65536
/* A longer script is cut at this many places, evenly, and at each of its first and last bytes. */
#define CUTS_MAX 4096
/* Over TLS: what is longer is cut at TLS_CUTS places, and is not sent byte by byte. */
#define TLS_SHORT 1024
#define TLS_CUTS  16

static const char *const link_names[] = {
    [LINK_OWN] = "own", [LINK_BORINGSSL] = "boringssl", [LINK_TLS12] = "1.2"
};
#define LINKS 3

static uint32_t runs;
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

static bool same_cut(const char *path, const struct script *s, struct link *link, struct cut cut)
{
    char how[128];

    talk_run(s, cut, link, other);
    runs++;
    snprintf(how, sizeof(how), "cut at %u, then every %u; reads of %u, a wire of %u", cut.first,
             cut.step, cut.read, cut.chunk);
    return same(path, how, whole, other);
}

static bool check_cuts(const char *path, const struct script *s)
{
    uint32_t stride = s->len / CUTS_MAX + 1;

    for (uint32_t at = 1; at < s->len; at += stride) {
        if (!same_cut(path, s, NULL, (struct cut){ at, 0, OUTPUT_ROOM, 0, 0 }))
            return false;
    }
    if (!same_cut(path, s, NULL, (struct cut){ 0, 1, OUTPUT_ROOM, 0, 0 }))
        return false;
    if (!same_cut(path, s, NULL, (struct cut){ 0, 7, OUTPUT_ROOM, 0, 0 }))
        return false;
    return same_cut(path, s, NULL, (struct cut){ s->len, 0, LIMIT_REPLY_BYTES, 0, 0 });
}

/* Our own records at every byte; of the other two, whose bytes take another way, a part. */
static bool check_records(const char *path, const struct script *s, struct link *link)
{
    bool is_short = s->len <= TLS_SHORT;
    uint32_t stride = is_short && link->kind == LINK_OWN ? 1 : s->len / TLS_CUTS + 1;

    for (uint32_t at = 1; at < s->len; at += stride) {
        if (!same_cut(path, s, link, (struct cut){ at, 0, OUTPUT_ROOM, TALK_READ_MAX, 0 }))
            return false;
    }
    if (!same_cut(path, s, link, (struct cut){ 0, is_short ? 1 : 4099, OUTPUT_ROOM, 1000, 0 }))
        return false;
    if (!same_cut(path, s, link, (struct cut){ s->len, 0, OUTPUT_ROOM, is_short ? 1 : 777, 0 }))
        return false;
    if (!same_cut(path, s, link, (struct cut){ 0, 5003, OUTPUT_ROOM, 777, is_short ? 1 : 1000 }))
        return false;
    return same_cut(path, s, link, (struct cut){ s->len, 0, LIMIT_REPLY_BYTES, TALK_READ_MAX, 0 });
}

static bool run_script(const char *path, bool write, struct link *link)
{
    char ref[4096];
    struct script s;
    bool good;

    ref_path(path, ref, sizeof(ref));
    script_load(&s, path);
    talk_run(&s, (struct cut){ s.len, 0, OUTPUT_ROOM, TALK_READ_MAX, 0 }, link, whole);
    runs++;
    if (link != NULL)
        link_end(link);
    if (write)
        good = write_ref(ref);
    else
        good = load_expected(ref) && same(path, "whole", expected, whole);
    good = good && (link != NULL ? check_records(path, &s, link) : check_cuts(path, &s));
    script_free(&s);
    return good;
}

static bool link_named(struct link *link, const char *name)
{
    for (unsigned i = 0; i < LINKS; i++) {
        if (name != NULL && strcmp(link_names[i], name) == 0) {
            link_open(link, (enum link_kind)i);
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    bool write = argc > 1 && strcmp(argv[1], "--write") == 0;
    bool tls = argc > 1 && strcmp(argv[1], "--tls") == 0;
    int first = tls ? 3 : write ? 2 : 1;
    struct link link;
    int failed = 0;

    if (argc <= first || (tls && !link_named(&link, argv[2]))) {
        fprintf(stderr, "usage: run [--write | --tls own|boringssl|1.2] SCRIPT.in...\n");
        return 2;
    }
    for (int i = first; i < argc; i++) {
        if (!run_script(argv[i], write, tls ? &link : NULL))
            failed++;
    }
    if (tls)
        link_close(&link);
    printf("%d scripts, %d failed; %u runs\n", argc - first, failed, runs);
    return failed > 0;
}
