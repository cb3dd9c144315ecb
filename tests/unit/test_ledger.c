/* SPDX-License-Identifier: MIT */
/* The track record: kept over a torn write, said once, judged by what happened. */
#include "analyzer/ledger.h"

#include "common/file.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY 86400
static char state_dir[] = "/tmp/tidemark-ledger-XXXXXX";

/* Made on day `at`; quantiles 0.1, 0.5, 0.9 on these days, -1 for none. */
static struct ledger_entry entry(int at, int q10, int q50, int q90)
{
  struct ledger_entry e = {
      .at = at * DAY, .of = "capacity", .model = "drift", .used = 50, .limit = 100};
  for (int i = 0; i < FORECAST_N_QUANTILES; i++)
    e.fill[i] = FORECAST_NONE;
  const int days[3] = {q10, q50, q90};
  for (int i = 0; i < 3; i++)
    e.fill[1 + 2 * i] = days[i] < 0 ? FORECAST_NONE : (int64_t)days[i] * DAY;
  return e;
}

static void forecasts_are_judged_by_what_happened(void **state)
{
  (void)state;
  /* used reaches 100 on day 60 */
  int64_t time[91];
  double value[91];
  for (int i = 0; i <= 90; i++) {
    time[i] = i * DAY;
    value[i] = i == 30 ? NAN : 40.0 + i;
  }
  static const struct {
    int at, q10, q50, q90;
    enum ledger_outcome outcome;
    double error;
  } rows[] = {
      {10, 50, 58, 70, LEDGER_INSIDE, -2}, {10, 60, 61, 62, LEDGER_INSIDE, 1},
      {10, 61, 70, 80, LEDGER_LATE, 10},   {10, 20, 30, 59, LEDGER_EARLY, -30},
      {10, -1, -1, -1, LEDGER_LATE, NAN},  {10, 50, -1, -1, LEDGER_INSIDE, NAN},
      {10, 50, 70, -1, LEDGER_INSIDE, 10},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct ledger_entry e = entry(rows[i].at, rows[i].q10, rows[i].q50, rows[i].q90);
    struct ledger_judgement j = ledger_judge(&e, time, value, 91, FORECAST_UP);
    assert_int_equal(j.outcome, rows[i].outcome);
    assert_int_equal(j.reached, 1);
    assert_true(j.reached_days == 50);
    assert_true(isnan(rows[i].error) ? isnan(j.error_days) : j.error_days == rows[i].error);
  }
  /* seen only up to day 55: not reached */
  struct ledger_entry e = entry(10, 50, 58, 70);
  assert_int_equal(ledger_judge(&e, time, value, 56, FORECAST_UP).outcome, LEDGER_PENDING);
  e = entry(10, 20, 30, 50);
  struct ledger_judgement j = ledger_judge(&e, time, value, 56, FORECAST_UP);
  assert_int_equal(j.outcome, LEDGER_EARLY);
  assert_true(j.error_days == -25);
  /* what was there before the forecast does not count, nor does an empty history */
  e = entry(80, 85, 86, 87);
  e.limit = 50;
  assert_true(ledger_judge(&e, time, value, 91, FORECAST_UP).reached_days == 1);
  assert_int_equal(ledger_judge(&e, time, value, 0, FORECAST_UP).outcome, LEDGER_PENDING);
  /* counting down */
  for (int i = 0; i <= 90; i++)
    value[i] = 100 - i;
  e = entry(10, 85, 90, 95);
  e.limit = 12;
  assert_int_equal(ledger_judge(&e, time, value, 91, FORECAST_DOWN).outcome, LEDGER_INSIDE);
}

static void the_record_is_told_in_words(void **state)
{
  (void)state;
  char text[120];
  struct ledger_judgement j[8] = {
      {LEDGER_LATE, 90, 1, 1},     {LEDGER_INSIDE, -4, 1, 1},   {LEDGER_INSIDE, -6, 1, 1},
      {LEDGER_PENDING, NAN, 0, 0}, {LEDGER_INSIDE, -2, 1, 1},   {LEDGER_INSIDE, -5, 1, 1},
      {LEDGER_INSIDE, 3, 1, 1},    {LEDGER_EARLY, -40, 0, NAN},
  };
  assert_int_equal(ledger_record_text(text, sizeof(text), j, 8, 6), 6);
  assert_string_equal(text, "last 6 forecasts: 5 inside the range, median 5 days early");
  assert_int_equal(ledger_record_text(text, sizeof(text), j + 3, 1, 6), 0);
  assert_string_equal(text, "");
  assert_int_equal(ledger_record_text(text, sizeof(text), j + 6, 1, 6), 1);
  assert_string_equal(text, "last 1 forecast: 1 inside the range, median 3 days late");
}

