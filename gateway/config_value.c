/*
 * Values from text, strictly: a number with a sign, a space, a second unit or too many digits is
 * refused, not guessed at. Happy path: set. Failure: false, and a sentence that begins with "must
 * be".
 */
#include "gateway/config_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "gateway/config_units.h"

struct config_text {
    struct config_text *next;
    char text[];
};

static void *at(void *base, size_t offset)
{
    return (char *)base + offset;
}

static const char *keep_text(struct config *c, const char *text)
{
    size_t bytes = strlen(text) + 1;
    struct config_text *kept = malloc(sizeof(*kept) + bytes);

    if (kept == NULL)
        return NULL;
    memcpy(kept->text, text, bytes);
    kept->next = c->texts;
    c->texts = kept;
    return kept->text;
}

void config_value_free_texts(struct config *c)
{
    while (c->texts != NULL) {
        struct config_text *next = c->texts->next;

        free(c->texts);
        c->texts = next;
    }
}

static bool is_hostname(const char *text)
{
    static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    size_t len = strlen(text);

    if (len == 0)
        return true;
    return strspn(text, ok) == len && strchr("-.", text[0]) == NULL &&
           strchr("-.", text[len - 1]) == NULL && strstr(text, "..") == NULL;
}

static bool has_control(const char *text)
{
    for (; *text != 0; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    }
    return false;
}

/* NULL: fine. Else what it must be. */
static const char *text_fault(const struct config_key *k, const char *text)
{
    bool absolute = text[0] == '/' && text[1] != 0;

    if (has_control(text))
        return "must be printable text";
    switch (k->kind) {
    case CONFIG_HOSTNAME:
        return is_hostname(text) ? NULL : "must be a host's full name, like \"mail.example.org\"";
    case CONFIG_FILE: return absolute ? NULL : "must be a path that begins with /";
    case CONFIG_FILE_OR_NONE:
        return absolute || text[0] == 0 ? NULL : "must be a path that begins with /, or \"\"";
    case CONFIG_FILE_OR_STD:
        return absolute || strcmp(text, "-") == 0
                   ? NULL
                   : "must be a path that begins with /, or \"-\" for standard output";
    case CONFIG_SOCKET:
        return absolute || text[0] == 0 ? NULL
                                        : "must be a path that begins with /, or \"\" for none";
    default: return NULL;
    }
}

static bool set_text(const struct config_key *k, struct config *c, const char **to,
                     const char *text, struct buf *why)
{
    const char *fault = text_fault(k, text);
    const char *kept;

    if (fault != NULL)
        return buf_printf(why, "%s", fault), false;
    if (k->most > 0 && (strlen(text) < k->least || strlen(text) > k->most))
        return buf_printf(why, "must be text of %llu to %llu bytes", (unsigned long long)k->least,
                          (unsigned long long)k->most),
               false;
    kept = keep_text(c, text);
    if (kept == NULL)
        return buf_printf(why, "must wait: memory is short"), false;
    *to = kept;
    return true;
}

static bool parse_in_range(const struct config_key *k, const char *text, uint64_t *out,
                           struct buf *why)
{
    enum config_units units = config_units_of(k->kind);
    const char *what = "a whole number";

    if (config_units_parse(units, text, out) && *out >= k->least && *out <= k->most)
        return true;
    if (k->kind == CONFIG_BYTES)
        what = "a size in bytes, or with k, M, G or T,";
    if (k->kind == CONFIG_SECONDS)
        what = "a time with s, m, h or d (without: seconds)";
    buf_printf(why, "must be %s from ", what);
    config_units_print(units, k->least, why);
    buf_printf(why, " to ");
    config_units_print(units, k->most, why);
    return false;
}

static bool set_number(const struct config_key *k, void *to, const char *text, struct buf *why)
{
    uint64_t value;

    if (!parse_in_range(k, text, &value, why))
        return false;
    if (k->kind == CONFIG_BYTES)
        *(uint64_t *)to = value;
    else
        *(uint32_t *)to = (uint32_t)value;
    return true;
}

