/* SPDX-License-Identifier: MIT */
/* covers: analyzer/source/prometheus.c analyzer/source/prometheus_query.c
 * analyzer/source/prometheus_device.c analyzer/source/prometheus_measure.c
 * analyzer/source/prometheus_name.c */
/* wraps: fetcher_start fetcher_ask fetcher_stop */
/* A server of Prometheus's API that answers whatever it likes, from the search for devices to the
 * last series. */
#include "analyzer/source/fetcher.h"
#include "analyzer/source/source.h"
#include "tests/lib/fuzz_server.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int __wrap_fetcher_start(struct fetcher **f, const char *base_url,
                         const struct tm_conf_prometheus *access, struct tm_error *err);
int __wrap_fetcher_ask(struct fetcher *f, const char *path, const char *form, long *status,
                       struct tm_buf *body, struct tm_error *err);
void __wrap_fetcher_stop(struct fetcher *f);

int __wrap_fetcher_start(struct fetcher **f, const char *base_url,
                         const struct tm_conf_prometheus *access, struct tm_error *err)
{
  (void)base_url;
  (void)access;
  (void)err;
  *f = (struct fetcher *)&fuzz_server;
  return 0;
}

void __wrap_fetcher_stop(struct fetcher *f)
{
  (void)f;
}

int __wrap_fetcher_ask(struct fetcher *f, const char *path, const char *form, long *status,
                       struct tm_buf *body, struct tm_error *err)
{
  size_t len = form != NULL ? strlen(form) : 0;
  const struct fuzz_answer *a = fuzz_server_ask(path, form, len);
  (void)f;
  tm_buf_reset(body);
  if (a == NULL)
    return tm_fail(err, -ECONNREFUSED, "nobody answers");
  *status = a->status;
  return a->body_len > 0 ? tm_buf_add(body, a->body, a->body_len) : tm_buf_puts(body, "");
}

static void check(const struct series *s)
{
  for (size_t i = 1; i < s->n; i++)
    assert(s->time[i] > s->time[i - 1]);
  for (size_t i = 1; i < s->maxima.n; i++)
    assert(s->maxima.day[i].start == s->maxima.day[i - 1].end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct source *src = NULL;
  struct tm_error err = {0};
  struct series s;
  size_t told = 0;
  const struct source_options options = {.type = SOURCE_PROMETHEUS,
                                         .path = "http://127.0.0.1:9090/",
                                         .as_of = 1795133100,
                                         .days = 3,
                                         .history_days = 20,
                                         .host = size % 5 == 0 ? "gw" : NULL,
                                         .folder = size % 5 == 0 ? "disk_array-a" : NULL};
  fuzz_server_start(data, size);
  int rc = source_open(&src, &options, &err);
  assert(rc == 0 || err.text[0] != '\0');
  if (rc == 0 && source_start(src, 1, &err) == 0) {
    while (source_next(src, 0, &s, &err) == 1) {
      assert(s.index < source_count(src) && told++ < source_count(src));
      check(&s);
    }
  }
  source_free(src);
  return 0;
}
