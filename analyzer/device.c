/* SPDX-License-Identifier: MIT */
#include "analyzer/device.h"

#include "analyzer/inventory.h"
#include "analyzer/ledger.h"
#include "analyzer/recommend.h"
#include "analyzer/summary.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SUMMARY_BYTES (1U << 20) /* 731 days take about 120 kB */
#define RECORD_COUNT  6          /* forecasts that the words of the track record are about */

int device_work_init(struct device_work *w)
{
  *w = (struct device_work){.line = TM_BUF_INIT(SUMMARY_BYTES)};
  w->forecast = forecast_work_new();
  return w->forecast != NULL ? 0 : -ENOMEM;
}

void device_work_release(struct device_work *w)
{
  forecast_work_free(w->forecast);
  tm_buf_release(&w->line);
  w->forecast = NULL;
}

/* The words of the track record by what the rows of today say of the forecasts of then. */
static int track_record(char *out, size_t size, const struct device_settings *settings,
                        const struct series *s, struct tm_error *err)
{
  struct ledger l = {0};
  out[0] = '\0';
  int rc = ledger_read(&l, settings->conf->state_dir, s->host, s->device, err);
  ledger_tell_damage(&l, settings->conf->state_dir, s->host, s->device);
  if (rc < 0 || l.len == 0)
    return rc;
  struct ledger_judgement *judged = calloc(l.len, sizeof(*judged));
  size_t n = 0;
  for (size_t i = 0; judged != NULL && i < l.len; i++) {
    if (strcmp(l.entries[i].of, "capacity") == 0)
      judged[n++] = ledger_judge(&l.entries[i], s->time, s->used, s->n, FORECAST_UP);
  }
  if (judged != NULL)
    ledger_record_text(out, size, judged, n, RECORD_COUNT);
  else
    rc = tm_fail(err, -ENOMEM, "%s/%s: out of memory", s->host, s->device);
  free(judged);
  ledger_release(&l);
  return rc;
}

/* STATEDIR/summaries/HOST/DEVICE.json */
static int write_own_file(const struct device_settings *settings, const struct series *s,
                          const struct tm_buf *line, struct tm_error *err)
{
  char folder[4096];
  char path[8192];
  if (!tm_file_name_is_safe(s->host) || !tm_file_name_is_safe(s->device))
    return tm_fail(err, -EINVAL, "'%s/%s' cannot be a file's name", s->host, s->device);
  int n = snprintf(folder, sizeof(folder), "%s/summaries/%s", settings->conf->state_dir, s->host);
  if (n < 0 || (size_t)n >= sizeof(folder))
    return tm_fail(err, -ENAMETOOLONG, "%s: too long", settings->conf->state_dir);
  snprintf(path, sizeof(path), "%s/%s.json", folder, s->device);
  int rc = tm_dir_make(folder, 0750, err);
  return rc < 0 ? rc : tm_file_write(path, line->ptr, line->len, 0640, err);
}

/* Closes the summary with what the rules say of it. They read the document, as the vendor's do, so
 * that both come to the same. */
static int close_with_advice(struct device_work *w, const struct device_settings *settings,
                             int64_t now, struct tm_error *err)
{
  json_t *summary = NULL;
  json_t *advice = NULL;
  if (settings->catalogue == NULL)
    return summary_close(&w->line, NULL);
  size_t len = w->line.len;
  int rc = tm_buf_puts(&w->line, "}");
  if (rc < 0)
    return rc;
  summary = tm_json_parse(w->line.ptr, w->line.len, "summary", err);
  w->line.len = len;
  rc = summary == NULL
           ? err->code
           : recommend(summary, settings->catalogue, &settings->thresholds, now, &advice, err);
  if (rc == 0)
    rc = summary_close(&w->line, advice);
  json_decref(advice);
  json_decref(summary);
  return rc;
}

/* The devices of a host come one after the other, and most hosts watch none that is asked for what
 * it is. */
static bool has_inventory(struct device_work *w, const struct device_settings *settings,
                          const char *host)
{
  if (!settings->has_inventory)
    return false;
  if (strlen(host) >= sizeof(w->host) || strcmp(w->host, host) != 0) {
    w->has_inventory = inventory_has(settings->conf->state_dir, host);
    snprintf(w->host, sizeof(w->host), "%s", host);
  }
  return w->has_inventory;
}

/* What is fixed about the device: its papers, with what the plugins found put over them. NULL where
 * there is neither. An inventory file that cannot be read is said, and costs only itself. */
static json_t *product_of(struct device_work *w, const struct device_settings *settings,
                          const struct series *s)
{
  struct tm_error err = {0};
  json_t *inventory = NULL;
  if (has_inventory(w, settings, s->host))
    inventory = inventory_read(settings->conf->state_dir, s->host, s->device, &err);
  if (err.code != 0)
    tm_log_warning("%s", err.text);
  const struct registration *r = registration_find(settings->registrations, s->host, s->device,
                                                   tm_json_get_string(inventory, "serial"));
  json_t *product = inventory_product(r, inventory);
  json_decref(inventory);
  return product;
}

/* The forecast and its track record. A ledger that cannot be read costs the words only. */
static int forecast_device(struct device_work *w, const struct device_settings *settings,
                           const struct series *series, char *record, size_t size,
                           struct tm_error *err)
{
  struct forecast_series rows = {series->time, series->used, series->capacity, series->n};
  struct forecast_params params = FORECAST_PARAMS_INIT;
  struct tm_error unread = {0};
  int rc = forecast_run(w->forecast, &rows, &params, &w->result, err);
  if (rc < 0)
    return tm_fail_prefix(err, series->device);
  w->forecasted = true;
  if (settings->has_ledger && track_record(record, size, settings, series, &unread) < 0)
    tm_log_warning("%s", unread.text);
  return 0;
}

int device_summarize(struct device_work *w, const struct device_settings *settings,
                     const struct series *series, struct tm_error *err)
{
  char record[160] = "";
  int rc = 0;
  w->forecasted = false;
  if (settings->forecast && series->unit != NULL)
    rc = forecast_device(w, settings, series, record, sizeof(record), err);
  if (rc < 0)
    return rc;
  json_t *product = product_of(w, settings, series);
  struct summary s = {
      .conf = settings->conf,
      .series = series,
      .forecast = w->forecasted ? &w->result : NULL,
      .record = record,
      .product = product,
      .generated_at = settings->as_of != INT64_MIN ? settings->as_of : series->observed_at,
      .brief = settings->brief,
      .history_days = settings->history_days,
  };
  tm_buf_reset(&w->line);
  rc = summary_write(&w->line, &s);
  json_decref(product);
  if (rc == 0)
    rc = close_with_advice(w, settings, s.generated_at, err);
  if (rc < 0)
    return tm_fail(err, rc, "%s/%s: cannot make the summary: %s", series->host, series->device,
                   err->code != 0 ? err->text : strerror(-rc));
  return 0;
}

int device_record(struct device_work *w, const struct device_settings *settings,
                  const struct series *series, struct tm_error *err)
{
  enum forecast_verdict v = w->result.verdict;
  int rc = 0;
  if (w->forecasted && (v == FORECAST_GROWING || v == FORECAST_FLAT || v == FORECAST_RECEDING)) {
    struct ledger_entry entry;
    ledger_entry_make(&entry, "capacity", &w->result);
    rc = ledger_append(settings->conf->state_dir, series->host, series->device, &entry, err);
  }
  return rc < 0 ? rc : write_own_file(settings, series, &w->line, err);
}