static bool set_rate(const struct config_key *k, struct quota_rate *to, const char *text,
                     struct buf *why)
{
    if (config_units_parse_rate(config_units_of(k->kind), text, to))
        return true;
    buf_printf(why, "must be so much in so long, like \"%s\" (up to 31d), or \"\" for no limit",
               k->kind == CONFIG_RATE ? "500/1h" : "2G/1d");
    return false;
}

static bool set_bool(bool *to, const char *text, struct buf *why)
{
    bool yes = strcmp(text, "yes") == 0 || strcmp(text, "on") == 0 || strcmp(text, "true") == 0;
    bool no = strcmp(text, "no") == 0 || strcmp(text, "off") == 0 || strcmp(text, "false") == 0;

    if (!yes && !no)
        return buf_printf(why, "must be yes or no"), false;
    *to = yes;
    return true;
}

static bool set_choice(const struct config_key *k, uint32_t *to, const char *text, struct buf *why)
{
    for (uint32_t i = 0; k->choices[i] != NULL; i++) {
        if (strcmp(text, k->choices[i]) == 0) {
            *to = i;
            return true;
        }
    }
    buf_printf(why, "must be ");
    for (uint32_t i = 0; k->choices[i] != NULL; i++) {
        const char *before = i == 0 ? "" : k->choices[i + 1] == NULL ? " or " : ", ";

        buf_printf(why, "%s%s", before, k->choices[i]);
    }
    return false;
}

static bool set_address(struct addr *to, const char *text, struct buf *why)
{
    struct addr a = { { 0 } };

    if (text[0] != 0 && strcmp(text, "*") != 0 && !addr_parse(text, &a))
        return buf_printf(why, "must be an IPv4 or IPv6 address"), false;
    *to = a;
    return true;
}

/* "192.0.2.10/24" or "2001:db8::10/64", as the kind says. */
static bool parse_network(enum config_kind kind, const char *text, struct addr *to,
                          uint32_t *prefix)
{
    bool v4 = kind == CONFIG_NETWORK;
    char address[ADDR_TEXT_MAX];
    const char *slash = strchr(text, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - text);
    uint64_t bits;

    if (slash == NULL || len >= sizeof(address))
        return false;
    memcpy(address, text, len);
    address[len] = 0;
    if (!addr_parse(address, to) || addr_is_v4(to) != v4 ||
        !config_units_parse(CONFIG_UNITS_NONE, slash + 1, &bits) || bits < 1 ||
        bits > (v4 ? 32 : 128))
        return false;
    *prefix = (uint32_t)bits;
    return true;
}

static bool set_network(enum config_kind kind, struct addr *to, uint32_t *prefix, const char *text,
                        struct buf *why)
{
    struct addr a = { { 0 } };
    uint32_t bits = 0;

    if (text[0] != 0 && !parse_network(kind, text, &a, &bits)) {
        buf_printf(why, "must be an %s with its prefix length, like \"%s\"",
                   kind == CONFIG_NETWORK ? "IPv4 address" : "IPv6 address",
                   kind == CONFIG_NETWORK ? "192.0.2.10/24" : "2001:db8::10/64");
        return false;
    }
    *to = a;
    *prefix = bits;
    return true;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c == 0 ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);

    return found == NULL ? -1 : (int)(found - digits);
}

static bool parse_mac(const char *text, uint8_t out[6])
{
    if (strlen(text) != 17)
        return false;
    for (int i = 0; i < 6; i++) {
        int high = hex_digit(text[3 * i]);
        int low = hex_digit(text[3 * i + 1]);

        if (high < 0 || low < 0 || (i < 5 && text[3 * i + 2] != ':'))
            return false;
        out[i] = (uint8_t)(high * 16 + low);
    }
    return (out[0] & 1) == 0;
}

