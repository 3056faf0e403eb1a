/*
 * Do the manual and the example tell what the table of keys says? Arguments: postern.conf.5.scd,
 * postern.conf.example.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/config.h"
#include "gateway/config_key.h"
#include "gateway/config_units.h"
#include "gateway/slurp.h"

static const char *manual_path;
static const char *example_path;
static uint8_t room[CONFIG_ERRORS_MAX];
static struct buf errors;

static char *read_text(const char *path)
{
    struct span text;
    char *copy;

    errors = (struct buf){ room, 0, sizeof(room) };
    assert_true(slurp_file(path, 1 << 20, &text, &errors));
    copy = malloc((size_t)text.len + 1);
    assert_non_null(copy);
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    slurp_free(text);
    return copy;
}

/* The heading under which a section's keys stand. */
static void heading_of(enum config_section section, char out[32])
{
    const char *name =
        config_key_section_name(section == CONFIG_CERTIFICATE ? CONFIG_TLS : section);

    if (section == CONFIG_ROOT)
        name = "top level";
    snprintf(out, 32, "\n# %s\n", name);
    for (char *c = out; *c != 0; c++)
        *c = (char)toupper((unsigned char)*c);
}

/* What the manual says of a key, spaces and line ends as one space each; "" when it says nothing.
 */
static void entry_of(const char *manual, const struct config_key *k, char out[1024])
{
    char heading[32];
    char start[64];
    const char *at;
    const char *end;
    size_t len = 0;

    out[0] = 0;
    heading_of(k->section, heading);
    at = strstr(manual, heading);
    if (at == NULL)
        return;
    end = strstr(at + 3, "\n# ");
    snprintf(start, sizeof(start), "\n*%s* = ", k->name);
    at = strstr(at, start);
    if (at == NULL || (end != NULL && at > end))
        return;
    for (at++; strncmp(at, "\n\n", 2) != 0 && *at != 0 && len < 1022; at++) {
        bool space = *at == '\n' || *at == '\t' || *at == ' ';

        if (!space)
            out[len++] = *at;
        else if (len > 0 && out[len - 1] != ' ')
            out[len++] = ' ';
    }
    out[len++] = ' ';
    out[len] = 0;
}

/* False: a kind whose default the manual tells in its own words. */
static bool print_default(const struct config_key *k, struct buf *out)
{
    switch (k->kind) {
    case CONFIG_COUNT:
    case CONFIG_BYTES:
    case CONFIG_SECONDS: return config_units_print(config_units_of(k->kind), k->number, out);
    case CONFIG_BOOL: return buf_printf(out, k->number != 0 ? "yes" : "no");
    case CONFIG_CHOICE: return buf_printf(out, "%s", k->choices[k->number]);
    default: return false;
    }
}

static void the_manual_has_every_key_and_its_default(void **state)
{
    char *manual = read_text(manual_path);
    char entry[1024];
    char want[64];

    (void)state;
    for (uint32_t i = 0; i < config_key_count(); i++) {
        const struct config_key *k = config_key_at(i);
        struct buf out = { (uint8_t *)want, 0, sizeof(want) - 1 };

        entry_of(manual, k, entry);
        if (entry[0] == 0)
            fail_msg("the manual has no entry '%s' under '%s'", k->name,
                     config_key_section_name(k->section));
        buf_printf(&out, "Default: ");
        if (!print_default(k, &out))
            continue;
        /* "Default: 5m." or "Default: 0, the device's." */
        want[out.len] = 0;
        if (strstr(entry, want) == NULL || strchr(".,", strstr(entry, want)[strlen(want)]) == NULL)
            fail_msg("the manual says of %s: '%s' and not '%s'", k->name, entry, want);
    }
    free(manual);
}

static bool is_key_line(const char *line, const char *name)
{
    line += strspn(line, " ");
    return strncmp(line, name, strlen(name)) == 0 && strncmp(line + strlen(name), " = ", 3) == 0;
}

/* Lines of `text` that give a key of this name. */
static uint32_t count_key_lines(const char *text, const char *name)
{
    uint32_t count = 0;

    for (const char *line = text; line != NULL;) {
        count += is_key_line(line, name);
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return count;
}

static uint32_t count_keys(const char *name)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < config_key_count(); i++)
        count += strcmp(config_key_at(i)->name, name) == 0;
    return count;
}

static void the_example_has_every_key(void **state)
{
    char *example = read_text(example_path);

    (void)state;
    for (uint32_t i = 0; i < config_key_count(); i++) {
        const char *name = config_key_at(i)->name;

        if (count_key_lines(example, name) < count_keys(name))
            fail_msg("the example has too few lines '%s = '", name);
    }
    free(example);
}

static bool claims_default(const char *line, size_t len)
{
    const char *equals = memmem(line, len, " = ", 3);
    const char *hash = memchr(line, '#', len);

    return equals != NULL && (hash == NULL || equals < hash) &&
           memmem(line, len, "example", 7) == NULL &&
           memmem(line, len, "must be given", 13) == NULL;
}

/* Without the lines that claim to be defaults, the file must mean the same. */
static void the_example_s_defaults_are_defaults(void **state)
{
    static uint8_t first[16384];
    static uint8_t second[16384];
    char *example = read_text(example_path);
    char *shorter = calloc(1, strlen(example) + 1);
    struct buf one = { first, 0, sizeof(first) };
    struct buf two = { second, 0, sizeof(second) };
    struct config *whole;
    struct config *less;
    uint32_t removed = 0;

    (void)state;
    for (const char *line = example; *line != 0;) {
        size_t len = strcspn(line, "\n") + 1;

        if (claims_default(line, len))
            removed++;
        else
            memcpy(shorter + strlen(shorter), line, len);
        line += len;
    }
    assert_true(removed > 30);
    whole = config_parse(example_path, span_str(example), &errors);
    if (whole == NULL)
        fail_msg("%.*s", (int)errors.len, room);
    less = config_parse(example_path, span_str(shorter), &errors);
    if (less == NULL)
        fail_msg("%.*s", (int)errors.len, room);
    assert_true(config_print(whole, &one));
    assert_true(config_print(less, &two));
    first[one.len] = second[two.len] = 0;
    assert_string_equal((char *)first, (char *)second);
    config_free(whole);
    config_free(less);
    free(example);
    free(shorter);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_has_every_key_and_its_default),
        cmocka_unit_test(the_example_has_every_key),
        cmocka_unit_test(the_example_s_defaults_are_defaults),
    };

    if (argc != 3)
        return 2;
    manual_path = argv[1];
    example_path = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
