/* Reads dialogue scripts; script.h has the form. A wrong script ends the program: it is our own. */
#include "dialogue/script.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"

struct reader {
    struct script *script;
    const char *path;
    uint32_t line;
    char *words; /* what is left of the directive */
};

static void die(const struct reader *r, const char *what)
{
    fprintf(stderr, "%s:%u: %s\n", r->path, r->line, what);
    exit(2);
}

static void add_byte(struct reader *r, uint8_t c)
{
    if (r->script->len == SCRIPT_BYTES_MAX)
        die(r, "the script sends too much");
    r->script->bytes[r->script->len++] = c;
}

static const char *add_escape(struct reader *r, const char *p)
{
    static const char names[] = "rn0t\\";
    static const char values[] = "\r\n\0\t\\";
    const char *name = *p != '\0' ? strchr(names, *p) : NULL;
    unsigned value;

    if (name != NULL) {
        add_byte(r, (uint8_t)values[name - names]);
        return p + 1;
    }
    if (sscanf(p, "x%2x", &value) != 1)
        die(r, "an escape that is none");
    add_byte(r, (uint8_t)value);
    return p + 3;
}

static void add_text(struct reader *r, const char *p)
{
    while (*p != '\0') {
        if (*p == '\\')
            p = add_escape(r, p + 1);
        else
            add_byte(r, (uint8_t)*p++);
    }
}

static void add_repeated(struct reader *r, const char *args)
{
    char *text;
    unsigned long count = strtoul(args, &text, 10);

    if (text == args || *text != ' ')
        die(r, "X: wants a count and a text");
    for (unsigned long i = 0; i < count; i++)
        add_text(r, text + 1);
}

/* --- Directives ------------------------------------------------------------------------------ */

struct word {
    const char *name;
    int value;
};

static const struct word verdict_words[] = { { "ok", SMTP_VERDICT_OK },
                                             { "wrong", SMTP_VERDICT_WRONG },
                                             { "temporary", SMTP_VERDICT_TEMPORARY },
                                             { "blocked", SMTP_VERDICT_BLOCKED },
                                             { "challenge", SCRIPT_CHALLENGE },
                                             { NULL, 0 } };
static const struct word delivery_words[] = { { "durable", SMTP_DELIVERY_DURABLE },
                                              { "full", SMTP_DELIVERY_FULL },
                                              { "failed", SMTP_DELIVERY_FAILED },
                                              { NULL, 0 } };
static const struct word end_words[] = { { "timeout", SMTP_END_TIMEOUT },
                                         { "shutdown", SMTP_END_SHUTDOWN },
                                         { "drain", SMTP_END_DRAIN },
                                         { NULL, 0 } };
enum security { SECURE_NO, SECURE_YES, SECURE_STARTTLS };

static const struct word secure_words[] = {
    { "yes", SECURE_YES }, { "no", SECURE_NO }, { "starttls", SECURE_STARTTLS }, { NULL, 0 }
};

static int look_up(struct reader *r, const struct word *words, const char *name)
{
    for (; words->name != NULL; words++) {
        if (name != NULL && strcmp(words->name, name) == 0)
            return words->value;
    }
    die(r, "an unknown word");
    return 0;
}

static void set_hostname(struct smtp_config *c, const char *name)
{
    free((void *)(uintptr_t)c->hostname);
    c->hostname = strdup(name);
}

static void set_config(struct reader *r, const char *key, const char *value)
{
    struct smtp_config *c = &r->script->config;
    uint64_t number = value != NULL ? strtoull(value, NULL, 10) : 0;

    if (key == NULL || value == NULL)
        die(r, "!config wants a key and a value");
    else if (strcmp(key, "hostname") == 0)
        set_hostname(c, value);
    else if (strcmp(key, "size") == 0)
        c->message_bytes_max = number;
    else if (strcmp(key, "recipients") == 0)
        c->recipients_max = (uint32_t)number;
    else if (strcmp(key, "errors") == 0)
        c->errors_max = (uint32_t)number;
    else if (strcmp(key, "hold") == 0)
        c->hold_s_max = (uint32_t)number;
    else if (strcmp(key, "soft") == 0)
        c->errors_soft = (uint32_t)number;
    else if (strcmp(key, "delay") == 0)
        c->error_delay_s = (uint32_t)number;
    else if (strcmp(key, "hops") == 0)
        c->hops_max = (uint32_t)number;
    else if (strcmp(key, "privacy") == 0)
        c->privacy = number != 0;
    else if (strcmp(key, "tries") == 0)
        c->auth_tries_max = (uint32_t)number;
    else
        die(r, "an unknown !config key");
}

