/* SPDX-License-Identifier: MIT */
/* covers: analyzer/source/rrd_settings.c */
/* A collectd.conf, or (where it begins as one) an RRD file of interval counts, looked through for
 * what keeps maxima from being exact. */
#include "analyzer/source/rrd_settings.h"

#include "analyzer/source/rrd_file.h"
#include "tests/lib/fuzz_folder.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void heard(void *ctx, const char *text)
{
  assert(strstr(text, (const char *)ctx) != NULL); /* every finding names its file */
}

static int visit(struct rrd_file *f, void *ctx, struct tm_error *err)
{
  (void)err;
  rrd_settings_check(f, 0, heard, ctx);
  rrd_settings_check(f, 300, heard, ctx);
  return 0;
}

static void look_at_rrd(const uint8_t *data, size_t size)
{
  static char name[] = "interval_count-transfers.rrd";
  static struct rrd_file *f;
  struct tm_error err = {0};
  if (f == NULL)
    f = malloc(sizeof(*f));
  if (f == NULL)
    abort();
  fuzz_file(name, data, size);
  int folder = open(fuzz_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  rrd_file_init(f);
  rrd_file_visit(f, folder, "folder", name, 0, visit, name, &err);
  rrd_file_release(f);
  close(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static char name[] = "collectd.conf";
  char path[PATH_MAX];
  struct tm_error err = {0};
  if (size > 4 && memcmp(data, "RRD", 4) == 0) {
    look_at_rrd(data, size);
    return 0;
  }
  fuzz_file(name, data, size);
  int rc = rrd_settings_conf(fuzz_path(path, name), 300, heard, name, &err);
  assert(rc == 0 || err.text[0] != '\0');
  return 0;
}
