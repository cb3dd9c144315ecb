/* SPDX-License-Identifier: MIT */
#include "analyzer/ledger.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/lock.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEDGER_BYTES (8U << 20)     /* 20 years of daily forecasts of four limits */
#define LAST_SECOND  253402300799LL /* 9999-12-31 */

/* STATEDIR/ledger/HOST (folder) and the file in it; the caller frees *path. */
static int ledger_path(char **path, char **folder, const char *state_dir, const char *host,
                       const char *device, struct tm_error *err)
{
  *path = *folder = NULL;
  if (!tm_file_name_is_safe(host) || !tm_file_name_is_safe(device))
    return tm_fail(err, -EINVAL, "ledger: '%s/%s' cannot be a file's name", host, device);
  if (asprintf(folder, "%s/ledger/%s", state_dir, host) < 0) {
    *folder = NULL;
    return tm_fail(err, -ENOMEM, "ledger: out of memory");
  }
  if (asprintf(path, "%s/%s.ndjson", *folder, device) < 0) {
    *path = NULL;
    free(*folder);
    *folder = NULL;
    return tm_fail(err, -ENOMEM, "ledger: out of memory");
  }
  return 0;
}

static json_t *entry_to_json(const struct ledger_entry *e)
{
  json_t *o = json_object();
  json_object_set_new(o, "at", tm_json_time(e->at));
  json_object_set_new(o, "of", tm_json_text(e->of));
  json_object_set_new(o, "model", tm_json_text(e->model));
  json_object_set_new(o, "used", tm_json_number(e->used));
  json_object_set_new(o, "limit", tm_json_number(e->limit));
  json_t *fill = json_array();
  for (int i = 0; i < FORECAST_N_QUANTILES; i++)
    json_array_append_new(fill, tm_json_time(e->fill[i]));
  json_object_set_new(o, "fill", fill);
  json_t *p = json_array();
  for (int i = 0; i < FORECAST_N_HORIZONS; i++)
    json_array_append_new(p, tm_json_number(e->probability[i]));
  json_object_set_new(o, "probability", p);
  return o;
}

static void copy_text(char *out, size_t size, const char *text)
{
  snprintf(out, size, "%s", text != NULL ? text : "");
}

/* A time of this era, which sums can be made of. */
static bool read_time(const char *text, int64_t *t)
{
  int64_t read;
  if (text == NULL || tm_time_parse(text, &read) < 0 || read < 0 || read > LAST_SECOND)
    return false;
  *t = read;
  return true;
}

/* False when the object is not an entry. */
static bool entry_from_json(struct ledger_entry *e, const json_t *o)
{
  const json_t *fill = json_object_get(o, "fill");
  const json_t *p = json_object_get(o, "probability");
  if (!read_time(tm_json_get_string(o, "at"), &e->at) || tm_json_get_string(o, "of") == NULL ||
      json_array_size(fill) != FORECAST_N_QUANTILES || json_array_size(p) != FORECAST_N_HORIZONS)
    return false;
  copy_text(e->of, sizeof(e->of), tm_json_get_string(o, "of"));
  copy_text(e->model, sizeof(e->model), tm_json_get_string(o, "model"));
  e->used = tm_json_get_number(o, "used");
  e->limit = tm_json_get_number(o, "limit");
  for (size_t i = 0; i < FORECAST_N_QUANTILES; i++) {
    if (!read_time(json_string_value(json_array_get(fill, i)), &e->fill[i]))
      e->fill[i] = FORECAST_NONE;
  }
  for (size_t i = 0; i < FORECAST_N_HORIZONS; i++) {
    const json_t *v = json_array_get(p, i);
    e->probability[i] = json_is_number(v) ? json_number_value(v) : NAN;
  }
  return true;
}

static int parse_lines(struct ledger *out, const char *text, size_t len, struct tm_error *err)
{
  size_t cap = 0;
  for (size_t number = 1; len > 0; number++) {
    const char *end = memchr(text, '\n', len);
    size_t n = end != NULL ? (size_t)(end - text) : len;
    struct tm_error why = {0};
    json_t *o = tm_json_parse(text, n, "ledger", &why);
    struct ledger_entry e;
    if (why.code == -ENOMEM) /* no torn line: whoever prunes would lose it */
      return tm_fail(err, -ENOMEM, "ledger: out of memory");
    if (o != NULL && entry_from_json(&e, o)) {
      if (out->len == cap) {
        cap = cap == 0 ? 16 : cap * 2;
        struct ledger_entry *grown = realloc(out->entries, cap * sizeof(*grown));
        if (grown == NULL) {
          json_decref(o);
          return tm_fail(err, -ENOMEM, "ledger: out of memory");
        }
        out->entries = grown;
      }
      out->entries[out->len++] = e;
    } else if (out->damaged++ == 0) {
      out->damage = number;
    }
    json_decref(o);
    text += n + (end != NULL);
    len -= n + (end != NULL);
  }
  return 0;
}

