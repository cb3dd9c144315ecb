/* SPDX-License-Identifier: MIT */
#include "analyzer/rules/rules.h"

#include "analyzer/rules/load.h"
#include "common/clock.h"
#include "common/json.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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

unsigned rule_installed(const json_t *product, const struct catalogue_item *item)
{
  const char *start = tm_json_get_string(product, "configuration");
  const char *s = start;
  size_t len = strlen(item->sku);
  unsigned pieces = 0;
  for (; s != NULL && (s = strstr(s, item->sku)) != NULL; s += len) {
    const char *p = s;
    char end = s[len];
    /* The whole SKU: "SHELF-20T" does not stand in "SHELF-20T-SSD". */
    if ((p > start && strchr(" ,;(", p[-1]) == NULL) || strchr(" ,;.)", end) == NULL)
      continue;
    while (p > start && p[-1] == ' ')
      p--;
    if (p > start && p[-1] == 'x')
      p--;
    else if (p - start >= 2 && memcmp(p - 2, "\xc3\x97", 2) == 0) /* the sign × */
      p -= 2;
    else {
      pieces++;
      continue;
    }
    while (p > start && p[-1] == ' ')
      p--;
    const char *digits = p;
    while (digits > start && digits[-1] >= '0' && digits[-1] <= '9')
      digits--;
    pieces += digits < p && p - digits <= 4 ? (unsigned)strtoul(digits, NULL, 10) : 1;
  }
  return pieces;
}

double rule_level(const struct rule_facts *f, const char *name)
{
  const json_t *levels = json_object_get(f->status, "levels");
  for (size_t i = 0; i < json_array_size(levels); i++) {
    const json_t *l = json_array_get(levels, i);
    const char *n = tm_json_get_string(l, "name");
    if (n != NULL && strcmp(n, name) == 0)
      return tm_json_get_number(l, "now");
  }
  return NAN;
}

const char *need_action_name(enum need_action action)
{
  static const char *const names[NEED_ACTIONS] = {"grow",     "cache",  "faster",
                                                  "software", "supply", "service"};
  return names[action];
}

static void put(struct need *n, const char *name, size_t index, json_t *value)
{
  char key[64];
  if (n->evidence == NULL)
    n->evidence = json_object();
  if (index > 0)
    snprintf(key, sizeof(key), "%s_%s_%zu", need_action_name(n->action), name, index);
  else
    snprintf(key, sizeof(key), "%s_%s", need_action_name(n->action), name);
  json_object_set_new(n->evidence, key, value);
}

void need_put_number(struct need *n, const char *name, size_t index, double value)
{
  put(n, name, index, tm_json_number(value));
}

void need_put_text(struct need *n, const char *name, size_t index, const char *value)
{
  char text[81];
  size_t len = 0;
  for (; *value != '\0' && len + 1 < sizeof(text); value++) {
    bool plain = isalnum((unsigned char)*value) || strchr(" .,:/+%-", *value) != NULL;
    text[len++] = plain && (unsigned char)*value < 0x80 ? *value : ' ';
  }
  text[len] = '\0';
  put(n, name, index, json_string(text));
}

void need_release(struct need *n)
{
  json_decref(n->evidence);
  n->evidence = NULL;
}
