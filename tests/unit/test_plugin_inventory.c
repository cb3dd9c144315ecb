/* SPDX-License-Identifier: MIT */
/* Inventory files: written on change, keeping what is known and noting what changed. */
#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "plugins/inventory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/test_folder.h"

static char path[256];
static uint64_t mark;
static json_t *asked;

static struct reading device(const char *firmware, double capacity, int64_t at)
{
  struct reading r;
  reading_init(&r, READING_DISK_ARRAY);
  snprintf(r.model, sizeof(r.model), "DS-200");
  snprintf(r.firmware, sizeof(r.firmware), "%s", firmware);
  r.capacity_bytes = capacity;
  r.observed_at = at;
  return r;
}

static int update(const struct reading *r)
{
  struct tm_error err = {0};
  struct inventory_device device = {test_folder, "h/o", "a-1", asked};
  return inventory_update(&mark, &device, r, &err);
}

static json_t *file(void)
{
  json_t *o = tm_json_read(path, 1 << 20, NULL);
  assert_non_null(o);
  return o;
}

static ino_t inode(void)
{
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  return st.st_ino;
}

static void it_is_written_once_and_on_change(void **state)
{
  (void)state;
  struct reading r = device("4.3.0", 1e12, 1000);
  assert_int_equal(update(&r), 0);
  ino_t first = inode();
  assert_int_equal(update(&r), 0);
  mark = 0; /* as after a restart */
  r.observed_at = 2000;
  assert_int_equal(update(&r), 0);
  assert_int_equal(inode(), first);
  json_t *o = file();
  assert_string_equal(tm_json_get_string(o, "model"), "DS-200");
  assert_string_equal(tm_json_get_string(o, "since"), "1970-01-01T00:16:40Z");
  assert_int_equal(json_array_size(json_object_get(o, "changes")), 0);
  json_decref(o);
}

static void a_change_is_noted_with_its_time(void **state)
{
  (void)state;
  struct reading r = device("4.3.1", 2e12, 3000);
  assert_int_equal(update(&r), 0);
  json_t *o = file();
  const json_t *changes = json_object_get(o, "changes");
  assert_int_equal(json_array_size(changes), 2);
  const json_t *firmware = json_array_get(changes, 0);
  assert_string_equal(tm_json_get_string(firmware, "what"), "firmware");
  assert_string_equal(tm_json_get_string(firmware, "from"), "4.3.0");
  assert_string_equal(tm_json_get_string(firmware, "to"), "4.3.1");
  assert_string_equal(tm_json_get_string(firmware, "on"), "1970-01-01T00:50:00Z");
  assert_string_equal(tm_json_get_string(json_array_get(changes, 1), "what"), "capacity_bytes");
  json_decref(o);
}

static void what_is_not_told_this_time_stays(void **state)
{
  (void)state;
  ino_t before = inode();
  struct reading r = device("", 2e12, 4000);
  assert_int_equal(update(&r), 0);
  assert_int_equal(inode(), before);
  json_t *o = file();
  assert_string_equal(tm_json_get_string(o, "firmware"), "4.3.1");
  json_decref(o);
}

static void a_pool_that_breathes_is_no_change(void **state)
{
  (void)state;
  struct reading r = device("4.3.1", 2e12, 5000);
  assert_int_equal(update(&r), 0);
  ino_t before = inode();
  r.capacity_bytes += 4096;
  assert_int_equal(update(&r), 0);
  assert_int_equal(inode(), before);
}

static void a_damaged_file_is_made_anew(void **state)
{
  (void)state;
  struct tm_error err = {0};
  assert_int_equal(tm_file_write(path, "{\"a\":", 5, 0644, &err), 0);
  mark = 0;
  struct reading r = device("4.3.1", 2e12, 6000);
  assert_int_equal(update(&r), 0);
  json_t *o = file();
  assert_string_equal(tm_json_get_string(o, "firmware"), "4.3.1");
  json_decref(o);
}

/* How it is asked is no property of the device: it does not change since when it is what it is. */
static void how_it_is_asked_stands_beside(void **state)
{
  (void)state;
  struct reading r = device("4.3.1", 2e12, 6500);
  json_t *before = file();
  asked = json_pack("{s:s}", "url", "snmp://public@10.0.0.1");
  mark = 0;
  assert_int_equal(update(&r), 0);
  json_t *o = file();
  assert_string_equal(tm_json_get_string(json_object_get(o, "asked"), "url"),
                      "snmp://public@10.0.0.1");
  assert_string_equal(tm_json_get_string(o, "since"), tm_json_get_string(before, "since"));
  ino_t written = inode();
  mark = 0;
  assert_int_equal(update(&r), 0);
  assert_int_equal(inode(), written);
  json_decref(asked);
  asked = NULL;
  json_decref(o);
  json_decref(before);
}

static void a_place_that_cannot_be_written_is_named(void **state)
{
  (void)state;
  struct tm_error err = {0};
  uint64_t other = 0;
  struct inventory_device below = {path, "h", "a", NULL};
  struct reading r = device("4.3.1", 2e12, 7000);
  assert_true(inventory_update(&other, &below, &r, &err) < 0); /* below a file */
  assert_non_null(strstr(err.text, path));
  assert_true(other == 0); /* tried again at the next reading */
}

