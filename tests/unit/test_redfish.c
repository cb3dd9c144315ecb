/* SPDX-License-Identifier: MIT */
/* What Redfish documents add up to, apart from any network. */
#include "plugins/source/redfish_tree.h"

#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef int add_fn(struct redfish_tree *t, const char *path, const char *storage,
                   const json_t *doc);

static void add(struct redfish_tree *t, add_fn *fn, const char *path, const char *storage,
                const char *text)
{
  json_t *doc = tm_json_parse(text, strlen(text), path, NULL);
  assert_non_null(doc);
  assert_int_equal(fn(t, path, storage, doc), json_is_object(doc) ? 0 : -EINVAL);
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
  } pools[] = {{"/a/1", "00c0ff545960"}, {"/b/1", "00c0ff545960"}, {"/a/2", "1"}, {"/b/2", "1"},
               {"/b/2/", "2"},           {"https://h/b/2#x", "3"}};
  char doc[256];
  for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
    snprintf(doc, sizeof(doc), "{\"Id\":\"%s\",\"Capacity\":{\"Data\":{\"AllocatedBytes\":5}}}",
             pools[i].id);
    add(&t, redfish_tree_add_pool, pools[i].path, "s", doc);
  }
  assert_int_equal(t.pools.len, 3);
  tell(&t, true, &r);
  same_number(r.capacity_bytes, 15);
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
    rc = redfish_tree_add_pool(&t, path, "s", doc);
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
      cmocka_unit_test(identity_is_what_all_agree_on),
      cmocka_unit_test(there_is_a_limit_to_pools),
  };
  return cmocka_run_group_tests_name("redfish", tests, NULL, NULL);
}
