/* SPDX-License-Identifier: MIT */
/* Data directories through the reading processes: what is found, what is made of it, and that one
 * file costs that file alone. */
#include "analyzer/days.h"
#include "common/clock.h"
#include "tests/lib/rrd_gauges.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- making files ---------------------------------------------------------------------------- */

static double total_constant(int64_t t)
{
  (void)t;
  return 1e10;
}
static double free_falling(int64_t t)
{
  return 5e9 - (double)(t - NOW) * 10;
}
/* A count of 3 in each interval; 250 in the one from 09:00 to 09:05 UTC. */
static double count_with_burst(int64_t t)
{
  return t % TM_DAY == 9 * 3600 + 300 ? 250 : 3;
}
static double supply_falling(int64_t t)
{
  return 500 - (double)(t - NOW) / 8640;
}

static const char plain_archives[] =
    "RRA:AVERAGE:0.1:1:1200 RRA:MIN:0.1:1:1200 RRA:MAX:0.1:1:1200 RRA:AVERAGE:0.1:7:1300 "
    "RRA:MIN:0.1:7:1300 RRA:MAX:0.1:7:1300 RRA:AVERAGE:0.1:88:1220 RRA:MIN:0.1:88:1220 "
    "RRA:MAX:0.1:88:1220";

/* --- reading everything ---------------------------------------------------------------------- */

struct got {
  size_t n;
  char *refused; /* one line each */
  size_t refused_len;
};

static void note_refusals(struct got *g, const struct series_refusal *refused, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    size_t len = strlen(refused[i].text);
    g->refused = realloc(g->refused, g->refused_len + len + 2);
    assert_non_null(g->refused);
    memcpy(g->refused + g->refused_len, refused[i].text, len);
    memcpy(g->refused + g->refused_len + len, "\n", 2);
    g->refused_len += len + 1;
  }
}

/* Reads all devices in one job and calls `look` for each. */
static struct got read_all(const char *place, struct rrd_options *o,
                           void (*look)(const struct series *s))
{
  struct got g = {0};
  struct tm_error err = {0};
  struct series s;
  const struct series_refusal *refused;
  struct rrd_source *src = open_source(place, o);
  size_t n = rrd_source_refusals(src, &refused);
  note_refusals(&g, refused, n);
  if (rrd_source_start(src, 1, &err) < 0)
    fail_msg("%s", err.text);
  int rc;
  while ((rc = rrd_source_next(src, 0, &s, &err)) > 0) {
    g.n++;
    note_refusals(&g, s.refused, s.n_refused);
    if (look != NULL)
      look(&s);
  }
  if (rc < 0)
    fail_msg("%s", err.text);
  rrd_source_free(src);
  return g;
}

static void must_name(const struct got *g, const char *file, const char *reason)
{
  const char *at = g->refused != NULL ? strstr(g->refused, file) : NULL;
  const char *end = at != NULL ? strchr(at, '\n') : NULL;
  const char *why = at != NULL ? strstr(at, reason) : NULL;
  if (why == NULL || why > end)
    fail_msg("%s: %s: not refused so, but:\n%s", file, reason, g->refused);
}

/* --- what is found --------------------------------------------------------------------------- */

static void make_plain_host(const char *host)
{
  static const char *const places[] = {"df-root/df_complex-used.rrd", "df-root/df_complex-free.rrd",
                                       "df-run/df_complex-used.rrd", "memory/memory-used.rrd"};
  static value_fn *const values[] = {used_growing, free_falling, used_growing, used_growing};
  char place[256];
  for (size_t i = 0; i < 4; i++) {
    snprintf(place, sizeof(place), "%s/%s", host, places[i]);
    make_gauge(place, plain_archives, 300, NOW - 3 * TM_DAY, NOW, values[i]);
  }
}

