/* SPDX-License-Identifier: MIT */
#ifndef TM_REGISTRATION_H
#define TM_REGISTRATION_H

#include "common/error.h"
#include <jansson.h>
#include <stddef.h>

/*
 * What the vendor says of a device that was sold: one JSON file a device
 * (contrib/schema/registration.schema.json), as delivered with it, below the folder that
 * tidemark.conf names as `products`.
 */
#define REGISTRATION_SCHEMA "tidemark.registration/1"

struct registration {
  char *path;         /* of the file, for messages */
  json_t *product;    /* as a summary's product: device, kind, model, serial, ... */
  const char *device; /* borrowed from product, as is serial; NULL where not given */
  const char *serial;
  char *host; /* NULL: any host, found by its serial */
};

struct registrations {
  struct registration **list; /* in the order of their paths */
  size_t n;
  struct registration_key *index; /* by serial number, and by host and device */
};

/* Called with "FILE:LINE: what" for each file that was refused. */
typedef void registration_refused(void *user, const char *text);

/*
 * Reads every *.json below dir, up to four folders deep. A file that is wrong is refused by name
 * and the others go on; so is a second one for the same serial number, or the same host and
 * device. 0 also then; -ENOENT or another errno when dir itself cannot be read, -ENOMEM.
 */
int registrations_load(struct registrations *r, const char *dir, registration_refused *refused,
                       void *user, struct tm_error *err);
void registrations_release(struct registrations *r);

/* One file's text. 0 with *out to be freed by registration_free(), or -EBADMSG. */
int registration_parse(struct registration **out, const char *data, size_t len, const char *name,
                       struct tm_error *err);
void registration_free(struct registration *r);

/*
 * The registration of a device: by serial number, else by host and name unless the serial numbers
 * are both known and differ (another device stands in its place). NULL when there is none. serial
 * may be NULL.
 */
const struct registration *registration_find(const struct registrations *r, const char *host,
                                             const char *device, const char *serial);

#endif
