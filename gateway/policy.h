/*
 * What a login may do, as smtp/ asks for it (struct smtp_policy): whose addresses it may send as,
 * and how much. One for each worker; they share the table of senders, which never changes, and the
 * quota, which counts a sender whichever worker serves it.
 */
#ifndef POSTERN_POLICY_H
#define POSTERN_POLICY_H

#include "base/clock.h"
#include "base/counter.h"
#include "gateway/config.h"
#include "gateway/quota.h"
#include "gateway/senders.h"
#include "smtp/smtp.h"

struct policy;

struct policy_env {
    const struct clock *clock;
    struct counters *counters;
    struct senders *senders; /* NULL: every login may send as anybody. Takes a reference. */
    struct quota *quota;     /* outlives the policy */
    uint32_t sessions_max;   /* that may be inside at once */
};

/* NULL: memory is short. Keeps the pointers in `config`. */
struct policy *policy_create(const struct config_policy *config, const struct policy_env *env);
void policy_destroy(struct policy *p);
struct smtp_policy *policy_of_smtp(struct policy *p);
/* From any one thread: the worker goes over to this table with its next question. Takes one
 * reference of `senders`. */
void policy_offer_senders(struct policy *p, struct senders *senders);

#endif
