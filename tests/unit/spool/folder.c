/* See folder.h. */
#include "lib/unit.h"

#include "unit/spool/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURNS_MAX 100000 /* more is a hang */

void folder_make(char *path, size_t room)
{
    const char *top = getenv("TMPDIR");
    int len = snprintf(path, room, "%s/postern-test-XXXXXX", top != NULL ? top : "/var/tmp");

    assert_true(len > 0 && (size_t)len < room);
    assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void folder_remove(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void folder_send(struct spool *s, struct spool_port *p, uint64_t id, struct span body)
{
    struct spool_message *m = spool_message_begin(p, NULL);
    struct spool_extent *e = spool_extent_get(p);
    uint8_t room[256];
    struct buf envelope = { room, 0, sizeof(room) };
    struct mail mail = {
        .header = SPAN_LITERAL("Received: by a test\r\n"),
        .body_bytes = body.len,
        .flags = MAIL_DOT_STUFFED,
        .id = id,
    };

    assert_true(mail_field_put(&envelope, MAIL_FIELD_SENDER, SPAN_LITERAL("a@x.example")));
    assert_true(mail_field_put(&envelope, MAIL_FIELD_RECIPIENT, SPAN_LITERAL("b@y.example")));
    assert_true(mail_field_put(&envelope, MAIL_FIELD_RECIPIENT, SPAN_LITERAL("c@z.example")));
    mail.envelope = span_of(room, envelope.len);
    assert_true(body.len <= e->cap);
    memcpy(e->data, body.ptr, body.len);
    e->len = body.len;
    spool_message_append(p, m, e);
    assert_true(spool_message_commit(p, m, &mail));
    for (unsigned turns = 0; spool_port_poll(p) != m; turns++) {
        assert_true(turns < TURNS_MAX);
        if (spool_turn(s) == 0)
            spool_wait(s);
    }
    assert_int_equal(m->state, SPOOL_DURABLE);
    spool_message_release(p, m);
}
