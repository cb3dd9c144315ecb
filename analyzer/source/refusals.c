/* SPDX-License-Identifier: MIT */
#include "analyzer/source/refusals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int refusals_add(struct refusals *r, const char *text, struct tm_error *err)
{
  struct tm_error clean;
  tm_fail(&clean, -EINVAL, "%s", text);
  if (r->n == r->cap) {
    size_t cap = 2 * r->cap + 16;
    struct series_refusal *more = reallocarray(r->item, cap, sizeof(*more));
    if (more == NULL)
      return tm_fail(err, -ENOMEM, "out of memory");
    r->item = more;
    r->cap = cap;
  }
  r->item[r->n].text = strdup(clean.text);
  if (r->item[r->n].text == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  r->n++;
  return 0;
}

void refusals_release(struct refusals *r)
{
  for (size_t i = 0; i < r->n; i++)
    free((char *)r->item[i].text);
  free(r->item);
  *r = (struct refusals){0};
}
