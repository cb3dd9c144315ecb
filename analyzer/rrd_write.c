/* SPDX-License-Identifier: MIT */
/*
 * tidemark-rrd DIR: reads forecasts from standard input, one JSON document a line (ahead.h), and
 * writes each as an RRD file below DIR: a temporary file beside it first, then in its place. What
 * cannot be written is named on standard error, and the others go on. A program of its own because
 * librrd takes more time and memory to load than the analyzer needs for its work.
 */
#include "analyzer/ahead.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { COLUMNS = 4, ROW_TEXT = 128 };
#define LAST_SECOND 253402300799LL /* 9999-12-31 */

/* One document, checked. */
struct forecast_file {
  const char *host, *folder; /* borrowed from the document */
  int64_t start;
  const json_t *rows;
};

static int read_document(struct forecast_file *f, const json_t *d, struct tm_error *err)
{
  const char *schema = tm_json_get_string(d, "schema");
  const json_t *start = json_object_get(d, "start");
  f->host = tm_json_get_string(d, "host");
  f->folder = tm_json_get_string(d, "folder");
  f->start = json_integer_value(start);
  f->rows = json_object_get(d, "rows");
  if (schema == NULL || strcmp(schema, AHEAD_SCHEMA) != 0)
    return tm_fail(err, -EBADMSG, "\"schema\" is not \"%s\"", AHEAD_SCHEMA);
  if (f->host == NULL || f->folder == NULL || !tm_file_name_is_safe(f->host) ||
      !tm_file_name_is_safe(f->folder))
    return tm_fail(err, -EBADMSG, "\"host\" and \"folder\" must be names of folders");
  if (!json_is_integer(start) || f->start < 0 || f->start > LAST_SECOND - AHEAD_DAYS * TM_DAY)
    return tm_fail(err, -EBADMSG, "%s/%s: \"start\" is no time", f->host, f->folder);
  size_t n = json_array_size(f->rows);
  if (!json_is_array(f->rows) || n > AHEAD_DAYS)
    return tm_fail(err, -EBADMSG, "%s/%s: \"rows\" is no list of %d days at most", f->host,
                   f->folder, AHEAD_DAYS);
  for (size_t i = 0; i < n; i++)
    if (json_array_size(json_array_get(f->rows, i)) != COLUMNS)
      return tm_fail(err, -EBADMSG, "%s/%s: row %zu has not %d numbers", f->host, f->folder, i,
                     COLUMNS);
  return 0;
}

static int rrd_fail(const char *path, struct tm_error *err)
{
  int rc = tm_fail(err, -EIO, "%s: %s", path, rrd_get_error());
  rrd_clear_error();
  return rc;
}

/* "TIME:LOW:MIDDLE:HIGH:FULL", unknown is U. */
static void row_text(char out[ROW_TEXT], int64_t t, const json_t *row)
{
  int n = snprintf(out, ROW_TEXT, "%lld", (long long)t);
  for (size_t i = 0; i < COLUMNS; i++) {
    const json_t *v = json_array_get(row, i);
    if (json_is_number(v))
      n += snprintf(out + n, ROW_TEXT - (size_t)n, ":%.15g", json_number_value(v));
    else
      n += snprintf(out + n, ROW_TEXT - (size_t)n, ":U");
  }
}

static int put_rows(const char *path, const struct forecast_file *f, struct tm_error *err)
{
  static const char *const layout[] = {"DS:low:GAUGE:172800:0:U",  "DS:middle:GAUGE:172800:0:U",
                                       "DS:high:GAUGE:172800:0:U", "DS:full:GAUGE:172800:0:1",
                                       "RRA:AVERAGE:0:1:366",      NULL};
  static char text[AHEAD_DAYS][ROW_TEXT];
  const char *row[AHEAD_DAYS];
  size_t n = json_array_size(f->rows);
  if (rrd_create_r(path, TM_DAY, (time_t)(f->start - TM_DAY), 5, (const char **)layout) != 0)
    return rrd_fail(path, err);
  for (size_t i = 0; i < n; i++) {
    row_text(text[i], f->start + (int64_t)i * TM_DAY, json_array_get(f->rows, i));
    row[i] = text[i];
  }
  return rrd_update_r(path, NULL, (int)n, row) != 0 ? rrd_fail(path, err) : 0;
}

