/* SPDX-License-Identifier: MIT */
/* What Redfish documents add up to, apart from any network. */
#include "plugins/source/redfish_tree.h"

#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef int add_fn(struct redfish_tree *t, const struct redfish_found *f);

static void add(struct redfish_tree *t, add_fn *fn, const char *path, const char *storage,
                const char *text)
{
  json_t *doc = tm_json_parse(text, strlen(text), path, NULL);
  assert_non_null(doc);
  struct redfish_found f = {.path = path, .storage = storage, .doc = doc};
  assert_int_equal(fn(t, &f), json_is_object(doc) ? 0 : -EINVAL);
  json_decref(doc);
}

static void tell(struct redfish_tree *t, bool complete, struct reading *r)
{
  reading_init(r, READING_DISK_ARRAY);
  assert_int_equal(redfish_tree_tell(t, complete, r), 0);
}

static void same_number(double got, double want)
{
  if (!(isnan(got) && isnan(want)) && got != want)
    fail_msg("want %g, got %g", want, got);
}

static void sizes_are_taken_from_where_they_are_told(void **state)
{
  (void)state;
  static const struct {
    add_fn *fn;
    const char *doc;
    double capacity;
    double used;
  } cases[] = {
      {redfish_tree_add_pool,
       "{\"Capacity\":{\"Data\":{\"AllocatedBytes\":5,\"ConsumedBytes\":0}}}", 5, 0},
      {redfish_tree_add_pool,
       "{\"Capacity\":{\"Data\":{\"AllocatedBytes\":0}},\"CapacityBytes\":9}", 9, NAN},
      {redfish_tree_add_pool, "{\"Capacity\":{\"Data\":{\"AllocatedBytes\":\"5\"}}}", NAN, NAN},
      {redfish_tree_add_pool,
       "{\"Capacity\":{\"Data\":{\"AllocatedBytes\":-5,\"ConsumedBytes\":-5}}}", NAN, NAN},
      {redfish_tree_add_pool, "{\"Capacity\":{\"Data\":{\"AllocatedBytes\":1e300}}}", NAN, NAN},
      {redfish_tree_add_pool, "{\"Capacity\":[1]}", NAN, NAN},
      {redfish_tree_add_volume,
       "{\"CapacityBytes\":7,\"Capacity\":{\"Data\":{\"AllocatedBytes\":5}}}", 7, NAN},
      {redfish_tree_add_volume,
       "{\"Capacity\":{\"Data\":{\"AllocatedBytes\":5,\"ProvisionedBytes\":8}}}", 8, NAN},
      {redfish_tree_add_volume,
       "{\"CapacityBytes\":0,\"Capacity\":{\"Data\":{\"AllocatedBytes\":5,\"ConsumedBytes\":5}}}",
       5, 5},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct redfish_tree t = {0};
    struct reading r;
    add(&t, cases[i].fn, "/s/1", "s", cases[i].doc);
    tell(&t, true, &r);
    same_number(r.capacity_bytes, cases[i].capacity);
    same_number(r.used_bytes, cases[i].used);
    reading_release(&r);
    tell(&t, false, &r);
    same_number(r.capacity_bytes, NAN); /* a part is no total */
    reading_release(&r);
    redfish_tree_release(&t);
  }
}

#define POOL "{\"Capacity\":{\"Data\":{\"AllocatedBytes\":5}},\"IOStatistics\":%s}"

