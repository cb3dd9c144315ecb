/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_RRD_FILES_H
#define TM_TESTS_RRD_FILES_H

#include "analyzer/source/rrd_file.h"
#include "tests/lib/shell.h"
#include "tests/lib/test_folder.h"

#include <math.h>
#include <string.h>

/* Files that rrdtool makes in the test's folder, and the reader that all tests of a program share.
 */
#define START 1700000000L

static struct rrd_file *file;

/* One update every `gap` seconds, a gap of hours in between, two data sources. */
static inline void make_file(const char *name, const char *create, int updates, int gap)
{
  run("rrdtool create %s/%s --start %ld %s", test_folder, name, START - 1, create);
  char path[256];
  snprintf(path, sizeof(path), "%s/commands", test_folder);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  long t = START;
  for (int i = 0; i < updates; i++) {
    t += i == updates / 2 ? 20000 : gap + i % 3;
    fprintf(f, "update %s/%s %ld:%d.%d:%d\n", test_folder, name, t, i * 37 % 1000, i % 10, i * 12);
  }
  fclose(f);
  run("rrdtool - < %s > %s/answers && ! grep ERROR %s/answers", path, test_folder, test_folder);
}

/* What was given of the first data source of the first archive. */
struct choice {
  int64_t after;
  int64_t until;
  size_t n;
  int64_t first;
  int64_t last;
};

static inline void count_rows(void *ctx, int64_t end, int64_t span, const double *v, size_t n,
                              size_t stride)
{
  struct choice *c = ctx;
  (void)v;
  (void)stride;
  if (c->n == 0)
    c->first = end;
  else
    assert_int_equal(end, c->last + span);
  c->n += n;
  c->last = end + (int64_t)(n - 1) * span;
}

static inline int visit_choice(struct rrd_file *f, void *ctx, struct tm_error *err)
{
  struct choice *c = ctx;
  c->n = 0;
  return rrd_file_rows(f, 0, 0, c->after, c->until, count_rows, c, err);
}

/* An archive's rows as rrdtool fetch prints them. */
struct compare {
  const char *path;
  size_t archive;
  size_t n_ds;
  int64_t span;
  size_t rows;
  char *ours; /* one line a row, as rrdtool fetch prints it */
  size_t len;
  size_t cap;
};

static inline void add_text(struct compare *c, const char *text)
{
  size_t n = strlen(text);
  if (c->len + n + 1 > c->cap) {
    c->cap = (c->len + n + 1) * 2;
    c->ours = realloc(c->ours, c->cap);
    assert_non_null(c->ours);
  }
  memcpy(c->ours + c->len, text, n + 1);
  c->len += n;
}

static inline void print_rows(void *ctx, int64_t end, int64_t span, const double *v, size_t n,
                              size_t stride)
{
  struct compare *c = ctx;
  char text[64];
  for (size_t i = 0; i < n; i++, end += span) {
    snprintf(text, sizeof(text), "%lld:", (long long)end);
    add_text(c, text);
    for (size_t k = 0; k < c->n_ds; k++) {
      double x = v[i * stride + k];
      if (isnan(x))
        snprintf(text, sizeof(text), " %snan", signbit(x) ? "-" : "");
      else
        snprintf(text, sizeof(text), " %0.10e", x);
      add_text(c, text);
    }
    add_text(c, "\n");
    c->rows++;
  }
}

static inline int visit_archive(struct rrd_file *f, void *ctx, struct tm_error *err)
{
  struct compare *c = ctx;
  c->len = c->rows = 0;
  c->n_ds = f->shape.n_ds;
  c->span = f->archive[c->archive].span;
  return rrd_file_rows(f, c->archive, 0, INT64_MIN / 2, INT64_MAX / 2, print_rows, c, err);
}

static inline int rrd_files_set_up(void **state)
{
  file = malloc(sizeof(*file));
  if (file == NULL || test_folder_make(state) < 0)
    return -1;
  rrd_file_init(file);
  return 0;
}

static inline int rrd_files_tear_down(void **state)
{
  rrd_file_release(file);
  free(file);
  run("chmod -R u+rwX %s", test_folder);
  return test_folder_remove(state);
}

#endif
