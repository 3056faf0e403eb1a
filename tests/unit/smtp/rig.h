/* A session of smtp/ in a world of its own: its clock, its counters, a room with small limits. */
#ifndef POSTERN_TESTS_SMTP_RIG_H
#define POSTERN_TESTS_SMTP_RIG_H

#include "lib/unit.h"

#include "smtp/smtp_priv.h"

#define RIG_MECHANISMS (SMTP_MECHANISM_PLAIN | SMTP_MECHANISM_LOGIN)
#define RIG_GREETING   "EHLO c.example\r\n"

struct rig {
    struct clock clock;
    struct counters counters;
    struct mail_id_gen ids;
    struct smtp *room;
    struct smtp_session *s;
    uint8_t replies[8192];
    struct buf out;
};

/* A room for so many sessions, and the first one; *state becomes the rig. For cmocka's setup. */
int rig_open(void **state, uint32_t sessions, const struct smtp_client *client);
/* Closes r->s, if there is one; smtp_destroy asserts that all is home. For cmocka's teardown. */
int rig_close(void **state);
/* Says `text`, and r->out are the replies; *left of it was not taken, or all of it was if that is
 * NULL. */
enum smtp_want rig_say(struct rig *r, const char *text, uint32_t *left);
void rig_replies_are(const struct rig *r, const char *want);

#endif
