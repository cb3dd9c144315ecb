/* SPDX-License-Identifier: MIT */
/* Damaged, foreign and odd RRD files: refused by name, and none of them does harm. */
#include "analyzer/source/rrd_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/rrd_files.h"

/* --- refusals -------------------------------------------------------------------------------- */

static char *original;
static size_t original_size;

static void write_bytes(const char *name, const void *bytes, size_t n)
{
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", test_folder, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

static void load_original(void)
{
  char path[256];
  snprintf(path, sizeof(path), "%s/small.rrd", test_folder);
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
  int at = open(test_folder, O_RDONLY | O_DIRECTORY);
  int rc = rrd_file_visit(file, at, test_folder, name, 0, visit_choice, &(struct choice){0}, &err);
  close(at);
  char start[512];
  snprintf(start, sizeof(start), "%s/%s: ", test_folder, name);
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
      test_folder, test_folder, test_folder, test_folder);
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
  run("chmod 000 %s/secret.rrd; chmod 755 %s", test_folder, test_folder);
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
  int at = open(test_folder, O_RDONLY | O_DIRECTORY);
  assert_int_equal(rrd_file_visit(file, at, test_folder, "small.rrd", START, NULL, NULL, &err),
                   -EBADMSG);
  assert_non_null(strstr(err.text, "in the future"));
  assert_int_equal(
      rrd_file_visit(file, at, test_folder, "small.rrd", START + 1000000, NULL, NULL, &err), 0);
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
  int at = open(test_folder, O_RDONLY | O_DIRECTORY);
  assert_int_equal(rrd_file_visit(file, at, test_folder, "old.rrd", 0, visit_archive, &a, &err), 0);
  assert_int_equal(rrd_file_visit(file, at, test_folder, "small.rrd", 0, visit_archive, &b, &err),
                   0);
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
  int at = open(test_folder, O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < 3; i++) {
    struct compare c = {.archive = 0};
    assert_int_equal(rrd_file_visit(file, at, test_folder, "small.rrd", 0, visit_archive, &c, &err),
                     0);
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

static int visit_lengths(struct rrd_file *f, void *ctx, struct tm_error *err)
{
  (void)err;
  uint64_t *rows = ctx;
  rows[0] = f->archive[0].rows;
  rows[1] = f->archive[1].rows;
  return 0;
}

/* More kinds of headers than are remembered, all of files of one size: none is taken for another.
 */
static void files_of_one_size_keep_their_own_header(void **state)
{
  (void)state;
  enum { KINDS = RRD_LAYOUTS + 2 };
  struct tm_error err;
  int at = open(test_folder, O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < KINDS; i++)
    run("cd %s && rrdtool create kind%d.rrd -b %ld -s 10 DS:value:GAUGE:20:0:U "
        "RRA:AVERAGE:0.5:1:%d "
        "RRA:MAX:0.5:1:%d",
        test_folder, i, START, 10 + i, 30 - i);
  for (int i = 0; i < 4 * KINDS; i++) {
    int kind = i % (i < 2 * KINDS ? KINDS : 3);
    char name[32];
    uint64_t rows[2] = {0};
    snprintf(name, sizeof(name), "kind%d.rrd", kind);
    assert_int_equal(rrd_file_visit(file, at, test_folder, name, 0, visit_lengths, rows, &err), 0);
    assert_int_equal(rows[0], 10 + kind);
    assert_int_equal(rows[1], 30 - kind);
  }
  close(at);
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
  for (size_t i = 0; i < f->shape.n_ds; i++)
    rrd_file_source(f, i, &s);
  for (size_t i = 0; i < f->shape.n_archives; i++) {
    c->n = 0;
    int rc =
        rrd_file_rows(f, i, f->shape.n_ds - 1, INT64_MIN / 2, INT64_MAX / 2, count_rows, c, err);
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
  int at = open(test_folder, O_RDONLY | O_DIRECTORY);
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
    int rc = rrd_file_visit(file, at, test_folder, "mutant.rrd", 0, visit_all, &c, &err);
    refused += rc < 0;
    if (rc < 0 && strstr(err.text, "mutant.rrd: ") == NULL)
      fail_msg("refused without a name: %s", err.text);
  }
  close(at);
  free(copy);
  assert_in_range(refused, 200, 999);
}

static int tear_down(void **state)
{
  free(original);
  return rrd_files_tear_down(state);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(damaged_headers_are_refused_by_name_and_reason),
      cmocka_unit_test(foreign_layouts_are_told_apart),
      cmocka_unit_test(truncated_and_odd_files_are_refused),
      cmocka_unit_test(unreadable_files_are_refused),
      cmocka_unit_test(files_from_the_future_are_refused),
      cmocka_unit_test(old_versions_are_read),
      cmocka_unit_test(sound_files_are_read_after_damaged_ones),
      cmocka_unit_test(files_of_one_size_keep_their_own_header),
      cmocka_unit_test(a_thousand_mutated_copies_do_no_harm),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("rrd_damage", tests, rrd_files_set_up, tear_down);
}