static void look_at_root(const struct series *s)
{
  assert_string_equal(s->host, "pc");
  assert_string_equal(s->device, "df-root");
  assert_string_equal(s->folder, "df-root");
  assert_string_equal(series_kind_name(s->kind), "computer");
  assert_string_equal(s->unit, "bytes");
  assert_int_equal(s->observed_at, NOW);
  assert_true(s->used_now == 5e9);
  assert_true(s->capacity_now == 1e10);
  assert_int_equal(s->step_s, 300);
  assert_in_range(s->n, 3 * 288, 3 * 288 + 1);
  assert_int_equal(s->time[s->n - 1], NOW);
  for (size_t i = 0; i < s->n; i++) {
    assert_int_equal(s->time[i], s->time[0] + (int64_t)i * 300);
    assert_true(fabs(s->used[i] - used_growing(s->time[i])) < 1);
    assert_true(fabs(s->capacity[i] - 1e10) < 1);
  }
  assert_true(s->maxima.source == MAXIMA_NONE);
  assert_int_equal(s->maxima.n, 30);
  const struct maxima_day *yesterday = &s->maxima.day[28];
  assert_true(fabs(yesterday->used - used_growing(yesterday->end)) < 1);
  assert_true(fabs(yesterday->capacity - 1e10) < 1);
  assert_true(isnan(s->maxima.day[0].used));
}

static void stock_file_systems_become_devices(void **state)
{
  (void)state;
  struct rrd_options o = OPTIONS;
  make_plain_host("plain/pc");
  struct got g = read_all("plain", &o, look_at_root);
  assert_int_equal(g.n, 1);
  assert_null(g.refused);
  o.all = true;
  assert_int_equal(read_all("plain", &o, NULL).n, 2);
  o.all = false;
  /* The host's test_folder, the device's test_folder and its file alone. */
  assert_int_equal(read_all("plain/pc", &o, look_at_root).n, 1);
  assert_int_equal(read_all("plain/pc/df-root", &o, look_at_root).n, 1);
  assert_int_equal(read_all("plain/pc/df-root/df_complex-used.rrd", &o, NULL).n, 1);
}

static void nothing_to_read_is_said(void **state)
{
  (void)state;
  struct tm_error err = {0};
  struct rrd_source *src = NULL;
  char path[256];
  run("mkdir -p %s/nothing/host", test_folder);
  snprintf(path, sizeof(path), "%s/nothing", test_folder);
  struct rrd_options o = {.path = path, .as_of = INT64_MIN};
  assert_int_equal(rrd_source_open(&src, &o, &err), -ENOENT);
  assert_non_null(strstr(err.text, "holds no RRD files"));
  o.path = "/nonexistent/test_folder";
  assert_int_equal(rrd_source_open(&src, &o, &err), -ENOENT);
  assert_non_null(strstr(err.text, "/nonexistent/test_folder: No such file"));
}

/* --- our own devices ------------------------------------------------------------------------- */

static void look_at_array(const struct series *s)
{
  char text[MAXIMA_TEXT_SIZE];
  assert_string_equal(s->device, "array-01");
  assert_string_equal(s->folder, "disk_array-array-01");
  assert_true(s->kind == SERIES_DISK_ARRAY);
  assert_true(s->used_now == 5e9 && s->capacity_now == 1e10);
  assert_true(s->maxima.source == MAXIMA_COUNT);
  assert_string_equal(s->maxima.unit, "transfers");
  assert_int_equal(s->maxima.interval_s, 300);
  assert_int_equal(s->maxima.n, 100);
  for (size_t i = 1; i < 100; i++) {
    const struct maxima_day *d = &s->maxima.day[i];
    if (d->start < NOW - 90 * TM_DAY)
      continue;
    assert_true(d->max == 250);
    assert_string_equal(maxima_resolution(text, &s->maxima, d), "exact");
    /* 61 days of rows of 300 s, and before them of an hour. */
    assert_true(d->span_s == (d->start > NOW - 60 * TM_DAY ? 300 : 3600) ||
                d->start < NOW - 59 * TM_DAY);
    int64_t burst = d->start + 9 * 3600;
    assert_int_equal(d->max_at, burst);
    if (i < 99) {
      assert_true(fabs(d->mean - (287 * 3 + 250) / 288.0) < 1e-6);
      assert_true(d->covered == 1);
    } else {
      assert_true(fabs(d->covered - 0.5) < 1e-6);
    }
  }
  assert_int_equal(s->n_levels, 1);
  assert_string_equal(s->levels[0].name, "capacity-pool1_used");
  assert_true(s->levels[0].now == 5e9);
  assert_in_range(s->n, 1000, SERIES_MAX_ROWS + 1);
}

