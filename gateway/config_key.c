/*
 * The table of keys. Happy path: a walk. There is no failure: a row that is wrong is caught by the
 * unit tests, which parse what config_print gives for the defaults.
 */
#include "gateway/config_key.h"

#include <net/if.h>

#include "base/assert.h"
#include "dataplane/tcp/tcp.h"
#include "tls/tls.h"

static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const records[] = { "own", "boringssl", NULL };
static const char *const idles[] = { "sleep", "spin", NULL };
static const char *const congestions[] = { "cubic", "newreno", NULL };
static const char *const paths[] = { "dpdk", "kernel", NULL };
static const char *const from_rules[] = { "any", "sender", "own", NULL };
static const char *const listener_tls[] = { "implicit", "starttls", NULL };

/* As enum tls_clients and enum tls_identity have them. */
static const char *const clients[] = { "off", "ask", "require", NULL };
static const char *const identities[] = { "email", "dns", "cn", NULL };

static const char *const backends[] = { "users", "dovecot", "http", NULL };

#define AT(type, member) .offset = offsetof(struct type, member)
#define BY(type, member) .companion = offsetof(struct type, member)

#define RATE(scope, use) AT(config_policy, rates[CONFIG_SCOPE_##scope][SMTP_USE_##use])

#define MEGA        (1024ULL * 1024)
#define GIGA        (1024 * MEGA)
#define TERA        (1024 * GIGA)
#define TEXT_MAX    255
#define MILLION     1000000
#define DAY_SECONDS 86400

