/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_IMPORT_OWN_H
#define TM_DESK_IMPORT_OWN_H

#include "contrib/desk/import/import.h"

enum cell_type { CELL_TEXT, CELL_COUNT, CELL_DATE, CELL_LIST };

struct column {
  const char *name;
  enum cell_type type;
  bool required;
  size_t max;            /* characters of a text, or the largest count */
  const char *one_of;    /* "shop warehouse factory"; NULL: anything */
  const char *reference; /* SQL that finds a row for it; NULL: none */
};

/* A table: its columns are the statement's parameters in their order, then `now`. */
struct kind {
  const char *name;
  const struct column *columns;
  const char *clear; /* SQL, run first; NULL: rows are added and renewed */
  const char *put;
  /* What a row needs besides; NULL: nothing. */
  int (*more)(struct db *db, const struct row *row, struct tm_error *err);
  size_t key; /* so many of the first columns may stand together only once in a file */
};

extern const struct kind import_tables[];

/* contrib/schema/catalogue.schema.json and shops.schema.json. */
int import_catalogue(struct store *store, const char *path, int64_t now, const char *by,
                     struct import_result *result, struct tm_error *err);
/* -ENOMSG when the file is no map of shops. */
int import_shop_map(struct store *store, const char *path, struct import_result *result,
                    struct tm_error *err);

#endif
