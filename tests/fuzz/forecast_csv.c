/* SPDX-License-Identifier: MIT */
/* covers: analyzer/forecast_csv.c */
/* Any bytes as CSV: every series that is read is also forecast, and its line must be JSON. */
#include "analyzer/forecast/forecast.h"
#include "analyzer/forecast_csv.h"
#include "analyzer/forecast_json.h"
#include "common/error.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *context, struct forecast_csv_series *s, struct tm_error *err)
{
  static const double quantile[] = {0.1, 0.5, 0.9};
  struct forecast_params p = {.limit = NAN, .steps = 5, .quantiles = quantile, .n_quantiles = 3};
  struct forecast_series rows = {s->time, s->used, s->capacity, s->n};
  struct forecast_result r;
  for (p.direction = FORECAST_UP; p.direction <= FORECAST_DOWN; p.direction++) {
    if (forecast_run(context, &rows, &p, &r, err) < 0)
      abort();
    struct tm_buf line = TM_BUF_INIT(1 << 20);
    struct json_out o = JSON_OUT_INIT(&line);
    forecast_json_line(&o, s->name, &r, &p);
    json_t *read_back = o.rc == 0 ? json_loads(line.ptr, 0, NULL) : NULL;
    if (read_back == NULL)
      abort();
    json_decref(read_back);
    tm_buf_release(&line);
  }
  return 0;
}

static int refuse(void *context, const char *what, struct tm_error *err)
{
  (void)context;
  (void)what;
  (void)err;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
  struct forecast_work *work = forecast_work_new();
  struct forecast_csv_taker taker = {take, refuse, work};
  struct tm_error err;
  if (in == NULL || work == NULL)
    abort();
  forecast_csv_read(in, "fuzz.csv", &taker, &err);
  forecast_work_free(work);
  fclose(in);
  return 0;
}
