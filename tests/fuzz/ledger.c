/* SPDX-License-Identifier: MIT */
/* covers: analyzer/ledger.c */
/* The track record as a power cut, or somebody, may have left it: what can be read of it is judged,
 * and it can be added to and pruned. */
#include "analyzer/ledger.h"

#include "tests/lib/fuzz_folder.h"

#include <assert.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 40, DAY = 86400 };

static void judge(const struct ledger *l)
{
  int64_t time[ROWS];
  double value[ROWS], errors[ROWS];
  struct ledger_judgement told[8];
  char text[200];
  size_t n = 0;
  for (size_t i = 0; i < ROWS; i++) {
    time[i] = 1790000000 + (int64_t)i * DAY;
    value[i] = i % 7 == 3 ? NAN : (double)i * 1e11;
  }
  for (size_t i = 0; i < l->len && n < 8; i++) {
    told[n] =
        ledger_judge(&l->entries[i], time, value, ROWS, i % 2 == 0 ? FORECAST_UP : FORECAST_DOWN);
    assert(told[n].outcome <= LEDGER_LATE);
    errors[n] = told[n].error_days;
    n++;
  }
  ledger_median(errors, n);
  ledger_record_text(text, sizeof(text), told, n, 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct ledger l = {0};
  struct tm_error err = {0};
  static int made;
  if (!made) {
    fuzz_dir("ledger");
    fuzz_dir("ledger/gw.example.com");
    made = 1;
  }
  fuzz_file("ledger/gw.example.com/array-01.ndjson", data, size);
  if (ledger_read(&l, fuzz_folder(), "gw.example.com", "array-01", &err) == 0) {
    size_t had = l.len;
    judge(&l);
    struct ledger_entry one = {.at = 1793456000, .of = "capacity", .used = 1, .limit = NAN};
    if (had > 0)
      one = l.entries[had - 1];
    one.at += had % 2 == 0;
    int added = ledger_append(fuzz_folder(), "gw.example.com", "array-01", &one, &err);
    ledger_release(&l);
    assert(added < 0 || (ledger_read(&l, fuzz_folder(), "gw.example.com", "array-01", &err) == 0 &&
                         l.len >= had));
    ledger_prune(fuzz_folder(), "gw.example.com", "array-01", 1791000000, &err);
  }
  ledger_release(&l);
  static const struct forecast_result result = {.model = "trend", .last_time = 1793456000};
  struct ledger_entry of_result;
  ledger_entry_make(&of_result, "capacity", &result);
  assert(strcmp(of_result.of, "capacity") == 0 && of_result.at == result.last_time);
  assert(ledger_read(&l, fuzz_folder(), "../..", "array-01", &err) < 0);
  return 0;
}
