/* See tcp_cookie.h. The failure mode is a wrong or an old cookie: then nothing is known of the
 * connection, and its ACK is one for nobody. */
#include "dataplane/tcp/tcp_cookie.h"

#include "base/assert.h"
#include "base/byteorder.h"
#include "base/clock.h"
#include "base/limits.h"
#include "dataplane/tcp/tcp_wire.h"

#define EPOCH_NS (LIMIT_TCP_COOKIE_EPOCH_MS * NS_PER_MS)

#define KEY_BIT    0x80U
#define MSS_SHIFT  4
#define SACK_BIT   0x08U
#define SCALE_MASK 0x07U
#define TEXT_MASK  0xffU /* all but the MAC */

#define STAMP_NO_SCALE 0x0fU
#define STAMP_SACK     0x10U
#define STAMP_ECN      0x20U
#define STAMP_MASK     0x3fU

/* RFC 9293's defaults, what tunnels and PPPoE leave of Ethernet, Ethernet (v6, v4), jumbo frames.
 */
static const uint16_t mss_of[] = { LIMIT_TCP_MSS_MIN, 536, 1220, 1360, 1400, 1440, 1460, 8940 };
/* What systems send: 6 (macOS), 7 (Linux), 8 (Windows). -1: no window scaling. */
static const int8_t scale_of[] = { -1, 0, 2, 4, 6, 7, 8, 9 };

static void derive(const struct hash_key *master, uint64_t epoch, struct hash_key *out)
{
    uint8_t text[9];

    store_le64(text, epoch);
    text[8] = 0;
    out->k0 = hash_sip24(master, text, sizeof(text));
    text[8] = 1;
    out->k1 = hash_sip24(master, text, sizeof(text));
}

static void rotate(struct tcp_cookie_jar *j, uint64_t now_ns)
{
    uint64_t epoch = now_ns / EPOCH_NS + 1;

    if (epoch == j->epoch)
        return;
    derive(&j->master, epoch, &j->secrets[epoch & 1]);
    derive(&j->master, epoch - 1, &j->secrets[(epoch - 1) & 1]);
    ASSERT(epoch > j->epoch); /* the clock does not go back */
    j->epoch = epoch;
}

void tcp_cookie_init(struct tcp_cookie_jar *j, const struct hash_key *master)
{
    *j = (struct tcp_cookie_jar){ .master = *master };
}

/* The cookie with these low bits. */
static uint32_t seal(const struct tcp_cookie_jar *j, const struct tcp_cookie_syn *syn,
                     uint32_t text)
{
    uint8_t bytes[13];
    uint64_t mac;

    store_le64(bytes, syn->tuple);
    store_be32(bytes + 8, syn->irs);
    bytes[12] = (uint8_t)text;
    mac = hash_sip24(&j->secrets[(text & KEY_BIT) != 0], bytes, sizeof(bytes));
    return (uint32_t)mac << 8 | text;
}

static uint32_t mss_number(uint16_t mss)
{
    uint32_t i = sizeof(mss_of) / sizeof(mss_of[0]) - 1;

    while (i > 0 && mss_of[i] > mss)
        i--;
    return i;
}

static uint32_t scale_number(const struct tcp_cookie_syn *syn)
{
    uint32_t i = sizeof(scale_of) / sizeof(scale_of[0]) - 1;

    if (!(syn->options & TCP_HAS_WSCALE))
        return 0;
    while (scale_of[i] > syn->wscale)
        i--;
    ASSERT(i > 0); /* that is "none", and a scale of 0 is not none */
    return i;
}

uint32_t tcp_cookie_make(struct tcp_cookie_jar *j, const struct tcp_cookie_syn *syn,
                         uint64_t now_ns)
{
    uint32_t text;

    rotate(j, now_ns);
    text = mss_number(syn->mss) << MSS_SHIFT | scale_number(syn);
    text |= j->epoch & 1 ? KEY_BIT : 0;
    text |= syn->options & TCP_HAS_SACK_OK ? SACK_BIT : 0;
    ASSERT(text <= TEXT_MASK);
    j->good_until_ns = now_ns + 2 * EPOCH_NS;
    return seal(j, syn, text);
}

uint32_t tcp_cookie_stamp(const struct tcp_cookie_syn *syn, uint32_t now)
{
    uint32_t bits = syn->options & TCP_HAS_WSCALE ? syn->wscale : STAMP_NO_SCALE;
    uint32_t stamp;

    ASSERT(bits <= STAMP_NO_SCALE);
    bits |= syn->options & TCP_HAS_SACK_OK ? STAMP_SACK : 0;
    bits |= syn->options & TCP_HAS_ECN ? STAMP_ECN : 0;
    stamp = (now & ~STAMP_MASK) | bits;
    /* RFC 7323, 5.4: what is sent later must not be less */
    return bits > (now & STAMP_MASK) ? stamp - (STAMP_MASK + 1) : stamp;
}

static void read_text(uint32_t text, struct tcp_cookie_syn *syn)
{
    int8_t scale = scale_of[text & SCALE_MASK];

    syn->mss = mss_of[(text & ~KEY_BIT) >> MSS_SHIFT];
    syn->options = text & SACK_BIT ? TCP_HAS_MSS | TCP_HAS_SACK_OK : TCP_HAS_MSS;
    syn->options |= scale >= 0 ? TCP_HAS_WSCALE : 0;
    syn->wscale = scale >= 0 ? (uint8_t)scale : 0;
}

/* The peer may have changed it, to its own harm alone: all of it are offers of its own. */
static void read_stamp(uint32_t stamp, struct tcp_cookie_syn *syn)
{
    uint32_t scale = stamp & STAMP_NO_SCALE;

    syn->options = TCP_HAS_MSS | TCP_HAS_TS;
    syn->options |= stamp & STAMP_SACK ? TCP_HAS_SACK_OK : 0;
    syn->options |= stamp & STAMP_ECN ? TCP_HAS_ECN : 0;
    syn->options |= scale != STAMP_NO_SCALE ? TCP_HAS_WSCALE : 0;
    syn->wscale = scale != STAMP_NO_SCALE ? (uint8_t)scale : 0;
}

bool tcp_cookie_awaited(const struct tcp_cookie_jar *j, uint64_t now_ns)
{
    ASSERT(j->good_until_ns == 0 || j->epoch > 0);
    return now_ns < j->good_until_ns;
}

bool tcp_cookie_open(struct tcp_cookie_jar *j, uint32_t cookie, const uint32_t *stamp,
                     uint64_t now_ns, struct tcp_cookie_syn *syn)
{
    if (!tcp_cookie_awaited(j, now_ns))
        return false;
    rotate(j, now_ns);
    if (seal(j, syn, cookie & TEXT_MASK) != cookie)
        return false;
    read_text(cookie & TEXT_MASK, syn);
    if (stamp != NULL)
        read_stamp(*stamp, syn);
    return true;
}
