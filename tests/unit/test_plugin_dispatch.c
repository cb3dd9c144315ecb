/* SPDX-License-Identifier: MIT */
/* From readings to collectd's values, and the names of their files. */
#include "plugins/dispatch.h"
#include "plugins/part_name.h"
#include "tests/lib/daemon.h"

#include <stdlib.h>

static void put_volume(struct reading *r, const char *name, double capacity, double used)
{
  struct reading_volume *v = reading_add_volume(r);
  snprintf(v->name, sizeof(v->name), "%s", name);
  v->capacity_bytes = capacity;
  v->used_bytes = used;
}

static struct dispatch array = {.plugin = "disk_array", .device = "a-1"};

static void an_array_gives_its_values(void **state)
{
  (void)state;
  struct reading r;
  reading_init(&r, READING_DISK_ARRAY);
  r.capacity_bytes = 1000;
  r.used_bytes = 400;
  r.transfers = 77;
  r.reads = 5;
  put_volume(&r, "/", 600, 100);
  put_volume(&r, "/srv/data", 400, NAN);
  dispatch_reading(&array, &r);
  assert_int_equal(sent_len, 7);
  assert_gauge("disk_array-a-1/capacity-total", 1000);
  assert_gauge("disk_array-a-1/capacity-used", 400);
  assert_gauge("disk_array-a-1/capacity-root_total", 600);
  assert_gauge("disk_array-a-1/capacity-root_used", 100);
  assert_gauge("disk_array-a-1/capacity-srv_data_total", 400);
  assert_int_equal(find("disk_array-a-1/transfers-completed")->values[0].derive, 77);
  const struct sent *ops = find("disk_array-a-1/disk_ops");
  assert_int_equal(ops->len, 2);
  assert_int_equal(ops->values[0].derive, 5);
  assert_int_equal(ops->values[1].derive, 77);
  assert_null(find("disk_array-a-1/disk_octets")); /* not told */
  assert_true(sent[0].time == 0 && sent[0].interval == 0);
  reading_release(&r);
  dispatch_release(&array);
}

static void what_is_no_longer_told_is_unknown(void **state)
{
  (void)state;
  struct reading r;
  reading_init(&r, READING_DISK_ARRAY);
  r.capacity_bytes = 1000;
  r.transfers = 5;
  put_volume(&r, "a", 600, 100);
  dispatch_reading(&array, &r);
  reading_release(&r);
  forget(NULL);
  r.capacity_bytes = 1000; /* the volume is gone */
  dispatch_reading(&array, &r);
  assert_int_equal(sent_len, 3);
  assert_gauge("disk_array-a-1/capacity-a_total", NAN);
  forget(NULL);
  dispatch_reading(&array, &r);
  assert_int_equal(sent_len, 1); /* said once */
  for (int silent = 0; silent < 3; silent++) {
    forget(NULL);
    dispatch_reading(&array, NULL);
    assert_int_equal(sent_len, 1);
    assert_gauge("disk_array-a-1/capacity-total", NAN);
  }
  dispatch_release(&array);
}

static void a_count_ends_at_its_border(void **state)
{
  (void)state;
  struct dispatch other = {.host = "h", .plugin = "printer", .device = "p"};
  dispatch_count(&array, READING_DISK_ARRAY, 1795133100, 300, 31);
  dispatch_count(&other, READING_PRINTER, 1795133100, 60, NAN);
  assert_gauge("disk_array-a-1/interval_count-transfers", 31);
  assert_gauge("h/printer-p/interval_count-pages", NAN);
  assert_true(sent[0].time == (cdtime_t)1795133100 << 30);
  assert_true(sent[0].interval == (cdtime_t)300 << 30);
}

static void names_stay_apart_when_they_are_cut(void **state)
{
  (void)state;
  struct reading r;
  char first[READING_NAME];
  char second[READING_NAME];
  memset(first, 'x', sizeof(first) - 1);
  first[sizeof(first) - 1] = '\0';
  memcpy(second, first, sizeof(second));
  second[sizeof(second) - 2] = 'y';
  reading_init(&r, READING_DISK_ARRAY);
  put_volume(&r, first, 1, NAN);
  put_volume(&r, second, 2, NAN);
  put_volume(&r, "a/b", 3, NAN);
  put_volume(&r, "a_b", 4, NAN);
  dispatch_reading(&array, &r);
  assert_int_equal(sent_len, 4);
  for (size_t i = 0; i < 4; i++) {
    assert_true(strlen(strrchr(sent[i].file, '/')) - strlen("/capacity-") < PART_INSTANCE);
    assert_non_null(find(sent[i].file)); /* and only once */
  }
  reading_release(&r);
  dispatch_release(&array);
  char out[PART_INSTANCE];
  char wide[READING_NAME] = "";
  while (strlen(wide) + 3 < sizeof(wide))
    memcpy(wide + strlen(wide), "\xe3\x81\x82", 4); /* one character of three bytes */
  part_instance(out, wide, "_total");
  size_t stem = strlen(out) - strlen("~12345678_total");
  assert_int_equal(stem % 3, 0); /* no character is cut in two */
}

static void put_supply(struct reading *r, const char *name, const char *id, double level)
{
  struct reading_supply *s = reading_add_supply(r);
  snprintf(s->name, sizeof(s->name), "%s", name);
  snprintf(s->id, sizeof(s->id), "%s", id);
  s->level = level;
}

static void put_tray(struct reading *r, const char *id, double level)
{
  struct reading_tray *t = reading_add_tray(r);
  snprintf(t->id, sizeof(t->id), "%s", id);
  t->level = level;
}