static int sync_file(const char *path, struct tm_error *err)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  int rc = fd < 0 || fchmod(fd, 0644) < 0 || fsync(fd) < 0
               ? tm_fail(err, -errno, "%s: cannot sync: %s", path, strerror(errno))
               : 0;
  if (fd >= 0)
    close(fd);
  return rc;
}

/* Makes the file under another name, then in its place. */
static int write_rrd(const char *folder, const char *path, const struct forecast_file *f,
                     struct tm_error *err)
{
  char temporary[PATH_MAX + 8];
  int rc = tm_dir_make(folder, 0755, err);
  if (rc < 0)
    return rc;
  snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
  int fd = mkstemp(temporary);
  if (fd < 0)
    return tm_fail(err, -errno, "%s: cannot write: %s", path, strerror(errno));
  close(fd);
  rc = put_rows(temporary, f, err);
  if (rc == 0)
    rc = sync_file(temporary, err);
  if (rc == 0 && rename(temporary, path) < 0)
    rc = tm_fail(err, -errno, "%s: cannot rename: %s", path, strerror(errno));
  if (rc < 0)
    unlink(temporary);
  return rc < 0 ? rc : tm_dir_sync(folder, err);
}

static int write_file(const char *dir, const struct forecast_file *f, struct tm_error *err)
{
  char folder[PATH_MAX];
  char path[PATH_MAX];
  int n = snprintf(folder, sizeof(folder), "%s/%s/%s", dir, f->host, f->folder);
  if (n > 0 && (size_t)n < sizeof(folder))
    n = snprintf(path, sizeof(path), "%s/%s", folder, AHEAD_FILE);
  if (n < 0 || (size_t)n >= sizeof(path))
    return tm_fail(err, -ENAMETOOLONG, "%s/%s: the path is too long", f->host, f->folder);
  if (json_array_size(f->rows) > 0)
    return write_rrd(folder, path, f, err);
  /* What was foretold once is not so any more. */
  if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
    return tm_fail(err, -errno, "%s: cannot remove: %s", path, strerror(errno));
  return 0;
}

static int write_line(const char *dir, const char *line, size_t len, struct tm_error *err)
{
  struct forecast_file f = {0};
  json_t *document = tm_json_parse(line, len, "standard input", err);
  int rc = document == NULL ? err->code : read_document(&f, document, err);
  if (rc == 0)
    rc = write_file(dir, &f, err);
  json_decref(document);
  return rc;
}

int main(int argc, char **argv)
{
  char *line = NULL;
  size_t cap = 0;
  ssize_t len;
  int status = EX_OK;
  tm_log_program("tidemark-rrd");
  if (argc != 2 || argv[1][0] == '\0' || argv[1][0] == '-') {
    tm_log_error("expects a folder, and documents on standard input; see tidemark-analyze run "
                 "--forecast-rrd");
    return EX_USAGE;
  }
  struct tm_error unusable = {0};
  if (tm_dir_make(argv[1], 0755, &unusable) < 0) {
    tm_log_error("%s", unusable.text);
    return EX_CANTCREAT;
  }
  while ((len = getline(&line, &cap, stdin)) > 0) {
    struct tm_error err = {0};
    int rc = write_line(argv[1], line, (size_t)len, &err);
    if (rc == 0)
      continue;
    status = tm_log_status(rc, &err);
  }
  if (!feof(stdin)) {
    tm_log_error("standard input: cannot be read to its end: %s", strerror(errno));
    status = EX_IOERR;
  }
  free(line);
  return status;
}