static void transfers_are_completed_writes_of_pools_else_of_volumes(void **state)
{
  (void)state;
  static const struct {
    const char *pools[2];
    const char *volume;
    double transfers;
    double write_bytes;
    size_t counters;
  } cases[] = {
      {{"{\"WriteIORequests\":3}", "{\"WriteIORequests\":4}"},
       "{\"WriteIORequests\":99}",
       7,
       NAN,
       2},
      {{"{\"WriteIORequests\":3}", "{}"}, "{\"WriteIORequests\":99}", 99, NAN, 1},
      {{"{\"WriteHitIORequests\":3}", "null"}, "{}", NAN, NAN, 0},
      {{"{\"WriteIORequests\":3.0,\"WriteIOKiBytes\":2}",
        "{\"WriteIORequests\":1,\"WriteIOKiBytes\":1}"},
       "{}",
       4,
       3072,
       2},
      {{"{\"WriteIORequests\":155,\"WriteIOKiBytes\":181867008}",
        "{\"WriteIORequests\":1,\"WriteIOKiBytes\":1}"},
       "{}",
       156,
       NAN,
       2},
      {{"{\"WriteIORequests\":-3}", "{\"WriteIORequests\":\"4\"}"}, "[]", NAN, NAN, 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct redfish_tree t = {0};
    struct reading r;
    char doc[512];
    snprintf(doc, sizeof(doc), POOL, cases[i].pools[0]);
    add(&t, redfish_tree_add_pool, "/s/1", "s", doc);
    snprintf(doc, sizeof(doc), POOL, cases[i].pools[1]);
    add(&t, redfish_tree_add_pool, "/s/2", "s", doc);
    snprintf(doc, sizeof(doc), POOL, cases[i].volume);
    add(&t, redfish_tree_add_volume, "/s/v", "s", doc);
    tell(&t, true, &r);
    same_number(r.transfers, cases[i].transfers);
    same_number(r.write_bytes, cases[i].write_bytes);
    assert_int_equal(r.counters_len, cases[i].counters);
    reading_release(&r);
    redfish_tree_release(&t);
  }
}

static void the_same_thing_is_counted_once(void **state)
{
  (void)state;
  struct redfish_tree t = {0};
  struct reading r;
  static const struct {
    const char *path, *id;
  } pools[] = {{"/a/1", "00c0ff545960"},
               {"/b/1", "00c0ff545960"},
               {"/a/2", "1"},
               {"/b/2", "1"},
               {"/b/2/", "2"},
               {"https://h/b/2#x", "3"},
               {"/a/4", "Disk.Virtual.0"},
               {"/b/4", "Disk.Virtual.0"}};
  char doc[256];
  for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
    snprintf(doc, sizeof(doc), "{\"Id\":\"%s\",\"Capacity\":{\"Data\":{\"AllocatedBytes\":5}}}",
             pools[i].id);
    add(&t, redfish_tree_add_pool, pools[i].path, "s", doc);
  }
  assert_int_equal(t.pools.len, 5);
  tell(&t, true, &r);
  same_number(r.capacity_bytes, 25);
  reading_release(&r);
  redfish_tree_release(&t);
}

static void a_pool_below_another_is_not_counted(void **state)
{
  (void)state;
  static const struct {
    const char *sources;
    double capacity;
  } cases[] = {
      {"[{\"ProvidingPools\":{\"Members\":[{\"@odata.id\":\"/s/dg\"}]}}]", 7},
      {"[{\"ProvidingPools\":[{\"@odata.id\":\"/s/dg/#/x\"}]}]", 7},
      {"[{\"ProvidingPools\":{\"@odata.id\":\"https://h/s/dg?x\"}}]", 7},
      {"[{\"ProvidingPools\":{\"Members\":[{\"@odata.id\":\"/broken/dg\"}]}}]", 7},
      {"[{\"ProvidingPools\":{\"@odata.id\":\"/s/p\"}}]", 12}, /* itself */
      {"[{\"ProvidingPools\":{\"@odata.id\":\"/s/elsewhere\"}}]", 12},
      {"{\"ProvidingPools\":7}", 12},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct redfish_tree t = {0};
    struct reading r;
    char doc[512];
    snprintf(doc, sizeof(doc),
             "{\"Capacity\":{\"Data\":{\"AllocatedBytes\":7}},\"CapacitySources\":%s}",
             cases[i].sources);
    add(&t, redfish_tree_add_pool, "/s/p", "s", doc);
    add(&t, redfish_tree_add_pool, "/s/dg", "s",
        "{\"Capacity\":{\"Data\":{\"AllocatedBytes\":5}}}");
    tell(&t, true, &r);
    same_number(r.capacity_bytes, cases[i].capacity);
    reading_release(&r);
    redfish_tree_release(&t);
  }
}

/* The lower pool serves more than the one above it: then that is a part of its bytes. */
static void a_pool_that_serves_others_is_counted_instead_of_those_above_it(void **state)
{
  (void)state;
  static const struct {
    int above[2];
    double capacity;
  } cases[] = {{{10, 0}, 100}, {{89, 0}, 100}, {{90, 0}, 90}, {{60, 40}, 100}, {{80, 80}, 160}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct redfish_tree t = {0};
    struct reading r;
    char doc[512];
    for (size_t k = 0; k < 2; k++) {
      char path[16];
      snprintf(path, sizeof(path), "/s/p%zu", k);
      snprintf(doc, sizeof(doc),
               "{\"Capacity\":{\"Data\":{\"AllocatedBytes\":%d}},\"CapacitySources\":"
               "[{\"ProvidingPools\":[{\"@odata.id\":\"/s/base\"},{\"@odata.id\":\"/s/base\"}]}]}",
               cases[i].above[k]);
      if (cases[i].above[k] > 0)
        add(&t, redfish_tree_add_pool, path, "s", doc);
    }
    add(&t, redfish_tree_add_pool, "/s/base", "s",
        "{\"Capacity\":{\"Data\":{\"AllocatedBytes\":100}}}");
    tell(&t, true, &r);
    same_number(r.capacity_bytes, cases[i].capacity);
    reading_release(&r);
    redfish_tree_release(&t);
  }
}

