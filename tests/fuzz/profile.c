/* SPDX-License-Identifier: MIT */
/* covers: plugins/profile.c plugins/profile_compile.c plugins/profile_parts.c
 * plugins/profile_wants.c plugins/profile_recognise.c plugins/profile_read.c
 * plugins/profile_value.c */
/* A profile as a field engineer, or anybody, might write it. */
#include "plugins/profile_read.h"

#include "tests/lib/fuzz_folder.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Rows that fit what a profile asks for: of each column four, with values that its last arc and the
 * row choose, so that numbers meet texts and a profile can have it as it likes. */
static void add_rows(struct snmp_rows *rows, const struct profile_want *wants, size_t len)
{
  static const struct snmp_value identity = {
      .type = SNMP_IDENTITY, .bytes = "1.3.6.1.4.1.6574.1", .len = 18};
  static const struct snmp_value values[] = {
      {.type = SNMP_STRING, .bytes = "12 TB", .len = 5},
      {.type = SNMP_STRING, .bytes = "/mnt/tank", .len = 9},
      {.type = SNMP_STRING, .bytes = "/mnt/tank/a", .len = 11},
      {.type = SNMP_STRING, .bytes = "/mnt/other", .len = 10},
      {.type = SNMP_UNSIGNED, .number = 1ULL << 40, .wide = true},
      {.type = SNMP_UNSIGNED, .number = 1ULL << 40, .wide = true},
      {.type = SNMP_UNSIGNED, .number = 7},
      {.type = SNMP_INTEGER, .integer = 3},
      {.type = SNMP_INTEGER, .integer = -2},
      {.type = SNMP_STRING, .bytes = "Black Toner Cartridge", .len = 21},
      {.type = SNMP_REAL, .real = 0.5},
      {.type = SNMP_STRING, .bytes = "n/a", .len = 3},
  };
  static const uint32_t object_id[] = {1, 3, 6, 1, 2, 1, 1, 2, 0};
  for (size_t i = 0; i < len; i++) {
    const struct oid_path *o = &wants[i].oid;
    uint32_t id[OID_PATH_MAX + 2] = {0};
    memcpy(id, o->id, o->len * sizeof(*id));
    bool is_identity = o->len == 9 && memcmp(id, object_id, sizeof(object_id)) == 0;
    size_t from = o->len > 0 ? o->id[o->len - 1] : 0;
    for (uint32_t row = 0; row < (wants[i].column ? 4U : 1U); row++) {
      id[o->len] = 1;
      id[o->len + 1] = row + 1;
      const struct snmp_value *v = &values[(from + row) % (sizeof(values) / sizeof(values[0]))];
      snmp_rows_add(rows, id, o->len + (wants[i].column ? 2 : 0), is_identity ? &identity : v);
    }
  }
}

static void read_all(const struct profiles *p, const struct profile *one)
{
  const char *items[8] = {"no such item"};
  struct snmp_rows rows;
  struct profile_want *more = NULL;
  struct reading r;
  size_t n = 0;
  for (size_t i = 0; i < one->items_len && i < 6; i++)
    items[i + 1] = one->items[i].name;
  snmp_rows_init(&rows);
  add_rows(&rows, one->wants, one->wants_len);
  for (int round = 0; round < 2; round++) {
    more = NULL;
    if (profiles_probes(p, round == 0 ? NULL : &rows, &more, &n) == 0)
      add_rows(&rows, more, n);
    free(more);
  }
  if (profile_item_wants(one, items, &more, &n) == 0)
    add_rows(&rows, more, n);
  free(more);
  profiles_recognise(p, &rows);
  for (int with_items = 0; with_items < 2; with_items++) {
    json_t *explain = json_object();
    reading_init(&r, one->kind);
    profile_read(one, &rows, explain, with_items ? items : NULL, &r);
    for (size_t i = 0; i < r.supplies_len; i++)
      assert(!(r.supplies[i].level < 0) && !(r.supplies[i].max < 0));
    assert(!(r.capacity_bytes < 0) && !(r.pages_total < 0));
    json_t *told = reading_to_json(&r);
    assert(told != NULL);
    json_decref(told);
    json_decref(explain);
    reading_release(&r);
  }
  reading_init(&r, one->kind);
  profile_read_counters(one, &rows, &r);
  reading_release(&r);
  snmp_rows_release(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const char *const folders[] = {fuzz_folder(), "/nonexistent", NULL};
  struct profiles p;
  struct tm_error err = {0};
  if (size > 1U << 16)
    return 0;
  if (profiles_parse(&p, (const char *)data, size, &err) == 0)
    read_all(&p, &p.list[0]);
  profiles_release(&p);
  /* The same in a folder, with one that others inherit from beside it. */
  static const char base[] = "{\"kind\":\"printer\",\"pages_total\":{\"oid\":\"1.2.0\"},"
                             "\"items\":{\"density\":{\"number\":{\"oid\":\"1.3.0\"},"
                             "\"nature\":\"setting\"}}}";
  fuzz_file("base.json", base, sizeof(base) - 1);
  fuzz_file("own.json", data, size);
  int rc = profiles_load(&p, folders, &err);
  assert(rc == 0 || (err.text[0] != '\0' && p.len == 0));
  if (rc == 0)
    read_all(&p, profiles_find(&p, "own"));
  assert(profiles_find(&p, "no such profile") == NULL);
  profiles_release(&p);
  return 0;
}
