/* SPDX-License-Identifier: MIT */
/* The load rises towards what the device carries, and a cache module carries it. */
#include "analyzer/rules/rules.h"

#include "analyzer/rules/load.h"

#include <math.h>

int rule_cache(const struct rule_facts *f, struct need *need, struct tm_error *err)
{
  (void)err;
  const struct catalogue_item *module = NULL;
  double want;
  if (!rule_load_nears(f) || !rule_cache_helps(f, &want, &module))
    return 0;
  load_need(f, want, need);
  if (module != NULL)
    need->lines[need->n_lines++] = (struct need_line){module, 1};
  return 0;
}