static void a_volume_below_another_is_not_counted(void **state)
{
  (void)state;
  struct redfish_tree t = {0};
  struct reading r;
  static const char drive0[] = "\"Links\":{\"Drives\":[{\"@odata.id\":\"/d/0\"}]}";
  char doc[256];
  add(&t, redfish_tree_add_volume, "/v/low", "s", "{\"CapacityBytes\":3}");
  add(&t, redfish_tree_add_volume, "/v/high", "s",
      "{\"CapacityBytes\":7,\"CapacitySources\":[{\"ProvidingVolumes\":"
      "{\"Members\":[{\"@odata.id\":\"/v/low\"}]}}]}");
  snprintf(doc, sizeof(doc), "{\"CapacityBytes\":20,%s}", drive0);
  add(&t, redfish_tree_add_volume, "/v/a", "s", doc);
  add(&t, redfish_tree_add_volume, "/v/b", "s", doc); /* two slices of one set of drives */
  snprintf(doc, sizeof(doc), "{\"CapacityBytes\":100,\"VolumeType\":\"RawDevice\",%s}", drive0);
  add(&t, redfish_tree_add_volume, "/v/raw", "s", doc);
  add(&t, redfish_tree_add_volume, "/v/bare", "s",
      "{\"CapacityBytes\":1000,\"VolumeType\":\"RawDevice\","
      "\"Links\":{\"Drives\":[{\"@odata.id\":\"/d/1\"}]}}");
  tell(&t, true, &r);
  same_number(r.capacity_bytes, 1047);
  assert_int_equal(r.volumes_len, 6);
  reading_release(&r);
  redfish_tree_release(&t);
}

#define DRIVE(more) "{\"Id\":\"1\",\"Name\":\"d\",\"CapacityBytes\":9" more "}"

static void a_drive_tells_what_it_is_and_how_worn(void **state)
{
  (void)state;
  static const struct {
    const char *doc;
    const char *metrics;
    double life;
    double written;
    const char *told; /* "model serial state" */
  } cases[] = {
      {DRIVE(",\"Model\":\"M\",\"SerialNumber\":\"S\",\"PredictedMediaLifeLeftPercent\":86,"
             "\"Status\":{\"State\":\"Enabled\",\"Health\":\"Warning\"}"),
       NULL, 86, NAN, "M S Warning"},
      {DRIVE(",\"PartNumber\":\"P\",\"SerialNumber\":\"N/A\",\"PredictedMediaLifeLeftPercent\":255,"
             "\"Status\":{\"State\":\"StandbySpare\",\"Health\":\"OK\"}"),
       "{\"WriteIOKiBytes\":4}", NAN, 4096, "P  StandbySpare"},
      {DRIVE(""), "{\"NVMeSMART\":{\"PercentageUsed\":30,\"DataUnitsWritten\":2}}", 70, 1024000,
       "  "},
      {DRIVE(",\"PredictedMediaLifeLeftPercent\":null"), "{\"NVMeSMART\":{\"PercentageUsed\":130}}",
       0, NAN, "  "},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct redfish_tree t = {0};
    struct reading r;
    char told[3 * READING_NAME];
    json_t *doc = tm_json_parse(cases[i].doc, strlen(cases[i].doc), "drive", NULL);
    json_t *metrics = cases[i].metrics != NULL
                          ? tm_json_parse(cases[i].metrics, strlen(cases[i].metrics), "m", NULL)
                          : NULL;
    struct redfish_found f = {"/d/1", "s", doc, metrics, "/d/1/Metrics"};
    assert_int_equal(redfish_tree_add_drive(&t, &f), 0);
    tell(&t, true, &r);
    assert_int_equal(r.drive_list_len, 1);
    const struct reading_drive *d = r.drive_list;
    snprintf(told, sizeof(told), "%s %s %s", d->model, d->serial, d->state);
    assert_string_equal(told, cases[i].told);
    assert_string_equal(d->name, "d");
    same_number(d->capacity_bytes, 9);
    same_number(d->life_left_percent, cases[i].life);
    same_number(d->written_bytes, cases[i].written);
    same_number(r.capacity_bytes, NAN); /* nobody says how much of it can be used */
    json_decref(doc);
    json_decref(metrics);
    reading_release(&r);
    redfish_tree_release(&t);
  }
}

