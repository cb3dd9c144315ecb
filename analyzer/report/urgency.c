/* SPDX-License-Identifier: MIT */
#include "analyzer/report/urgency.h"

#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int urgency_read(struct urgency *u, const json_t *summary)
{
  const json_t *fill = json_object_get(json_object_get(summary, "forecast"), "fill");
  const json_t *advice = json_array_get(json_object_get(summary, "recommendations"), 0);
  const char *host = tm_json_get_string(json_object_get(summary, "customer"), "host");
  const char *device = tm_json_get_string(json_object_get(summary, "product"), "device");
  *u = (struct urgency){.middle = tm_json_time_or(fill, "0.5", URGENCY_NEVER),
                        .early = tm_json_time_or(fill, "0.1", URGENCY_NEVER)};
  u->act_by = advice != NULL ? tm_json_time_or(advice, "order_by", URGENCY_NEVER) : u->middle;
  u->probability_90d = tm_json_get_number(json_object_get(fill, "probability_by_horizon"), "90d");
  if (isnan(u->probability_90d))
    u->probability_90d = 0;
  if (asprintf(&u->name, "%s/%s", host != NULL ? host : "?", device != NULL ? device : "?") < 0) {
    u->name = NULL;
    return -ENOMEM;
  }
  return 0;
}

void urgency_release(struct urgency *u)
{
  free(u->name);
  u->name = NULL;
}

int urgency_compare(const struct urgency *a, const struct urgency *b)
{
  if (a->act_by != b->act_by)
    return a->act_by < b->act_by ? -1 : 1;
  if (a->middle != b->middle)
    return a->middle < b->middle ? -1 : 1;
  if (a->early != b->early)
    return a->early < b->early ? -1 : 1;
  if (a->probability_90d != b->probability_90d)
    return a->probability_90d > b->probability_90d ? -1 : 1;
  return strcmp(a->name, b->name);
}
