/* SPDX-License-Identifier: MIT */
#include "analyzer/source/prometheus.h"

#include "analyzer/source/prometheus_name.h"
#include "analyzer/source/refusals.h"
#include "analyzer/source/shard.h"
#include "analyzer/source/source_type.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/room.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS_AT_ONCE 50
#define MAX_FAILURES  3

struct prom_source {
  const struct tm_conf_prometheus *access;
  const struct source_options *options; /* while it is opened */
  char *url;
  struct prom_wanted wanted;
  unsigned days;
  struct tm_buf metrics; /* expression for the names of all that is read */
  struct prom_device *device;
  size_t n, cap;
  bool elsewhere; /* there are devices, of another share */
  struct refusals refused;
  atomic_size_t given;
  unsigned jobs;
  struct prom_job *job[SOURCE_MAX_JOBS];
};

static int refuse(struct prom_source *p, const char *host, const char *folder, const char *why,
                  struct tm_error *err)
{
  struct tm_error text;
  tm_fail(&text, -EINVAL, "%s: %s/%s: %s", p->url, host, folder, why);
  return refusals_add(&p->refused, text.text, err);
}

/* --- the devices ------------------------------------------------------------------------------ */

static int keep_device(struct prom_source *p, const struct prom_owner *o, const char *folder,
                       struct tm_error *err)
{
  if (TM_ROOM(p->device, p->cap, p->n) < 0)
    return tm_fail(err, -ENOMEM, "out of memory");
  struct prom_device *d = &p->device[p->n];
  *d = (struct prom_device){.recipe = o->recipe, .exported = o->exported};
  if (source_name_make(&d->name, o->host, strlen(o->host), folder) < 0)
    return tm_fail(err, -ENOMEM, "out of memory");
  d->instance = rrd_recipe_instance(o->recipe, d->name.folder);
  p->n++;
  return 0;
}

/* One series of the server: its device, unless it is known already. Those of one device mostly come
 * one after the other. */
static int take_labels(struct prom_source *p, const json_t *labels, struct tm_error *err)
{
  char folder[512];
  struct prom_owner o;
  if (!prom_owner(&o, labels))
    return 0;
  int n = snprintf(folder, sizeof(folder), "%s%s%s", o.recipe->plugin,
                   o.instance[0] != '\0' ? "-" : "", o.instance);
  const struct prom_device *last = p->n > 0 ? &p->device[p->n - 1] : NULL;
  if (last != NULL && strcmp(last->name.host, o.host) == 0 &&
      strcmp(last->name.folder, folder) == 0)
    return 0;
  if (n < 0 || (size_t)n >= sizeof(folder) || !tm_file_name_is_safe(o.host) ||
      !tm_file_name_is_safe(folder))
    return refuse(p, o.host, folder, "not the name of a device", err);
  if (!shard_holds(p->options->shard, p->options->shards, o.host, folder))
    p->elsewhere = true;
  if (!source_wants(p->options, o.host, folder) ||
      (!p->options->all && rrd_recipe_is_hidden(folder)))
    return 0;
  return keep_device(p, &o, folder, err);
}

static void drop_doubles(struct prom_source *p)
{
  size_t kept = 0;
  for (size_t i = 0; i < p->n; i++) {
    if (kept > 0 && source_name_order(&p->device[kept - 1], &p->device[i]) == 0)
      free(p->device[i].name.host);
    else
      p->device[kept++] = p->device[i];
  }
  p->n = kept;
}

/* "start=...&end=...", for the server to look where history is. */
static int put_times(struct tm_buf *b, const struct prom_source *p)
{
  return tm_buf_printf(b, "start=%" PRId64 "&end=%" PRId64, p->wanted.until - p->wanted.history_s,
                       p->wanted.until);
}

