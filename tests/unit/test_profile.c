/* SPDX-License-Identifier: MIT */
/* Profiles: how they are read, how a device is recognised, and what a reading of it says. */
#include "plugins/profile.h"
#include "plugins/profile_read.h"

#include <errno.h>
#include <math.h>
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

#include "tests/lib/test_folder.h"

/* Rows as text, "OID=i5", "OID=u7", "OID=stext", "OID=o1.3.6", NULL at the end. */
static void fill(struct snmp_rows *rows, const char *const *lines)
{
  snmp_rows_init(rows);
  for (; *lines != NULL; lines++) {
    char oid[128];
    struct oid_path o;
    const char *equals = strchr(*lines, '=');
    snprintf(oid, sizeof(oid), "%.*s", (int)(equals - *lines), *lines);
    assert_int_equal(oid_parse(oid, &o), 0);
    const char *value = equals + 2;
    struct snmp_value v = {.type = SNMP_STRING, .bytes = value, .len = strlen(value)};
    if (equals[1] == 'i')
      v = (struct snmp_value){.type = SNMP_INTEGER, .integer = strtol(value, NULL, 10)};
    else if (equals[1] == 'u')
      v = (struct snmp_value){.type = SNMP_UNSIGNED, .number = strtoull(value, NULL, 10)};
    else if (equals[1] == 'o')
      v.type = SNMP_IDENTITY;
    assert_int_equal(snmp_rows_add(rows, o.id, o.len, &v), 0);
  }
}

static void read_one(const char *json, const char *const *lines, struct reading *r)
{
  struct profiles p;
  struct tm_error err = {0};
  struct snmp_rows rows;
  if (profiles_parse(&p, json, strlen(json), &err) < 0)
    fail_msg("%s", err.text);
  fill(&rows, lines);
  reading_init(r, READING_DISK_ARRAY);
  assert_int_equal(profile_read(&p.list[0], &rows, NULL, NULL, r), 0);
  snmp_rows_release(&rows);
  profiles_release(&p);
}

