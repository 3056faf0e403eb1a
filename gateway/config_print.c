/*
 * The effective configuration in the file's own syntax: what config_print gives can be read again,
 * and means the same. Happy path: a walk over the table of keys. Failure: the buffer is too small.
 */
#include "base/assert.h"
#include "gateway/config.h"
#include "gateway/config_units.h"

/* In double quotes, with what libconfuse would take for more than itself escaped. */
static bool put_text(struct buf *out, const char *text)
{
    bool fits = buf_printf(out, "\"");

    for (; fits && *text != 0; text++) {
        bool special = *text == '"' || *text == '\\' || *text == '$';

        fits = buf_printf(out, special ? "\\%c" : "%c", *text);
    }
    return fits && buf_printf(out, "\"");
}

static bool is_zero(const struct addr *a)
{
    static const struct addr zero;

    return addr_equal(a, &zero);
}

static bool put_address(struct buf *out, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    if (is_zero(a))
        return put_text(out, "*");
    addr_format(a, text);
    return put_text(out, text);
}

static bool put_network(struct buf *out, const struct addr *a, uint32_t prefix)
{
    char text[ADDR_TEXT_MAX];

    if (is_zero(a))
        return put_text(out, "");
    addr_format(a, text);
    return buf_printf(out, "\"%s/%u\"", text, prefix);
}

static bool put_mac(struct buf *out, const uint8_t *mac, bool given)
{
    if (!given)
        return put_text(out, "");
    return buf_printf(out, "\"%02x:%02x:%02x:%02x:%02x:%02x\"", mac[0], mac[1], mac[2], mac[3],
                      mac[4], mac[5]);
}

static bool put_net(struct buf *out, const struct addr_net *n)
{
    char text[ADDR_NET_TEXT_MAX];

    addr_net_format(n, text);
    return put_text(out, text);
}

static bool put_rate(struct buf *out, const struct config_key *k, const struct quota_rate *rate)
{
    return buf_printf(out, "\"") && config_units_print_rate(config_units_of(k->kind), *rate, out) &&
           buf_printf(out, "\"");
}

static bool put_list(struct buf *out, const struct config_key *k, const void *items, uint32_t count)
{
    bool fits = buf_printf(out, "{");

    for (uint32_t i = 0; fits && i < count; i++) {
        fits = i == 0 || buf_printf(out, ", ");
        if (k->kind == CONFIG_TEXT_LIST)
            fits = fits && put_text(out, ((const char *const *)items)[i]);
        else if (k->kind == CONFIG_NET_LIST)
            fits = fits && put_net(out, (const struct addr_net *)items + i);
        else
            fits = fits && buf_printf(out, "%u", ((const uint32_t *)items)[i]);
    }
    return fits && buf_printf(out, "}");
}

static bool put_value(struct buf *out, const struct config_key *k, const void *base)
{
    const void *at = (const char *)base + k->offset;
    const void *companion = (const char *)base + k->companion;

    switch (k->kind) {
    case CONFIG_TEXT:
    case CONFIG_HOSTNAME:
    case CONFIG_FILE:
    case CONFIG_FILE_OR_NONE:
    case CONFIG_SOCKET:
    case CONFIG_FILE_OR_STD: return put_text(out, *(const char *const *)at);
    case CONFIG_BYTES: return config_units_print(CONFIG_UNITS_BYTES, *(const uint64_t *)at, out);
    case CONFIG_COUNT:
    case CONFIG_SECONDS:
        return config_units_print(config_units_of(k->kind), *(const uint32_t *)at, out);
    case CONFIG_RATE:
    case CONFIG_BYTES_RATE: return put_rate(out, k, at);
    case CONFIG_BOOL: return buf_printf(out, *(const bool *)at ? "yes" : "no");
    case CONFIG_CHOICE: return buf_printf(out, "%s", k->choices[*(const uint32_t *)at]);
    case CONFIG_ADDRESS: return put_address(out, at);
    case CONFIG_NETWORK:
    case CONFIG_NETWORK6: return put_network(out, at, *(const uint32_t *)companion);
    case CONFIG_MAC: return put_mac(out, at, *(const bool *)companion);
    case CONFIG_TEXT_LIST:
    case CONFIG_COUNT_LIST:
    case CONFIG_NET_LIST: return put_list(out, k, at, *(const uint32_t *)companion);
    }
    UNREACHABLE("kind of a configuration key");
}

static bool put_keys(struct buf *out, enum config_section section, const void *base,
                     const char *indent)
{
    bool fits = true;

    for (uint32_t i = 0; fits && i < config_key_count(); i++) {
        const struct config_key *k = config_key_at(i);

        if (k->section != section)
            continue;
        fits = buf_printf(out, "%s%s = ", indent, k->name) && put_value(out, k, base) &&
               buf_printf(out, "\n");
    }
    return fits;
}

static bool put_certificates(struct buf *out, const struct config_tls *tls)
{
    bool fits = true;

    for (uint32_t i = 0; fits && i < tls->certificate_count; i++)
        fits = buf_printf(out, "    certificate {\n") &&
               put_keys(out, CONFIG_CERTIFICATE, &tls->certificates[i], "        ") &&
               buf_printf(out, "    }\n");
    return fits;
}

static bool put_block(struct buf *out, const struct config *c, enum config_section section,
                      uint32_t index)
{
    /* Read only: config_key_base serves readers and the writer alike. */
    const void *base = config_key_base((struct config *)c, section, index);
    bool fits = buf_printf(out, "%s ", config_key_section_name(section));

    if (section == CONFIG_LISTENER)
        fits = fits && put_text(out, c->listeners[index].name) && buf_printf(out, " ");
    fits = fits && buf_printf(out, "{\n");
    if (section == CONFIG_TLS)
        fits = fits && put_certificates(out, &c->tls);
    return fits && put_keys(out, section, base, "    ") && buf_printf(out, "}\n");
}

bool config_print(const struct config *c, struct buf *out)
{
    bool fits = put_keys(out, CONFIG_ROOT, c, "");

    for (enum config_section s = CONFIG_LOG; fits && s < CONFIG_SECTIONS; s++) {
        if (s == CONFIG_CERTIFICATE)
            continue;
        for (uint32_t i = 0; fits && i < config_key_blocks(c, s); i++)
            fits = put_block(out, c, s, i);
    }
    return fits;
}