static bool set_mac(uint8_t *to, bool *given, const char *text, struct buf *why)
{
    uint8_t mac[6] = { 0 };

    if (text[0] != 0 && !parse_mac(text, mac))
        return buf_printf(why, "must be one host's MAC address, like \"02:00:00:00:00:01\""), false;
    memcpy(to, mac, sizeof(mac));
    *given = text[0] != 0;
    return true;
}

static bool set_net(struct addr_net *to, const char *text, struct buf *why)
{
    if (addr_net_parse(text, to))
        return true;
    buf_printf(why, "must be an address, or a network like \"192.0.2.0/24\" or \"2001:db8::/32\"");
    return false;
}

/* Item `index` of the list at `to`. */
static bool set_item(const struct config_key *k, struct config *c, void *to, uint32_t index,
                     const char *text, struct buf *why)
{
    uint64_t number;

    if (k->kind == CONFIG_TEXT_LIST)
        return set_text(k, c, (const char **)to + index, text, why);
    if (k->kind == CONFIG_NET_LIST)
        return set_net((struct addr_net *)to + index, text, why);
    if (!parse_in_range(k, text, &number, why))
        return false;
    ((uint32_t *)to)[index] = (uint32_t)number;
    return true;
}

static bool add_item(const struct config_key *k, struct config *c, void *base, const char *text,
                     struct buf *why)
{
    uint32_t *count = at(base, k->companion);

    if (*count == k->items_max)
        return buf_printf(why, "must be one of at most %u items", k->items_max), false;
    if (!set_item(k, c, at(base, k->offset), *count, text, why))
        return false;
    ++*count;
    return true;
}

bool config_value_set(const struct config_key *k, struct config *c, void *base, const char *text,
                      struct buf *why)
{
    void *to = at(base, k->offset);

    switch (k->kind) {
    case CONFIG_TEXT:
    case CONFIG_HOSTNAME:
    case CONFIG_FILE:
    case CONFIG_FILE_OR_NONE:
    case CONFIG_SOCKET:
    case CONFIG_FILE_OR_STD: return set_text(k, c, to, text, why);
    case CONFIG_COUNT:
    case CONFIG_BYTES:
    case CONFIG_SECONDS: return set_number(k, to, text, why);
    case CONFIG_RATE:
    case CONFIG_BYTES_RATE: return set_rate(k, to, text, why);
    case CONFIG_BOOL: return set_bool(to, text, why);
    case CONFIG_CHOICE: return set_choice(k, to, text, why);
    case CONFIG_ADDRESS: return set_address(to, text, why);
    case CONFIG_NETWORK:
    case CONFIG_NETWORK6: return set_network(k->kind, to, at(base, k->companion), text, why);
    case CONFIG_MAC: return set_mac(to, at(base, k->companion), text, why);
    case CONFIG_TEXT_LIST:
    case CONFIG_COUNT_LIST:
    case CONFIG_NET_LIST: return add_item(k, c, base, text, why);
    }
    UNREACHABLE("kind of a configuration key");
}

bool config_value_set_default(const struct config_key *k, struct config *c, void *base)
{
    char unused[CONFIG_WHY_MAX];
    struct buf why = { (uint8_t *)unused, 0, sizeof(unused) };
    void *to = at(base, k->offset);

    switch (k->kind) {
    case CONFIG_COUNT:
    case CONFIG_SECONDS:
    case CONFIG_CHOICE: *(uint32_t *)to = (uint32_t)k->number; return true;
    case CONFIG_BYTES: *(uint64_t *)to = k->number; return true;
    case CONFIG_BOOL: *(bool *)to = k->number != 0; return true;
    case CONFIG_TEXT_LIST:
    case CONFIG_COUNT_LIST:
    case CONFIG_NET_LIST: *(uint32_t *)at(base, k->companion) = 0; return true;
    default: return k->text != NULL && config_value_set(k, c, base, k->text, &why);
    }
}
