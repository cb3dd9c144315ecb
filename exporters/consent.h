/* SPDX-License-Identifier: MIT */
#ifndef TM_CONSENT_H
#define TM_CONSENT_H

#include "common/conf.h"
#include "common/error.h"
#include "common/sign.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * What the site's administrator has agreed to: STATE/consent.json, by purpose and, where wanted, by
 * device. Everything is off until it is switched on. A yes is dated, names who gave it, and keeps
 * the list of fields that it was given for: fields that come later are not covered by it. Every
 * change is written to STATE/consent.log, one JSON object a line.
 */
struct consent {
  char *path;
  json_t *root; /* NULL: nothing was ever switched on */
  struct stat stamp;
};

/* An absent file is everything off; one that cannot be understood is an error, not a yes. */
int consent_load(struct consent *c, const char *state_dir, struct tm_error *err);
/* Loads again if the file was changed meanwhile. */
int consent_refresh(struct consent *c, struct tm_error *err);
void consent_release(struct consent *c);

/* The purposes that are on for a device. A device's own word outranks that for all devices. */
unsigned consent_purposes(const struct consent *c, const char *host, const char *device);
/* True when any of the purposes is on for any device. */
bool consent_any(const struct consent *c, unsigned purposes);

/*
 * The fields that were agreed to, for one purpose and device: an object whose keys are paths, a new
 * reference; NULL where it is off.
 */
json_t *consent_fields(const struct consent *c, enum tm_purpose purpose, const char *host,
                       const char *device);
/*
 * Of all fields of a purpose (schema_fields), those that came after somebody's yes and are held
 * back until it is said again: an array, a new reference; empty where the purpose is off.
 */
json_t *consent_held_back(const struct consent *c, enum tm_purpose purpose, const json_t *fields);
/* {"sales":{"by":"…","on":"…"}} for these purposes: what a document says of it. A new reference. */
json_t *consent_statement(const struct consent *c, unsigned purposes, const char *host,
                          const char *device);

/* The purposes for which an item was made, by its head (spool.h), and 1 or 0, whether all of them
 * are still on for its device, or -ENOMEM. */
unsigned consent_head_purposes(const json_t *head);
int consent_covers(const struct consent *c, const json_t *head);

struct consent_change {
  enum tm_purpose purpose;
  const char *device;   /* "HOST/DEVICE" or "DEVICE"; NULL: all of them */
  const char *by;       /* who */
  const json_t *fields; /* for a yes: all fields of the purpose now */
  int64_t now;
};
/*
 * Switches on; *grown gets the fields that were not agreed to before (a new array). Durable and
 * logged when it returns 0.
 */
int consent_enable(const char *state_dir, const struct consent_change *change, json_t **grown,
                   struct tm_error *err);
/* Switches off. For all devices (device NULL) the devices' own words go as well. */
int consent_disable(const char *state_dir, const struct consent_change *change,
                    struct tm_error *err);

/* The key of this site's pseudonyms, STATE/pseudonym.key; made when it is not there. */
int consent_pseudonym_key(struct tm_secret *key, const char *state_dir, struct tm_error *err);

#endif
