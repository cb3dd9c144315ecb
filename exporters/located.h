/* SPDX-License-Identifier: MIT */
#ifndef TM_LOCATED_H
#define TM_LOCATED_H

#include "common/conf.h"
#include "common/error.h"

#include <jansson.h>

/*
 * A device that was named from outside, found at this site: by its names, or by the pseudonyms
 * under which they leave. The inventory files that the plugins write say which devices there are
 * and how they are asked.
 */
struct located {
  char host[256], device[256]; /* in clear; as they were given where no such device is known */
  json_t *inventory;           /* NULL: none; the caller's, by json_decref() */
};

/* 0 also where it is not known; a folder or an inventory that cannot be read is an error. */
int located_find(struct located *out, const struct tm_conf *conf, const char *host,
                 const char *device, struct tm_error *err);

#endif
