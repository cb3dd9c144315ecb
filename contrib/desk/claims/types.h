/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CLAIM_TYPES_H
#define TM_DESK_CLAIM_TYPES_H

#include "contrib/desk/store/db.h"

/*
 * Which data items a kind of claim needs: a table that service edits, each change a new version.
 */
enum { TYPE_NAME = 201, TYPE_ITEMS = 100 };

struct claim_type {
  char type[TYPE_NAME]; /* '' is the common set, for all kinds that are not in the table */
  int64_t version;
  json_t *items;   /* names; the caller's */
  const char *how; /* "type", "hint" (a word of the text means it), "common" */
};

/* The kind of that name, in any case; else the one of which a hint stands in type or text; else the
 * common set. */
int claim_type_find(struct db *db, const char *type, const char *text, struct claim_type *out,
                    struct tm_error *err);

/* The newest version of each: [{"type", "version", "items", "hints", "changed_at", "changed_by"}],
 * the common set first. A store_work on a json_t **, which gets a new reference. */
int claim_types_read(struct db *db, void *list, struct tm_error *err);

struct claim_type_change {
  const char *type, *items, *hints, *by;
  int64_t seen; /* the version that the editor looked at; 0: it is to be new */
  int64_t now;
  const char *field; /* what is wrong, for the answer */
};
/* A piece of work. -EEXIST where somebody else has changed it meanwhile, -EINVAL with field. An
 * empty list takes the kind away; the common set must have one. */
int claim_type_put(struct db *db, void *change, struct tm_error *err);

/* The names in a text, separated by blanks or commas, each once. -EINVAL for one that is none. New
 * reference in *items. */
int claim_items_read(const char *text, json_t **items, struct tm_error *err);

/* "copies_feed-Tray_1" as people read it: "Copies by paper feed, Tray 1". Returns out. */
char *claim_item_label(char *out, size_t size, const char *name);

#endif