#define LONG_PATH                                                                                  \
  "/redfish/v1/Systems/System/Storage/RAID/Drives/Bay%d:Enclosure.Internal.0-1:RAID-1"

static void transfers_are_those_of_the_drives_where_each_tells_them(void **state)
{
  (void)state;
  static const struct {
    const char *nvme[2];
    bool unknown; /* not all drives could be read */
    double transfers;
  } cases[] = {
      {{"{\"HostWriteCommands\":5}", "{\"HostWriteCommands\":6}"}, false, 11},
      {{"{\"HostWriteCommands\":5}", "{}"}, false, 99}, /* the pool's */
      {{"{\"HostWriteCommands\":5}", "{}"}, true, NAN},
      {{"{}", "{}"}, true, 99},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct redfish_tree t = {.drives_unknown = cases[i].unknown};
    struct reading r;
    char path[2][128];
    for (int k = 0; k < 2; k++) {
      snprintf(path[k], sizeof(path[k]), LONG_PATH, k);
      json_t *doc = json_pack("{s:s}", "Id", "1");
      json_t *metrics = json_object();
      json_object_set_new(metrics, "NVMeSMART",
                          tm_json_parse(cases[i].nvme[k], strlen(cases[i].nvme[k]), "n", NULL));
      struct redfish_found f = {path[k], "s", doc, metrics, path[k]};
      assert_int_equal(redfish_tree_add_drive(&t, &f), 0);
      json_decref(doc);
      json_decref(metrics);
    }
    add(&t, redfish_tree_add_pool, "/p", "s", "{\"IOStatistics\":{\"WriteIORequests\":99}}");
    tell(&t, true, &r);
    same_number(r.transfers, cases[i].transfers);
    assert_int_equal(r.drive_list_len, cases[i].unknown ? 0 : 2);
    if (r.counters_len == 2) /* told apart although only the beginnings of their paths differ */
      assert_string_not_equal(r.counters[0].name, r.counters[1].name);
    reading_release(&r);
    redfish_tree_release(&t);
  }
}

static void identity_is_what_all_agree_on(void **state)
{
  (void)state;
  struct redfish_tree t = {0};
  struct reading r;
  json_t *one = json_pack("{s:s,s:s,s:s}", "Manufacturer", "Unknown", "Model", " M\x01 1 ",
                          "SerialNumber", "A");
  json_t *two = json_pack("{s:s,s:s,s:i}", "SerialNumber", "B", "Model", "M 1", "Manufacturer", 5);
  json_t *root = json_pack("{s:s}", "Vendor", "V");
  redfish_tree_add_system(&t, one);
  redfish_tree_add_system(&t, two);
  redfish_tree_add_root(&t, root);
  redfish_tree_add_root(&t, NULL);
  tell(&t, true, &r);
  assert_string_equal(r.vendor, "V");
  assert_string_equal(r.model, "M 1");
  assert_string_equal(r.serial, "");
  assert_string_equal(r.firmware, "");
  json_decref(one);
  json_decref(two);
  json_decref(root);
  reading_release(&r);
  redfish_tree_release(&t);
}

static void there_is_a_limit_to_pools(void **state)
{
  (void)state;
  struct redfish_tree t = {0};
  json_t *doc = json_object();
  char path[32];
  int rc = 0;
  size_t n = 0;
  for (; rc == 0 && n < 2 * REDFISH_POOLS_MAX; n++) {
    snprintf(path, sizeof(path), "/s/%zu", n);
    struct redfish_found f = {.path = path, .storage = "s", .doc = doc};
    rc = redfish_tree_add_pool(&t, &f);
  }
  assert_int_equal(rc, -EFBIG);
  assert_int_equal(t.pools.len, REDFISH_POOLS_MAX);
  json_decref(doc);
  redfish_tree_release(&t);
}

int main(void)
{
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes_are_taken_from_where_they_are_told),
      cmocka_unit_test(transfers_are_completed_writes_of_pools_else_of_volumes),
      cmocka_unit_test(the_same_thing_is_counted_once),
      cmocka_unit_test(a_pool_below_another_is_not_counted),
      cmocka_unit_test(a_pool_that_serves_others_is_counted_instead_of_those_above_it),
      cmocka_unit_test(a_volume_below_another_is_not_counted),
      cmocka_unit_test(a_drive_tells_what_it_is_and_how_worn),
      cmocka_unit_test(transfers_are_those_of_the_drives_where_each_tells_them),
      cmocka_unit_test(identity_is_what_all_agree_on),
      cmocka_unit_test(there_is_a_limit_to_pools),
  };
  return cmocka_run_group_tests_name("redfish", tests, NULL, NULL);
}
