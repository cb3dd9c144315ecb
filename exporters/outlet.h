/* SPDX-License-Identifier: MIT */
#ifndef TM_OUTLET_H
#define TM_OUTLET_H

#include "common/conf.h"
#include "common/error.h"
#include "exporters/spool.h"

#include <jansson.h>
#include <stdbool.h>

/* The spool of one target together with what is known of earlier runs, for those who fill it. */
struct outlet {
  const struct tm_conf_target *target;
  struct spool spool;
  json_t *keys;         /* what the spool has: key -> name of its state */
  json_t *queued;       /* note: device -> {source, key} of what was queued last */
  json_t *acknowledged; /* note: device -> {history_to} */
  bool dirty;           /* queued has changed */
};

/* Opens the target's spool, as spool_open() does. The target is borrowed. */
int outlet_open(struct outlet *o, const struct tm_conf *conf, const struct tm_conf_target *target,
                struct tm_error *err);
/* Fills keys from the spool and reads the notes. Under the lock "fill" they stay true, but for
 * items that are sent meanwhile. */
int outlet_look(struct outlet *o, const struct tm_conf *conf, struct tm_error *err);
void outlet_close(struct outlet *o);

/*
 * The key under which the same content (document.h: source) was queued for this device before and
 * is still known; NULL when it was not. Its history may have been cut otherwise then, so that the
 * key alone would not tell. Borrowed.
 */
const char *outlet_known_key(const struct outlet *o, const char *device, const char *source);
/* Keeps that this content was queued. */
void outlet_note(struct outlet *o, const char *device, const char *source, const char *key);
/* Writes the notes that have changed. */
int outlet_save(struct outlet *o, const struct tm_conf *conf, struct tm_error *err);

#endif
