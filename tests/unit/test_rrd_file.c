/* SPDX-License-Identifier: MIT */
/*
 * The reader of RRD files against rrdtool itself: the same rows. With files as arguments it
 * compares those alone (files that a real collectd wrote).
 */
#include "analyzer/source/rrd_file.h"

#include <fcntl.h>
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

#include "tests/lib/rrd_files.h"

/* --- the same rows as rrdtool fetch ---------------------------------------------------------- */

/* rrdtool prints the sign of a NaN; which one it has is of no meaning. */
static void drop_nan_signs(char *s)
{
  char *to = s;
  for (; *s != '\0'; s++)
    if (!(s[0] == '-' && strncmp(s + 1, "nan", 3) == 0))
      *to++ = *s;
  *to = '\0';
}

static char *fetch(const char *path, const struct rrd_archive *a)
{
  static const char *const names[] = {"AVERAGE", "MIN", "MAX", "LAST"};
  char command[1024];
  int64_t oldest = a->newest - (int64_t)a->rows * a->span;
  snprintf(command, sizeof(command),
           "rrdtool fetch '%s' %s -r %lld -s %lld -e %lld | sed '1,2d;/^$/d'", path, names[a->cf],
           (long long)a->span, (long long)oldest, (long long)a->newest - 1);
  FILE *p = popen(command, "r");
  assert_non_null(p);
  size_t cap = 64 << 20;
  char *text = malloc(cap);
  assert_non_null(text);
  size_t n = fread(text, 1, cap - 1, p);
  text[n] = '\0';
  assert_int_equal(pclose(p), 0);
  return text;
}

static void compare_with_rrdtool(const char *path)
{
  struct tm_error err = {0};
  if (rrd_file_visit(file, AT_FDCWD, "", path, 0, NULL, NULL, &err) != 0)
    fail_msg("%s", err.text);
  size_t n = file->shape.n_archives;
  for (size_t i = 0; i < n; i++) {
    struct compare c = {.path = path, .archive = i};
    if (rrd_file_visit(file, AT_FDCWD, "", path, 0, visit_archive, &c, &err) != 0)
      fail_msg("%s", err.text);
    if (file->archive[i].cf == RRD_CF_OTHER) {
      free(c.ours);
      continue;
    }
    assert_true(c.rows == file->archive[i].rows);
    char *theirs = fetch(path, &file->archive[i]);
    drop_nan_signs(theirs);
    drop_nan_signs(c.ours);
    if (strcmp(theirs, c.ours) != 0)
      fail_msg("%s: archive %zu differs from rrdtool fetch", path, i);
    free(theirs);
    free(c.ours);
  }
}

static void rows_are_those_of_rrdtool_fetch(void **state)
{
  (void)state;
  char path[256];
  make_file("many.rrd",
            "--step 10 DS:a:GAUGE:40:U:U DS:b:DERIVE:40:0:U RRA:AVERAGE:0.5:1:300 "
            "RRA:MIN:0.5:1:300 RRA:MAX:0.1:7:200 RRA:LAST:0.5:6:1000 RRA:AVERAGE:0.9:60:40 "
            "RRA:MAX:0.5:360:10 RRA:AVERAGE:0.5:8640:3",
            2000, 9);
  snprintf(path, sizeof(path), "%s/many.rrd", test_folder);
  compare_with_rrdtool(path);
}

static void long_archives_are_read_in_pieces(void **state)
{
  (void)state;
  char path[256];
  make_file("long.rrd", "--step 60 DS:a:GAUGE:600:U:U DS:b:GAUGE:600:U:U RRA:AVERAGE:0.5:1:20000",
            600, 300);
  snprintf(path, sizeof(path), "%s/long.rrd", test_folder);
  compare_with_rrdtool(path);
}

static void large_headers_are_read(void **state)
{
  (void)state;
  char command[4096] = "--step 10";
  char path[256];
  for (int i = 0; i < 2; i++)
    sprintf(command + strlen(command), " DS:d%d:GAUGE:40:U:U", i);
  for (int i = 1; i <= 120; i++)
    sprintf(command + strlen(command), " RRA:MAX:0.5:%d:5", i);
  make_file("wide.rrd", command, 400, 10);
  snprintf(path, sizeof(path), "%s/wide.rrd", test_folder);
  compare_with_rrdtool(path);
  assert_true(file->shape.header_size > 8192);
}

