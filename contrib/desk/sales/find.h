/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_FIND_H
#define TM_DESK_FIND_H

#include "contrib/desk/http/request.h"

/*
 * Finding items: by what a person looks for, ranked, a page at a time. Pages, API and CSV all come
 * here.
 */
enum { FIND_LIMIT = 50, FIND_LIMIT_MAX = 500 };

struct find {
  const char *owner; /* staff; NULL: everybody's */
  const char *team;  /* of the owner; NULL: any */
  const char *kind;  /* of the device */
  const char *action, *region;
  const char *state; /* NULL: open and not snoozed; "closed": lost, installed or gone; else that */
  char words[200];   /* in lower case, as LIKE wants it: "%minato%"; "" for any */
  const char *customer; /* one customer's alone; NULL: of all */
  int64_t device;       /* of one device; 0: of any */
  double after_weight;  /* continue after this place; NAN: from the start */
  int64_t after_id;
  int limit;
};

/*
 * Reads what is asked for from the query: owner=mine|team|all, kind, action, region, state, q,
 * customer, after, limit. Strings are the request's. 0, or -EINVAL with the parameter's name in
 * *field.
 */
int find_read(struct find *f, const struct request *r, const char **field, struct tm_error *err);

/* Continues behind the place that find_items() gave as the next page's. -EINVAL for what is none.
 */
int find_after(struct find *f, const char *text);

/* The value of a parameter; NULL where it is absent, empty or "all". The request's. */
const char *find_chosen(const struct request *r, const char *name);
/* What was typed, in lower case, as a pattern of LIKE ... ESCAPE '\\'; "" for nothing typed. */
void find_like(char *out, size_t size, const char *typed);

/* Lists in the order of their numbers: the place from which to go on (0: the start), by a parameter
 * of that name, and how many rows, by limit=. 0, or -EINVAL with the parameter's name in *field. */
int find_page(const struct request *r, const char *name, int64_t *place, int *limit,
              const char **field, struct tm_error *err);
/* Of rows that were read with one more than limit: takes that one away and gives the cursor of the
 * next page, or json null. New reference. */
json_t *find_next(json_t *rows, int limit);

/* At most limit items, the heaviest first, as rows that words.h has made readable, and in *next the
 * cursor of the next page or NULL. New references. */
int find_items(struct db *db, const struct find *f, int64_t today, json_t **items, json_t **next,
               struct tm_error *err);

/* How many there are, at how many customers, how many are late and due within 30 days, and what
 * they weigh by currency: {"items", "customers", "late", "latest_days", "due", "next_due",
 * "value": [{"amount","currency"}]}. New reference. */
int find_totals(struct db *db, const struct find *f, int64_t today, json_t **totals,
                struct tm_error *err);

/* For customers: what an item is worth to the vendor, and why a sale was lost, is the vendor's. In
 * place. */
void find_strip(json_t *item);

#endif
