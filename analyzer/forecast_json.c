/* SPDX-License-Identifier: MIT */
#include "analyzer/forecast_json.h"

#include <math.h>
#include <stdio.h>

static void put_quantile_key(struct json_out *o, double q)
{
  char key[32];
  snprintf(key, sizeof(key), "%g", q);
  json_out_key(o, key);
}

/* Beyond ten figures nothing is forecast; whole numbers are shorter and sooner written. */
static void put_value(struct json_out *o, double v)
{
  json_out_number(o, fabs(v) >= 1e9 ? round(v) : v);
}

/* Four places are more than a probability can mean here. */
static void put_probability(struct json_out *o, double p)
{
  json_out_number(o, round(p * 1e4) / 1e4);
}

static void put_values(struct json_out *o, const struct forecast_result *r,
                       const struct forecast_params *p)
{
  json_out_key(o, "forecast");
  if (r->values == NULL) {
    json_out_null(o);
    return;
  }
  json_out_open(o, '{');
  for (size_t q = 0; q < p->n_quantiles; q++) {
    put_quantile_key(o, p->quantiles[q]);
    json_out_open(o, '[');
    for (size_t k = 0; k < p->steps; k++)
      put_value(o, r->values[k * p->n_quantiles + q]);
    json_out_close(o, ']');
  }
  json_out_close(o, '}');
}

static void put_fill(struct json_out *o, const struct forecast_result *r)
{
  char key[16];
  json_out_key(o, "fill");
  json_out_open(o, '{');
  json_out_key(o, "probability_by_horizon");
  json_out_open(o, '{');
  for (size_t h = 0; h < FORECAST_N_HORIZONS; h++) {
    snprintf(key, sizeof(key), "%dd", forecast_horizon_days[h]);
    json_out_key(o, key);
    put_probability(o, r->probability[h]);
  }
  json_out_close(o, '}');
  for (size_t q = 0; q < FORECAST_N_QUANTILES; q++) {
    put_quantile_key(o, forecast_quantile[q]);
    json_out_time(o, r->fill[q]);
  }
  json_out_close(o, '}');
}

void forecast_json_line(struct json_out *o, const char *name, const struct forecast_result *r,
                        const struct forecast_params *p)
{
  json_out_open(o, '{');
  json_out_key(o, "series");
  json_out_string(o, name);
  json_out_key(o, "step");
  json_out_int(o, r->step_s);
  json_out_key(o, "n");
  json_out_int(o, (int64_t)r->n);
  put_values(o, r, p);
  put_fill(o, r);
  json_out_key(o, "growth_per_day");
  put_value(o, r->growth_per_day);
  json_out_key(o, "model");
  json_out_string(o, r->model);
  json_out_key(o, "reason");
  json_out_string(o, r->reason);
  json_out_key(o, "backtest");
  json_out_open(o, '{');
  json_out_key(o, "mase");
  put_probability(o, r->backtest_mase);
  json_out_close(o, '}');
  json_out_close(o, '}');
}
