/* SPDX-License-Identifier: MIT */
#include "analyzer/source/refusals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int make_room(struct refusals *r)
{
  size_t cap = 2 * r->cap + 16;
  if (r->n < r->cap)
    return 0;
  struct series_refusal *more = reallocarray(r->item, cap, sizeof(*more));
  if (more == NULL)
    return -ENOMEM;
  r->item = more;
  r->cap = cap;
  return 0;
}

int refusals_add(struct refusals *r, const char *text, struct tm_error *err)
{
  struct tm_error clean;
  tm_fail(&clean, -EINVAL, "%s", text);
  char *copy = NULL;
  if (make_room(r) < 0 || asprintf(&copy, "%s", clean.text) < 0)
    return tm_fail(err, -ENOMEM, "out of memory");
  r->item[r->n++].text = copy;
  return 0;
}

void refusals_release(struct refusals *r)
{
  for (size_t i = 0; i < r->n; i++)
    free((char *)r->item[i].text);
  free(r->item);
  *r = (struct refusals){0};
}
