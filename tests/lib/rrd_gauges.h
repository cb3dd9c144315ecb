/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_RRD_GAUGES_H
#define TM_TESTS_RRD_GAUGES_H

#include "analyzer/source/rrd.h"
#include "tests/lib/shell.h"
#include "tests/lib/test_folder.h"

#include <math.h>

/* A folder of gauges as collectd would have written them, and a source that reads it. */

#define NOW 1772366400L /* 2026-03-01 12:00 UTC */

/* Values of one file: a function of time. */
typedef double value_fn(int64_t t);

static inline double used_growing(int64_t t)
{
  return 5e9 + (double)(t - NOW) * 10;
}

/* DIR/place, with values of `fn` every `step` seconds from `from` to `to`. */
static inline void make_gauge(const char *place, const char *archives, int step, int64_t from,
                              int64_t to, value_fn *fn)
{
  char path[512];
  run("mkdir -p $(dirname %s/%s)", test_folder, place);
  run("rrdtool create %s/%s --start %lld --step %d DS:value:GAUGE:%d:0:U %s", test_folder, place,
      (long long)from - step, step, 2 * step, archives);
  snprintf(path, sizeof(path), "%s/commands", test_folder);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  int n = 0;
  for (int64_t t = from; t <= to; t += step, n++) {
    if (n % 200 == 0)
      fprintf(f, "%supdate %s/%s", n > 0 ? "\n" : "", test_folder, place);
    double v = fn(t);
    if (isnan(v))
      fprintf(f, " %lld:U", (long long)t);
    else
      fprintf(f, " %lld:%.6f", (long long)t, v);
  }
  fprintf(f, "\n");
  fclose(f);
  run("rrdtool - < %s > %s/answers && ! grep ERROR %s/answers && rm %s/answers %s/commands", path,
      test_folder, test_folder, test_folder, test_folder);
}

/* Rows of 300 s for 61 days and of an hour before them, as the manual page asks for. */
static const char exact_archives[] =
    "RRA:AVERAGE:0.1:1:17664 RRA:MIN:0.1:1:17664 RRA:MAX:0.1:1:17664 RRA:AVERAGE:0.1:12:17664 "
    "RRA:MIN:0.1:12:17664 RRA:MAX:0.1:12:17664";

/* A source of what lies below a folder of the test's. */
static inline struct rrd_source *open_source(const char *place, struct rrd_options *o)
{
  static char path[512];
  struct tm_error err = {0};
  struct rrd_source *src = NULL;
  snprintf(path, sizeof(path), "%s/%s", test_folder, place);
  o->path = path;
  if (rrd_source_open(&src, o, &err) < 0)
    fail_msg("%s", err.text);
  return src;
}

#define OPTIONS                                                                                    \
  {                                                                                                \
    .as_of = INT64_MIN                                                                             \
  }

#endif
