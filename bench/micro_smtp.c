/*
 * SMTP without a connection: commands from their bytes to their replies, and bodies looked through
 * for their end, beside memchr over the same bytes, which is as fast as looking can be.
 *
 * Happy path: one session is logged in and repeats an envelope and RSET; another one is in a body
 * that never ends. Failure: a session that wants something else than it should.
 */
#include <stdio.h>
#include <x86intrin.h>

#include "bench/micro.h"
#include "smtp/smtp.h"

#define BODY_BYTES (16U << 20)
#define LINE_BYTES 78
#define COMMANDS   4 /* of the envelope below */
#define BATCH_US   500

static struct clock now = { .now_ns = NS_PER_S, .unix_ms = 1764000000000 };
static struct counters counters;
static struct mail_id_gen ids;
static struct smtp *smtp;
static struct smtp_session *talker, *sender;
static uint8_t replies[4096];
static uint8_t body[BODY_BYTES];

static const char hello[] = "EHLO a.example\r\nAUTH PLAIN AHRlc3QAdGVzdA==\r\n";
static const char data[] = "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n";
static const char envelope[] = "MAIL FROM:<alice@example.org> SIZE=4096 BODY=8BITMIME\r\n"
                               "RCPT TO:<bob@example.net>\r\nRCPT TO:<carol@example.net>\r\n"
                               "RSET\r\n";

static enum smtp_want say(struct smtp_session *s, const char *what, uint32_t len)
{
    struct span in = span_of(what, len);
    struct buf out = { replies, 0, sizeof(replies) };

    return smtp_session_run(s, &in, &out);
}

static struct smtp_session *log_in(void)
{
    struct smtp_client who = { .secure = true,
                               .mechanisms = SMTP_MECHANISM_PLAIN,
                               .tls_version = "TLSv1.3",
                               .tls_cipher = "TLS_AES_128_GCM_SHA256",
                               .tls_group = "X25519" };
    struct smtp_session *s;

    who.peer.addr = who.local.addr = addr_from_v4(0x0a000001);
    s = smtp_session_open(smtp, &who);
    if (s == NULL || say(s, hello, sizeof(hello) - 1) != SMTP_WANT_VERDICT)
        return NULL;
    smtp_session_verdict(s, SMTP_VERDICT_OK);
    return say(s, "", 0) == SMTP_WANT_INPUT ? s : NULL;
}

static uint64_t commands(void *arg, uint64_t count)
{
    uint64_t begin = __rdtsc();

    (void)arg;
    for (uint64_t n = 0; n < count; n += COMMANDS)
        if (say(talker, envelope, sizeof(envelope) - 1) != SMTP_WANT_INPUT)
            return 0;
    return __rdtsc() - begin;
}

/* So much of it that it ends a line. */
static struct span end_of_body(const uint32_t *len)
{
    return span_of(body + BODY_BYTES - *len, *len);
}

static uint64_t scan(void *arg, uint64_t count)
{
    uint64_t begin = __rdtsc();
    uint32_t taken;

    for (uint64_t n = 0; n < count; n++)
        if (smtp_session_body(sender, end_of_body(arg), &taken) != SMTP_BODY_MORE)
            return 0;
    return __rdtsc() - begin;
}

static uint64_t look(void *arg, uint64_t count)
{
    uint64_t begin = __rdtsc();
    struct span bytes = end_of_body(arg);

    for (uint64_t n = 0; n < count; n++) {
        const void *at = memchr(bytes.ptr, 0, bytes.len);

        __asm__ volatile("" : : "r"(at) : "memory"); /* or it is done once */
        if (at != NULL)
            return 0;
    }
    return __rdtsc() - begin;
}

static void fill_body(void)
{
    for (uint32_t i = 0; i < BODY_BYTES; i++) {
        uint32_t at = (BODY_BYTES - 1 - i) % LINE_BYTES; /* from the end: it ends a line */

        body[i] = (uint8_t)(at == 0 ? '\n' : at == 1 ? '\r' : 'x');
    }
}

static bool start(void)
{
    static const struct smtp_config config = {
        .hostname = "mail.example.org",
        .message_bytes_max = 1ULL << 60,
        .recipients_max = 100,
        .errors_max = 20,
        .auth_tries_max = 3,
        .command_timeout_s = 300,
        .data_timeout_s = 180,
    };
    struct smtp_env env = { &now, &counters, &ids, NULL };

    mail_id_init(&ids, 0, 0);
    smtp = smtp_create(&config, 2, &env);
    if (smtp == NULL)
        return false;
    talker = log_in();
    sender = log_in();
    return talker != NULL && sender != NULL &&
           say(sender, data, sizeof(data) - 1) == SMTP_WANT_BODY;
}

/* In the first-level cache, in the second, in the last or in none. */
static uint32_t sizes[] = { 4096, 65536, BODY_BYTES };

static void add(struct timing *t, const char *what, uint64_t (*run)(void *, uint64_t),
                uint32_t *bytes)
{
    struct timing_task task = { .bytes = *bytes, .run = run, .arg = bytes, .batch_us = BATCH_US };

    snprintf(task.name, sizeof(task.name), "smtp/%s-%uk", what, *bytes / 1024);
    timing_add(t, &task);
}

bool micro_smtp_open(struct timing *t, const char *directory, struct buf *why)
{
    struct timing_task task = { .name = "smtp/command", .run = commands, .batch_us = BATCH_US };

    (void)directory;
    fill_body();
    if (!start()) {
        buf_printf(why, "a session does not come to where it should");
        return false;
    }
    timing_add(t, &task);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        add(t, "body-scan", scan, &sizes[i]);
        add(t, "memchr", look, &sizes[i]);
    }
    return true;
}

void micro_smtp_close(void)
{
    if (talker != NULL)
        smtp_session_close(talker);
    if (sender != NULL)
        smtp_session_close(sender);
    if (smtp != NULL)
        smtp_destroy(smtp);
}