int ledger_read(struct ledger *out, const char *state_dir, const char *host, const char *device,
                struct tm_error *err)
{
  char *path = NULL;
  char *folder = NULL;
  struct ledger l = {0};
  struct tm_buf b = TM_BUF_INIT(LEDGER_BYTES);
  int rc = ledger_path(&path, &folder, state_dir, host, device, err);
  if (rc < 0)
    return rc;
  rc = tm_file_read(path, &b, err);
  if (rc == -ENOENT)
    rc = 0;
  else if (rc == 0)
    rc = parse_lines(&l, b.ptr, b.len, err);
  if (rc == 0)
    *out = l;
  else
    ledger_release(&l);
  tm_buf_release(&b);
  free(path);
  free(folder);
  return rc;
}

void ledger_release(struct ledger *l)
{
  free(l->entries);
  *l = (struct ledger){0};
}

void ledger_tell_damage(const struct ledger *l, const char *state_dir, const char *host,
                        const char *device)
{
  if (l->damaged > 0)
    tm_log_warning("%s/ledger/%s/%s.ndjson:%zu: no forecast; %zu such line%s passed over",
                   state_dir, host, device, l->damage, l->damaged,
                   l->damaged == 1 ? " is" : "s are");
}

/* Keeps other processes from the file until the descriptor, which is returned, is closed. The file
 * that was waited for may be another one by then. */
static int hold(const char *path, struct tm_error *err)
{
  for (;;) {
    struct stat held, there = {0};
    int fd = tm_lock_take(path, 0640, TM_LOCK_FOREVER, err);
    if (fd < 0)
      return fd;
    if (fstat(fd, &held) < 0 || (stat(path, &there) < 0 && errno != ENOENT)) {
      int rc = tm_fail(err, -errno, "%s: %s", path, strerror(errno));
      close(fd);
      return rc;
    }
    if (held.st_ino == there.st_ino && held.st_dev == there.st_dev)
      return fd;
    close(fd);
  }
}

/* One write of the whole line; a torn end of an earlier one gets its newline first. */
static int append_line(const char *path, struct tm_buf *line, struct tm_error *err)
{
  int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0)
    return tm_fail(err, -errno, "%s: cannot write: %s", path, strerror(errno));
  int rc = 0;
  char last = '\n';
  off_t size = lseek(fd, 0, SEEK_END);
  if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
    last = '\n';
  if (last != '\n' && write(fd, "\n", 1) != 1)
    rc = tm_fail(err, -EIO, "%s: cannot write", path);
  errno = 0;
  if (rc == 0 && write(fd, line->ptr, line->len) != (ssize_t)line->len) {
    int code = errno != 0 ? -errno : -ENOSPC;
    rc = tm_fail(err, code, "%s: cannot write: %s", path, strerror(-code));
    if (size >= 0 && ftruncate(fd, size) < 0)
      rc = tm_fail(err, -errno, "%s: cannot write: %s", path, strerror(errno));
  }
  if (rc == 0 && fsync(fd) < 0)
    rc = tm_fail(err, -errno, "%s: cannot sync: %s", path, strerror(errno));
  close(fd);
  return rc;
}

int ledger_append(const char *state_dir, const char *host, const char *device,
                  const struct ledger_entry *entry, struct tm_error *err)
{
  char *path = NULL;
  char *folder = NULL;
  struct ledger l = {0};
  struct tm_buf line = TM_BUF_INIT(8192);
  json_t *o = NULL;
  int lock = -1;
  int rc = ledger_path(&path, &folder, state_dir, host, device, err);
  if (rc < 0)
    return rc;
  rc = tm_dir_make(folder, 0750, err);
  if (rc == 0)
    rc = lock = hold(path, err);
  if (rc >= 0)
    rc = ledger_read(&l, state_dir, host, device, err);
  if (rc < 0)
    goto out;
  for (size_t i = l.len; i > 0; i--) {
    if (strcmp(l.entries[i - 1].of, entry->of) != 0)
      continue;
    if (l.entries[i - 1].at >= entry->at)
      goto out; /* said already; or the data went back in time */
    break;
  }
  o = entry_to_json(entry);
  rc = o == NULL ? -ENOMEM : tm_json_append(&line, o);
  if (rc == 0)
    rc = tm_buf_puts(&line, "\n");
  if (rc < 0) {
    tm_fail(err, rc, "%s: out of memory", path);
    goto out;
  }
  rc = append_line(path, &line, err);
  if (rc == 0 && l.len == 0)
    rc = tm_dir_sync(folder, err);
  if (rc == 0)
    rc = 1;
out:
  if (lock >= 0)
    close(lock);
  json_decref(o);
  tm_buf_release(&line);
  ledger_release(&l);
  free(path);
  free(folder);
  return rc;
}

static int count_before(const struct ledger *l, int64_t since)
{
  int n = 0;
  for (size_t i = 0; i < l->len; i++)
    n += l->entries[i].at < since;
  return n;
}

