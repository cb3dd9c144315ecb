/* SPDX-License-Identifier: MIT */
/*
 * tidemark-analyze graph: one device as a picture. The device is read and forecast as `run` does
 * it; the drawing is left to the helper (graph.c).
 */
#include "analyzer/commands.h"
#include "analyzer/graph/document.h"
#include "analyzer/source/source.h"
#include "common/child.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define DEFAULT_WIDTH 1000 /* of the whole picture */
#define MARGIN        104  /* what librrd puts beside the plotting area */
#define HISTORY_DAYS  731
enum { DOCUMENT_MAX = 16 << 20, PICTURE_MAX = 64 << 20 };
enum { DRAW_S = 60 }; /* takes a second: a library that hangs is no reason to wait for ever */

struct graph {
  struct tm_conf conf;
  struct source_options options;
  const char *wanted; /* DEVICE, FOLDER or HOST/either */
  const char *output;
  const char *format;
  unsigned width; /* of the plotting area */
  size_t refused; /* files of the device that could not be used, each told */
};

/* --- the command line ------------------------------------------------------------------------- */

static int parse_output(const struct tm_args *args, struct graph *g)
{
  g->output = tm_args_get(args, "output");
  const char *dot = g->output == NULL ? NULL : strrchr(g->output, '.');
  if (g->output == NULL) {
    tm_log_error("graph: --output F.svg or F.png is required");
    return EX_USAGE;
  }
  if (dot == NULL || (strcmp(dot, ".svg") != 0 && strcmp(dot, ".png") != 0))
    return tm_args_refuse(args, "output", "a name that ends in .svg or .png is expected");
  g->format = dot + 1;
  return 0;
}

static int parse_numbers(const struct tm_args *args, struct graph *g)
{
  const char *width = tm_args_get(args, "width");
  const char *history = tm_args_get(args, "history");
  uint64_t pixels = DEFAULT_WIDTH;
  int64_t span_s = HISTORY_DAYS * (int64_t)TM_DAY;
  if (width != NULL && tm_parse_u64(width, 420, 4000, &pixels) < 0)
    return tm_args_refuse(args, "width", "a number from 420 to 4000 is expected");
  int status = command_as_of(args, &g->options.as_of);
  if (status != 0)
    return status;
  if (history != NULL && (tm_parse_duration(history, &span_s) < 0 || span_s < TM_DAY ||
                          span_s > HISTORY_DAYS * (int64_t)TM_DAY))
    return tm_args_refuse(args, "history", "a duration from 1d to 731d is expected");
  g->width = (unsigned)pixels - MARGIN;
  g->options.days = g->options.history_days = (unsigned)(span_s / TM_DAY);
  g->options.now = tm_now();
  return 0;
}

static int parse_source(const struct tm_args *args, struct graph *g)
{
  int status = command_source(args, &g->conf, &g->options);
  if (status != 0)
    return status;
  g->options.all = true; /* whoever names a device wants to see it */
  if (args->operands_len != 1) {
    tm_log_error("graph: one DEVICE is expected, such as HOST/array-01");
    return EX_USAGE;
  }
  g->wanted = args->operands[0];
  return 0;
}

/* --- the device ------------------------------------------------------------------------------- */

static bool is_wanted(const struct source_device *d, const char *wanted)
{
  size_t host = strlen(d->host);
  if (strncmp(wanted, d->host, host) == 0 && wanted[host] == '/')
    wanted += host + 1;
  return strcmp(d->device, wanted) == 0 || (d->folder != NULL && strcmp(d->folder, wanted) == 0);
}

/* Which device of the source is meant: exactly one. */
static int device_find(const struct source *src, const struct graph *g, struct source_device *found,
                       struct tm_error *err)
{
  size_t hits = 0;
  for (size_t i = 0; i < source_count(src); i++) {
    struct source_device d = source_device(src, i);
    if (!is_wanted(&d, g->wanted))
      continue;
    if (hits++ > 0)
      return tm_fail(err, -EINVAL, "%s: %s/%s and %s/%s are so named: say HOST/DEVICE", g->wanted,
                     found->host, found->device, d.host, d.device);
    *found = d;
  }
  if (hits == 0)
    return tm_fail(err, -ENOENT, "%s: no device of that name in %s", g->wanted, g->options.path);
  return 0;
}

