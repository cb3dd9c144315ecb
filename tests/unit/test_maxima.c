/* SPDX-License-Identifier: MIT */
/* Interval maxima by local day: known maxima, days of 23 and 25 hours, restarts and gaps. */
#include "analyzer/days.h"
#include "analyzer/maxima.h"
#include "common/clock.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define T 300 /* the unit interval */

static struct maxima_build *build;
static struct days *days;

static int64_t at(const char *text)
{
  int64_t t = 0;
  assert_int_equal(tm_time_parse(text, &t), 0);
  return t;
}

static void use_zone(const char *name)
{
  struct tm_error err;
  assert_int_equal(tm_zone_use(name, &err), 0);
  days_init(days);
}

/* Counts of whole unit intervals from `from` to `to`, all 10 but for those set by hand. */
struct counts {
  int64_t from;
  size_t n;
  double *v;
};

static struct counts steady(int64_t from, int64_t to)
{
  struct counts c = {.from = from, .n = (size_t)((to - from) / T)};
  c.v = malloc(c.n * sizeof(double));
  assert_non_null(c.v);
  for (size_t i = 0; i < c.n; i++)
    c.v[i] = 10;
  return c;
}

/* The interval that begins at this time. */
static double *interval(struct counts *c, const char *begins)
{
  int64_t t = at(begins);
  assert_true(t >= c->from && (size_t)((t - c->from) / T) < c->n);
  return &c->v[(t - c->from) / T];
}

static void feed(const struct counts *c, unsigned use)
{
  maxima_rows(build, use, c->from + T, T, c->v, c->n, 1);
}

static const char *resolution(const struct maxima_day *day, enum maxima_source source)
{
  static char text[MAXIMA_TEXT_SIZE];
  struct maxima m = {.source = source};
  return maxima_resolution(text, &m, day);
}

#define BOTH (MAXIMA_FOR_MAX | MAXIMA_FOR_MEAN)

static void known_maxima_are_found_with_their_time(void **state)
{
  (void)state;
  use_zone("UTC");
  struct maxima_day day[3];
  struct counts c = steady(at("2026-03-01"), at("2026-03-04"));
  *interval(&c, "2026-03-01T09:00:00Z") = 500; /* equal ones: the first counts */
  *interval(&c, "2026-03-01T17:00:00Z") = 500;
  *interval(&c, "2026-03-02T00:00:00Z") = 700; /* the first and the last interval of a day */
  *interval(&c, "2026-03-03T23:55:00Z") = 900;
  const int64_t *border = days_until(days, at("2026-03-03T12:00:00Z"), 3);
  maxima_begin(build, day, border, 3, MAXIMA_COUNT, T);
  feed(&c, BOTH);
  maxima_end(build);
  free(c.v);
  static const struct {
    double max;
    const char *at;
    double sum;
  } want[] = {{500, "2026-03-01T09:00:00Z", 286 * 10 + 1000},
              {700, "2026-03-02T00:00:00Z", 287 * 10 + 700},
              {900, "2026-03-03T23:55:00Z", 287 * 10 + 900}};
  for (int i = 0; i < 3; i++) {
    assert_true(day[i].max == want[i].max);
    assert_int_equal(day[i].max_at, at(want[i].at));
    assert_true(fabs(day[i].mean - want[i].sum / 288) < 1e-9);
    assert_true(day[i].p95 == 10);
    assert_true(day[i].covered == 1);
    assert_string_equal(resolution(&day[i], MAXIMA_COUNT), "exact");
  }
}

