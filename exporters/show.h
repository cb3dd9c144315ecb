/* SPDX-License-Identifier: MIT */
#ifndef TM_SHOW_H
#define TM_SHOW_H

#include "common/conf.h"

#include <stdbool.h>
#include <stdint.h>

/* What a person asks of the spool and the state. Each returns the exit status. */

/* Consent, schedule, and of each target: what waits, what was sent last with both hashes, what is
 * wrong. */
int show_status(const struct tm_conf *conf, const char *target, bool as_json, int64_t now);
/* What was sent and refused, oldest first. */
int show_history(const struct tm_conf *conf, const char *target, bool as_json);
/* The very bytes of an item, wherever it lies; what is known of it goes to standard error. */
int show_item(const struct tm_conf *conf, const char *key);
/* Back from dead/ into the line. */
int show_requeue(const struct tm_conf *conf, const char *key, int64_t now_ms);
/* Removes copies of what was sent, and with dead what was given up; those older than the
 * configuration keeps them, or all. */
int show_purge(const struct tm_conf *conf, const char *target, bool dead, bool all, int64_t now);

#endif