/* The path of the device's own folder of RRDs. */
static int folder_of(char path[PATH_MAX], const struct graph *g, const struct source_device *device,
                     struct tm_error *err)
{
  int n = snprintf(path, PATH_MAX, "%s/%s/%s", g->options.path, device->host, device->folder);
  if (n > 0 && n < PATH_MAX && !tm_path_is_there(path))
    n = snprintf(path, PATH_MAX, "%s/%s", g->options.path, device->folder);
  if (n < 0 || n >= PATH_MAX)
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", g->options.path);
  return 0;
}

/* Opens the source again for this device alone, so that a site of thousands is not read for one
 * picture. */
static int source_narrow(struct source **src, const struct graph *g,
                         const struct source_device *device, struct tm_error *err)
{
  char path[PATH_MAX];
  struct source_options narrow = g->options;
  struct source *only = NULL;
  int rc = 0;
  if (source_count(*src) == 1)
    return 0;
  if (g->options.type == SOURCE_RRD) {
    if (device->folder == NULL)
      return 0;
    rc = folder_of(path, g, device, err);
    narrow.path = path;
  } else {
    narrow.host = device->host;
    narrow.folder = device->folder != NULL ? device->folder : device->device;
  }
  if (rc == 0)
    rc = source_open(&only, &narrow, err);
  if (rc < 0)
    return rc;
  source_free(*src);
  *src = only;
  return 0;
}

/* Reads the device. What cannot be used is told and counted; the picture is of the rest. */
static int device_read(struct graph *g, struct source *src, struct series *s, struct tm_error *err)
{
  int rc = source_start(src, 1, err);
  if (rc == 0)
    rc = source_next(src, 0, s, err);
  if (rc == 0)
    return tm_fail(err, -ENOENT, "the device went away while it was looked at");
  if (rc < 0)
    return rc;
  for (size_t i = 0; i < s->n_refused; i++)
    tm_log_error("%s", s->refused[i].text);
  g->refused = s->n_refused;
  return 0;
}

/* --- the picture ------------------------------------------------------------------------------ */

static int draw(const struct graph *g, const struct series *s, struct tm_buf *picture,
                struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(DOCUMENT_MAX);
  struct forecast_series rows = {s->time, s->used, s->capacity, s->n};
  struct forecast_params params = FORECAST_PARAMS_INIT;
  struct forecast_result result = {0};
  json_t *document = NULL;
  bool fills = s->unit != NULL && s->n > 0;
  int rc = 0;
  struct forecast_work *work = forecast_work_new();
  if (work == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  if (fills)
    rc = forecast_run(work, &rows, &params, &result, err);
  if (rc == 0)
    rc = graph_document(&document, &g->conf, s, fills ? &result : NULL, g->format, g->width, err);
  if (rc == 0 && tm_json_append(&text, document) < 0)
    rc = tm_fail(err, -ENOMEM, "%s/%s: out of memory", s->host, s->device);
  if (rc == 0) {
    struct tm_child child = {
        .input = text.ptr, .input_len = text.len, .output = picture, .timeout_s = DRAW_S};
    rc = tm_child_must("tidemark-graph", &child, err);
  }
  json_decref(document);
  tm_buf_release(&text);
  forecast_work_free(work);
  return rc;
}

static int graph_run(struct graph *g, struct tm_error *err)
{
  struct tm_buf picture = TM_BUF_INIT(PICTURE_MAX);
  struct source *src = NULL;
  struct source_device device = {0};
  struct series s = {0};
  int rc = source_open(&src, &g->options, err);
  if (rc == 0)
    rc = device_find(src, g, &device, err);
  if (rc == 0)
    rc = source_narrow(&src, g, &device, err);
  if (rc == 0)
    rc = device_read(g, src, &s, err);
  if (rc == 0)
    rc = draw(g, &s, &picture, err);
  if (rc == 0)
    rc = tm_file_write(g->output, picture.ptr, picture.len, 0644, err);
  source_free(src);
  tm_buf_release(&picture);
  return rc;
}

int cmd_graph(const struct tm_args *args)
{
  struct graph g = {0};
  struct tm_error err = {0};
  int status = command_load_conf(args, &g.conf);
  if (status == 0)
    status = parse_output(args, &g);
  if (status == 0)
    status = parse_numbers(args, &g);
  if (status == 0)
    status = parse_source(args, &g);
  if (status == 0) {
    int rc = graph_run(&g, &err);
    status = rc == 0 && g.refused > 0 ? EX_DATAERR : tm_exit_status(rc);
    if (rc < 0)
      tm_log_error("%s", err.text);
  }
  tm_conf_release(&g.conf);
  return status;
}