/* {__name__=~"...",LABEL=~"a|b"} of hosts[from..to). */
static int put_hosts(struct prom_client *c, const struct prom_source *p, const char *label,
                     const json_t *hosts, size_t from, size_t to)
{
  struct tm_buf *q = &c->query;
  tm_buf_reset(q);
  int rc = tm_buf_printf(q, "{__name__=~\"%s\",%s=~\"", p->metrics.ptr, label);
  for (size_t i = from; i < to && rc == 0; i++) {
    rc = i > from ? tm_buf_puts(q, "|") : 0;
    if (rc == 0)
      rc = prom_quote(q, json_string_value(json_array_get(hosts, i)), true);
  }
  if (rc == 0)
    rc = tm_buf_puts(q, strcmp(label, "instance") == 0 ? "\",exported_instance=\"\"}" : "\"}");
  tm_buf_reset(&c->form);
  if (rc == 0)
    rc = put_times(&c->form, p);
  if (rc == 0)
    rc = tm_buf_puts(&c->form, "&match%5B%5D=");
  return rc < 0 ? rc : tm_buf_percent(&c->form, q->ptr);
}

static int find_devices(struct prom_source *p, struct prom_client *c, const char *label,
                        const json_t *hosts, size_t from, size_t to, struct tm_error *err)
{
  size_t i;
  json_t *labels;
  int rc = put_hosts(c, p, label, hosts, from, to);
  if (rc < 0)
    return tm_fail(err, rc, "%s: %s", p->url, strerror(-rc));
  json_t *data = prom_ask(c, "api/v1/series", c->form.ptr, p->url, err);
  if (data == NULL)
    return err->code;
  json_array_foreach(data, i, labels)
  {
    if (rc == 0)
      rc = take_labels(p, labels, err);
  }
  json_decref(data);
  return rc;
}

/* The hosts that this label names, and their devices, some hosts at a time. */
static int find_hosts(struct prom_source *p, struct prom_client *c, const char *label,
                      struct tm_error *err)
{
  size_t i;
  json_t *value;
  tm_buf_reset(&c->form);
  tm_buf_reset(&c->query);
  int rc = tm_buf_printf(&c->query, "{__name__=~\"%s\"}", p->metrics.ptr);
  if (rc == 0)
    rc = tm_buf_printf(&c->form, "api/v1/label/%s/values?", label);
  if (rc == 0)
    rc = put_times(&c->form, p);
  if (rc == 0)
    rc = tm_buf_puts(&c->form, "&match%5B%5D=");
  if (rc == 0)
    rc = tm_buf_percent(&c->form, c->query.ptr);
  if (rc < 0)
    return tm_fail(err, rc, "%s: %s", p->url, strerror(-rc));
  json_t *hosts = prom_ask(c, c->form.ptr, NULL, p->url, err);
  if (hosts == NULL)
    return err->code;
  json_array_foreach(hosts, i, value)
  {
    if (!json_is_string(value))
      rc = tm_fail(err, -EBADMSG, "%s: the answer has a label that is none", p->url);
  }
  size_t n = json_array_size(hosts);
  for (size_t from = 0; from < n && rc == 0; from += HOSTS_AT_ONCE)
    rc = find_devices(p, c, label, hosts, from, from + HOSTS_AT_ONCE < n ? from + HOSTS_AT_ONCE : n,
                      err);
  json_decref(hosts);
  return rc;
}

static int find_all(struct prom_source *p, struct tm_error *err)
{
  struct prom_client client;
  int rc = prom_all_metrics(&p->metrics);
  if (rc < 0)
    return tm_fail(err, rc, "out of memory");
  rc = prom_client_init(&client, p->url, p->access, err);
  if (rc == 0)
    rc = find_hosts(p, &client, "instance", err);
  if (rc == 0)
    rc = find_hosts(p, &client, "exported_instance", err);
  prom_client_release(&client);
  if (rc == 0 && p->n > 1)
    qsort(p->device, p->n, sizeof(p->device[0]), source_name_order);
  if (rc == 0)
    drop_doubles(p);
  if (rc == 0 && p->n == 0 && p->refused.n == 0 && !p->elsewhere)
    rc = tm_fail(err, -ENOENT, "%s: no device of collectd's write_prometheus in it", p->url);
  return rc;
}

/* --- the source ------------------------------------------------------------------------------- */

static void free_job(struct prom_job *job)
{
  if (job == NULL)
    return;
  prom_client_release(&job->client);
  history_free(job->history);
  prom_matrix_release(&job->newest);
  prom_matrix_release(&job->rows);
  prom_matrix_release(&job->more);
  free(job->dense);
  free(job);
}

