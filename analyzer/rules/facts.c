/* SPDX-License-Identifier: MIT */
#include "analyzer/rules/rules.h"

#include "analyzer/rules/load.h"
#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static int64_t get_time(const json_t *object, const char *key)
{
  const char *text = tm_json_get_string(object, key);
  int64_t t;
  return text != NULL && tm_time_parse(text, &t) == 0 ? t : INT64_MIN;
}

/* A size is believed when it is not negative. */
static double get_size(const json_t *object, const char *key)
{
  double v = tm_json_get_number(object, key);
  return v >= 0 ? v : NAN;
}

static int want_object(const json_t *summary, const char *key, const json_t **out,
                       struct tm_error *err)
{
  const json_t *v = json_object_get(summary, key);
  if (v != NULL && !json_is_null(v) && !json_is_object(v))
    return tm_fail(err, -EBADMSG, "\"%s\" is not an object", key);
  *out = json_is_object(v) ? v : NULL;
  return 0;
}

static int read_parts(struct rule_facts *f, struct tm_error *err)
{
  const json_t *forecast = NULL;
  int rc = want_object(f->summary, "product", &f->product, err);
  if (rc == 0)
    rc = want_object(f->summary, "status", &f->status, err);
  if (rc == 0)
    rc = want_object(f->summary, "forecast", &forecast, err);
  if (rc < 0)
    return rc;
  f->history = json_object_get(f->summary, "history");
  if (f->history != NULL && !json_is_null(f->history) && !json_is_array(f->history))
    return tm_fail(err, -EBADMSG, "\"history\" is not a list");
  f->observed_at = get_time(f->status, "observed_at");
  f->sold_on = get_time(f->product, "sold_on");
  f->slots =
      isnan(get_size(f->status, "capacity_bytes")) && !isnan(get_size(f->status, "slots_total"));
  f->capacity = get_size(f->status, f->slots ? "slots_total" : "capacity_bytes");
  f->used = get_size(f->status, f->slots ? "slots_used" : "used_bytes");
  f->cache_bytes = get_size(f->product, "cache_bytes");
  f->growth_per_day =
      tm_json_get_number(forecast, f->slots ? "growth_slots_per_day" : "growth_bytes_per_day");
  f->method = tm_json_get_string(forecast, "model");
  int64_t from = f->observed_at != INT64_MIN ? f->observed_at : f->now;
  outlook_read(&f->fill, json_object_get(forecast, "fill"), from);
  return 0;
}

int rule_facts_read(struct rule_facts *f, const json_t *summary, const struct catalogue *c,
                    const struct catalogue_item *model, const struct rule_thresholds *t,
                    int64_t now, struct tm_error *err)
{
  memset(f, 0, sizeof(*f));
  f->summary = summary;
  f->catalogue = c;
  f->model = model;
  f->thresholds = t;
  f->now = now;
  int rc = read_parts(f, err);
  if (rc == 0)
    load_read(f);
  return rc == 0 ? load_forecast(f, err) : rc;
}

double rule_level(const struct rule_facts *f, const char *name)
{
  const json_t *level = tm_json_find(json_object_get(f->status, "levels"), "name", name);
  return tm_json_get_number(level, "now");
}
