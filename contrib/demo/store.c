/* SPDX-License-Identifier: MIT */
#include "contrib/demo/store.h"

#include "common/buf.h"
#include "common/file.h"

#include <errno.h>
#include <math.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 4096, ROW_SIZE = 96, MAX_ARCHIVES = 9, TYPES_MAX_BYTES = 1 << 20 };

struct store_batch {
  size_t len;
  const char *row[BATCH_ROWS];
  char text[BATCH_ROWS][ROW_SIZE];
};

/* --- types.db --------------------------------------------------------------------------------- */

/* "value:GAUGE:0:U" becomes what rrd_create() takes. */
static int source_of(char out[160], const char *spec, int64_t step_s)
{
  char name[32];
  char kind[16];
  char min[32];
  char max[32];
  if (sscanf(spec, "%31[^:]:%15[^:]:%31[^:]:%31s", name, kind, min, max) != 4)
    return -EINVAL;
  snprintf(out, 160, "DS:%s:%s:%lld:%s:%s", name, kind, (long long)step_s * 2, min, max);
  return 0;
}

static int type_of(struct store_type *type, char *line, int64_t step_s)
{
  char *rest = NULL;
  *type = (struct store_type){0};
  const char *name = strtok_r(line, " \t\r", &rest);
  snprintf(type->name, sizeof(type->name), "%s", name == NULL ? "" : name);
  for (char *spec; (spec = strtok_r(NULL, ", \t\r", &rest)) != NULL;) {
    /* Types with more sources than the fleet's are there too, and not for us. */
    if (type->n_sources == STORE_SOURCES)
      return 0;
    if (source_of(type->source[type->n_sources++], spec, step_s) < 0)
      return -EINVAL;
  }
  return type->n_sources > 0 ? 0 : -EINVAL;
}

int store_types_read(struct store_types *types, const char *path, int64_t step_s,
                     struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(TYPES_MAX_BYTES);
  char *rest = NULL;
  unsigned number = 0;
  int rc = tm_file_read(path, &text, err);
  if (rc < 0)
    goto out;
  for (char *p = text.ptr; p != NULL; p = rest) {
    rest = strchr(p, '\n');
    if (rest != NULL)
      *rest++ = '\0';
    number++;
    p += strspn(p, " \t\r");
    if (*p == '\0' || *p == '#')
      continue;
    struct store_type *more = realloc(types->rows, (types->len + 1) * sizeof(*more));
    if (more == NULL) {
      rc = tm_fail(err, -ENOMEM, "%s: out of memory", path);
      goto out;
    }
    types->rows = more;
    rc = type_of(&types->rows[types->len], p, step_s);
    if (rc < 0) {
      tm_fail(err, rc, "%s:%u: not a type of types.db", path, number);
      goto out;
    }
    types->len++;
  }
out:
  tm_buf_release(&text);
  return rc;
}

void store_types_release(struct store_types *types)
{
  free(types->rows);
  *types = (struct store_types){0};
}

const struct store_type *store_type_find(const struct store_types *types, const char *name)
{
  for (size_t i = 0; i < types->len; i++)
    if (strcmp(types->rows[i].name, name) == 0)
      return &types->rows[i];
  return NULL;
}

/* --- files ------------------------------------------------------------------------------------ */

/* librrd tells a lack of memory as whatever it was doing, such as "Cannot open output file": errno,
 * cleared before it was called, tells better. */
static int rrd_fail(struct tm_error *err, const char *path)
{
  int rc = errno == ENOMEM ? tm_fail(err, -ENOMEM, "%s: out of memory", path)
                           : tm_fail(err, -EIO, "%s: %s", path, rrd_get_error());
  rrd_clear_error();
  return rc;
}

/* The archives as rra_get() of collectd's utils/rrdcreate works them out. */
static size_t archives(char out[MAX_ARCHIVES][64], int64_t step_s)
{
  static const int64_t span_s[] = {3600, 5299200, 63590400};
  static const char *const function[] = {"AVERAGE", "MIN", "MAX"};
  const int64_t rows = 17664;
  size_t n = 0;
  for (size_t i = 0; i < 3; i++) {
    int64_t span = span_s[i] / step_s < rows ? step_s * rows : span_s[i];
    int64_t per_row = i == 0 ? 1 : span / (rows * step_s);
    int64_t n_rows = (span + per_row * step_s - 1) / (per_row * step_s);
    for (size_t f = 0; f < 3; f++)
      snprintf(out[n++], 64, "RRA:%s:0.1:%lld:%lld", function[f], (long long)per_row,
               (long long)n_rows);
  }
  return n;
}

int store_create(struct store_file *f, const char *path, const struct store_type *type,
                 int64_t start, int64_t step_s, struct tm_error *err)
{
  char archive[MAX_ARCHIVES][64];
  const char *argv[STORE_SOURCES + MAX_ARCHIVES];
  int argc = 0;
  for (size_t i = 0; i < type->n_sources; i++)
    argv[argc++] = type->source[i];
  size_t n = archives(archive, step_s);
  for (size_t i = 0; i < n; i++)
    argv[argc++] = archive[i];

  *f = (struct store_file){.path = strdup(path), .batch = calloc(1, sizeof(*f->batch))};
  if (f->path == NULL || f->batch == NULL) {
    store_release(f);
    return tm_fail(err, -ENOMEM, "%s: out of memory", path);
  }
  for (size_t i = 0; i < BATCH_ROWS; i++)
    f->batch->row[i] = f->batch->text[i];
  /* librrd starts each archive at a random row, so that many files do not wrap at once; a fixed
   * seed (its own is taken at its first call) makes the bytes the same in every run. */
  rrd_random();
  srandom(1);
  errno = 0;
  if (rrd_create_r(path, (unsigned long)step_s, (time_t)start, argc, argv) != 0) {
    int rc = rrd_fail(err, path);
    store_release(f);
    return rc;
  }
  return 0;
}

/* Whole numbers and milliseconds; far quicker than printf, which would take most of the time. */
static char *put_whole(char *p, uint64_t n)
{
  char digits[24];
  size_t len = 0;
  do
    digits[len++] = (char)('0' + n % 10);
  while ((n /= 10) > 0);
  while (len > 0)
    *p++ = digits[--len];
  return p;
}

static char *put_time(char *p, double time)
{
  uint64_t ms = (uint64_t)llround(time * 1000);
  p = put_whole(p, ms / 1000);
  if (ms % 1000 == 0)
    return p;
  *p++ = '.';
  for (uint64_t unit = 100; unit > 0; unit /= 10)
    *p++ = (char)('0' + ms / unit % 10);
  return p;
}

int store_add(struct store_file *f, double time, const double *values, size_t n,
              struct tm_error *err)
{
  char *p = put_time(f->batch->text[f->batch->len], time);
  for (size_t i = 0; i < n && i < STORE_SOURCES; i++) {
    *p++ = ':';
    if (isnan(values[i]) || values[i] < 0 || values[i] > 1e18)
      *p++ = 'U';
    else
      p = put_whole(p, (uint64_t)values[i]);
  }
  *p = '\0';
  return ++f->batch->len == BATCH_ROWS ? store_flush(f, err) : 0;
}

int store_flush(struct store_file *f, struct tm_error *err)
{
  size_t n = f->batch->len;
  f->batch->len = 0;
  errno = 0;
  if (n > 0 && rrd_update_r(f->path, NULL, (int)n, f->batch->row) != 0)
    return rrd_fail(err, f->path);
  return 0;
}

void store_release(struct store_file *f)
{
  free(f->path);
  free(f->batch);
  *f = (struct store_file){0};
}
