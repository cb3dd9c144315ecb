/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DROP_H
#define TM_DESK_DROP_H

#include "contrib/desk/store/store.h"

#include <stdio.h>

/*
 * What came by file or mail: an event (KEY.json) and beside it its signature (KEY.sig: the three
 * headers that a push would have had). Whose it is, is known by the secret that signed it, of those
 * of the site that it names; how old it is does not matter, for what was taken once is known.
 */
struct drop_counts {
  size_t accepted, duplicate, refused;
};

/* All *.json of a folder that have their *.sig, in the order of their names: what was taken goes
 * into its subfolder `taken`, what was refused into `refused` with the reason in KEY.why. Ends with
 * the store's error, and leaves the rest. */
int drop_folder(struct store *store, const char *folder, int64_t now, FILE *out,
                struct drop_counts *counts, struct tm_error *err);

/* A whole mail (RFC 5322, MIME), with one or more pairs attached. -EBADMSG where there is none. */
int drop_mail(struct store *store, const char *mail, size_t len, int64_t now, FILE *out,
              struct drop_counts *counts, struct tm_error *err);

#endif