/* clang-format off */
static const struct config_key keys[] = {
    { CONFIG_ROOT, "hostname", CONFIG_HOSTNAME, AT(config, hostname), .most = TEXT_MAX,
      .text = "" },
    { CONFIG_ROOT, "users", CONFIG_FILE, AT(config, users), .text = "/etc/postern/users" },
    { CONFIG_ROOT, "privacy", CONFIG_BOOL, AT(config, privacy), .number = 0 },
    { CONFIG_ROOT, "user", CONFIG_TEXT, AT(config, user), .most = 32, .text = "postern" },

    { CONFIG_LOG, "level", CONFIG_CHOICE, AT(config_log, level), .number = LOG_LEVEL_INFO,
      .choices = levels },
    { CONFIG_LOG, "file", CONFIG_FILE_OR_STD, AT(config_log, file), .text = "-" },

    { CONFIG_CONTROL, "socket", CONFIG_SOCKET, AT(config_control, socket), .most = 107,
      .text = "/run/postern/control" },

    { CONFIG_DEVICE, "name", CONFIG_TEXT, AT(config_device, name), .most = 63, .text = "" },
    { CONFIG_DEVICE, "eal", CONFIG_TEXT_LIST, AT(config_device, eal), BY(config_device, eal_count),
      .least = 1, .most = TEXT_MAX, .items_max = LIMIT_EAL_ARGUMENTS, .text = "" },
    { CONFIG_DEVICE, "address", CONFIG_NETWORK, AT(config_device, address),
      BY(config_device, prefix_length), .text = "" },
    { CONFIG_DEVICE, "gateway", CONFIG_ADDRESS, AT(config_device, gateway), .text = "" },
    { CONFIG_DEVICE, "address6", CONFIG_NETWORK6, AT(config_device, address6),
      BY(config_device, prefix_length6), .text = "" },
    { CONFIG_DEVICE, "gateway6", CONFIG_ADDRESS, AT(config_device, gateway6), .text = "" },
    { CONFIG_DEVICE, "shared", CONFIG_BOOL, AT(config_device, shared), .number = 0 },
    { CONFIG_DEVICE, "exception", CONFIG_TEXT, AT(config_device, exception), .most = IFNAMSIZ - 1,
      .text = "" },
    { CONFIG_DEVICE, "vlan", CONFIG_COUNT, AT(config_device, vlan), .most = 4094, .number = 0 },
    { CONFIG_DEVICE, "mac", CONFIG_MAC, AT(config_device, mac), BY(config_device, mac_set),
      .text = "" },
    { CONFIG_DEVICE, "mtu", CONFIG_COUNT, AT(config_device, mtu), .most = 9216, .number = 0 },

    { CONFIG_WORKERS, "count", CONFIG_COUNT, AT(config_workers, count), .least = 1,
      .most = LIMIT_WORKERS, .number = 1 },
    { CONFIG_WORKERS, "cores", CONFIG_COUNT_LIST, AT(config_workers, cores),
      BY(config_workers, core_count), .most = 1023, .items_max = LIMIT_WORKERS, .text = "" },
    { CONFIG_WORKERS, "helpers", CONFIG_COUNT, AT(config_workers, helpers), .least = 1,
      .most = LIMIT_HELPERS, .number = 1 },
    { CONFIG_WORKERS, "idle", CONFIG_CHOICE, AT(config_workers, idle), .number = CONFIG_IDLE_SLEEP,
      .choices = idles },

    { CONFIG_LISTENER, "address", CONFIG_ADDRESS, AT(config_listener, address), .text = "*" },
    { CONFIG_LISTENER, "port", CONFIG_COUNT, AT(config_listener, port), .least = 1, .most = 65535,
      .number = 465 },
    { CONFIG_LISTENER, "path", CONFIG_CHOICE, AT(config_listener, path),
      .number = CONFIG_PATH_DPDK, .choices = paths },
    { CONFIG_LISTENER, "tls", CONFIG_CHOICE, AT(config_listener, tls),
      .number = CONFIG_LISTENER_IMPLICIT, .choices = listener_tls },
    { CONFIG_LISTENER, "proxy", CONFIG_NET_LIST, AT(config_listener, proxies),
      BY(config_listener, proxy_count), .items_max = LIMIT_PROXY_NETWORKS, .text = "" },

    { CONFIG_LISTENER, "xclient", CONFIG_NET_LIST, AT(config_listener, xclients),
      BY(config_listener, xclient_count), .items_max = LIMIT_PROXY_NETWORKS, .text = "" },

    { CONFIG_CERTIFICATE, "chain", CONFIG_FILE, AT(config_certificate, chain) },
    { CONFIG_CERTIFICATE, "key", CONFIG_FILE, AT(config_certificate, key) },
    { CONFIG_CERTIFICATE, "ocsp", CONFIG_FILE_OR_NONE, AT(config_certificate, ocsp),
      .text = "" },
    { CONFIG_TLS, "tls12", CONFIG_BOOL, AT(config_tls, tls12), .number = 1 },
    { CONFIG_TLS, "records", CONFIG_CHOICE, AT(config_tls, records),
      .number = CONFIG_RECORDS_OWN, .choices = records },
    { CONFIG_TLS, "ticket-lifetime", CONFIG_SECONDS, AT(config_tls, ticket_lifetime_s),
      .most = 2 * DAY_SECONDS, .number = LIMIT_TICKET_LIFETIME_S_DEFAULT },
    { CONFIG_TLS, "ticket-keys", CONFIG_FILE_OR_NONE, AT(config_tls, ticket_keys), .text = "" },
    { CONFIG_TLS, "client-certificates", CONFIG_CHOICE, AT(config_tls, clients),
      .number = TLS_CLIENTS_OFF, .choices = clients },
    { CONFIG_TLS, "client-ca", CONFIG_FILE_OR_NONE, AT(config_tls, client_ca), .text = "" },
    { CONFIG_TLS, "client-crl", CONFIG_FILE_OR_NONE, AT(config_tls, client_crl), .text = "" },
    { CONFIG_TLS, "client-login", CONFIG_CHOICE, AT(config_tls, client_login),
      .number = TLS_IDENTITY_EMAIL, .choices = identities },
    { CONFIG_TLS, "handshakes-per-turn", CONFIG_COUNT, AT(config_tls, handshakes_per_turn),
      .least = 1, .most = 1024, .number = LIMIT_HANDSHAKES_PER_TURN_DEFAULT },

    { CONFIG_SPOOL, "directory", CONFIG_FILE, AT(config_spool, directory),
      .text = "/var/spool/postern" },
    { CONFIG_SPOOL, "size", CONFIG_BYTES, AT(config_spool, bytes_max), .least = 2 * MEGA,
      .most = 64 * TERA, .number = LIMIT_SPOOL_BYTES_DEFAULT },
    { CONFIG_SPOOL, "segment", CONFIG_BYTES, AT(config_spool, segment_bytes), .least = MEGA,
      .most = GIGA, .number = LIMIT_SEGMENT_BYTES_DEFAULT },

    { CONFIG_LIMITS, "connections", CONFIG_COUNT, AT(config_limits, connections), .least = 1,
      .most = 4 * MILLION, .number = LIMIT_CONNECTIONS_DEFAULT },
    { CONFIG_LIMITS, "connections-per-client", CONFIG_COUNT,
      AT(config_limits, connections_per_client), .least = 1, .most = 4 * MILLION,
      .number = LIMIT_CONNECTIONS_PER_CLIENT_DEFAULT },
    { CONFIG_LIMITS, "connections-per-network", CONFIG_COUNT,
      AT(config_limits, connections_per_network), .most = 4 * MILLION },
    { CONFIG_LIMITS, "receive-buffer", CONFIG_BYTES, AT(config_limits, receive_bytes),
      .least = 32 * 1024, .most = 64 * MEGA, .number = LIMIT_TCP_RECEIVE_BYTES_DEFAULT },
    { CONFIG_LIMITS, "congestion", CONFIG_CHOICE, AT(config_limits, congestion),
      .number = TCP_CONGESTION_CUBIC, .choices = congestions },
    { CONFIG_LIMITS, "ecn", CONFIG_BOOL, AT(config_limits, ecn), .number = 1 },
    { CONFIG_LIMITS, "user-timeout", CONFIG_SECONDS, AT(config_limits, user_timeout_s),
      .least = 10, .most = DAY_SECONDS, .number = LIMIT_TCP_R2_MS / 1000 },
    { CONFIG_LIMITS, "keep-alive", CONFIG_SECONDS, AT(config_limits, keepalive_s),
      .most = DAY_SECONDS, .number = 0 },
    { CONFIG_LIMITS, "message-size", CONFIG_BYTES, AT(config_limits, message_bytes),
      .least = 64 * 1024, .most = 4 * GIGA, .number = LIMIT_MESSAGE_BYTES_DEFAULT },
    { CONFIG_LIMITS, "recipients", CONFIG_COUNT, AT(config_limits, recipients), .least = 1,
      .most = 100000, .number = LIMIT_RECIPIENTS_DEFAULT },
    { CONFIG_LIMITS, "errors", CONFIG_COUNT, AT(config_limits, errors), .least = 1, .most = 10000,
      .number = LIMIT_ERRORS_DEFAULT },
    { CONFIG_LIMITS, "hops", CONFIG_COUNT, AT(config_limits, hops), .least = 1, .most = 10000,
      .number = LIMIT_HOPS_DEFAULT },
    { CONFIG_LIMITS, "soft-errors", CONFIG_COUNT, AT(config_limits, soft_errors), .most = 10000,
      .number = LIMIT_SOFT_ERRORS_DEFAULT },
    { CONFIG_LIMITS, "error-delay", CONFIG_SECONDS, AT(config_limits, error_delay_s), .most = 60,
      .number = LIMIT_ERROR_DELAY_S_DEFAULT },
    { CONFIG_LIMITS, "future-release", CONFIG_SECONDS, AT(config_limits, hold_s),
      .most = 366 * DAY_SECONDS, .number = LIMIT_HOLD_S_DEFAULT },
    { CONFIG_LIMITS, "auth-tries", CONFIG_COUNT, AT(config_limits, auth_tries), .least = 1,
      .most = 100, .number = LIMIT_AUTH_TRIES_DEFAULT },
    { CONFIG_LIMITS, "handshake-timeout", CONFIG_SECONDS, AT(config_limits, handshake_timeout_s),
      .least = 1, .most = 3600, .number = LIMIT_HANDSHAKE_TIMEOUT_S_DEFAULT },
    { CONFIG_LIMITS, "command-timeout", CONFIG_SECONDS, AT(config_limits, command_timeout_s),
      .least = 1, .most = DAY_SECONDS, .number = LIMIT_COMMAND_TIMEOUT_S_DEFAULT },
    { CONFIG_LIMITS, "data-timeout", CONFIG_SECONDS, AT(config_limits, data_timeout_s), .least = 1,
      .most = DAY_SECONDS, .number = LIMIT_DATA_TIMEOUT_S_DEFAULT },
    { CONFIG_LIMITS, "session-timeout", CONFIG_SECONDS, AT(config_limits, session_timeout_s),
      .least = 1, .most = 7 * DAY_SECONDS, .number = LIMIT_SESSION_TIMEOUT_S_DEFAULT },
    { CONFIG_LIMITS, "drain-timeout", CONFIG_SECONDS, AT(config_limits, drain_timeout_s),
      .most = 3600, .number = LIMIT_DRAIN_TIMEOUT_S_DEFAULT },

    { CONFIG_AUTH, "backend", CONFIG_CHOICE, AT(config_auth, backend),
      .number = CONFIG_BACKEND_USERS, .choices = backends },
    { CONFIG_AUTH, "socket", CONFIG_FILE, AT(config_auth, socket),
      .text = "/run/dovecot/auth-client" },
    { CONFIG_AUTH, "salt-key", CONFIG_FILE_OR_NONE, AT(config_auth, salt_key), .text = "" },
    { CONFIG_AUTH, "url", CONFIG_TEXT, AT(config_auth, url), .most = TEXT_MAX, .text = "" },
    { CONFIG_AUTH, "timeout", CONFIG_SECONDS, AT(config_auth, timeout_s), .least = 1, .most = 120,
      .number = LIMIT_AUTH_TIMEOUT_S_DEFAULT },
    { CONFIG_AUTH, "cache-size", CONFIG_COUNT, AT(config_auth, cache_entries),
      .most = 16 * MILLION, .number = LIMIT_AUTH_CACHE_DEFAULT },
    { CONFIG_AUTH, "cache-lifetime", CONFIG_SECONDS, AT(config_auth, cache_lifetime_s), .least = 1,
      .most = DAY_SECONDS, .number = LIMIT_AUTH_CACHE_LIFETIME_S_DEFAULT },
    { CONFIG_AUTH, "guesses-per-client", CONFIG_COUNT, AT(config_auth, guesses_per_client),
      .least = 1, .most = MILLION, .number = LIMIT_GUESSES_PER_CLIENT_DEFAULT },
    { CONFIG_AUTH, "guesses-per-network", CONFIG_COUNT, AT(config_auth, guesses_per_network),
      .least = 1, .most = MILLION, .number = LIMIT_GUESSES_PER_NETWORK_DEFAULT },
    { CONFIG_AUTH, "guesses-per-pair", CONFIG_COUNT, AT(config_auth, guesses_per_pair),
      .least = 1, .most = MILLION, .number = LIMIT_GUESSES_PER_PAIR_DEFAULT },
    { CONFIG_AUTH, "guess-delay", CONFIG_SECONDS, AT(config_auth, guess_delay_s), .least = 1,
      .most = DAY_SECONDS, .number = LIMIT_GUESS_DELAY_S_DEFAULT },
    { CONFIG_AUTH, "guesses-per-login", CONFIG_COUNT, AT(config_auth, guesses_per_login),
      .least = 1, .most = MILLION, .number = LIMIT_GUESSES_PER_LOGIN_DEFAULT },
    { CONFIG_AUTH, "guess-window", CONFIG_SECONDS, AT(config_auth, guess_window_s), .least = 1,
      .most = DAY_SECONDS, .number = LIMIT_GUESS_WINDOW_S_DEFAULT },
    { CONFIG_AUTH, "block-time", CONFIG_SECONDS, AT(config_auth, block_time_s), .least = 1,
      .most = DAY_SECONDS, .number = LIMIT_BLOCK_TIME_S_DEFAULT },
    { CONFIG_AUTH, "jwks", CONFIG_FILE_OR_NONE, AT(config_auth, jwks), .text = "" },
    { CONFIG_AUTH, "jwt-issuer", CONFIG_TEXT, AT(config_auth, jwt_issuer), .most = TEXT_MAX,
      .text = "" },
    { CONFIG_AUTH, "jwt-audience", CONFIG_TEXT, AT(config_auth, jwt_audience), .most = TEXT_MAX,
      .text = "" },
    { CONFIG_AUTH, "jwt-scope", CONFIG_TEXT, AT(config_auth, jwt_scope),
      .most = LIMIT_JWT_SCOPE_BYTES, .text = "" },
    { CONFIG_AUTH, "jwt-login", CONFIG_TEXT, AT(config_auth, jwt_login), .least = 1,
      .most = 64, .text = "email" },

    { CONFIG_POLICY, "senders", CONFIG_FILE_OR_NONE, AT(config_policy, senders), .text = "" },
    { CONFIG_POLICY, "header-from", CONFIG_CHOICE, AT(config_policy, from_rule),
      .number = SMTP_FROM_OWN, .choices = from_rules },
    { CONFIG_POLICY, "sessions-per-login", CONFIG_COUNT, AT(config_policy, sessions),
      .most = 4 * MILLION },
    { CONFIG_POLICY, "messages-per-login", CONFIG_RATE, RATE(LOGIN, MESSAGES), .text = "" },
    { CONFIG_POLICY, "recipients-per-login", CONFIG_RATE, RATE(LOGIN, RECIPIENTS), .text = "" },
    { CONFIG_POLICY, "bytes-per-login", CONFIG_BYTES_RATE, RATE(LOGIN, BYTES), .text = "" },
    { CONFIG_POLICY, "messages-per-client", CONFIG_RATE, RATE(CLIENT, MESSAGES), .text = "" },
    { CONFIG_POLICY, "recipients-per-client", CONFIG_RATE, RATE(CLIENT, RECIPIENTS), .text = "" },
    { CONFIG_POLICY, "bytes-per-client", CONFIG_BYTES_RATE, RATE(CLIENT, BYTES), .text = "" },
    { CONFIG_POLICY, "messages", CONFIG_RATE, RATE(TOTAL, MESSAGES), .text = "" },
    { CONFIG_POLICY, "recipients", CONFIG_RATE, RATE(TOTAL, RECIPIENTS), .text = "" },
    { CONFIG_POLICY, "bytes", CONFIG_BYTES_RATE, RATE(TOTAL, BYTES), .text = "" },
};
/* clang-format on */

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

