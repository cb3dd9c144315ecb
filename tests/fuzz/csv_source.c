/* SPDX-License-Identifier: MIT */
/* covers: analyzer/source/csv.c */
/* Histories from a CSV file: the devices that it names and the series of each. */
#include "analyzer/source/source.h"

#include "tests/lib/fuzz_folder.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct series *s)
{
  for (size_t i = 1; i < s->n; i++)
    assert(s->time[i] > s->time[i - 1]);
  for (size_t i = 1; i < s->maxima.n; i++)
    assert(s->maxima.day[i].start == s->maxima.day[i - 1].end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char path[PATH_MAX];
  struct source *src = NULL;
  struct tm_error err = {0};
  struct series s;
  size_t told = 0;
  fuzz_file("site.csv", data, size);
  const struct source_options options = {.type = SOURCE_CSV,
                                         .path = fuzz_path(path, "site.csv"),
                                         .as_of = size % 3 == 0 ? 1795133100 : INT64_MIN,
                                         .history_days = 90,
                                         .host = size % 5 == 0 ? "site" : NULL,
                                         .folder = size % 5 == 0 ? "disk_array-a" : NULL,
                                         .shards = size % 7 == 0 ? 2 : 0};
  int rc = source_open(&src, &options, &err);
  assert(rc == 0 || err.text[0] != '\0');
  if (rc == 0 && source_start(src, 1, &err) == 0) {
    while (source_next(src, 0, &s, &err) == 1) {
      assert(s.index < source_count(src) && told++ < source_count(src));
      assert(source_device(src, s.index).host[0] != '\0');
      check(&s);
    }
  }
  source_free(src);
  return 0;
}
