/* SPDX-License-Identifier: MIT */
/* covers: analyzer/recommend.c analyzer/demand.c analyzer/rules/facts.c */
/* A summary of any shape against the sample catalogue: advice or a refusal, and demand of it. */
#include "analyzer/demand.h"
#include "analyzer/opportunity.h"
#include "analyzer/recommend.h"
#include "common/clock.h"
#include "common/json.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read once: a fuzzer calls a million times. NULL where the tree is not at hand. */
static const struct catalogue *the_catalogue(void)
{
  static struct catalogue c;
  static int state;
  if (state == 0)
    state = catalogue_load(&c, "contrib/schema/samples/catalogue.json", NULL) == 0 ? 1 : -1;
  return state > 0 ? &c : NULL;
}

static void add_up(json_t *summary, int64_t now)
{
  const struct shops none = {0};
  const struct demand_settings settings = {.now = now, .weeks = 26, .shops = &none};
  struct demand *d = demand_new(&settings);
  if (d == NULL)
    return;
  demand_add(d, summary, NULL);
  json_decref(demand_json(d));
  demand_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct tm_error err = {0};
  struct rule_thresholds t;
  int64_t now = 1795133100;
  json_t *list = NULL;
  json_t *summary = tm_json_parse((const char *)data, size, "input", &err);
  rule_thresholds_init(&t);
  if (!json_is_object(summary) || the_catalogue() == NULL)
    goto out;
  const char *at = tm_json_get_string(summary, "generated_at");
  if (at != NULL)
    tm_time_parse(at, &now);
  add_up(summary, now);
  if (recommend(summary, the_catalogue(), &t, now, &list, &err) == 0) {
    for (size_t i = 0; i < json_array_size(list); i++)
      json_decref(opportunity_of(summary, json_array_get(list, i)));
    json_object_set(summary, "recommendations", list);
    add_up(summary, now);
  }
out:
  json_decref(list);
  json_decref(summary);
  return 0;
}
