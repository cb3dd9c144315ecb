/* SPDX-License-Identifier: MIT */
/* What keeps interval maxima from being exact is named, with the line to change. */
#include "analyzer/source/rrd.h"
#include "analyzer/source/rrd_settings.h"
#include "tests/lib/shell.h"
#include "tests/lib/test_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PLACE "gw/disk_array-a"
#define COUNT PLACE "/interval_count-transfers.rrd"
#define EXACT                                                                                      \
  "RRA:AVERAGE:0.1:1:17664 RRA:MAX:0.1:1:17664 RRA:AVERAGE:0.1:12:17664 RRA:MAX:0.1:12:17664"

/* All findings of the folder, one line each; the caller frees. */
static char *findings(int64_t interval_s)
{
  struct rrd_options o = {
      .path = test_folder, .as_of = INT64_MIN, .interval_s = interval_s, .settings = true};
  struct rrd_source *src = NULL;
  struct tm_error err;
  struct series s;
  char *text = calloc(1, 65536);
  assert_non_null(text);
  assert_int_equal(rrd_source_open(&src, &o, &err), 0);
  assert_int_equal(rrd_source_start(src, 1, &err), 0);
  while (rrd_source_next(src, 0, &s, &err) > 0)
    for (size_t i = 0; i < s.n_refused; i++)
      sprintf(text + strlen(text), "%s\n", s.refused[i].text);
  rrd_source_free(src);
  return text;
}

static void create(const char *file, int step, const char *ds, const char *archives)
{
  run("mkdir -p %s/" PLACE "; rrdtool create %s/%s --start 1790000000 --step %d %s %s", test_folder,
      test_folder, file, step, ds, archives);
}

static void files_that_cannot_be_exact_are_named(void **state)
{
  (void)state;
  static const struct {
    int64_t interval_s;
    int step;
    const char *ds;
    const char *archives;
    const char *want; /* NULL: nothing to say */
  } cases[] = {
      {0, 300, "DS:value:GAUGE:600:0:U", EXACT, NULL},
      {300, 300, "DS:value:GAUGE:600:0:U", EXACT, NULL},
      {300, 10, "DS:value:GAUGE:600:0:U", "RRA:MAX:0.1:1:300000", NULL},
      {300, 70, "DS:value:GAUGE:600:0:U", EXACT, "write 'StepSize 300'"},
      {300, 600, "DS:value:GAUGE:1200:0:U", EXACT, "does not divide the unit interval of 300 s"},
      {300, 10, "DS:value:GAUGE:20:0:U", "RRA:MAX:0.1:1:300000", "--heartbeat value:600"},
      {300, 300, "DS:value:GAUGE:600:0:U", "RRA:AVERAGE:0.1:1:17664", "no archive of maxima"},
      {300, 300, "DS:value:GAUGE:600:0:U", "RRA:MAX:0.1:1:2016 RRA:MAX:0.1:7:1276",
       "exact for 7 days only, for rows of 2100 s"},
      {300, 300, "DS:value:DERIVE:600:0:U", EXACT, "is no gauge"},
      {300, 300, "DS:a:GAUGE:600:0:U DS:b:GAUGE:600:0:U", EXACT, "is no gauge of one value"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    create(COUNT, cases[i].step, cases[i].ds, cases[i].archives);
    char *got = findings(cases[i].interval_s);
    if (cases[i].want == NULL)
      assert_string_equal(got, "");
    else if (strstr(got, COUNT ": ") == NULL || strstr(got, cases[i].want) == NULL)
      fail_msg("want '%s', got '%s'", cases[i].want, got);
    free(got);
  }
}

static void rates_alone_are_approximate(void **state)
{
  (void)state;
  create(PLACE "/transfers-completed.rrd", 10, "DS:value:DERIVE:20:0:U", "RRA:MAX:0.1:1:100");
  run("rm %s/" COUNT, test_folder);
  char *got = findings(300);
  assert_non_null(strstr(got, PLACE ": has rates and no interval_count"));
  free(got);
}

static void damaged_files_are_named_too(void **state)
{
  (void)state;
  run("echo text > %s/" COUNT, test_folder);
  char *got = findings(300);
  assert_non_null(strstr(got, COUNT ": is not an RRD file"));
  free(got);
}

static void gather(void *ctx, const char *text)
{
  sprintf((char *)ctx + strlen(ctx), "%s\n", text);
}

static void lines_of_collectd_conf_are_named(void **state)
{
  (void)state;
  char path[256];
  char text[4096] = "";
  char want[2048];
  struct tm_error err;
  snprintf(path, sizeof(path), "%s/collectd.conf", test_folder);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs("Interval 10\n"
        "<Plugin \"csv\">\n  StepSize 7\n</Plugin>\n"
        "<Plugin rrdtool>\n"
        "  DataDir \"/var/lib/collectd/rrd\"\n"
        "  StepSize 70\n"
        "  # HeartBeat 1\n"
        "  HeartBeat 20\n"
        "\tCacheTimeout \"120\"\n"
        "  RRARows 1200\n"
        "</Plugin>\n"
        "HeartBeat 5\n"
        "<plugin RRDtool>\n"
        "  StepSize 10\n  HeartBeat 600\n  CacheTimeout 0\n"
        "</plugin>\n",
        f);
  fclose(f);
  assert_int_equal(rrd_settings_conf(path, 300, gather, text, &err), 0);
  snprintf(
      want, sizeof(want),
      "%s:7: StepSize 70 does not divide the unit interval of 300 s; write 'StepSize 300'\n"
      "%s:9: HeartBeat 20 makes late counts unknown; write 'HeartBeat 600'\n"
      "%s:10: CacheTimeout 120: counts of as many seconds are lost with a kill or a power cut; "
      "'CacheTimeout 0' loses none\n",
      path, path, path);
  assert_string_equal(text, want);
  assert_true(rrd_settings_conf("/nonexistent", 300, gather, text, &err) < 0);
}

int main(void)
{
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(files_that_cannot_be_exact_are_named),
      cmocka_unit_test(rates_alone_are_approximate),
      cmocka_unit_test(damaged_files_are_named_too),
      cmocka_unit_test(lines_of_collectd_conf_are_named),
  };
  return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
