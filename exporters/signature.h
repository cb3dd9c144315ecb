/* SPDX-License-Identifier: MIT */
#ifndef TM_SIGNATURE_H
#define TM_SIGNATURE_H

#include "common/error.h"

#include <stdint.h>

/* The three headers of a signature as a file beside an event holds them, or as a dump of a request
 * shows them. */
struct signature {
  char id[256];
  int64_t timestamp;
  char value[4096]; /* of webhook-signature: tm_sign_verify() takes it */
};

/* -EBADMSG with "PATH: why" unless each of the three stands there once: which one would count? */
int signature_read(struct signature *s, const char *path, struct tm_error *err);

#endif
