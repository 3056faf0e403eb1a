/*
 * Happy path: the first subjectAltName of the kind, or the subject's last commonName, is copied.
 * Failure modes: see the header; a name that is not as it should be is not passed over for the next
 * one, or what a certificate says would depend on our taste.
 */
#include "tls/tls_identity.h"

#include <openssl/mem.h>
#include <openssl/nid.h>

#include "tls/tls_error.h"

static bool is_printable(struct span name, uint8_t last)
{
    for (uint32_t i = 0; i < name.len; i++) {
        if (name.ptr[i] < ' ' || name.ptr[i] == 127 || name.ptr[i] > last)
            return false;
    }
    return name.len > 0;
}

static bool put(struct buf *out, struct span name, uint32_t host_at)
{
    uint32_t before = out->len;

    if (!buf_put(out, name))
        return false;
    for (uint32_t i = before + host_at; i < out->len; i++) {
        if (out->ptr[i] >= 'A' && out->ptr[i] <= 'Z')
            out->ptr[i] = (uint8_t)(out->ptr[i] - 'A' + 'a');
    }
    return true;
}

/* rfc822Name: local@host, ASCII (RFC 5280, 4.2.1.6). */
static bool put_email(struct buf *out, struct span name)
{
    const uint8_t *at = name.ptr != NULL ? memrchr(name.ptr, '@', name.len) : NULL;

    return at != NULL && at > name.ptr && is_printable(name, '~') &&
           put(out, name, (uint32_t)(at - name.ptr));
}

static bool put_host(struct buf *out, struct span name)
{
    return is_printable(name, '~') && memchr(name.ptr, '*', name.len) == NULL && put(out, name, 0);
}

static bool put_alternative(X509 *leaf, enum tls_identity kind, struct buf *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    int type = kind == TLS_IDENTITY_EMAIL ? GEN_EMAIL : GEN_DNS;
    bool good = false;

    for (size_t i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        struct span name;

        if (one->type != type)
            continue;
        name = span_of(ASN1_STRING_get0_data(one->d.ia5), (uint32_t)ASN1_STRING_length(one->d.ia5));
        good = kind == TLS_IDENTITY_EMAIL ? put_email(out, name) : put_host(out, name);
        break;
    }
    GENERAL_NAMES_free(names);
    return good;
}

/* The last one is the most specific (RFC 6125, 2.3.1). */
static bool put_common_name(X509 *leaf, struct buf *out)
{
    const X509_NAME *subject = X509_get_subject_name(leaf);
    uint8_t *text = NULL;
    int last = -1, len = -1;
    bool good;

    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        last = at;
    if (last >= 0)
        len = ASN1_STRING_to_UTF8(&text,
                                  X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
    good = len > 0 && is_printable(span_of(text, (uint32_t)len), UINT8_MAX) &&
           buf_put(out, span_of(text, (uint32_t)len));
    OPENSSL_free(text);
    return good;
}

bool tls_identity_of(X509 *leaf, enum tls_identity kind, struct buf *out)
{
    bool good =
        kind == TLS_IDENTITY_CN ? put_common_name(leaf, out) : put_alternative(leaf, kind, out);

    tls_error_forget();
    return good;
}