STATIC_ASSERT(KEY_COUNT <= CONFIG_KEYS_MAX, "one bit and one line for each key while reading");

uint32_t config_key_count(void)
{
    return KEY_COUNT;
}

const struct config_key *config_key_at(uint32_t index)
{
    ASSERT(index < KEY_COUNT);
    return &keys[index];
}

const char *config_key_section_name(enum config_section section)
{
    static const char *const names[CONFIG_SECTIONS] = {
        [CONFIG_ROOT] = "",           [CONFIG_LOG] = "log",
        [CONFIG_CONTROL] = "control", [CONFIG_DEVICE] = "device",
        [CONFIG_WORKERS] = "workers", [CONFIG_LISTENER] = "listener",
        [CONFIG_TLS] = "tls",         [CONFIG_CERTIFICATE] = "certificate",
        [CONFIG_SPOOL] = "spool",     [CONFIG_LIMITS] = "limits",
        [CONFIG_AUTH] = "auth",       [CONFIG_POLICY] = "policy",
    };

    return names[section];
}

uint32_t config_key_blocks(const struct config *c, enum config_section section)
{
    switch (section) {
    case CONFIG_LISTENER: return c->listener_count;
    case CONFIG_CERTIFICATE: return c->tls.certificate_count;
    case CONFIG_DEVICE: return c->device.present ? 1 : 0;
    default: return 1;
    }
}

static void *base_of_many(struct config *c, enum config_section section, uint32_t index)
{
    if (section == CONFIG_LISTENER)
        return index < LIMIT_LISTENERS ? &c->listeners[index] : NULL;
    return index < LIMIT_CERTIFICATES ? &c->tls.certificates[index] : NULL;
}

void *config_key_base(struct config *c, enum config_section section, uint32_t index)
{
    switch (section) {
    case CONFIG_ROOT: return c;
    case CONFIG_LOG: return &c->log;
    case CONFIG_CONTROL: return &c->control;
    case CONFIG_DEVICE: return &c->device;
    case CONFIG_WORKERS: return &c->workers;
    case CONFIG_TLS: return &c->tls;
    case CONFIG_SPOOL: return &c->spool;
    case CONFIG_LIMITS: return &c->limits;
    case CONFIG_AUTH: return &c->auth;
    case CONFIG_POLICY: return &c->policy;
    default: return base_of_many(c, section, index);
    }
}

bool config_key_is_list(const struct config_key *k)
{
    return k->kind == CONFIG_TEXT_LIST || k->kind == CONFIG_COUNT_LIST ||
           k->kind == CONFIG_NET_LIST;
}
