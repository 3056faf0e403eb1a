/* See tally.h. A text of the server's is shown with its odd bytes as question marks. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "bench/tally.h"

static const char *const step_names[TALLY_STEPS] = {
    [TALLY_CONNECT] = "connect",   [TALLY_BANNER] = "banner", [TALLY_EHLO] = "EHLO",
    [TALLY_STARTTLS] = "STARTTLS", [TALLY_TLS] = "TLS",       [TALLY_AUTH] = "AUTH",
    [TALLY_MAIL] = "MAIL",         [TALLY_RCPT] = "RCPT",     [TALLY_DATA] = "DATA",
    [TALLY_MESSAGE] = "message",   [TALLY_QUIT] = "QUIT",
};

static const char *const fault_names[TALLY_FAULTS] = {
    [TALLY_REFUSED_4XX] = "refused for now (4xx)",
    [TALLY_REFUSED_5XX] = "refused (5xx)",
    [TALLY_WRONG_CODE] = "wrong reply code",
    [TALLY_NOT_A_REPLY] = "not a reply",
    [TALLY_UNASKED] = "bytes nobody asked for",
    [TALLY_CLOSED] = "closed by the server",
    [TALLY_SYSTEM] = "system error",
    [TALLY_CRYPTO] = "TLS error",
    [TALLY_TIMEOUT] = "timed out",
    [TALLY_NOT_OFFERED] = "not offered",
    [TALLY_UNFINISHED] = "unfinished at the end",
};

void tally_init(struct tally *t, FILE *log)
{
    memset(t, 0, sizeof(*t));
    t->log = log;
    hdr_init(&t->message);
    hdr_init(&t->commit);
    hdr_init(&t->handshake);
}

static void put_text(char *to, size_t cap, struct span text)
{
    size_t len = text.len < cap - 1 ? text.len : cap - 1;

    for (size_t i = 0; i < len; i++)
        to[i] = text.ptr[i] >= ' ' && text.ptr[i] < 127 ? (char)text.ptr[i] : '?';
    to[len] = 0;
}

void tally_error(struct tally *t, enum tally_step step, enum tally_fault fault, struct span text)
{
    struct tally_error *e = &t->errors[step][fault];

    if (e->count++ == 0)
        put_text(e->text, sizeof(e->text), text);
    t->error_count++;
}

void tally_acknowledge(struct tally *t, const struct letter *l, uint64_t now_ns, struct span said)
{
    const char *id = strstr(l->header, "X-Postern-Bench: ") + strlen("X-Postern-Bench: ");
    char text[128];

    t->acknowledged++;
    t->bytes += l->bytes;
    t->last_ns = now_ns;
    if (t->log == NULL)
        return;
    put_text(text, sizeof(text), said);
    fprintf(t->log, "%.6f\t%.*s\t%" PRIu64 "\t%08x\t%s\n",
            (double)(now_ns - t->start_ns) / (double)NS_PER_S, (int)strcspn(id, "\r"), id, l->bytes,
            letter_crc32c(l), text);
}

static void print_errors(const struct tally *t)
{
    for (unsigned s = 0; s < TALLY_STEPS; s++)
        for (unsigned f = 0; f < TALLY_FAULTS; f++) {
            const struct tally_error *e = &t->errors[s][f];

            if (e->count > 0)
                printf("error       %10" PRIu64 "  %s: %s%s%s\n", e->count, step_names[s],
                       fault_names[f], e->text[0] != 0 ? ": " : "", e->text);
        }
}

static void put(FILE *tsv, const char *name, const char *unit, double value)
{
    if (tsv != NULL)
        fprintf(tsv, "load/%s\t%s\t%.9g\t%.9g\t%.9g\t1\n", name, unit, value, value, value);
}

static void print_times(const char *name, const struct hdr *h, FILE *tsv)
{
    static const double percents[] = { 50, 90, 99, 99.9, 99.99 };
    char label[64];

    if (h->count == 0)
        return;
    printf("%-12s", name);
    for (unsigned i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
        double us = (double)hdr_percentile(h, percents[i]) / NS_PER_US;

        printf("%s p%g %.0f us", i > 0 ? "," : "", percents[i], us);
        snprintf(label, sizeof(label), "%s/p%g", name, percents[i]);
        put(tsv, label, "us", us);
    }
    printf(", min %.0f, max %.0f us, of %" PRIu64 "\n", (double)h->least / NS_PER_US,
           (double)h->most / NS_PER_US, h->count);
}

void tally_print(const struct tally *t, double cpu_s, FILE *tsv)
{
    double s = t->last_ns > t->start_ns ? (double)(t->last_ns - t->start_ns) / NS_PER_S : 0;
    double rate = s > 0 ? (double)t->acknowledged / s : 0;
    double mb_per_s = s > 0 ? (double)t->bytes / 1e6 / s : 0;

    printf("messages    %10" PRIu64 "  acknowledged, %" PRIu64 " started, %" PRIu64 " dropped\n",
           t->acknowledged, t->started, t->dropped);
    printf("connections %10" PRIu64 "  of them %" PRIu64 " resumed\n", t->connections, t->resumed);
    printf("rate        %10.1f  messages/s, %.2f MB/s, over %.3f s\n", rate, mb_per_s, s);
    printf("client CPU  %10.3f  s, %.0f %% of a core\n", cpu_s, s > 0 ? 100 * cpu_s / s : 0);
    print_times("message", &t->message, tsv);
    print_times("commit", &t->commit, tsv);
    print_times("handshake", &t->handshake, tsv);
    print_errors(t);
    put(tsv, "acknowledged", "messages", (double)t->acknowledged);
    put(tsv, "started", "messages", (double)t->started);
    put(tsv, "errors", "errors", (double)t->error_count);
    put(tsv, "connections", "connections", (double)t->connections);
    put(tsv, "rate", "messages/s", rate);
    put(tsv, "throughput", "MB/s", mb_per_s);
    put(tsv, "seconds", "s", s);
    put(tsv, "client_cpu", "s", cpu_s);
}

void tally_print_aside(const struct tally *t)
{
    if (t->connections == 0)
        return;
    printf("beside      %10" PRIu64 "  idle and slow connections, %" PRIu64
           " messages acknowledged\n",
           t->connections, t->acknowledged);
    print_errors(t);
}
