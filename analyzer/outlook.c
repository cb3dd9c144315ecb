/* SPDX-License-Identifier: MIT */
#include "analyzer/outlook.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_time(const void *a, const void *b)
{
  const struct outlook_node *x = a;
  const struct outlook_node *y = b;
  if (x->at != y->at)
    return x->at < y->at ? -1 : 1;
  return (x->p > y->p) - (x->p < y->p);
}

static void add(struct outlook *o, int64_t at, double p)
{
  if (o->n < OUTLOOK_MAX_NODES && p >= 0 && p <= 1)
    o->node[o->n++] = (struct outlook_node){at, p};
}

static void settle(struct outlook *o)
{
  qsort(o->node, o->n, sizeof(o->node[0]), by_time);
  for (size_t i = 1; i < o->n; i++)
    o->node[i].p = fmax(o->node[i].p, o->node[i - 1].p);
}

void outlook_read(struct outlook *o, const json_t *fill, int64_t from)
{
  const char *key;
  json_t *value;
  o->n = 0;
  const json_t *horizons = json_object_get(fill, "probability_by_horizon");
  json_object_foreach((json_t *)horizons, key, value)
  {
    int64_t span;
    if (json_is_number(value) && tm_parse_duration(key, &span) == 0)
      add(o, from + span, json_number_value(value));
  }
  json_object_foreach((json_t *)fill, key, value)
  {
    double p;
    int64_t at;
    if (json_is_string(value) && tm_parse_double(key, &p) == 0 &&
        tm_time_parse(json_string_value(value), &at) == 0)
      add(o, at, p);
  }
  /* The curve begins at zero now, unless it is told otherwise: what is reached has every date
   * there. */
  if (o->n > 0)
    add(o, from, 0);
  settle(o);
}

void outlook_at(struct outlook *o, int64_t at)
{
  o->n = 0;
  add(o, at, 1);
}

void outlook_normal(struct outlook *o, int64_t middle, double spread_s)
{
  static const double z[] = {-2.5758, -1.9600, -1.2816, -0.6745, 0, 0.6745, 1.2816, 1.9600, 2.5758};
  static const double p[] = {0.005, 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975, 0.995};
  o->n = 0;
  for (size_t i = 0; i < sizeof(z) / sizeof(z[0]); i++)
    add(o, middle + (int64_t)llround(z[i] * spread_s), p[i]);
  settle(o);
}

double outlook_probability(const struct outlook *o, int64_t t)
{
  if (o->n == 0)
    return NAN;
  if (t < o->node[0].at)
    return 0;
  size_t i = 1;
  while (i < o->n && o->node[i].at <= t)
    i++;
  const struct outlook_node *before = &o->node[i - 1];
  if (i == o->n)
    return before->p;
  const struct outlook_node *after = &o->node[i];
  double share = (double)(t - before->at) / (double)(after->at - before->at);
  return before->p + share * (after->p - before->p);
}

int64_t outlook_time(const struct outlook *o, double p)
{
  for (size_t i = 0; i < o->n; i++) {
    const struct outlook_node *after = &o->node[i];
    if (after->p < p)
      continue;
    if (i == 0 || after->p <= p)
      return after->at;
    const struct outlook_node *before = &o->node[i - 1];
    double share = (p - before->p) / (after->p - before->p);
    return before->at + (int64_t)llround(share * (double)(after->at - before->at));
  }
  return INT64_MIN;
}

json_t *outlook_json(const struct outlook *o, int64_t from)
{
  static const char *const quantiles[] = {"0.1", "0.5", "0.9"};
  static const double p[] = {0.1, 0.5, 0.9};
  static const int days[] = {30, 90, 365};
  json_t *fill = json_object();
  json_t *horizons = json_object();
  for (size_t i = 0; i < 3; i++) {
    char text[TM_DATE_SIZE];
    int64_t at = outlook_time(o, p[i]);
    char time[TM_TIME_SIZE];
    snprintf(text, sizeof(text), "%.10s", tm_time_format(time, at));
    json_object_set_new(fill, quantiles[i], at == INT64_MIN ? json_null() : json_string(text));
    snprintf(text, sizeof(text), "%dd", days[i]);
    double q = outlook_probability(o, from + (int64_t)days[i] * TM_DAY);
    json_object_set_new(horizons, text, tm_json_number(round(q * 1e4) / 1e4));
  }
  json_object_set_new(fill, "probability_by_horizon", horizons);
  return fill;
}
