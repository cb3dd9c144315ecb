/* SPDX-License-Identifier: MIT */
#include "common/merge.h"

#include "common/clock.h"
#include "common/json.h"

#include <stdint.h>
#include <stdlib.h>

struct entry {
  int64_t date;
  size_t order; /* of two of a date the later one comes behind */
  json_t *day;  /* borrowed */
};

static size_t collect(struct entry *out, size_t n, const json_t *days)
{
  for (size_t i = 0; i < json_array_size(days); i++) {
    struct entry e = {.order = n, .day = json_array_get(days, i)};
    const char *date = tm_json_get_string(e.day, "date");
    if (date != NULL && tm_time_parse(date, &e.date) == 0)
      out[n++] = e;
  }
  return n;
}

static int compare(const void *a, const void *b)
{
  const struct entry *x = a;
  const struct entry *y = b;
  if (x->date != y->date)
    return x->date < y->date ? -1 : 1;
  return (x->order > y->order) - (x->order < y->order);
}

/* Leaves one entry a date; returns their number. */
static size_t choose(struct entry *e, size_t n)
{
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    bool same = kept > 0 && e[kept - 1].date == e[i].date;
    /* A part that is not told (NAN) is not less. */
    bool less = same && tm_json_get_number(e[i].day, "covered") <
                            tm_json_get_number(e[kept - 1].day, "covered");
    if (same && !less)
      e[kept - 1] = e[i];
    else if (!same)
      e[kept++] = e[i];
  }
  return kept;
}

json_t *merge_history(const json_t *kept, const json_t *sent, size_t keep)
{
  size_t room = json_array_size(kept) + json_array_size(sent);
  struct entry *e = calloc(room > 0 ? room : 1, sizeof(*e));
  json_t *merged = e != NULL ? json_array() : NULL;
  if (merged != NULL) {
    size_t n = collect(e, 0, kept);
    n = collect(e, n, sent);
    qsort(e, n, sizeof(*e), compare);
    n = choose(e, n);
    for (size_t i = n > keep ? n - keep : 0; i < n; i++)
      if (json_array_append(merged, e[i].day) < 0) {
        json_decref(merged);
        merged = NULL;
        break;
      }
  }
  free(e);
  return merged;
}
