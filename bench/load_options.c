/*
 * The command line of `load`. Happy path: defaults, options, the server's address, the login. Every
 * fault is said on standard error.
 */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "bench/load.h"
#include "bench/options.h"

#define CONNECTIONS_MAX 1000000
#define SECONDS_MAX     (7 * 86400)
#define HOSTS_MAX       200

static const char usage[] =
    "usage: postern-bench load [OPTION...] HOST PORT\n"
    "  -c, --connections N     connections at once (1)\n"
    "  -n, --messages N        messages in all (1000)\n"
    "  -t, --time S            end after this time, s (60)\n"
    "  -m, --per-connection N  messages of a connection; 0: no end (1)\n"
    "  -s, --size LIST         bytes of a message; sizes and ranges with weights:\n"
    "                          1K:70,20K-60K:30; or corpus: as people's mail has them (4K)\n"
    "  -r, --rate N            open loop: messages a second, times counted from when they were\n"
    "                          meant to start (0: closed loop)\n"
    "      --constant          evenly apart, not as a Poisson process\n"
    "  -u, --user LOGIN        AUTH PLAIN with this login\n"
    "  -p, --password FILE     and the first line of this file\n"
    "      --starttls          port 587: STARTTLS, not TLS from the first byte\n"
    "      --tls VERSION       1.2 or 1.3 alone\n"
    "      --group NAME        X25519, P-256, X25519MLKEM768\n"
    "      --name NAME         server name to ask for (SNI)\n"
    "      --resume            resume TLS sessions\n"
    "      --bdat              BDAT where the server offers CHUNKING\n"
    "      --no-pipelining     one command at a time\n"
    "      --from ADDR  --to ADDR\n"
    "      --idle N            connections beside these that log in and stay\n"
    "      --slow N            connections that send --slow-rate bytes a second (100)\n"
    "      --timeout S         for each step (30)\n"
    "      --device VDEV       over our own TCP on this DPDK device: net_memif0,role=client,...\n"
    "      --address ADDR/BITS our IPv4 address there\n"
    "      --hosts N           addresses from that one on, used in turns (1)\n"
    "      --core N            bind to this core\n"
    "      --seed N            of sizes and arrivals (1)\n"
    "      --run NAME          first part of every message's id (run)\n"
    "      --log FILE          a line for each message acknowledged\n"
    "  -o, --output FILE       results as lines with tabs\n";

enum {
    CONSTANT = 256,
    STARTTLS,
    TLS,
    GROUP,
    NAME,
    RESUME,
    BDAT,
    NO_PIPELINING,
    FROM,
    TO,
    IDLE,
    SLOW,
    SLOW_RATE,
    TIMEOUT,
    DEVICE,
    ADDRESS,
    HOSTS,
    CORE,
    SEED,
    RUN,
    LOG_FILE
};