static void mistakes_are_named(void **state)
{
  (void)state;
  static const struct {
    const char *json;
    const char *told;
  } rows[] = {
      {"[]", "a profile is a JSON object"},
      {"{", "not valid JSON"},
      {"{\"kind\":\"toaster\"}", "kind: is disk_array"},
      {"{\"vendr\":\"x\"}", "did you mean 'vendor'"},
      {"{\"vendor\":{\"oid\":\"1.3.x\"}}", "vendor: is not an object identifier"},
      {"{\"vendor\":{\"oid\":\"1.3\",\"column\":\"1.3\"}}", "both an oid and a column"},
      {"{\"vendor\":{\"oid\":\"1.3\",\"match\":\"(\"}}", "vendor: "},
      {"{\"vendor\":{\"oid\":\"1.3\",\"match\":\"a+++++++++++++++++++++++++++++\"}}", "too often"},
      {"{\"vendor\":{\"oid\":\"1.3\",\"match\":\"((a{99}){99}){99}\"}}", "too often"},
      {"{\"vendor\":{\"oid\":\"1.3\",\"match\":\"((a{,99})*{99})?{99}\"}}", "too often"},
      {"{\"vendor\":{\"oid\":\"1.3\",\"match\":\"((((((((((((((((((((((a\"}}", "too often"},
      {"{\"vendor\":{\"oid\":\"1.3\",\"match\":\"(a)[]+{9}[:alpha:]]+\\\\1\"}}", "nor refer back"},
      {"{\"vendor\":{\"match\":\"a\"}}", "a text is a string, or has an oid"},
      {"{\"transfers\":{\"column\":\"1.3\",\"take\":\"most\"}}", "take is one of"},
      {"{\"capacity_bytes\":{\"oid\":\"1.3\",\"unit\":\"furlong\"}}", "unknown unit"},
      {"{\"capacity_bytes\":{\"oid\":\"1.3\",\"unit\":0}}", "a unit is greater than 0"},
      {"{\"volumes\":{\"name\":\"x\"}}", "volumes: is not an object identifier"},
      {"{\"recognise\":{\"descr\":\"x\"}}", "kind: "},
      {"{\"kind\":\"printer\",\"recognise\":{\"prefer\":1}}", "a rule needs"},
      {"{\"items\":{\"exposure\":{\"number\":{\"oid\":\"1.3\"}}}}", "nature is"},
      {"{\"inherit\":\"nobody\"}", "there is no profile 'nobody'"},
      {"{\"inherit\":\"profile\"}", "in a circle"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct profiles p;
    struct tm_error err = {0};
    if (profiles_parse(&p, rows[i].json, strlen(rows[i].json), &err) == 0)
      fail_msg("%s: was accepted", rows[i].json);
    if (strstr(err.text, rows[i].told) == NULL)
      fail_msg("%s: wanted '%s', got '%s'", rows[i].json, rows[i].told, err.text);
    assert_int_equal(p.len, 0);
  }
}

static void put(const char *dir, const char *name, const char *json)
{
  char path[512];
  snprintf(path, sizeof(path), "%s/%s", test_folder, dir);
  mkdir(path, 0700);
  snprintf(path, sizeof(path), "%s/%s/%s", test_folder, dir, name);
  FILE *f = fopen(path, "we");
  assert_non_null(f);
  fputs(json, f);
  assert_int_equal(fclose(f), 0);
}

static void files_inherit_and_are_overridden(void **state)
{
  (void)state;
  char shipped[256];
  char own[256];
  struct profiles p;
  struct tm_error err = {0};
  snprintf(shipped, sizeof(shipped), "%s/shipped", test_folder);
  snprintf(own, sizeof(own), "%s/own", test_folder);
  put("shipped", "base.json", "{\"kind\":\"printer\",\"vendor\":\"A\",\"model\":\"M\"}");
  put("shipped", "child.json",
      "{\"inherit\":\"base\",\"recognise\":{\"object_id\":\"1.3.6\"},\"model\":null}");
  put("shipped", "notes.txt", "not a profile");
  put("own", "base.json", "{\"kind\":\"printer\",\"vendor\":\"B\"}");
  const char *const folders[] = {shipped, "/nonexistent", own, NULL};
  if (profiles_load(&p, folders, &err) < 0)
    fail_msg("%s", err.text);
  assert_int_equal(p.len, 2);
  const struct profile *child = profiles_find(&p, "child");
  assert_non_null(child);
  assert_int_equal(child->kind, READING_PRINTER);
  assert_string_equal(child->vendor.list[0].constant, "B"); /* of the folder that outranks */
  assert_int_equal(child->model.len, 0);                    /* taken away by null */
  assert_int_equal(profiles_find(&p, "base")->rules_len, 0);
  profiles_release(&p);
  put("own", "broken.json", "{\"kind\":");
  assert_true(profiles_load(&p, folders, &err) < 0);
  assert_non_null(strstr(err.text, "broken.json"));
}

static const char *recognised(const struct profiles *p, const char *const *lines)
{
  struct snmp_rows rows;
  fill(&rows, lines);
  const struct profile *found = profiles_recognise(p, &rows);
  snmp_rows_release(&rows);
  return found != NULL ? found->name : "none";
}

static void the_most_specific_rule_wins(void **state)
{
  (void)state;
  char dir[256];
  struct profiles p;
  struct tm_error err = {0};
  snprintf(dir, sizeof(dir), "%s/rules", test_folder);
  put("rules", "generic.json",
      "{\"kind\":\"printer\",\"recognise\":{\"probe\":{\"column\":\"1.3.6.1.2.1.43\"},"
      "\"prefer\":-100}}");
  put("rules", "maker.json",
      "{\"kind\":\"printer\",\"recognise\":{\"object_id\":\"1.3.6.1.4.1.77\"}}");
  put("rules", "model.json",
      "{\"kind\":\"printer\",\"recognise\":{\"object_id\":\"1.3.6.1.4.1.77.1\",\"descr\":\"^X\","
      "\"not_descr\":\"old\"}}");
  put("rules", "hidden.json",
      "{\"kind\":\"disk_array\",\"recognise\":{\"object_id\":\"1.3.6.1.4.1.8072\",\"probe\":"
      "{\"oid\":\"1.3.6.1.4.1.55.1.0\",\"match\":\"^NAS\"}}}");
  const char *const folders[] = {dir, NULL};
  assert_int_equal(profiles_load(&p, folders, &err), 0);
  assert_string_equal(recognised(&p, (const char *[]){"1.3.6.1.2.1.1.2.0=o1.3.6.1.4.1.77.9", NULL}),
                      "maker");
  /* A longer number is not below a shorter one that it begins with. */
  assert_string_equal(recognised(&p, (const char *[]){"1.3.6.1.2.1.1.2.0=o1.3.6.1.4.1.778", NULL}),
                      "none");
  assert_string_equal(recognised(&p, (const char *[]){"1.3.6.1.2.1.1.2.0=o1.3.6.1.4.1.77.1.2",
                                                      "1.3.6.1.2.1.1.1.0=sX1", NULL}),
                      "model");
  assert_string_equal(recognised(&p, (const char *[]){"1.3.6.1.2.1.1.2.0=o1.3.6.1.4.1.77.1.2",
                                                      "1.3.6.1.2.1.1.1.0=sX1 old", NULL}),
                      "maker");
  assert_string_equal(recognised(&p, (const char *[]){"1.3.6.1.2.1.43.10.1=i1", NULL}), "generic");
  assert_string_equal(recognised(&p, (const char *[]){"1.3.6.1.2.1.1.2.0=o1.3.6.1.4.1.8072.3.2.10",
                                                      "1.3.6.1.4.1.55.1.0=sNAS 1", NULL}),
                      "hidden");
  assert_string_equal(recognised(&p, (const char *[]){"1.3.6.1.2.1.1.2.0=o1.3.6.1.4.1.8072.3.2.10",
                                                      "1.3.6.1.4.1.55.1.0=sTV", NULL}),
                      "none");
  profiles_release(&p);
}

static void sizes_come_from_words_units_and_shares(void **state)
{
  (void)state;
  struct reading r;
  read_one("{\"kind\":\"disk_array\","
           "\"capacity_bytes\":{\"oid\":\"1.1.0\",\"low\":\"1.2.0\",\"unit\":\"KiB\"},"
           "\"used_bytes\":[{\"oid\":\"1.9.0\"},"
           "{\"oid\":\"1.3.0\",\"percent_of\":{\"oid\":\"1.4.0\",\"unit\":{\"oid\":\"1.5.0\"}}}]}",
           (const char *[]){"1.1.0=i3", "1.2.0=i-230633264", "1.3.0=i25", "1.4.0=i1000",
                            "1.5.0=i512", NULL},
           &r);
  assert_true(r.capacity_bytes == 17356017582080.0);
  assert_true(r.used_bytes == 128000);
  reading_release(&r);
}

static void a_unit_of_nothing_makes_the_size_unknown(void **state)
{
  (void)state;
  struct reading r;
  read_one("{\"kind\":\"disk_array\",\"capacity_bytes\":"
           "{\"oid\":\"1.1.0\",\"unit\":{\"oid\":\"1.2.0\"}}}",
           (const char *[]){"1.1.0=i3", "1.2.0=i0", NULL}, &r);
  assert_true(isnan(r.capacity_bytes));
  reading_release(&r);
}

static void only_rows_that_count_add_up(void **state)
{
  (void)state;
  struct reading r;
  static const char json[] =
      "{\"kind\":\"disk_array\",\"volumes\":{\"rows\":\"1.2\",\"name\":{\"column\":\"1.1\"},"
      "\"where\":{\"column\":\"1.1\",\"not\":\"^/proc\"},"
      "\"counts\":{\"column\":\"1.1\",\"not\":\"^boot\"},\"distinct\":true,"
      "\"capacity_bytes\":{\"column\":\"1.2\"},\"used_bytes\":{\"column\":\"1.3\"}}}";
  read_one(json,
           (const char *[]){"1.1.1=sboot", "1.2.1=i100", "1.3.1=i90", "1.1.2=s/a", "1.2.2=i5000",
                            "1.3.2=i400", "1.1.3=s/a/mirror", "1.2.3=i5000", "1.3.3=i400",
                            "1.1.4=s/proc", "1.2.4=i7", "1.3.4=i7", "1.1.5=s/b", "1.2.5=i1000",
                            "1.3.5=i0", "1.1.6=s/c", "1.2.6=i1000", "1.3.6=i0", NULL},
           &r);
  assert_int_equal(r.volumes_len, 4); /* boot /a /b /c: two empty equal disks are two */
  assert_true(r.volumes[0].uncounted);
  assert_true(r.capacity_bytes == 7000);
  assert_true(r.used_bytes == 400);
  reading_release(&r);
  /* What one of them has used is not told: neither is the sum. */
  read_one(json,
           (const char *[]){"1.1.1=sx", "1.2.1=i100", "1.1.2=sy", "1.2.2=i50", "1.3.2=i4", NULL},
           &r);
  assert_true(r.capacity_bytes == 150);
  assert_true(isnan(r.used_bytes));
  reading_release(&r);
}

static void members_of_a_pool_share_its_room(void **state)
{
  (void)state;
  struct reading r;
  read_one("{\"kind\":\"disk_array\",\"volumes\":["
           "{\"rows\":\"1.2\",\"group\":{\"column\":\"1.1\",\"match\":\"^/mnt/([^/]+)\"},"
           "\"capacity_bytes\":{\"column\":\"1.2\"},\"used_bytes\":{\"column\":\"1.3\"}},"
           "{\"rows\":\"2.2\",\"group\":{\"column\":\"2.1\",\"match\":\"^([^/]+)\"},"
           "\"used_bytes\":{\"column\":\"2.2\"}}]}",
           (const char *[]){"1.1.1=s/mnt/tank", "1.2.1=i110", "1.3.1=i10", "1.1.2=s/mnt/tank/a",
                            "1.2.2=i150", "1.3.2=i50", "2.1.1=stank/vol", "2.2.1=i30", NULL},
           &r);
  assert_int_equal(r.volumes_len, 1);
  assert_string_equal(r.volumes[0].name, "tank");
  assert_true(r.used_bytes == 90);
  assert_true(r.capacity_bytes == 190);
  reading_release(&r);
}

static void a_counter_is_told_cell_by_cell(void **state)
{
  (void)state;
  struct reading r;
  read_one("{\"kind\":\"disk_array\",\"transfers\":{\"column\":\"1.3\",\"take\":\"sum\","
           "\"where\":{\"column\":\"1.2\",\"match\":\"^sd[a-z]$\"}}}",
           (const char *[]){"1.2.1=ssda", "1.3.1=u7", "1.2.2=ssda1", "1.3.2=u7", "1.2.3=ssdb",
                            "1.3.3=u5", NULL},
           &r);
  assert_true(r.transfers == 12);
  assert_int_equal(r.counters_len, 2);
  assert_int_equal(r.counters[1].value, 5);
  assert_int_equal(r.counters[1].bits, 32);
  reading_release(&r);
}

static void supplies_have_levels_or_states(void **state)
{
  (void)state;
  struct reading r;
  read_one("{\"kind\":\"printer\",\"supplies\":{\"rows\":\"1.6\",\"name\":{\"column\":\"1.6\"},"
           "\"max\":{\"column\":\"1.8\"},\"level\":{\"column\":\"1.9\"},"
           "\"unit\":{\"column\":\"1.7\",\"words\":{\"19\":\"percent\"}}}}",
           (const char *[]){"1.6.1=sa", "1.8.1=i100", "1.9.1=i0", "1.7.1=i19", "1.6.2=sb",
                            "1.8.2=i-2", "1.9.2=i-3", "1.7.2=i1", "1.6.3=sc", "1.9.3=i-1",
                            "1.6.4=sd", "1.9.4=stext", NULL},
           &r);
  assert_int_equal(r.supplies_len, 4);
  assert_true(r.supplies[0].level == 0 && r.supplies[0].max == 100);
  assert_string_equal(r.supplies[0].state, "measured");
  assert_string_equal(r.supplies[0].unit, "percent");
  assert_true(isnan(r.supplies[1].level) && isnan(r.supplies[1].max));
  assert_string_equal(r.supplies[1].state, "some_remaining");
  assert_string_equal(r.supplies[1].unit, "1");
  assert_string_equal(r.supplies[2].state, "unrestricted");
  assert_true(isnan(r.supplies[3].level)); /* a text that is no number is no level */
  reading_release(&r);
}

static void items_are_offered_or_not(void **state)
{
  (void)state;
  static const char json[] = "{\"kind\":\"printer\",\"items\":{"
                             "\"pages_total\":{\"number\":{\"oid\":\"1.1.0\"},\"unit\":\"pages\","
                             "\"nature\":\"measurement\"},"
                             "\"exposure\":{\"text\":{\"oid\":\"1.2.0\"},\"nature\":\"setting\"}}}";
  struct profiles p;
  struct snmp_rows rows;
  struct reading r;
  struct profile_want *wants = NULL;
  size_t len = 0;
  const char *const names[] = {"pages_total", "exposure", "drum_charge", NULL};
  assert_int_equal(profiles_parse(&p, json, strlen(json), NULL), 0);
  assert_int_equal(profile_item_wants(&p.list[0], names, &wants, &len), 0);
  assert_int_equal(len, 2);
  free(wants);
  fill(&rows, (const char *[]){"1.1.0=u77", NULL});
  reading_init(&r, READING_PRINTER);
  assert_int_equal(profile_read(&p.list[0], &rows, NULL, names, &r), 0);
  assert_int_equal(r.items_len, 3);
  assert_true(r.items[0].number == 77);
  assert_string_equal(r.items[0].nature, "measurement");
  assert_string_equal(r.items[1].state, "not-offered"); /* named, but not answered */
  assert_string_equal(r.items[2].state, "not-offered");
  reading_release(&r);
  snmp_rows_release(&rows);
  profiles_release(&p);
}

static void shipped_profiles_load(void **state)
{
  (void)state;
  char dir[4096];
  const char *source = getenv("SOURCE");
  struct profiles p;
  struct tm_error err = {0};
  snprintf(dir, sizeof(dir), "%s/plugins/profiles", source != NULL ? source : ".");
  const char *const folders[] = {dir, NULL};
  if (profiles_load(&p, folders, &err) < 0)
    fail_msg("%s", err.text);
  assert_true(p.len >= 30);
  assert_non_null(profiles_find(&p, "printer"));
  assert_non_null(profiles_find(&p, "host-storage"));
  profiles_release(&p);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(mistakes_are_named),
      cmocka_unit_test(files_inherit_and_are_overridden),
      cmocka_unit_test(the_most_specific_rule_wins),
      cmocka_unit_test(sizes_come_from_words_units_and_shares),
      cmocka_unit_test(a_unit_of_nothing_makes_the_size_unknown),
      cmocka_unit_test(only_rows_that_count_add_up),
      cmocka_unit_test(members_of_a_pool_share_its_room),
      cmocka_unit_test(a_counter_is_told_cell_by_cell),
      cmocka_unit_test(supplies_have_levels_or_states),
      cmocka_unit_test(items_are_offered_or_not),
      cmocka_unit_test(shipped_profiles_load),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