static void counts_give_exact_days_from_two_archives(void **state)
{
  (void)state;
  struct rrd_options o = OPTIONS;
  o.days = 100;
  int64_t from = NOW - 91 * TM_DAY;
  make_gauge("own/gw/disk_array-array-01/capacity-used.rrd", exact_archives, 300, from, NOW,
             used_growing);
  make_gauge("own/gw/disk_array-array-01/capacity-total.rrd", exact_archives, 300, from, NOW,
             total_constant);
  make_gauge("own/gw/disk_array-array-01/capacity-pool1_used.rrd", exact_archives, 300, from, NOW,
             used_growing);
  make_gauge("own/gw/disk_array-array-01/interval_count-transfers.rrd", exact_archives, 300, from,
             NOW, count_with_burst);
  assert_int_equal(tm_zone_use("UTC", NULL), 0);
  struct got g = read_all("own", &o, look_at_array);
  assert_int_equal(g.n, 1);
  assert_null(g.refused);
}

static void look_as_of(const struct series *s)
{
  int64_t as_of = NOW - 10 * TM_DAY;
  assert_int_equal(s->observed_at, as_of);
  assert_true(fabs(s->used_now - used_growing(as_of)) < 1);
  assert_true(s->time[s->n - 1] <= as_of);
  assert_int_equal(s->maxima.day[s->maxima.n - 1].end, tm_day_next(as_of - 1));
}

static void rows_after_as_of_are_not_seen(void **state)
{
  (void)state;
  struct rrd_options o = {.as_of = NOW - 10 * TM_DAY};
  assert_int_equal(read_all("own", &o, look_as_of).n, 1);
}

static void look_at_printer(const struct series *s)
{
  assert_true(s->kind == SERIES_PRINTER);
  assert_null(s->unit);
  assert_int_equal(s->n_levels, 3);
  assert_string_equal(s->levels[0].name, "supply_level-black");
  assert_true(fabs(s->levels[0].now - 500) < 1e-6);
  assert_non_null(s->levels[0].values);
  assert_in_range(s->n, 100, 1025);
  for (size_t i = 0; i < s->n; i++) {
    assert_true(isnan(s->used[i]));
    if (!isnan(s->levels[0].values[i])) /* the mean over the row */
      assert_true(fabs(s->levels[0].values[i] - supply_falling(s->time[i])) < 2);
  }
  assert_null(s->levels[1].values);
  assert_string_equal(s->levels[1].name, "page_count-total");
  assert_string_equal(s->levels[2].name, "supply_max-black");
  assert_int_equal(s->maxima.n, 30);
}

static void supplies_are_followed(void **state)
{
  (void)state;
  struct rrd_options o = OPTIONS;
  int64_t from = NOW - 50 * TM_DAY;
  make_gauge("paper/gw/printer-p1/supply_level-black.rrd", exact_archives, 300, from, NOW,
             supply_falling);
  make_gauge("paper/gw/printer-p1/supply_max-black.rrd", exact_archives, 300, from, NOW,
             total_constant);
  make_gauge("paper/gw/printer-p1/page_count-total.rrd", exact_archives, 300, from, NOW,
             used_growing);
  assert_int_equal(read_all("paper", &o, look_at_printer).n, 1);
}

static void look_at_young(const struct series *s)
{
  assert_int_equal(s->observed_at, NOW);
  if (strcmp(s->device, "load") == 0) {
    assert_true(s->maxima.source == MAXIMA_RATE);
    assert_string_equal(s->maxima.unit, "load");
    assert_true(fabs(s->maxima.day[29].max - used_growing(NOW)) < 1e-3);
    return;
  }
  assert_in_range(s->n, 18, 19);
  assert_int_equal(s->step_s, 10);
}