static void set_secure(struct smtp_client *c, enum security how)
{
    c->secure = how == SECURE_YES;
    c->starttls = how == SECURE_STARTTLS;
    if (!c->secure)
        c->tls_version = c->tls_cipher = c->tls_group = NULL;
}

static void set_client(struct reader *r, const char *key, const char *value)
{
    struct smtp_client *c = &r->script->client;

    if (key == NULL || value == NULL)
        die(r, "!client wants a key and a value");
    else if (strcmp(key, "secure") == 0)
        set_secure(c, (enum security)look_up(r, secure_words, value));
    else if (strcmp(key, "xclient") == 0)
        c->xclient = strcmp(value, "yes") == 0;
    else if (strcmp(key, "scram") == 0 && strcmp(value, "yes") == 0)
        c->mechanisms |= SMTP_MECHANISM_SCRAM | SMTP_MECHANISM_SCRAM_PLUS;
    else if (strcmp(key, "oauth") == 0 && strcmp(value, "yes") == 0)
        c->mechanisms |= SMTP_MECHANISM_OAUTHBEARER | SMTP_MECHANISM_XOAUTH2;
    else if (strcmp(key, "certificate") == 0) {
        snprintf(r->script->certificate, sizeof(r->script->certificate), "%s", value);
        c->identity = span_str(r->script->certificate);
        c->mechanisms |= SMTP_MECHANISM_EXTERNAL;
    } else if (strcmp(key, "address") == 0 && addr_parse(value, &c->peer.addr))
        return;
    else
        die(r, "an unknown !client key or a wrong value");
}

static char *next_word(struct reader *r)
{
    return strtok_r(NULL, " ", &r->words);
}

static void set_answers(struct reader *r, bool verdicts)
{
    struct script *s = r->script;
    const char *word;

    while ((word = next_word(r)) != NULL) {
        if (s->verdict_count == SCRIPT_ANSWERS_MAX || s->delivery_count == SCRIPT_ANSWERS_MAX)
            die(r, "too many answers");
        if (verdicts)
            s->verdicts[s->verdict_count++] = look_up(r, verdict_words, word);
        else
            s->deliveries[s->delivery_count++] =
                (enum smtp_delivery)look_up(r, delivery_words, word);
    }
}

static void set_end(struct reader *r, const char *word)
{
    r->script->end = true;
    r->script->end_why = (enum smtp_end)look_up(r, end_words, word);
    r->script->end_at = r->script->len;
}

static const struct word use_words[] = { { "messages", SMTP_USE_MESSAGES },
                                         { "recipients", SMTP_USE_RECIPIENTS },
                                         { "bytes", SMTP_USE_BYTES },
                                         { NULL, 0 } };
static const struct word from_words[] = {
    { "any", SMTP_FROM_ANY }, { "sender", SMTP_FROM_SENDER }, { "own", SMTP_FROM_OWN }, { NULL, 0 }
};

static void set_policy(struct reader *r, const char *key, const char *value)
{
    struct policy_script *p = &r->script->policy;
    int use;

    r->script->has_policy = true;
    if (key == NULL || value == NULL) {
        die(r, "!policy wants a key and a value");
    } else if (strcmp(key, "mailbox") == 0 && p->mailbox_count < POLICY_MAILBOXES_MAX) {
        p->mailboxes[p->mailbox_count++] = strdup(value);
    } else if (strcmp(key, "from") == 0) {
        r->script->config.from_rule = (enum smtp_from_rule)look_up(r, from_words, value);
    } else if (strcmp(key, "crowded") == 0) {
        p->crowded = strcmp(value, "yes") == 0;
    } else if (strcmp(key, "size") == 0) {
        p->size = strtoull(value, NULL, 10);
    } else if (strcmp(key, "rcpt") == 0) {
        p->rcpt = (uint32_t)strtoul(value, NULL, 10);
    } else {
        use = look_up(r, use_words, key);
        p->limited[use] = true;
        p->room[use] = strtoull(value, NULL, 10);
    }
}