static void holt_winters_archives_are_passed_over(void **state)
{
  (void)state;
  char path[256];
  make_file("hw.rrd",
            "--step 10 DS:a:GAUGE:40:U:U DS:b:GAUGE:40:U:U RRA:AVERAGE:0.5:1:100 "
            "RRA:HWPREDICT:144:0.1:0.0035:36 RRA:MAX:0.5:2:50",
            300, 9);
  snprintf(path, sizeof(path), "%s/hw.rrd", test_folder);
  compare_with_rrdtool(path);
}

/* --- choice of rows -------------------------------------------------------------------------- */

static void rows_are_chosen_by_their_end(void **state)
{
  (void)state;
  struct tm_error err;
  int at = open(test_folder, O_RDONLY | O_DIRECTORY);
  assert_int_equal(rrd_file_visit(file, at, test_folder, "many.rrd", 0, NULL, NULL, &err), 0);
  int64_t newest = file->archive[0].newest;
  int64_t oldest = newest - 299 * 10;
  const struct choice wanted[] = {{oldest - 1, newest, 300, oldest, newest},
                                  {oldest, newest, 299, oldest + 10, newest},
                                  {oldest + 5, newest - 5, 298, oldest + 10, newest - 10},
                                  {newest - 10, newest, 1, newest, newest},
                                  {newest - 9, newest + 100, 1, newest, newest},
                                  {newest, newest + 100, 0, 0, 0},
                                  {oldest - 1000, oldest - 1, 0, 0, 0},
                                  {oldest - 1000, oldest, 1, oldest, oldest},
                                  {newest - 5, newest - 20, 0, 0, 0}};
  for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
    struct choice c = wanted[i];
    assert_int_equal(rrd_file_visit(file, at, test_folder, "many.rrd", 0, visit_choice, &c, &err),
                     0);
    assert_int_equal(c.n, wanted[i].n);
    if (c.n > 0) {
      assert_int_equal(c.first, wanted[i].first);
      assert_int_equal(c.last, wanted[i].last);
    }
  }
  close(at);
}

static void the_finest_archive_that_reaches_back_is_taken(void **state)
{
  (void)state;
  struct tm_error err;
  int at = open(test_folder, O_RDONLY | O_DIRECTORY);
  assert_int_equal(rrd_file_visit(file, at, test_folder, "many.rrd", 0, NULL, NULL, &err), 0);
  close(at);
  int64_t last = file->last_update;
  assert_int_equal(rrd_file_archive(file, RRD_CF_AVERAGE, last - 1000), 0);
  assert_int_equal(rrd_file_archive(file, RRD_CF_AVERAGE, last - 10000), 4);
  assert_int_equal(rrd_file_archive(file, RRD_CF_AVERAGE, last - 100000), 6);
  assert_int_equal(rrd_file_archive(file, RRD_CF_AVERAGE, 0), 6);
  assert_int_equal(rrd_file_archive(file, RRD_CF_MAX, last - 13000), 2);
  assert_int_equal(rrd_file_archive(file, RRD_CF_MIN, 0), 1);
  assert_int_equal(rrd_file_archive(file, RRD_CF_OTHER, 0), -1);
}

static void the_newest_value_is_the_one_sent_last(void **state)
{
  (void)state;
  struct tm_error err;
  struct rrd_data_source s;
  run("rrdtool create %s/now.rrd --start %ld --step 10 DS:a:GAUGE:40:0:100 DS:b:DERIVE:40:0:U "
      "RRA:AVERAGE:0.5:1:10",
      test_folder, START);
  int at = open(test_folder, O_RDONLY | O_DIRECTORY);
  static const struct {
    const char *sent;
    double value;
  } cases[] = {{"42.5", 42.5}, {"U", NAN}, {"101", NAN}, {"100", 100}, {"-1", NAN}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    run("rrdtool update %s/now.rrd %ld:%s:7", test_folder, START + 10 * (long)(i + 1),
        cases[i].sent);
    assert_int_equal(rrd_file_visit(file, at, test_folder, "now.rrd", 0, NULL, NULL, &err), 0);
    rrd_file_source(file, 0, &s);
    assert_true(isnan(cases[i].value) ? isnan(s.newest) : s.newest == cases[i].value);
    assert_string_equal(s.name, "a");
    assert_int_equal(s.heartbeat, 40);
    rrd_file_source(file, 1, &s);
    assert_true(isnan(s.newest)); /* a counter's last reading is no rate */
  }
  assert_int_equal(rrd_file_find(file, "b"), 1);
  assert_int_equal(rrd_file_find(file, "c"), -1);
  close(at);
}