static void a_forecast_is_kept_once_and_survives_a_torn_line(void **state)
{
  (void)state;
  struct tm_error err = {0};
  struct ledger l = {0};
  assert_int_equal(ledger_read(&l, state_dir, "host", "dev", &err), 0);
  assert_int_equal(l.len, 0);
  struct ledger_entry e = entry(10, 20, 30, -1);
  e.probability[0] = 0.25;
  e.probability[1] = NAN;
  assert_int_equal(ledger_append(state_dir, "host", "dev", &e, &err), 1);
  assert_int_equal(ledger_append(state_dir, "host", "dev", &e, &err), 0);
  char path[128];
  snprintf(path, sizeof(path), "%s/ledger/host/dev.ndjson", state_dir);
  FILE *f = fopen(path, "a");
  fputs("{\"at\":\"2026-", f);
  fclose(f);
  e.at += DAY;
  assert_int_equal(ledger_append(state_dir, "host", "dev", &e, &err), 1);
  assert_int_equal(ledger_read(&l, state_dir, "host", "dev", &err), 0);
  assert_int_equal(l.len, 2);
  assert_int_equal(l.damaged, 1);
  assert_int_equal(l.damage, 2);
  assert_int_equal(l.entries[0].at, 10 * DAY);
  assert_string_equal(l.entries[0].of, "capacity");
  assert_true(l.entries[0].fill[3] == 30 * DAY && l.entries[0].fill[5] == FORECAST_NONE);
  assert_true(l.entries[0].probability[0] == 0.25 && isnan(l.entries[0].probability[1]));
  ledger_release(&l);
  assert_int_equal(ledger_prune(state_dir, "host", "dev", 11 * DAY, &err), 1);
  assert_int_equal(ledger_read(&l, state_dir, "host", "dev", &err), 0);
  assert_int_equal(l.len, 1);
  ledger_release(&l);
  assert_int_equal(ledger_append(state_dir, "../x", "dev", &e, &err), -EINVAL);
  unlink(path);
  snprintf(path, sizeof(path), "%s/ledger/host", state_dir);
  rmdir(path);
  snprintf(path, sizeof(path), "%s/ledger", state_dir);
  rmdir(path);
  assert_int_equal(rmdir(state_dir), 0);
}

#define AT_ONCE 6
#define ROUNDS  200

/* The timer and an administrator: each forecast once, and none lost to whoever prunes meanwhile. */
static void runs_side_by_side_keep_each_forecast_once(void **state)
{
  (void)state;
  struct tm_error err = {0};
  struct ledger l = {0};
  char folder[] = "/tmp/tidemark-ledgers-XXXXXX", path[128];
  assert_non_null(mkdtemp(folder));
  for (int round = 0; round < ROUNDS; round++) {
    struct ledger_entry old = entry(round, 20, 30, -1);
    assert_int_equal(ledger_append(folder, "host", "dev", &old, &err), 1);
  }
  int gate[2];
  char nothing;
  assert_int_equal(pipe(gate), 0);
  for (int child = 0; child < AT_ONCE; child++) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid != 0)
      continue;
    close(gate[1]);
    int rc = read(gate[0], &nothing, 1) == 0 ? 0 : -EIO; /* until all of them are there */
    for (int round = 0; rc >= 0 && round < ROUNDS; round++) {
      struct ledger_entry e = entry(ROUNDS + round, 20, 30, -1);
      if (child == 0)
        rc = ledger_prune(folder, "host", "dev", (int64_t)(round + 1) * DAY, &err);
      if (rc >= 0)
        rc = ledger_append(folder, "host", "dev", &e, &err);
    }
    _exit(rc < 0);
  }
  close(gate[0]);
  close(gate[1]);
  for (int child = 0; child < AT_ONCE; child++) {
    int status = 0;
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
  }
  assert_int_equal(ledger_read(&l, folder, "host", "dev", &err), 0);
  assert_int_equal(l.len, ROUNDS);
  for (int i = 0; i < ROUNDS; i++)
    assert_int_equal(l.entries[i].at, (ROUNDS + i) * DAY);
  ledger_release(&l);
  snprintf(path, sizeof(path), "%s/ledger/host/dev.ndjson", folder);
  unlink(path);
  snprintf(path, sizeof(path), "%s/ledger/host", folder);
  rmdir(path);
  snprintf(path, sizeof(path), "%s/ledger", folder);
  rmdir(path);
  assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(forecasts_are_judged_by_what_happened),
      cmocka_unit_test(the_record_is_told_in_words),
      cmocka_unit_test(a_forecast_is_kept_once_and_survives_a_torn_line),
      cmocka_unit_test(runs_side_by_side_keep_each_forecast_once),
  };
  if (mkdtemp(state_dir) == NULL)
    return 1;
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