static void free_prom(void *state)
{
  struct prom_source *p = state;
  for (size_t i = 0; i < p->n; i++)
    free(p->device[i].name.host);
  for (unsigned i = 0; i < SOURCE_MAX_JOBS; i++)
    free_job(p->job[i]);
  tm_buf_release(&p->metrics);
  free(p->device);
  refusals_release(&p->refused);
  free(p->url);
  free(p);
}

static int open_prom(void **state, const struct source_options *o, struct tm_error *err)
{
  struct prom_source *p = calloc(1, sizeof(*p));
  if (p == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  p->options = o;
  p->access = o->access;
  p->url = strdup(o->path);
  p->metrics = (struct tm_buf)TM_BUF_INIT(65536);
  p->days = o->days;
  p->wanted.history_s = (int64_t)o->read_days * TM_DAY;
  p->wanted.until = o->as_of != INT64_MIN ? o->as_of : o->now;
  int rc = p->url == NULL ? tm_fail(err, -ENOMEM, "out of memory") : find_all(p, err);
  if (rc < 0)
    free_prom(p);
  else
    *state = p;
  return rc;
}

static size_t count_prom(const void *state)
{
  return ((const struct prom_source *)state)->n;
}

static struct source_device device_prom(const void *state, size_t index)
{
  const struct prom_device *d = &((const struct prom_source *)state)->device[index];
  const struct source_name *n = &d->name;
  return (struct source_device){n->host, rrd_recipe_device(d->recipe, n->folder), n->folder,
                                d->recipe->kind};
}

static size_t refusals_prom(const void *state, const struct series_refusal **refused)
{
  const struct prom_source *p = state;
  *refused = p->refused.item;
  return p->refused.n;
}

static struct prom_job *new_job(unsigned days)
{
  struct prom_job *job = calloc(1, sizeof(*job));
  if (job == NULL)
    return NULL;
  job->history = history_new(days);
  job->dense = calloc(3 * PROM_MAX_ROWS, sizeof(*job->dense)); /* mostly never touched */
  if (job->history != NULL && job->dense != NULL)
    return job;
  free_job(job);
  return NULL;
}

static int start_prom(void *state, unsigned jobs, struct tm_error *err)
{
  struct prom_source *p = state;
  int rc = 0;
  while (rc == 0 && p->jobs < jobs) {
    struct prom_job *job = new_job(p->days);
    if (job == NULL)
      return tm_fail(err, -ENOMEM, "out of memory");
    rc = prom_client_init(&job->client, p->url, p->access, err);
    p->job[p->jobs++] = job;
  }
  return rc;
}

/* A device that cannot be told costs itself; a server that does not answer, all that are left. */
static int next_prom(void *state, unsigned number, struct series *s, struct tm_error *err)
{
  struct prom_source *p = state;
  struct prom_job *job = p->job[number];
  struct tm_error why = {0};
  size_t index = atomic_fetch_add(&p->given, 1);
  if (index >= p->n)
    return 0;
  *s = source_unknown(index, device_prom(p, index));
  int rc = prom_device_load(job, &p->device[index], &p->wanted, s, &why);
  job->failures = rc < 0 && rc != -EBADMSG ? job->failures + 1 : 0;
  if (rc == 0)
    return 1;
  if (job->failures == MAX_FAILURES || rc == -EPIPE || rc == -ECONNREFUSED)
    return tm_fail(err, rc, "%s", why.text);
  *s = source_unknown(index, device_prom(p, index));
  snprintf(job->refused_text, sizeof(job->refused_text), "%s%s%s%s%s",
           rc == -EBADMSG ? "" : s->host, rc == -EBADMSG ? "" : "/",
           rc == -EBADMSG ? "" : s->folder, rc == -EBADMSG ? "" : ": ", why.text);
  job->refused.text = job->refused_text;
  s->refused = &job->refused;
  s->n_refused = 1;
  return 1;
}

const struct source_type_calls source_type_prometheus = {
    .name = "prometheus",
    .open = open_prom,
    .free = free_prom,
    .count = count_prom,
    .device = device_prom,
    .refusals = refusals_prom,
    .start = start_prom,
    .next = next_prom,
};