static void drives_are_kept_and_exchanged(void **state)
{
  (void)state;
  static const struct {
    const char *serial; /* NULL: no drives are told this time */
    double life;
    const char *kept;
    bool written;
  } cases[] = {
      {"A", 99, "A", true}, {"A", 98, "A", false}, {NULL, 0, "A", false}, {"B", 98, "B", true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    ino_t before = i > 0 ? inode() : 0;
    struct reading r = device("9.0", 5e12, 9000);
    if (cases[i].serial != NULL) {
      struct reading_drive *d = reading_add_drive(&r);
      snprintf(d->name, sizeof(d->name), "Bay 1");
      snprintf(d->serial, sizeof(d->serial), "%s", cases[i].serial);
      d->life_left_percent = cases[i].life;
    }
    assert_int_equal(update(&r), 0);
    json_t *o = file();
    const json_t *drives = json_object_get(o, "drive_list");
    assert_int_equal(json_array_size(drives), 1);
    assert_string_equal(tm_json_get_string(json_array_get(drives, 0), "serial"), cases[i].kept);
    assert_true(cases[i].written == (inode() != before));
    json_decref(o);
    reading_release(&r);
  }
}

/* Jansson's memory runs out once, at its n-th call; 0: never. */
static unsigned long left;

static void *take(size_t size)
{
  if (left == 0 || --left > 0)
    return malloc(size);
  errno = ENOMEM;
  return NULL;
}

static struct reading full_of(enum reading_kind kind, const char *firmware, int64_t at)
{
  struct reading r = device(firmware, 5e12, at);
  r.kind = kind;
  snprintf(reading_add_volume(&r)->name, sizeof(r.volumes->name), "pool");
  snprintf(reading_add_drive(&r)->serial, sizeof(r.drive_list->serial), "S1");
  snprintf(reading_add_supply(&r)->name, sizeof(r.supplies->name), "black");
  snprintf(reading_add_tray(&r)->name, sizeof(r.trays->name), "tray 1");
  return r;
}

static char *text_of_file(void)
{
  struct tm_buf b = TM_BUF_INIT(1 << 20);
  assert_int_equal(tm_file_read(path, &b, NULL), 0);
  return b.ptr;
}

/* True when there was memory for all of it: then it is as `wanted`, or as it was. */
static bool tried(unsigned long n, const char *before, const char *wanted, const struct reading *r)
{
  assert_int_equal(tm_file_write(path, before, strlen(before), 0644, NULL), 0);
  mark = 0;
  left = n;
  int rc = update(r);
  bool all = left > 0;
  left = 0;
  char *now = text_of_file();
  assert_string_equal(now, rc == 0 ? wanted : before);
  assert_true(rc == 0 || (rc == -ENOMEM && mark == 0));
  free(now);
  return all;
}

static void without_memory_it_is_the_old_or_the_new(void **state)
{
  (void)state;
  const enum reading_kind kinds[] = {READING_DISK_ARRAY, READING_MEDIA_LIBRARY, READING_PRINTER};
  asked = json_pack("{s:s}", "url", "ipp://10.0.0.1");
  json_set_alloc_funcs(take, free);
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    struct reading first = full_of(kinds[i], "1.0", 1000);
    struct reading second = full_of(kinds[i], "1.1", 2000);
    unlink(path);
    mark = 0;
    assert_int_equal(update(&first), 0);
    char *before = text_of_file();
    assert_int_equal(update(&second), 0);
    char *wanted = text_of_file();
    assert_string_not_equal(before, wanted);
    unsigned long n = 1;
    while (!tried(n, before, wanted, &second))
      n++;
    assert_true(n > 50);
    free(before);
    free(wanted);
    reading_release(&first);
    reading_release(&second);
  }
  json_set_alloc_funcs(malloc, free);
  json_decref(asked);
  asked = NULL;
}

static void half_a_reading_takes_no_part_away(void **state)
{
  (void)state;
  unlink(path);
  mark = 0;
  struct reading whole = full_of(READING_DISK_ARRAY, "1.0", 1000);
  snprintf(reading_add_volume(&whole)->name, sizeof(whole.volumes->name), "second");
  assert_int_equal(update(&whole), 0);
  ino_t written = inode();
  struct reading half = full_of(READING_DISK_ARRAY, "1.0", 2000);
  tm_fail(&half.error, -ETIMEDOUT, "no answer");
  half.drive_list_len = 0;
  assert_int_equal(update(&half), 0);
  assert_int_equal(inode(), written);
  /* Of one that is whole a part that is gone is gone. */
  half.error = (struct tm_error){0};
  assert_int_equal(update(&half), 0);
  json_t *o = file();
  assert_int_equal(json_array_size(json_object_get(o, "volumes")), 1);
  json_decref(o);
  half.drive_list_len = 1;
  reading_release(&whole);
  reading_release(&half);
}

static int make_folder(void **state)
{
  int rc = test_folder_make(state);
  snprintf(path, sizeof(path), "%s/inventory/h_o/a-1.json", test_folder);
  return rc;
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_is_written_once_and_on_change),
      cmocka_unit_test(a_change_is_noted_with_its_time),
      cmocka_unit_test(what_is_not_told_this_time_stays),
      cmocka_unit_test(a_pool_that_breathes_is_no_change),
      cmocka_unit_test(a_damaged_file_is_made_anew),
      cmocka_unit_test(how_it_is_asked_stands_beside),
      cmocka_unit_test(drives_are_kept_and_exchanged),
      cmocka_unit_test(without_memory_it_is_the_old_or_the_new),
      cmocka_unit_test(half_a_reading_takes_no_part_away),
      cmocka_unit_test(a_place_that_cannot_be_written_is_named),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, make_folder, test_folder_remove);
}