int ledger_prune(const char *state_dir, const char *host, const char *device, int64_t keep_since,
                 struct tm_error *err)
{
  char *path = NULL;
  char *folder = NULL;
  struct ledger l = {0};
  struct tm_buf text = TM_BUF_INIT(LEDGER_BYTES);
  int lock = -1;
  int gone = 0;
  int rc = ledger_path(&path, &folder, state_dir, host, device, err);
  if (rc < 0)
    return rc;
  rc = ledger_read(&l, state_dir, host, device, err);
  if (rc == 0 && count_before(&l, keep_since) > 0) {
    ledger_release(&l);
    rc = lock = hold(path, err);
    if (rc >= 0) /* somebody may have written before us */
      rc = ledger_read(&l, state_dir, host, device, err);
  }
  for (size_t i = 0; rc == 0 && i < l.len; i++) {
    if (l.entries[i].at < keep_since) {
      gone++;
      continue;
    }
    json_t *o = entry_to_json(&l.entries[i]);
    rc = o == NULL ? -ENOMEM : tm_json_append(&text, o);
    if (rc == 0)
      rc = tm_buf_puts(&text, "\n");
    json_decref(o);
    if (rc < 0)
      tm_fail(err, rc, "%s: out of memory", path);
  }
  if (rc == 0 && gone > 0)
    rc = tm_file_write(path, text.ptr != NULL ? text.ptr : "", text.len, 0640, err);
  if (lock >= 0)
    close(lock);
  tm_buf_release(&text);
  ledger_release(&l);
  free(path);
  free(folder);
  return rc < 0 ? rc : gone;
}

void ledger_entry_make(struct ledger_entry *out, const char *of, const struct forecast_result *r)
{
  *out = (struct ledger_entry){.at = r->last_time, .used = r->last_used, .limit = r->limit};
  copy_text(out->of, sizeof(out->of), of);
  copy_text(out->model, sizeof(out->model), r->model);
  memcpy(out->fill, r->fill, sizeof(out->fill));
  memcpy(out->probability, r->probability, sizeof(out->probability));
}

enum { Q10 = 1, Q50 = 3, Q90 = 5 }; /* places in forecast_quantile[] */

struct ledger_judgement ledger_judge(const struct ledger_entry *e, const int64_t *time,
                                     const double *value, size_t n,
                                     enum forecast_direction direction)
{
  struct ledger_judgement j = {LEDGER_PENDING, NAN, 0, NAN};
  if (isnan(e->limit) || n == 0)
    return j;
  int64_t when = 0;
  for (size_t i = 0; i < n && !j.reached; i++) {
    if (time[i] <= e->at || isnan(value[i]))
      continue;
    if (direction == FORECAST_UP ? value[i] >= e->limit : value[i] <= e->limit) {
      j.reached = 1;
      when = time[i];
    }
  }
  int64_t newest = time[n - 1];
  int64_t q10 = e->fill[Q10];
  int64_t q50 = e->fill[Q50];
  int64_t q90 = e->fill[Q90];
  if (j.reached) {
    j.reached_days = (double)(when - e->at) / TM_DAY;
    if (q50 != FORECAST_NONE)
      j.error_days = (double)(q50 - when) / TM_DAY;
    if (q10 == FORECAST_NONE || when < q10)
      j.outcome = LEDGER_LATE;
    else
      j.outcome = q90 != FORECAST_NONE && when > q90 ? LEDGER_EARLY : LEDGER_INSIDE;
  } else if (q90 != FORECAST_NONE && newest > q90) {
    j.outcome = LEDGER_EARLY;
    if (q50 != FORECAST_NONE)
      j.error_days = (double)(q50 - newest) / TM_DAY;
  }
  return j;
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

double ledger_median(double *values, size_t n)
{
  if (n == 0)
    return NAN;
  qsort(values, n, sizeof(*values), by_value);
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

size_t ledger_record_text(char *out, size_t size, const struct ledger_judgement *judgements,
                          size_t n, size_t most)
{
  size_t judged = 0;
  size_t inside = 0;
  size_t errors = 0;
  double error[64];
  out[0] = '\0';
  for (size_t i = n; i > 0 && judged < most && judged < 64; i--) {
    const struct ledger_judgement *j = &judgements[i - 1];
    if (j->outcome == LEDGER_PENDING)
      continue;
    judged++;
    inside += j->outcome == LEDGER_INSIDE;
    if (!isnan(j->error_days))
      error[errors++] = j->error_days;
  }
  if (judged == 0)
    return 0;
  int at = snprintf(out, size, "last %zu forecast%s: %zu inside the range", judged,
                    judged == 1 ? "" : "s", inside);
  if (errors == 0 || at < 0 || (size_t)at >= size)
    return judged;
  double median = ledger_median(error, errors);
  double days = round(fabs(median));
  if (days < 1)
    snprintf(out + at, size - (size_t)at, ", median right to the day");
  else
    snprintf(out + at, size - (size_t)at, ", median %.0f day%s %s", days, days == 1 ? "" : "s",
             median < 0 ? "early" : "late");
  return judged;
}