/* Three minutes of history lie in the finest archive alone. */
static void young_files_are_read_from_their_finest_rows(void **state)
{
  (void)state;
  struct rrd_options o = OPTIONS;
  make_gauge("young/pc/df-root/df_complex-used.rrd", plain_archives, 10, NOW - 180, NOW,
             used_growing);
  run("cd %s/young/pc && mkdir load && cp df-root/df_complex-used.rrd load/load.rrd && "
      "rrdtool tune load/load.rrd --data-source-rename value:shortterm",
      test_folder);
  struct got g = read_all("young", &o, look_at_young);
  assert_int_equal(g.n, 2);
  assert_null(g.refused);
}

/* --- bad input ------------------------------------------------------------------------------- */

static void look_at_good(const struct series *s)
{
  if (strcmp(s->device, "df-good") == 0)
    assert_true(s->used_now == 5e9 && s->n > 800);
  else
    assert_true(s->n == 0 && s->maxima.n == 0 && isnan(s->used_now));
}

static void bad_files_are_refused_and_good_ones_reported(void **state)
{
  (void)state;
  struct rrd_options o = OPTIONS;
  make_gauge("bad/pc/df-good/df_complex-used.rrd", plain_archives, 300, NOW - 3 * TM_DAY, NOW,
             used_growing);
  run("cd %s/bad/pc && mkdir df-bad x.rrd df-good/dir.rrd && mkfifo df-good/fifo.rrd && "
      "ln -s loop.rrd df-good/loop.rrd && : > df-good/empty.rrd && echo text > df-good/text.rrd && "
      "head -c 3000 df-good/df_complex-used.rrd > df-bad/df_complex-used.rrd && "
      "ln -s df-good df-link && head -c 100 df-good/df_complex-used.rrd > loose.rrd",
      test_folder);
  struct got g = read_all("bad", &o, look_at_good);
  assert_int_equal(g.n, 3); /* the good one, the bad one, the loose file */
  must_name(&g, "/bad/pc/x.rrd", "is a directory");
  must_name(&g, "/bad/pc/df-link", "is a symbolic link");
  must_name(&g, "/bad/pc/df-good/dir.rrd", "is a directory");
  must_name(&g, "/bad/pc/df-good/fifo.rrd", "is a FIFO");
  must_name(&g, "/bad/pc/df-good/loop.rrd", "is a symbolic link");
  must_name(&g, "/bad/pc/df-good/empty.rrd", "is empty");
  must_name(&g, "/bad/pc/df-good/text.rrd", "is not an RRD file");
  must_name(&g, "/bad/pc/df-bad/df_complex-used.rrd", "truncated");
  must_name(&g, "/bad/pc/loose.rrd", "truncated");
  free(g.refused);
}

static void a_thousand_hostile_files_are_all_named(void **state)
{
  (void)state;
  struct rrd_options o = OPTIONS;
  run("mkdir -p %s/hostile/pc && cp -r %s/bad/pc/df-good %s/hostile/pc/ && "
      "cd %s/hostile/pc/df-good && rm -r dir.rrd fifo.rrd loop.rrd empty.rrd text.rrd && "
      "for i in $(seq 1 1000); do "
      "head -c $((i * 37)) df_complex-used.rrd > bad$(printf %%04d $i).rrd; done",
      test_folder, test_folder, test_folder, test_folder);
  struct got g = read_all("hostile", &o, look_at_good);
  assert_int_equal(g.n, 1);
  size_t lines = 0;
  for (size_t i = 0; i < g.refused_len; i++)
    lines += g.refused[i] == '\n';
  /* 1000 x 37 bytes is less than the file has: none of them is whole. */
  assert_int_equal(lines, 1000);
  for (int i = 1; i <= 1000; i++) {
    char name[64];
    snprintf(name, sizeof(name), "/df-good/bad%04d.rrd", i);
    must_name(&g, name, ":");
  }
  free(g.refused);
}

int main(void)
{
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stock_file_systems_become_devices),
      cmocka_unit_test(nothing_to_read_is_said),
      cmocka_unit_test(counts_give_exact_days_from_two_archives),
      cmocka_unit_test(rows_after_as_of_are_not_seen),
      cmocka_unit_test(supplies_are_followed),
      cmocka_unit_test(young_files_are_read_from_their_finest_rows),
      cmocka_unit_test(bad_files_are_refused_and_good_ones_reported),
      cmocka_unit_test(a_thousand_hostile_files_are_all_named),
  };
  return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
