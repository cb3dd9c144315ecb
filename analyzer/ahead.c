/* SPDX-License-Identifier: MIT */
#include "analyzer/ahead.h"

#include "analyzer/graph/fan.h"
#include "common/child.h"
#include "common/clock.h"
#include "common/json_out.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sysexits.h>

#define BATCH_MAX  ((size_t)8 << 20)
#define BATCH_FULL ((size_t)1 << 20)
#define ROW_SIZE   (8 + 4 * JSON_NUMBER_SIZE)

void ahead_init(struct ahead *a, const char *folder)
{
  *a = (struct ahead){.folder = folder, .batch = TM_BUF_INIT(BATCH_MAX)};
}

void ahead_release(struct ahead *a)
{
  tm_buf_release(&a->batch);
}

static void put_rows(struct json_out *o, const struct forecast_result *r, int64_t start)
{
  for (int i = 0; i < AHEAD_DAYS; i++) {
    int64_t t = start + i * (int64_t)TM_DAY;
    struct fan fan = fan_at(r, t);
    double chance = forecast_probability_within(r, (double)(t - r->last_time) / TM_DAY);
    char *p = json_out_begin(o, ROW_SIZE);
    if (p == NULL)
      return;
    p = json_put_number(json_put(p, "["), fan.low);
    p = json_put_number(json_put(p, ","), fan.middle);
    p = json_put_number(json_put(p, ","), fan.high);
    p = json_put_number(json_put(p, ","), round(chance * 1e6) / 1e6);
    json_out_end(o, json_put(p, "]"));
  }
}

int ahead_add(struct ahead *a, const struct series *s, const struct forecast_result *r,
              struct tm_error *err)
{
  if (a->broken)
    return 0;
  struct json_out o = JSON_OUT_INIT(&a->batch);
  size_t before = a->batch.len;
  bool known = fan_known(r) && r->last_time != FORECAST_NONE;
  int64_t start = known ? (r->last_time / TM_DAY + 1) * TM_DAY : 0;
  json_out_open(&o, '{');
  json_out_key(&o, "schema");
  json_out_plain(&o, AHEAD_SCHEMA);
  json_out_key(&o, "host");
  json_out_string(&o, s->host);
  json_out_key(&o, "folder");
  json_out_string(&o, s->folder != NULL ? s->folder : s->device);
  json_out_key(&o, "start");
  json_out_int(&o, start);
  json_out_key(&o, "rows");
  json_out_open(&o, '[');
  if (known)
    put_rows(&o, r, start);
  json_out_close(&o, ']');
  json_out_close(&o, '}');
  int rc = o.rc == 0 ? tm_buf_puts(&a->batch, "\n") : o.rc;
  if (rc < 0) {
    a->batch.len = before;
    return tm_fail(err, rc, "%s/%s: %s", s->host, s->device, strerror(-rc));
  }
  return a->batch.len < BATCH_FULL ? 0 : ahead_flush(a, err);
}

int ahead_flush(struct ahead *a, struct tm_error *err)
{
  const char *const arguments[] = {a->folder, NULL};
  struct tm_buf answer = TM_BUF_INIT(1);
  struct tm_child child = {
      .arguments = arguments, .input = a->batch.ptr, .input_len = a->batch.len, .output = &answer};
  int status = 0;
  int rc = 0;
  if (a->batch.len > 0 && !a->broken)
    rc = tm_child_run("tidemark-rrd", &child, &status, err);
  if (rc == 0 && status == EX_CANTCREAT)
    rc = tm_fail(err, -EIO, "%s: no forecasts are written", a->folder);
  a->broken = a->broken || rc < 0;
  if (rc == 0 && status != 0)
    rc = tm_fail(err, -EIO, "%s: not all forecasts are written", a->folder);
  tm_buf_reset(&a->batch);
  tm_buf_release(&answer);
  return rc;
}