static void set_lost(struct reader *r, const char *word)
{
    r->script->lost = true;
    r->script->lost_why = (enum smtp_delivery)look_up(r, delivery_words, word);
}

/* False: it is another one. */
static bool set_tls(struct script *s, const char *name)
{
    if (strcmp(name, "!no-tls") == 0) {
        s->no_tls = true;
        return true;
    }
    if (strcmp(name, "!wait") != 0)
        return false;
    s->wait = true;
    s->clear = s->len;
    return true;
}

static void read_directive(struct reader *r, char *line)
{
    const char *name = strtok_r(line, " ", &r->words);
    const char *key;

    if (strcmp(name, "!verdict") == 0 || strcmp(name, "!delivery") == 0) {
        set_answers(r, name[1] == 'v');
        return;
    }
    if (set_tls(r->script, name))
        return;
    key = next_word(r);
    if (strcmp(name, "!config") == 0)
        set_config(r, key, next_word(r));
    else if (strcmp(name, "!client") == 0)
        set_client(r, key, next_word(r));
    else if (strcmp(name, "!policy") == 0)
        set_policy(r, key, next_word(r));
    else if (strcmp(name, "!end") == 0)
        set_end(r, key);
    else if (strcmp(name, "!lost") == 0)
        set_lost(r, key);
    else
        die(r, "an unknown directive");
}

static void read_line(struct reader *r, char *line)
{
    if (line[0] == '#' || line[0] == '\0')
        return;
    if (line[0] == '!') {
        read_directive(r, line);
        return;
    }
    if (strncmp(line, "C: ", 3) == 0) {
        add_text(r, line + 3);
        add_byte(r, '\r');
        add_byte(r, '\n');
    } else if (strncmp(line, "R: ", 3) == 0) {
        add_text(r, line + 3);
    } else if (strncmp(line, "X: ", 3) == 0) {
        add_repeated(r, line + 3);
    } else {
        die(r, "a line that is neither C:, R:, X:, ! nor #");
    }
}

static void set_defaults(struct script *s)
{
    *s = (struct script){
        .config = {
            .message_bytes_max = 1000000,
            .recipients_max = 100,
            .errors_max = LIMIT_ERRORS_DEFAULT,
            .auth_tries_max = LIMIT_AUTH_TRIES_DEFAULT,
            .command_timeout_s = 300,
            .data_timeout_s = 180,
            .hops_max = LIMIT_HOPS_DEFAULT,
            .hold_s_max = LIMIT_HOLD_S_DEFAULT,
        },
        .client = {
            .peer = { addr_from_v4(0xc0000207), 40001 },
            .local = { addr_from_v4(0xc0000201), 465 },
            .secure = true,
            .mechanisms = SMTP_MECHANISM_PLAIN | SMTP_MECHANISM_LOGIN,
            .tls_version = "TLSv1.3",
            .tls_cipher = "TLS_AES_128_GCM_SHA256",
            .tls_group = "X25519MLKEM768",
        },
    };
    set_hostname(&s->config, "mx.example.org");
    s->bytes = malloc(SCRIPT_BYTES_MAX);
}

void script_load(struct script *s, const char *path)
{
    struct reader r = { .script = s, .path = path };
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    set_defaults(s);
    if (f == NULL || s->bytes == NULL)
        die(&r, "cannot be opened");
    while ((len = getline(&line, &cap, f)) > 0) {
        r.line++;
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        read_line(&r, line);
    }
    free(line);
    fclose(f);
    if (!s->end)
        s->end_at = s->len;
    if (!s->wait)
        s->clear = s->len;
}

void script_free(struct script *s)
{
    for (uint32_t i = 0; i < s->policy.mailbox_count; i++)
        free(s->policy.mailboxes[i]);
    free((void *)(uintptr_t)s->config.hostname);
    free(s->bytes);
}
