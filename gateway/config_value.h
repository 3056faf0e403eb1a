/*
 * One value of the configuration: from text to what the key's row says.
 */
#ifndef POSTERN_CONFIG_VALUE_H
#define POSTERN_CONFIG_VALUE_H

#include "gateway/config_key.h"

/* Room for a sentence of what would be right. */
#define CONFIG_WHY_MAX 256

/*
 * Stores `text` as the value of `k` in the struct at `base`; for a list, adds one item. Text is
 * copied into c->texts. False: *why says what would be right ("must be ..."), and base is as it
 * was.
 */
bool config_value_set(const struct config_key *k, struct config *c, void *base, const char *text,
                      struct buf *why);
/* Stores the default. False when the key has none. */
bool config_value_set_default(const struct config_key *k, struct config *c, void *base);
/* Frees the strings of c. */
void config_value_free_texts(struct config *c);

#endif
