/* SPDX-License-Identifier: MIT */
#include "analyzer/source/refusals.h"

#include "common/room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int refusals_add(struct refusals *r, const char *text, struct tm_error *err)
{
  struct tm_error clean;
  tm_fail(&clean, -EINVAL, "%s", text);
  char *copy = NULL;
  if (TM_ROOM(r->item, r->cap, r->n) < 0 || asprintf(&copy, "%s", clean.text) < 0)
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