static void days_of_summer_time_have_23_and_25_hours(void **state)
{
  (void)state;
  static const struct {
    const char *zone;
    const char *day; /* a moment in it */
    const char *start;
    const char *end;
  } cases[] = {
      {"Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
      {"Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
      {"America/New_York", "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"},
      {"America/New_York", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
      {"Asia/Tokyo", "2026-03-29T12:00:00Z", "2026-03-28T15:00:00Z", "2026-03-29T15:00:00Z"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    use_zone(cases[i].zone);
    struct maxima_day day[3];
    int64_t start = at(cases[i].start);
    int64_t end = at(cases[i].end);
    /* The greatest counts lie just outside; the day's own in its first and last interval. */
    struct counts c = steady(start - TM_DAY, end + TM_DAY);
    c.v[(start - c.from) / T - 1] = 1000;
    c.v[(start - c.from) / T] = 50;
    c.v[(end - c.from) / T - 1] = 60;
    c.v[(end - c.from) / T] = 1000;
    const int64_t *border = days_until(days, at(cases[i].day) + TM_DAY, 3);
    maxima_begin(build, day, border, 3, MAXIMA_COUNT, T);
    feed(&c, BOTH);
    maxima_end(build);
    free(c.v);
    assert_int_equal(day[1].start, start);
    assert_int_equal(day[1].end, end);
    assert_true(day[1].max == 60);
    assert_int_equal(day[1].max_at, end - T);
    assert_true(day[1].covered == 1);
    assert_true(fabs(day[1].mean - (10 * ((double)(end - start) / T - 2) + 110) /
                                       ((double)(end - start) / T)) < 1e-9);
    assert_string_equal(resolution(&day[1], MAXIMA_COUNT), "exact");
    assert_true(day[0].max == 1000 && day[2].max == 1000);
  }
}

static void gaps_are_not_zeros(void **state)
{
  (void)state;
  use_zone("UTC");
  struct maxima_day day[2];
  struct counts c = steady(at("2026-03-01"), at("2026-03-03"));
  for (int64_t t = at("2026-03-01T06:00:00Z"); t < at("2026-03-01T18:00:00Z"); t += T)
    c.v[(t - c.from) / T] = NAN;               /* switched off for half a day */
  *interval(&c, "2026-03-01T18:00:00Z") = NAN; /* the first interval after a start */
  *interval(&c, "2026-03-01T05:00:00Z") = 80;  /* what was counted before the restart stays */
  for (int64_t t = at("2026-03-02"); t < at("2026-03-03"); t += T)
    c.v[(t - c.from) / T] = NAN;
  const int64_t *border = days_until(days, at("2026-03-02T12:00:00Z"), 2);
  maxima_begin(build, day, border, 2, MAXIMA_COUNT, T);
  feed(&c, BOTH);
  maxima_end(build);
  free(c.v);
  assert_true(day[0].max == 80);
  assert_int_equal(day[0].max_at, at("2026-03-01T05:00:00Z"));
  assert_true(fabs(day[0].mean - (142 * 10 + 80) / 143.0) < 1e-9);
  assert_true(fabs(day[0].covered - 143.0 / 288) < 1e-9);
  assert_true(isnan(day[1].max) && isnan(day[1].mean) && isnan(day[1].p95));
  assert_int_equal(day[1].max_at, INT64_MIN);
  assert_true(day[1].covered == 0);
  assert_string_equal(resolution(&day[1], MAXIMA_COUNT), "unknown");
}

/* Hourly rows as an archive of maxima keeps them: exact where they divide the day. */
static void rows_of_an_hour_are_exact_where_they_divide_the_day(void **state)
{
  (void)state;
  static const struct {
    const char *zone;
    int64_t span;
    const char *want;
  } cases[] = {{"Europe/Berlin", 3600, "exact"},   {"Asia/Kolkata", 3600, "3600 s rows"},
               {"Asia/Kolkata", 1800, "exact"},    {"UTC", 1800, "exact"},
               {"UTC", 2230, "2230 s rows"},       {"UTC", 7200, "7200 s rows"},
               {"UTC", 86400, "UTC day"},          {"Asia/Kathmandu", 1800, "1800 s rows"},
               {"Asia/Kathmandu", 900, "exact"},   {"Asia/Tokyo", 86400, "UTC day"},
               {"America/New_York", 3600, "exact"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    use_zone(cases[i].zone);
    struct maxima_day day[3];
    double v[600];
    int64_t span = cases[i].span;
    const int64_t *border = days_until(days, at("2026-06-15T12:00:00Z"), 3);
    int64_t first = border[0] - border[0] % span;
    size_t n = (size_t)((border[3] - first) / span);
    for (size_t k = 0; k < n; k++)
      v[k] = (double)k;
    maxima_begin(build, day, border, 3, MAXIMA_COUNT, T);
    maxima_rows(build, MAXIMA_FOR_MAX, first + span, span, v, n, 1);
    maxima_end(build);
    assert_string_equal(resolution(&day[1], MAXIMA_COUNT), cases[i].want);
    assert_int_equal(day[1].span_s, span);
    if (!day[1].exact)
      continue;
    assert_int_equal(day[1].max_at, border[2] - span); /* values grow: the day's last row */
  }
}

static void an_interval_that_does_not_divide_the_day_is_not_exact(void **state)
{
  (void)state;
  use_zone("UTC");
  struct maxima_day day[2];
  double v[500];
  for (size_t k = 0; k < 500; k++)
    v[k] = 1;
  const int64_t *border = days_until(days, at("2026-06-15T12:00:00Z"), 2);
  maxima_begin(build, day, border, 2, MAXIMA_COUNT, 420);
  maxima_rows(build, BOTH, border[0] - border[0] % 420 + 420, 420, v, 411, 1);
  maxima_end(build);
  assert_string_equal(resolution(&day[0], MAXIMA_COUNT), "420 s rows");
}

/* A count that is stored in shorter rows stands in all rows of its interval. */
static void counts_in_shorter_rows_began_with_their_interval(void **state)
{
  (void)state;
  use_zone("UTC");
  struct maxima_day day[1];
  double v[8640];
  for (size_t k = 0; k < 8640; k++)
    v[k] = k / 30 == 100 ? 77 : 5;
  const int64_t *border = days_until(days, at("2026-06-15T12:00:00Z"), 1);
  maxima_begin(build, day, border, 1, MAXIMA_COUNT, T);
  maxima_rows(build, BOTH, border[0] + 10, 10, v, 8640, 1);
  maxima_end(build);
  assert_true(day[0].max == 77);
  assert_int_equal(day[0].max_at, border[0] + 100 * T);
  assert_string_equal(resolution(&day[0], MAXIMA_COUNT), "exact");
}

static void rates_are_never_exact(void **state)
{
  (void)state;
  use_zone("UTC");
  struct maxima_day day[1];
  double v[24];
  for (size_t k = 0; k < 24; k++)
    v[k] = (double)(k == 7 ? 90 : k);
  const int64_t *border = days_until(days, at("2026-06-15T12:00:00Z"), 1);
  maxima_begin(build, day, border, 1, MAXIMA_RATE, 1);
  maxima_rows(build, BOTH, border[0] + 3600, 3600, v, 24, 1);
  maxima_end(build);
  assert_true(day[0].max == 90);
  assert_int_equal(day[0].max_at, border[0] + 7 * 3600);
  assert_string_equal(resolution(&day[0], MAXIMA_RATE), "rate");
}

static int compare(const void *a, const void *b)
{
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

static void percentiles_are_of_nearest_rank(void **state)
{
  (void)state;
  use_zone("UTC");
  unsigned seed = 4711;
  static const int64_t spans[] = {10, 60, 300, 900, 1800, 2230, 3600};
  for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
    struct maxima_day day[1];
    static double v[8641], sorted[8641];
    size_t n = (size_t)(TM_DAY / spans[i]);
    size_t known = 0;
    for (size_t k = 0; k < n; k++) {
      seed = seed * 1103515245 + 12345;
      v[k] = (seed >> 16) % 10 == 0 ? NAN : (double)((seed >> 16) % 500);
      if (!isnan(v[k]))
        sorted[known++] = v[k];
    }
    qsort(sorted, known, sizeof(double), compare);
    const int64_t *border = days_until(days, at("2026-06-15T12:00:00Z"), 1);
    maxima_begin(build, day, border, 1, MAXIMA_RATE, 1);
    maxima_rows(build, MAXIMA_FOR_MEAN, border[0] + spans[i], spans[i], v, n, 1);
    maxima_end(build);
    assert_true(day[0].p95 == sorted[(known * 95 + 99) / 100 - 1]);
  }
}

static void long_rows_give_no_percentile(void **state)
{
  (void)state;
  use_zone("UTC");
  struct maxima_day day[1];
  double v[4] = {1, 2, 3, 4};
  const int64_t *border = days_until(days, at("2026-06-15T12:00:00Z"), 1);
  maxima_begin(build, day, border, 1, MAXIMA_RATE, 1);
  maxima_rows(build, BOTH, border[0] + 21600, 21600, v, 4, 1);
  maxima_end(build);
  assert_true(isnan(day[0].p95));
  assert_true(day[0].mean == 2.5);
}

/* A row that lies in two days counts once: where it ends, or where its middle lies. */
static void rows_across_a_border_count_once(void **state)
{
  (void)state;
  use_zone("UTC");
  struct maxima_day day[2];
  const int64_t *border = days_until(days, at("2026-06-15T12:00:00Z"), 2);
  double one = 5;
  maxima_begin(build, day, border, 2, MAXIMA_RATE, 1);
  maxima_rows(build, BOTH, border[1] + 200, 2230, &one, 1, 1);
  maxima_end(build);
  assert_true(isnan(day[0].max) && day[1].max == 5);
  maxima_begin(build, day, border, 2, MAXIMA_RATE, 1);
  maxima_rows(build, BOTH, border[1] + 200, 26350, &one, 1, 1);
  maxima_end(build);
  assert_true(day[0].max == 5 && isnan(day[1].max));
  /* A row that ends with the day belongs to it alone. */
  maxima_begin(build, day, border, 2, MAXIMA_COUNT, T);
  maxima_rows(build, BOTH, border[1], T, &one, 1, 1);
  maxima_end(build);
  assert_true(day[0].max == 5 && isnan(day[1].max));
}

static void rows_outside_the_days_are_left_out(void **state)
{
  (void)state;
  use_zone("UTC");
  struct maxima_day day[2];
  struct counts c = steady(at("2026-02-20"), at("2026-03-10"));
  for (size_t i = 0; i < c.n; i++)
    c.v[i] = 999;
  for (int64_t t = at("2026-03-01"); t < at("2026-03-03"); t += T)
    c.v[(t - c.from) / T] = 3;
  const int64_t *border = days_until(days, at("2026-03-02T12:00:00Z"), 2);
  maxima_begin(build, day, border, 2, MAXIMA_COUNT, T);
  feed(&c, BOTH);
  maxima_end(build);
  free(c.v);
  assert_true(day[0].max == 3 && day[1].max == 3);
  assert_true(day[0].mean == 3 && day[1].mean == 3);
}

static void days_are_remembered_rightly(void **state)
{
  (void)state;
  use_zone("America/New_York");
  static const char *const moments[] = {"2026-11-01T12:00:00Z", "2020-01-01", "2037-06-01",
                                        "2026-03-08T07:00:00Z", "1999-12-31", "2026-11-02"};
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
      int64_t t = at(moments[i]);
      const int64_t *border = days_until(days, t, 400);
      assert_true(border[399] <= t && t < border[400]);
      int64_t edge = tm_day_start(t);
      for (size_t k = 400; k-- > 0; edge = tm_day_start(edge - 1))
        assert_int_equal(border[k], edge);
    }
  }
}

static int set_up(void **state)
{
  (void)state;
  build = maxima_build_new();
  days = malloc(sizeof(*days));
  return build == NULL || days == NULL;
}

static int tear_down(void **state)
{
  (void)state;
  maxima_build_free(build);
  free(days);
  return 0;
}

int main(void)
{
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_maxima_are_found_with_their_time),
      cmocka_unit_test(days_of_summer_time_have_23_and_25_hours),
      cmocka_unit_test(gaps_are_not_zeros),
      cmocka_unit_test(rows_of_an_hour_are_exact_where_they_divide_the_day),
      cmocka_unit_test(an_interval_that_does_not_divide_the_day_is_not_exact),
      cmocka_unit_test(counts_in_shorter_rows_began_with_their_interval),
      cmocka_unit_test(rates_are_never_exact),
      cmocka_unit_test(percentiles_are_of_nearest_rank),
      cmocka_unit_test(long_rows_give_no_percentile),
      cmocka_unit_test(rows_across_a_border_count_once),
      cmocka_unit_test(rows_outside_the_days_are_left_out),
      cmocka_unit_test(days_are_remembered_rightly),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
