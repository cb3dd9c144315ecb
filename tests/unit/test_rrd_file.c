/* SPDX-License-Identifier: MIT */
/*
 * The reader of RRD files against rrdtool itself: the same rows, and every damaged file refused by
 * name. With files as arguments it compares those alone (files that a real collectd wrote).
 */
#include "analyzer/source/rrd_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define START 1700000000L

static char folder[] = "/tmp/tidemark-rrd-XXXXXX";
static struct rrd_file *file;

/* Runs a shell command in the folder; it must succeed. */
static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *fmt, ...)
{
  char command[8192];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(command, sizeof(command), fmt, ap);
  va_end(ap);
  int status = system(command);
  if (status != 0)
    fail_msg("%s: status %d", command, status);
}

/* --- the same rows as rrdtool fetch ---------------------------------------------------------- */

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

static void add_text(struct compare *c, const char *text)
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

static void print_rows(void *ctx, int64_t end, int64_t span, const double *v, size_t n,
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

/* rrdtool prints the sign of a NaN; which one it has is of no meaning. */
static void drop_nan_signs(char *s)
{
  char *to = s;
  for (; *s != '\0'; s++)
    if (!(s[0] == '-' && strncmp(s + 1, "nan", 3) == 0))
      *to++ = *s;
  *to = '\0';
}

static int visit_archive(struct rrd_file *f, void *ctx, struct tm_error *err)
{
  struct compare *c = ctx;
  c->len = c->rows = 0;
  c->n_ds = f->n_ds;
  c->span = f->archive[c->archive].span;
  return rrd_file_rows(f, c->archive, 0, INT64_MIN / 2, INT64_MAX / 2, print_rows, c, err);
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
  size_t n = file->n_archives;
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

/* One update every `gap` seconds, a gap of hours in between, two data sources. */
static void make_file(const char *name, const char *create, int updates, int gap)
{
  run("rrdtool create %s/%s --start %ld %s", folder, name, START - 1, create);
  char path[256];
  snprintf(path, sizeof(path), "%s/commands", folder);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  long t = START;
  for (int i = 0; i < updates; i++) {
    t += i == updates / 2 ? 20000 : gap + i % 3;
    fprintf(f, "update %s/%s %ld:%d.%d:%d\n", folder, name, t, i * 37 % 1000, i % 10, i * 12);
  }
  fclose(f);
  run("rrdtool - < %s > %s/answers && ! grep ERROR %s/answers", path, folder, folder);
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
  snprintf(path, sizeof(path), "%s/many.rrd", folder);
  compare_with_rrdtool(path);
}

static void long_archives_are_read_in_pieces(void **state)
{
  (void)state;
  char path[256];
  make_file("long.rrd", "--step 60 DS:a:GAUGE:600:U:U DS:b:GAUGE:600:U:U RRA:AVERAGE:0.5:1:20000",
            600, 300);
  snprintf(path, sizeof(path), "%s/long.rrd", folder);
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
  snprintf(path, sizeof(path), "%s/wide.rrd", folder);
  compare_with_rrdtool(path);
  assert_true(file->header_size > 8192);
}

static void holt_winters_archives_are_passed_over(void **state)
{
  (void)state;
  char path[256];
  make_file("hw.rrd",
            "--step 10 DS:a:GAUGE:40:U:U DS:b:GAUGE:40:U:U RRA:AVERAGE:0.5:1:100 "
            "RRA:HWPREDICT:144:0.1:0.0035:36 RRA:MAX:0.5:2:50",
            300, 9);
  snprintf(path, sizeof(path), "%s/hw.rrd", folder);
  compare_with_rrdtool(path);
}

/* --- choice of rows -------------------------------------------------------------------------- */

struct choice {
  int64_t after;
  int64_t until;
  size_t n;
  int64_t first;
  int64_t last;
};

static void count_rows(void *ctx, int64_t end, int64_t span, const double *v, size_t n,
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

static int visit_choice(struct rrd_file *f, void *ctx, struct tm_error *err)
{
  struct choice *c = ctx;
  c->n = 0;
  return rrd_file_rows(f, 0, 0, c->after, c->until, count_rows, c, err);
}

static void rows_are_chosen_by_their_end(void **state)
{
  (void)state;
  struct tm_error err;
  int at = open(folder, O_RDONLY | O_DIRECTORY);
  assert_int_equal(rrd_file_visit(file, at, folder, "many.rrd", 0, NULL, NULL, &err), 0);
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
    assert_int_equal(rrd_file_visit(file, at, folder, "many.rrd", 0, visit_choice, &c, &err), 0);
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
  int at = open(folder, O_RDONLY | O_DIRECTORY);
  assert_int_equal(rrd_file_visit(file, at, folder, "many.rrd", 0, NULL, NULL, &err), 0);
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
      folder, START);
  int at = open(folder, O_RDONLY | O_DIRECTORY);
  static const struct {
    const char *sent;
    double value;
  } cases[] = {{"42.5", 42.5}, {"U", NAN}, {"101", NAN}, {"100", 100}, {"-1", NAN}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    run("rrdtool update %s/now.rrd %ld:%s:7", folder, START + 10 * (long)(i + 1), cases[i].sent);
    assert_int_equal(rrd_file_visit(file, at, folder, "now.rrd", 0, NULL, NULL, &err), 0);
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

/* --- refusals -------------------------------------------------------------------------------- */

static char *original;
static size_t original_size;

static void write_bytes(const char *name, const void *bytes, size_t n)
{
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

static void load_original(void)
{
  char path[256];
  snprintf(path, sizeof(path), "%s/small.rrd", folder);
  if (original != NULL)
    return;
  make_file("small.rrd",
            "--step 10 DS:a:GAUGE:40:U:U DS:b:DERIVE:40:0:U RRA:AVERAGE:0.5:1:30 "
            "RRA:MAX:0.5:6:20",
            100, 10);
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  original = malloc(65536);
  original_size = fread(original, 1, 65536, f);
  fclose(f);
}

/* Reads FOLDER/name; it must be refused with a message that names it and gives this reason. */
static void must_refuse(const char *name, const char *reason)
{
  struct tm_error err = {0};
  int at = open(folder, O_RDONLY | O_DIRECTORY);
  int rc = rrd_file_visit(file, at, folder, name, 0, visit_choice, &(struct choice){0}, &err);
  close(at);
  char start[512];
  snprintf(start, sizeof(start), "%s/%s: ", folder, name);
  if (rc >= 0)
    fail_msg("%s was accepted, wanted: %s", name, reason);
  if (strncmp(err.text, start, strlen(start)) != 0 || strstr(err.text, reason) == NULL)
    fail_msg("got '%s', wanted '%s...%s'", err.text, start, reason);
}

/* Where the parts of small.rrd lie: 2 data sources, 2 archives. */
enum {
  AT_VERSION = 4,
  AT_COOKIE = 16,
  AT_DS_CNT = 24,
  AT_RRA_CNT = 32,
  AT_STEP = 40,
  AT_DS = 128,
  AT_RRA = AT_DS + 2 * 120,
  AT_LIVE = AT_RRA + 2 * 120,
  AT_POINTERS = AT_LIVE + 16 + 2 * 112 + 4 * 80
};

static void damaged_headers_are_refused_by_name_and_reason(void **state)
{
  (void)state;
  load_original();
  static const struct {
    size_t at;
    const char *bytes;
    size_t n;
    const char *reason;
  } cases[] = {
      {0, "XRD", 3, "is not an RRD file"},
      {AT_VERSION, "0006", 4, "unknown RRD version '0006'"},
      {AT_VERSION, "0000", 4, "unknown RRD version"},
      {AT_VERSION, "\x1b[2J", 4, "unknown RRD version"},
      {AT_COOKIE, "\0\0", 2, "float cookie"},
      {AT_DS_CNT, "\0", 1, "0 data sources"},
      {AT_DS_CNT, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "data sources"},
      {AT_DS_CNT, "\x02\0\0\0\x02\0\0\0", 8, "32-bit"},
      {AT_DS_CNT, "\xe8\x03", 2, "truncated"},
      {AT_RRA_CNT, "\0", 1, "0 archives"},
      {AT_RRA_CNT, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8, "archives"},
      {AT_RRA_CNT, "\xff", 1, "truncated"},
      {AT_STEP, "\0", 1, "a step of 0 s"},
      {AT_STEP, "\xff\xff\xff\xff\xff", 5, "a step of"},
      {AT_DS, "\0", 1, "the name of data source 0"},
      {AT_DS, "aaaaaaaaaaaaaaaaaaaa", 20, "the name of data source 0"},
      {AT_DS + 120, "b;rm", 4, "the name of data source 1"},
      {AT_DS + 20, "GUAGE", 5, "the type of data source 0"},
      {AT_DS + 20, "GAUGEGAUGEGAUGEGAUGE", 20, "the type of data source 0"},
      {AT_RRA, "AVERAGEX", 8, "unknown kind"},
      {AT_RRA + 120, "NONE", 4, "unknown kind"},
      {AT_RRA + 24, "\0", 1, "archive 0 has 0 rows"},
      {AT_RRA + 24, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "archive 0 has"},
      {AT_RRA + 24, "\xff", 1, "truncated"},
      {AT_RRA + 24, "\x1d", 1, "longer than its header says"},
      {AT_RRA + 32, "\0", 1, "0 steps a row"},
      {AT_RRA + 32, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "steps a row"},
      {AT_RRA + 32, "\xff\xff\xff\xff\xff\xff\xff\x1f", 8, "steps a row"},
      {AT_LIVE, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "last update"},
      {AT_LIVE, "\0\0\0\0\0\0\0\x7f", 8, "last update"},
      {AT_POINTERS, "\x1e", 1, "row pointer of archive 0"},
      {AT_POINTERS + 8, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "row pointer of archive 1"}};
  char *copy = malloc(original_size);
  assert_non_null(copy);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    memcpy(copy, original, original_size);
    memcpy(copy + cases[i].at, cases[i].bytes, cases[i].n);
    write_bytes("damaged.rrd", copy, original_size);
    must_refuse("damaged.rrd", cases[i].reason);
  }
  free(copy);
}

static void foreign_layouts_are_told_apart(void **state)
{
  (void)state;
  load_original();
  char *copy = calloc(1, original_size);
  assert_non_null(copy);
  memcpy(copy, original, original_size);
  for (int i = 0; i < 8; i++)
    copy[AT_COOKIE + i] = original[AT_COOKIE + 7 - i];
  write_bytes("big.rrd", copy, original_size);
  must_refuse("big.rrd", "big-endian");
  memcpy(copy, original, original_size); /* i386 puts the double at the next multiple of four */
  memcpy(copy + 12, original + AT_COOKIE, 8);
  memset(copy + 20, 0, 4);
  write_bytes("i386.rrd", copy, original_size);
  must_refuse("i386.rrd", "32-bit");
  free(copy);
}

static void truncated_and_odd_files_are_refused(void **state)
{
  (void)state;
  load_original();
  static const size_t sizes[] = {1, 3, 4, 60, 127, 128, 500, 1000, 1200, 1500};
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    write_bytes("cut.rrd", original, sizes[i]);
    must_refuse("cut.rrd", sizes[i] < 4 ? "is not an RRD file" : "truncated");
  }
  write_bytes("empty.rrd", "", 0);
  must_refuse("empty.rrd", "is empty");
  write_bytes("text.rrd", "hello, world\n", 13);
  must_refuse("text.rrd", "is not an RRD file");
  must_refuse("absent.rrd", "No such file");
  run("mkfifo %s/fifo.rrd; ln -s loop.rrd %s/loop.rrd; ln -s small.rrd %s/link.rrd; "
      "mkdir %s/folder.rrd",
      folder, folder, folder, folder);
  must_refuse("fifo.rrd", "is a FIFO");
  must_refuse("loop.rrd", "is a symbolic link");
  must_refuse("link.rrd", "is a symbolic link");
  must_refuse("folder.rrd", "is a directory");
}

static void unreadable_files_are_refused(void **state)
{
  (void)state;
  load_original();
  write_bytes("secret.rrd", original, original_size);
  run("chmod 000 %s/secret.rrd; chmod 755 %s", folder, folder);
  uid_t me = geteuid();
  if (me == 0)
    assert_int_equal(seteuid(65534), 0);
  must_refuse("secret.rrd", "Permission denied");
  if (me == 0)
    assert_int_equal(seteuid(me), 0);
}

static void files_from_the_future_are_refused(void **state)
{
  (void)state;
  struct tm_error err = {0};
  load_original();
  int at = open(folder, O_RDONLY | O_DIRECTORY);
  assert_int_equal(rrd_file_visit(file, at, folder, "small.rrd", START, NULL, NULL, &err),
                   -EBADMSG);
  assert_non_null(strstr(err.text, "in the future"));
  assert_int_equal(rrd_file_visit(file, at, folder, "small.rrd", START + 1000000, NULL, NULL, &err),
                   0);
  close(at);
}

/* Version 0001 had no microseconds in the time of the last update. */
static void old_versions_are_read(void **state)
{
  (void)state;
  load_original();
  char *copy = malloc(original_size);
  assert_non_null(copy);
  memcpy(copy, original, AT_LIVE + 8);
  memcpy(copy + AT_LIVE + 8, original + AT_LIVE + 16, original_size - AT_LIVE - 16);
  memcpy(copy + AT_VERSION, "0001", 4);
  write_bytes("old.rrd", copy, original_size - 8);
  free(copy);
  struct compare a = {.archive = 1};
  struct compare b = {.archive = 1};
  struct tm_error err = {0};
  int at = open(folder, O_RDONLY | O_DIRECTORY);
  assert_int_equal(rrd_file_visit(file, at, folder, "old.rrd", 0, visit_archive, &a, &err), 0);
  assert_int_equal(rrd_file_visit(file, at, folder, "small.rrd", 0, visit_archive, &b, &err), 0);
  close(at);
  assert_int_equal(a.rows, 20);
  assert_string_equal(a.ours, b.ours);
  free(a.ours);
  free(b.ours);
}

static void sound_files_are_read_after_damaged_ones(void **state)
{
  (void)state;
  load_original();
  char *copy = malloc(original_size);
  assert_non_null(copy);
  struct tm_error err;
  int at = open(folder, O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < 3; i++) {
    struct compare c = {.archive = 0};
    assert_int_equal(rrd_file_visit(file, at, folder, "small.rrd", 0, visit_archive, &c, &err), 0);
    assert_int_equal(c.rows, 30);
    free(c.ours);
    memcpy(copy, original, original_size);
    copy[AT_POINTERS] = (char)0xff;
    write_bytes("damaged.rrd", copy, original_size);
    must_refuse("damaged.rrd", "row pointer");
  }
  close(at);
  free(copy);
}

/* --- mutations ------------------------------------------------------------------------------- */

static uint64_t random_state = 88172645463325252U;
static uint64_t next_random(void)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static int visit_all(struct rrd_file *f, void *ctx, struct tm_error *err)
{
  struct choice *c = ctx;
  struct rrd_data_source s;
  for (size_t i = 0; i < f->n_ds; i++)
    rrd_file_source(f, i, &s);
  for (size_t i = 0; i < f->n_archives; i++) {
    c->n = 0;
    int rc = rrd_file_rows(f, i, f->n_ds - 1, INT64_MIN / 2, INT64_MAX / 2, count_rows, c, err);
    if (rc < 0)
      return rc;
  }
  return 0;
}

static void a_thousand_mutated_copies_do_no_harm(void **state)
{
  (void)state;
  load_original();
  char *copy = malloc(original_size);
  assert_non_null(copy);
  int at = open(folder, O_RDONLY | O_DIRECTORY);
  int refused = 0;
  for (int i = 0; i < 1000; i++) {
    struct tm_error err = {0};
    struct choice c = {0};
    size_t size = original_size;
    memcpy(copy, original, original_size);
    int changes = 1 + (int)(next_random() % 4);
    for (int k = 0; k < changes; k++) {
      /* The header is a tenth of the file and nine tenths of the danger. */
      size_t where = next_random() % (next_random() % 10 != 0 ? AT_POINTERS + 16 : original_size);
      static const char nasty[] = {0, 1, 0x7f, (char)0x80, (char)0xff};
      copy[where] = next_random() % 2 != 0 ? (char)next_random() : nasty[next_random() % 5];
    }
    if (next_random() % 8 == 0)
      size = next_random() % original_size;
    write_bytes("mutant.rrd", copy, size);
    int rc = rrd_file_visit(file, at, folder, "mutant.rrd", 0, visit_all, &c, &err);
    refused += rc < 0;
    if (rc < 0 && strstr(err.text, "mutant.rrd: ") == NULL)
      fail_msg("refused without a name: %s", err.text);
  }
  close(at);
  free(copy);
  assert_in_range(refused, 200, 999);
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
  for (size_t i = 0; rc == 0 && i < f->n_archives; i++)
    rc = rrd_file_rows(f, i, 0, INT64_MIN / 2, INT64_MAX / 2, check_times, ctx, err);
  return rc;
}

static void updates_succeed_and_no_row_is_torn(void **state)
{
  (void)state;
  run("rrdtool create %s/busy.rrd --start %ld --step 10 DS:a:GAUGE:40:U:U RRA:AVERAGE:0.5:1:20 "
      "RRA:AVERAGE:0.5:4:30",
      folder, START);
  pid_t writer = fork();
  assert_true(writer >= 0);
  if (writer == 0) {
    char command[1024];
    snprintf(command, sizeof(command),
             "for i in $(seq 1 %d); do echo update %s/busy.rrd $((%ld + i * 10)):$((i * 10)); done "
             "| rrdtool - > %s/busy.out",
             UPDATES, folder, START, folder);
    _exit(system(command) == 0 ? 0 : 1);
  }
  int at = open(folder, O_RDONLY | O_DIRECTORY);
  unsigned long reads = 0;
  int status = 0;
  while (waitpid(writer, &status, WNOHANG) == 0) {
    struct tm_error err = {0};
    struct compare c = {.archive = reads % 2};
    if (rrd_file_visit(file, at, folder, "busy.rrd", 0, visit_archive, &c, &err) != 0)
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
  run("test $(grep -c '^OK' %s/busy.out) = %d", folder, UPDATES);
  assert_true(reads > 50);
  struct tm_error err = {0};
  unsigned long known = 0;
  at = open(folder, O_RDONLY | O_DIRECTORY);
  assert_int_equal(rrd_file_visit(file, at, folder, "busy.rrd", 0, visit_times, &known, &err), 0);
  assert_int_equal(known, 50);
  close(at);
}

static int set_up(void **state)
{
  (void)state;
  file = malloc(sizeof(*file));
  if (file == NULL || mkdtemp(folder) == NULL)
    return -1;
  rrd_file_init(file);
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  rrd_file_release(file);
  free(file);
  free(original);
  char command[256];
  snprintf(command, sizeof(command), "chmod -R u+rwX %s; rm -rf %s", folder, folder);
  return system(command);
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
      cmocka_unit_test(damaged_headers_are_refused_by_name_and_reason),
      cmocka_unit_test(foreign_layouts_are_told_apart),
      cmocka_unit_test(truncated_and_odd_files_are_refused),
      cmocka_unit_test(unreadable_files_are_refused),
      cmocka_unit_test(files_from_the_future_are_refused),
      cmocka_unit_test(old_versions_are_read),
      cmocka_unit_test(sound_files_are_read_after_damaged_ones),
      cmocka_unit_test(a_thousand_mutated_copies_do_no_harm),
      cmocka_unit_test(updates_succeed_and_no_row_is_torn),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
