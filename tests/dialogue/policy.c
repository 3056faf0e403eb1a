/* Answers as the script says, and keeps account of who is inside. */
#include "dialogue/policy.h"

#include "base/assert.h"

static bool enters(struct smtp_policy *smtp, const struct smtp_sender *who, struct span grant,
                   struct smtp_own *own)
{
    struct policy_talk *p = (struct policy_talk *)smtp;

    ASSERT(who->login.len > 0);
    ASSERT(grant.len == 0); /* no script has one */
    if (p->script.crowded)
        return false;
    if (p->script.size != 0)
        own->message_bytes_max = p->script.size;
    if (p->script.rcpt != 0)
        own->recipients_max = p->script.rcpt;
    own->counted = true;
    p->inside++;
    return true;
}

static void leaves(struct smtp_policy *smtp, const struct smtp_sender *who)
{
    struct policy_talk *p = (struct policy_talk *)smtp;

    ASSERT(who->login.len > 0);
    p->inside -= who->own->counted;
}

static bool may_send_as(struct smtp_policy *smtp, const struct smtp_sender *who,
                        struct span mailbox)
{
    const struct policy_script *s = &((struct policy_talk *)smtp)->script;

    ASSERT(who->login.len > 0);
    ASSERT(mailbox.len > 0);
    for (uint32_t i = 0; i < s->mailbox_count; i++) {
        if (span_equal_nocase(mailbox, span_str(s->mailboxes[i])))
            return true;
    }
    return s->mailbox_count == 0;
}

static bool has_room(struct smtp_policy *smtp, const struct smtp_sender *who, enum smtp_use use)
{
    const struct policy_script *s = &((struct policy_talk *)smtp)->script;

    ASSERT(who->login.len > 0);
    return !s->limited[use] || s->room[use] > 0;
}

static void uses(struct smtp_policy *smtp, const struct smtp_sender *who, enum smtp_use use,
                 uint64_t amount)
{
    uint64_t *left = &((struct policy_talk *)smtp)->script.room[use];

    ASSERT(who->login.len > 0);
    *left -= amount < *left ? amount : *left;
}

void policy_talk_init(struct policy_talk *p, const struct policy_script *script)
{
    p->smtp = (struct smtp_policy){ enters, leaves, may_send_as, has_room, uses };
    p->script = *script;
    p->inside = 0;
}