static const struct option longs[] = {
    { "connections", required_argument, NULL, 'c' },
    { "messages", required_argument, NULL, 'n' },
    { "time", required_argument, NULL, 't' },
    { "per-connection", required_argument, NULL, 'm' },
    { "size", required_argument, NULL, 's' },
    { "rate", required_argument, NULL, 'r' },
    { "constant", no_argument, NULL, CONSTANT },
    { "user", required_argument, NULL, 'u' },
    { "password", required_argument, NULL, 'p' },
    { "starttls", no_argument, NULL, STARTTLS },
    { "tls", required_argument, NULL, TLS },
    { "group", required_argument, NULL, GROUP },
    { "name", required_argument, NULL, NAME },
    { "resume", no_argument, NULL, RESUME },
    { "bdat", no_argument, NULL, BDAT },
    { "no-pipelining", no_argument, NULL, NO_PIPELINING },
    { "from", required_argument, NULL, FROM },
    { "to", required_argument, NULL, TO },
    { "idle", required_argument, NULL, IDLE },
    { "slow", required_argument, NULL, SLOW },
    { "slow-rate", required_argument, NULL, SLOW_RATE },
    { "timeout", required_argument, NULL, TIMEOUT },
    { "device", required_argument, NULL, DEVICE },
    { "address", required_argument, NULL, ADDRESS },
    { "hosts", required_argument, NULL, HOSTS },
    { "core", required_argument, NULL, CORE },
    { "seed", required_argument, NULL, SEED },
    { "run", required_argument, NULL, RUN },
    { "log", required_argument, NULL, LOG_FILE },
    { "output", required_argument, NULL, 'o' },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

struct words {
    const char *login;
    const char *password_path;
};

static bool number32(const char *text, uint64_t least, uint64_t most, uint32_t *out)
{
    uint64_t n;

    if (!options_number(text, least, most, &n))
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool complain(const char *what, const char *text)
{
    fprintf(stderr, "postern-bench: %s: '%s'\n", what, text);
    return false;
}

static bool take_rate(struct load_options *o, const char *text)
{
    char *end;

    o->rate = strtod(text, &end);
    return (*end == 0 && end != text && o->rate >= 0.001 && o->rate <= 1e7) ||
           complain("no rate from 0.001 to 10000000", text);
}

static bool take_version(struct load_options *o, const char *text)
{
    o->wire.version = strcmp(text, "1.2") == 0   ? TLS1_2_VERSION
                      : strcmp(text, "1.3") == 0 ? TLS1_3_VERSION
                                                 : 0;
    return o->wire.version != 0 || complain("no version of TLS that is 1.2 or 1.3", text);
}

/* A word that stands in a command or a header as it is. */
static bool take_word(const char **out, const char *text, size_t most)
{
    *out = text;
    if (strlen(text) == 0 || strlen(text) > most)
        return complain("too long or empty", text);
    for (const char *c = text; *c != 0; c++)
        if (*c <= ' ' || *c == '<' || *c == '>' || *c > '~')
            return complain("holds a character that it may not", text);
    return true;
}

static bool take_number(struct load_options *o, int opt)
{
    uint64_t n;

    switch (opt) {
    case 'c': return number32(optarg, 0, CONNECTIONS_MAX, &o->connections);
    case 'n': return options_number(optarg, 0, UINT64_MAX / 2, &o->messages);
    case 't': return options_number(optarg, 1, SECONDS_MAX, &o->seconds);
    case 'm': return options_number(optarg, 0, UINT64_MAX / 2, &o->client.messages);
    case IDLE: return number32(optarg, 0, CONNECTIONS_MAX, &o->idle);
    case SLOW: return number32(optarg, 0, CONNECTIONS_MAX, &o->slow);
    case SLOW_RATE: return number32(optarg, 1, 1024 * 1024, &o->client.slow_bytes);
    case HOSTS: return number32(optarg, 1, HOSTS_MAX, &o->device.hosts);
    case SEED: return options_number(optarg, 0, UINT64_MAX / 2, &o->seed);
    case CORE:
        if (!options_number(optarg, 0, 1023, &n))
            return false;
        o->core = (int)n;
        return true;
    default:
        if (!options_number(optarg, 1, 3600, &n))
            return false;
        o->client.timeout_ns = n * NS_PER_S;
        return true;
    }
}

/* "198.18.0.1/24" */
static bool take_address(struct load_options *o, const char *text)
{
    const char *slash = strchr(text, '/');
    char copy[ADDR_TEXT_MAX] = "";
    uint64_t bits;

    if (slash == NULL || (size_t)(slash - text) >= sizeof(copy))
        return complain("no address with the length of its network", text);
    memcpy(copy, text, (size_t)(slash - text));
    if (!addr_parse(copy, &o->device.address) || !addr_is_v4(&o->device.address))
        return complain("no IPv4 address", copy);
    if (!options_number(slash + 1, 1, 32, &bits))
        return false;
    o->device.prefix_length = (uint8_t)bits;
    return true;
}

static bool take(struct load_options *o, struct words *w, int opt)
{
    switch (opt) {
    case DEVICE: o->device.vdev = optarg; return true;
    case ADDRESS: return take_address(o, optarg);
    case 's': return plan_sizes_parse(&o->sizes, optarg);
    case 'r': return take_rate(o, optarg);
    case CONSTANT: o->constant = true; return true;
    case 'u': w->login = optarg; return true;
    case 'p': w->password_path = optarg; return true;
    case STARTTLS: o->client.starttls = true; return true;
    case TLS: return take_version(o, optarg);
    case GROUP: o->wire.group = optarg; return true;
    case NAME: o->wire.name = optarg; return true;
    case RESUME: o->wire.resume = true; return true;
    case BDAT: o->client.bdat = true; return true;
    case NO_PIPELINING: o->client.pipelining = false; return true;
    case FROM: return take_word(&o->client.sender, optarg, 64);
    case TO: return take_word(&o->client.recipient, optarg, 254);
    case RUN: return take_word(&o->run, optarg, 32);
    case LOG_FILE: o->log_path = optarg; return true;
    case 'o': o->output_path = optarg; return true;
    case 'h':
    case '?': fputs(usage, stderr); return false;
    default: return take_number(o, opt);
    }
}

static bool read_password(const char *path, char *to, size_t cap)
{
    FILE *f = fopen(path, "r");
    bool ok = f != NULL && fgets(to, (int)cap, f) != NULL;

    if (!ok)
        fprintf(stderr, "postern-bench: %s: %s\n", path,
                f == NULL ? strerror(errno) : "holds no line");
    else
        to[strcspn(to, "\r\n")] = 0;
    if (f != NULL)
        fclose(f);
    return ok;
}

/* RFC 4616: authorization identity (none), login, password, NULs between. */
static bool make_login(struct load_options *o, const struct words *w)
{
    char password[LIMIT_LOGIN_BYTES] = "";
    uint8_t plain[2 * LIMIT_LOGIN_BYTES + 2];
    size_t login_len, len;

    if (w->login == NULL)
        return w->password_path == NULL || complain("a password needs a login", w->password_path);
    login_len = strlen(w->login);
    if (login_len == 0 || login_len >= LIMIT_LOGIN_BYTES || w->password_path == NULL)
        return complain("a login needs a password file, and at most 255 bytes", w->login);
    if (!read_password(w->password_path, password, sizeof(password)))
        return false;
    len = (size_t)snprintf((char *)plain, sizeof(plain), "%c%s%c%s", 0, w->login, 0, password);
    EVP_EncodeBlock((uint8_t *)o->client.login, plain, len);
    explicit_bzero(password, sizeof(password));
    explicit_bzero(plain, sizeof(plain));
    return true;
}

static bool find_server(struct load_options *o, const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    int err = getaddrinfo(host, port, &hints, &found);

    if (err != 0)
        return complain(gai_strerror(err), host);
    memcpy(&o->to, found->ai_addr, found->ai_addrlen);
    o->to_len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

bool load_options_parse(struct load_options *o, int argc, char **argv)
{
    struct words words = { 0 };
    int opt;

    *o = (struct load_options){
        .client = { .pipelining = true,
                    .messages = 1,
                    .timeout_ns = 30 * NS_PER_S,
                    .slow_bytes = 100,
                    .slow_letter = 4096,
                    .sender = "bench@example.org",
                    .recipient = "bench@example.net" },
        .sizes = { .classes = { { 4096, 4096, 1 } }, .count = 1, .total = 1 },
        .messages = 1000,
        .seconds = 60,
        .connections = 1,
        .core = -1,
        .device = { .hosts = 1 },
        .seed = 1,
        .run = "run",
    };
    while ((opt = getopt_long(argc, argv, "c:n:t:m:s:r:u:p:o:h", longs, NULL)) != -1)
        if (!take(o, &words, opt))
            return false;
    if (argc - optind != 2) {
        fputs(usage, stderr);
        return false;
    }
    o->device.connections = o->connections + o->idle + o->slow;
    if (o->device.vdev != NULL && o->device.prefix_length == 0)
        return complain("a device needs an address", o->device.vdev);
    return make_login(o, &words) && find_server(o, argv[optind], argv[optind + 1]);
}