/* --- beside a writer ------------------------------------------------------------------------- */

#define UPDATES 1000

/* Each row's value is its own time: a torn row is one that shows another. */
static void check_times(void *ctx, int64_t end, int64_t span, const double *v, size_t n,
                        size_t stride)
{
  unsigned long *known = ctx;
  for (size_t i = 0; i < n; i++, end += span) {
    double x = v[i * stride];
    if (isnan(x))
      continue;
    double late = span == 10 ? 0 : (double)(span - 10) / 2; /* the mean of the steps of a row */
    if (x != (double)(end - START) - late)
      fail_msg("row %lld of %lld s: %.3f", (long long)end, (long long)span, x + (double)START);
    (*known)++;
  }
}

static int visit_times(struct rrd_file *f, void *ctx, struct tm_error *err)
{
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < f->shape.n_archives; i++)
    rc = rrd_file_rows(f, i, 0, INT64_MIN / 2, INT64_MAX / 2, check_times, ctx, err);
  return rc;
}

static void updates_succeed_and_no_row_is_torn(void **state)
{
  (void)state;
  run("rrdtool create %s/busy.rrd --start %ld --step 10 DS:a:GAUGE:40:U:U RRA:AVERAGE:0.5:1:20 "
      "RRA:AVERAGE:0.5:4:30",
      test_folder, START);
  pid_t writer = fork();
  assert_true(writer >= 0);
  if (writer == 0) {
    char command[1024];
    snprintf(command, sizeof(command),
             "for i in $(seq 1 %d); do echo update %s/busy.rrd $((%ld + i * 10)):$((i * 10)); done "
             "| rrdtool - > %s/busy.out",
             UPDATES, test_folder, START, test_folder);
    _exit(system(command) == 0 ? 0 : 1);
  }
  int at = open(test_folder, O_RDONLY | O_DIRECTORY);
  unsigned long reads = 0;
  int status = 0;
  while (waitpid(writer, &status, WNOHANG) == 0) {
    struct tm_error err = {0};
    struct compare c = {.archive = reads % 2};
    if (rrd_file_visit(file, at, test_folder, "busy.rrd", 0, visit_archive, &c, &err) != 0)
      fail_msg("%s", err.text);
    /* Judged only now, when the reader says that it is one state of the file. */
    unsigned long known = 0;
    for (char *line = strtok(c.ours, "\n"); line != NULL; line = strtok(NULL, "\n")) {
      long long end;
      double x;
      if (sscanf(line, "%lld: %lf", &end, &x) == 2)
        check_times(&known, end, c.span, &x, 1, 1);
    }
    free(c.ours);
    reads++;
  }
  close(at);
  assert_int_equal(status, 0);
  run("test $(grep -c '^OK' %s/busy.out) = %d", test_folder, UPDATES);
  assert_true(reads > 50);
  struct tm_error err = {0};
  unsigned long known = 0;
  at = open(test_folder, O_RDONLY | O_DIRECTORY);
  assert_int_equal(rrd_file_visit(file, at, test_folder, "busy.rrd", 0, visit_times, &known, &err),
                   0);
  assert_int_equal(known, 50);
  close(at);
}

int main(int argc, char **argv)
{
  cmocka_set_message_output(CM_OUTPUT_TAP);
  if (argc > 1) {
    file = malloc(sizeof(*file));
    rrd_file_init(file);
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++) {
      compare_with_rrdtool(argv[i]);
      printf("ok %d - %s: the rows of rrdtool fetch\n", i, strrchr(argv[i], '/'));
    }
    rrd_file_release(file);
    free(file);
    return 0;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_those_of_rrdtool_fetch),
      cmocka_unit_test(long_archives_are_read_in_pieces),
      cmocka_unit_test(large_headers_are_read),
      cmocka_unit_test(holt_winters_archives_are_passed_over),
      cmocka_unit_test(rows_are_chosen_by_their_end),
      cmocka_unit_test(the_finest_archive_that_reaches_back_is_taken),
      cmocka_unit_test(the_newest_value_is_the_one_sent_last),
      cmocka_unit_test(updates_succeed_and_no_row_is_torn),
  };
  return cmocka_run_group_tests_name("rrd_file", tests, rrd_files_set_up, rrd_files_tear_down);
}