/* Each part keeps its file, in whatever order the device lists them and whoever is taken out. */
static void parts_of_one_name_are_told_apart_by_their_ids(void **state)
{
  (void)state;
  struct dispatch p = {.plugin = "printer", .device = "p"};
  struct reading r;
  reading_init(&r, READING_PRINTER);
  put_supply(&r, "Toner", "1.4", 40);
  put_supply(&r, "Drum", "1.2", 20);
  put_supply(&r, "Toner", "1.3", 30);
  put_tray(&r, "1.7", 7);
  put_tray(&r, "1.5", 5);
  dispatch_reading(&p, &r);
  assert_int_equal(sent_len, 5);
  assert_gauge("printer-p/supply_level-Toner~4", 40);
  assert_gauge("printer-p/supply_level-Toner~3", 30);
  assert_gauge("printer-p/supply_level-Drum", 20);
  assert_gauge("printer-p/tray_level-7", 7);
  assert_gauge("printer-p/tray_level-5", 5);
  reading_release(&r);
  forget(NULL);
  put_supply(&r, "Toner", "1.3", 29); /* the other was taken out */
  dispatch_reading(&p, &r);
  assert_gauge("printer-p/supply_level-Toner~3", 29);
  assert_gauge("printer-p/supply_level-Toner~4", NAN);
  assert_null(find("printer-p/supply_level-Toner"));
  reading_release(&r);
  forget(NULL);
  put_supply(&r, "Toner", "1.3", 28); /* the same row, and the same number of two devices */
  put_supply(&r, "Toner", "1.3", 27);
  put_supply(&r, "Toner", "2.3", 26);
  dispatch_reading(&p, &r);
  assert_gauge("printer-p/supply_level-Toner~1.3", 28);
  assert_gauge("printer-p/supply_level-Toner~2.3", 26);
  reading_release(&r);
  dispatch_release(&p);
}

/* Who has no name is called by what counts him, unless another one is called so. */
static void a_number_that_is_the_name_of_another_is_not_used(void **state)
{
  (void)state;
  struct dispatch p = {.plugin = "printer", .device = "p"};
  struct reading r;
  reading_init(&r, READING_PRINTER);
  forget(NULL);
  put_supply(&r, "", "1.4", 40);
  put_supply(&r, "4", "1.2", 20);
  put_supply(&r, "T", "1.7", 7);
  put_supply(&r, "T", "1.8", 8);
  put_supply(&r, "T~8", "1.9", 9);
  dispatch_reading(&p, &r);
  assert_gauge("printer-p/supply_level-4", 20);
  assert_gauge("printer-p/supply_level-~cd332b9e", 40);
  assert_gauge("printer-p/supply_level-T~7", 7);
  assert_gauge("printer-p/supply_level-T~8", 9);
  reading_release(&r);
  forget(NULL);
  put_supply(&r, "", "1.4", 39); /* the other was taken out */
  dispatch_reading(&p, &r);
  assert_gauge("printer-p/supply_level-~cd332b9e", 39);
  assert_gauge("printer-p/supply_level-4", NAN);
  reading_release(&r);
  dispatch_release(&p);
}

static void names_that_become_the_same_keep_their_files(void **state)
{
  (void)state;
  for (int turned = 0; turned < 2; turned++) {
    struct reading r;
    reading_init(&r, READING_DISK_ARRAY);
    forget(NULL);
    put_volume(&r, turned ? "a_b" : "a/b", turned ? 2 : 1, NAN);
    put_volume(&r, turned ? "a/b" : "a_b", turned ? 1 : 2, NAN);
    put_volume(&r, "c/d", 3, NAN);
    dispatch_reading(&array, &r);
    assert_int_equal(sent_len, 3);
    assert_gauge("disk_array-a-1/capacity-a_b_total", 2);
    assert_gauge("disk_array-a-1/capacity-c_d_total", 3);
    assert_gauge("disk_array-a-1/capacity-a_b~3a8e75c1_total", 1);
    reading_release(&r);
    dispatch_release(&array);
  }
}

/* The daemon only logs a value list that does not fit its type: here it must fit. */
static void every_type_is_known_with_its_sources(void **state)
{
  (void)state;
  static const struct {
    const char *type;
    unsigned sources;
  } used[] = {{"transfers", 1},  {"interval_count", 1}, {"pages", 1},
              {"page_count", 1}, {"slots", 1},          {"drives", 1},
              {"supply_max", 1}, {"supply_level", 1},   {"tray_level", 1}};
  const char *source = getenv("SOURCE");
  char path[4096];
  snprintf(path, sizeof(path), "%s/plugins/types.db", source != NULL ? source : ".");
  for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
    char line[256];
    bool found = false;
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
      size_t len = strlen(used[i].type);
      if (strncmp(line, used[i].type, len) == 0 && strchr(" \t", line[len]) != NULL)
        found = strchr(line, ',') == NULL && used[i].sources == 1;
    }
    fclose(f);
    if (!found)
      fail_msg("%s is not in types.db", used[i].type);
  }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, forget)
  static const struct CMUnitTest tests[] = {
      TEST(an_array_gives_its_values),
      TEST(what_is_no_longer_told_is_unknown),
      TEST(a_count_ends_at_its_border),
      TEST(names_stay_apart_when_they_are_cut),
      TEST(parts_of_one_name_are_told_apart_by_their_ids),
      TEST(a_number_that_is_the_name_of_another_is_not_used),
      TEST(names_that_become_the_same_keep_their_files),
      TEST(every_type_is_known_with_its_sources),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
