/* SPDX-License-Identifier: MIT */
#include "analyzer/source/prometheus.h"

#include "analyzer/source/prometheus_name.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Prometheus and Mimir refuse more than 11,000 points a series, VictoriaMetrics 30,000. */
#define POINTS_AT_ONCE 10000

int prom_client_init(struct prom_client *c, const char *url,
                     const struct tm_conf_prometheus *access, struct tm_error *err)
{
  char base[4096];
  size_t n = strlen(url);
  int len = snprintf(base, sizeof(base), "%s%s", url, n > 0 && url[n - 1] == '/' ? "" : "/");
  *c = (struct prom_client){.url = url,
                            .form = TM_BUF_INIT(PROM_FORM_MAX),
                            .query = TM_BUF_INIT(PROM_FORM_MAX),
                            .body = TM_BUF_INIT(PROM_BODY_MAX)};
  if (len < 0 || (size_t)len >= sizeof(base) || strpbrk(url, "\r\n ?#") != NULL)
    return tm_fail(err, -EINVAL, "%s: not the URL of a server", url);
  return fetcher_start(&c->fetcher, base, access, err);
}

void prom_client_release(struct prom_client *c)
{
  fetcher_stop(c->fetcher);
  tm_buf_release(&c->form);
  tm_buf_release(&c->query);
  tm_buf_release(&c->body);
  c->fetcher = NULL;
}

json_t *prom_ask(struct prom_client *c, const char *path, const char *form, const char *what,
                 struct tm_error *err)
{
  long status = 0;
  if (fetcher_ask(c->fetcher, path, form, &status, &c->body, err) < 0)
    return NULL;
  return prom_answer_data(c->body.ptr, c->body.len, status, what, err);
}

/* The label in which answers name the type's instance. */
static const char *label(const struct prom_device *d)
{
  return d->instance[0] != '\0' ? "type" : d->recipe->plugin;
}

/* name="value", the value quoted. */
static int put_matcher(struct tm_buf *b, const char *name, const char *value)
{
  int rc = tm_buf_printf(b, "%s=\"", name);
  if (rc == 0)
    rc = prom_quote(b, value, false);
  return rc < 0 ? rc : tm_buf_puts(b, "\"");
}

/* METRIC{labels}[window] */
static int put_selector(struct tm_buf *b, const struct prom_query *q, int64_t window_ms)
{
  const struct prom_device *d = q->device;
  int rc = tm_buf_printf(b, "%s{", q->metric);
  if (rc == 0)
    rc = put_matcher(b, d->exported ? "exported_instance" : "instance", d->name.host);
  if (rc == 0 && d->instance[0] != '\0') {
    rc = tm_buf_puts(b, ",");
    if (rc == 0)
      rc = put_matcher(b, d->recipe->plugin, d->instance);
  }
  if (rc == 0 && q->instance != NULL && strcmp(q->instance, "*") != 0) {
    rc = tm_buf_puts(b, ",");
    if (rc == 0)
      rc = put_matcher(b, label(d), q->instance);
  }
  return rc < 0 ? rc : tm_buf_printf(b, "}[%" PRId64 "ms]", window_ms);
}

static int ask_matrix(const struct prom_query *q, const char *path, struct prom_matrix *m,
                      struct tm_error *err)
{
  char what[512];
  snprintf(what, sizeof(what), "%s: %s/%s: %s", q->client->url, q->device->name.host,
           q->device->name.folder, q->metric);
  json_t *data = prom_ask(q->client, path, q->client->form.ptr, what, err);
  if (data == NULL)
    return err->code;
  int rc = prom_matrix_add(m, data, label(q->device), what, err);
  json_decref(data);
  return rc;
}

/* The query as a form, to which the caller adds its times. */
static int begin_form(const struct prom_query *q)
{
  struct tm_buf *form = &q->client->form;
  tm_buf_reset(form);
  /* VictoriaMetrics shifts the times of what it keeps in its cache. */
  int rc = tm_buf_puts(form, "nocache=1&query=");
  return rc < 0 ? rc : tm_buf_percent(form, q->client->query.ptr);
}

static int no_memory(const struct prom_query *q, int rc, struct tm_error *err)
{
  return tm_fail(err, rc, "%s: %s/%s: %s", q->client->url, q->device->name.host,
                 q->device->name.folder, strerror(-rc));
}

int prom_raw(const struct prom_query *q, int64_t to, int64_t span_s, struct prom_matrix *m,
             struct tm_error *err)
{
  tm_buf_reset(&q->client->query);
  prom_matrix_reset(m);
  int rc = put_selector(&q->client->query, q, span_s * 1000 - 1);
  if (rc == 0)
    rc = begin_form(q);
  if (rc == 0)
    rc = tm_buf_printf(&q->client->form, "&time=%" PRId64, to);
  return rc < 0 ? no_memory(q, rc, err) : ask_matrix(q, "api/v1/query", m, err);
}

static int ask_stretch(const struct prom_query *q, int64_t start, int64_t end, int64_t span_s,
                       struct prom_matrix *m, struct tm_error *err)
{
  int rc = begin_form(q);
  if (rc == 0)
    rc = tm_buf_printf(&q->client->form, "&start=%" PRId64 "&end=%" PRId64 "&step=%" PRId64, start,
                       end, span_s);
  return rc < 0 ? no_memory(q, rc, err) : ask_matrix(q, "api/v1/query_range", m, err);
}

/* FUNCTION_over_time of the window that ends with each row. Windows of Prometheus 2 hold both their
 * ends: a row's own samples come after its start. */
static int put_function(const struct prom_query *q, const char *function, int64_t window_s)
{
  struct tm_buf *text = &q->client->query;
  tm_buf_reset(text);
  int rc = tm_buf_printf(text, "%s_over_time(", function);
  if (rc == 0)
    rc = put_selector(text, q, window_s * 1000 - 1);
  return rc < 0 ? rc : tm_buf_puts(text, ")");
}

int prom_rows(const struct prom_query *q, const char *function, int64_t from, int64_t to,
              int64_t span_s, struct prom_matrix *m, struct tm_error *err)
{
  prom_matrix_reset(m);
  int rc = put_function(q, function, span_s);
  if (rc < 0)
    return no_memory(q, rc, err);
  int64_t last = to - to % span_s;
  for (int64_t start = from - from % span_s + span_s; start <= last && rc == 0;) {
    int64_t end = start + (POINTS_AT_ONCE - 1) * span_s;
    if (end > last)
      end = last;
    rc = ask_stretch(q, start, end, span_s, m, err);
    start = end + span_s;
  }
  return rc;
}

int prom_rows_and_rest(const struct prom_query *q, const char *function, int64_t from, int64_t to,
                       int64_t span_s, struct prom_matrix *m, struct tm_error *err)
{
  int64_t rest = to % span_s;
  int rc = prom_rows(q, function, from, to, span_s, m, err);
  if (rc < 0 || rest == 0)
    return rc;
  rc = put_function(q, function, rest);
  return rc < 0 ? no_memory(q, rc, err) : ask_stretch(q, to, to, span_s, m, err);
}
