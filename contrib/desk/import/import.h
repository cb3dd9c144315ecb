/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_IMPORT_H
#define TM_DESK_IMPORT_H

#include "contrib/desk/import/rows.h"
#include "contrib/desk/store/store.h"

#include <stdint.h>

/*
 * Tables that the vendor keeps elsewhere: customers, staff, absences, assignments, shops, stock,
 * lead-times (CSV or JSON, rows.h), and the catalogue (contrib/schema/catalogue.schema.json). All
 * of a file is taken, or nothing. customers, staff and shops add rows and renew those that are
 * there; absences, assignments, stock and lead-times are the whole table, and the file takes its
 * place; a catalogue becomes today's, and everything is advised anew.
 */
struct import_result {
  size_t rows;
  bool same; /* a catalogue that is today's already */
};

/* kind as above; -EINVAL for another one, with the nearest name. -EBADMSG with faults (or err,
 * where the file is no table at all) when something is wrong with it; nothing was stored then. */
int import_file(struct store *store, const char *kind, const char *path, int64_t now,
                const char *by, struct import_result *result, struct faults *faults,
                struct tm_error *err);
/* "customers, staff, ..." for messages. */
const char *import_kinds(void);

#endif
