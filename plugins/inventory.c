/* SPDX-License-Identifier: MIT */
#include "plugins/inventory.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/inventory_file.h"
#include "common/json.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { MAX_CHANGES = 100 };

static void put_volumes(json_t *o, const struct reading *r)
{
  json_t *volumes = json_array();
  for (size_t i = 0; i < r->volumes_len; i++) {
    json_t *e = json_object();
    json_object_set_new(e, "name", tm_json_text(r->volumes[i].name));
    json_object_set_new(e, "capacity_bytes", tm_json_number(r->volumes[i].capacity_bytes));
    json_array_append_new(volumes, e);
  }
  json_object_set_new(o, "volumes", volumes);
}

/* Which ones they are; how worn they are changes too often for a file that says what a device is.
 */
static void put_drives(json_t *o, const struct reading *r)
{
  static const char *const changing[] = {"state", "life_left_percent", "read_bytes",
                                         "written_bytes"};
  json_t *drives = reading_drives_to_json(r);
  for (size_t i = 0; i < json_array_size(drives); i++)
    for (size_t k = 0; k < sizeof(changing) / sizeof(changing[0]); k++)
      json_object_del(json_array_get(drives, i), changing[k]);
  json_object_set_new(o, "drive_list", drives);
}

static void put_named(json_t *o, const char *key, const char *names, size_t len, size_t size)
{
  json_t *list = json_array();
  for (size_t i = 0; i < len; i++)
    json_array_append_new(list, tm_json_text(names + i * size));
  json_object_set_new(o, key, list);
}

static json_t *describe(const struct reading *r, const json_t *asked)
{
  json_t *o = json_object();
  json_object_set_new(o, "schema", json_string("tidemark.inventory/1"));
  reading_put_identity(o, r);
  if (r->kind != READING_PRINTER)
    json_object_set_new(o, "capacity_bytes", tm_json_number(r->capacity_bytes));
  if (r->kind == READING_DISK_ARRAY)
    put_volumes(o, r);
  if (r->kind == READING_MEDIA_LIBRARY) {
    json_object_set_new(o, "slots_total", tm_json_number(r->slots_total));
    json_object_set_new(o, "drives", tm_json_number(r->drives));
  }
  if (r->drive_list_len > 0) /* many devices tell of none at all */
    put_drives(o, r);
  if (r->kind == READING_PRINTER) {
    json_object_set_new(o, "pages_unit", tm_json_text(r->pages_unit));
    put_named(o, "supplies", r->supplies_len > 0 ? r->supplies->name : NULL, r->supplies_len,
              sizeof(*r->supplies));
    put_named(o, "trays", r->trays_len > 0 ? r->trays->name : NULL, r->trays_len,
              sizeof(*r->trays));
  }
  if (json_is_object(asked))
    json_object_set(o, "asked", (json_t *)asked);
  return o;
}

/* A device that is just starting, or busy, does not lose its name by that. */
static void keep_known(json_t *now, const json_t *before)
{
  const char *key = NULL;
  json_t *value = NULL;
  json_object_foreach(now, key, value)
  {
    json_t *old = json_object_get(before, key);
    if (json_is_null(value) && old != NULL)
      json_object_set(now, key, old);
  }
  json_t *drives = json_object_get(before, "drive_list");
  if (json_object_get(now, "drive_list") == NULL && drives != NULL)
    json_object_set(now, "drive_list", drives);
}

/* A pool of ZFS is a little larger or smaller after each write: a change below 1/1000 is none. */
static double roughly(double value)
{
  int exponent = 0;
  double mantissa = frexp(value, &exponent);
  return ldexp(round(mantissa * 1024), exponent);
}

static bool differs(const json_t *before, const json_t *now)
{
  if (before == NULL || json_is_null(before) || json_is_null(now) || json_equal(before, now))
    return false;
  return !json_is_number(before) || !json_is_number(now) ||
         roughly(json_number_value(before)) < roughly(json_number_value(now)) ||
         roughly(json_number_value(before)) > roughly(json_number_value(now));
}

/* What has changed of a device, and when: the notes of the file and those of this change. A new
 * reference. */
static json_t *note_changes(const json_t *before, const json_t *now, int64_t on)
{
  static const char *const watched[] = {"vendor",   "model",          "serial",
                                        "firmware", "capacity_bytes", NULL};
  const json_t *old = json_object_get(before, "changes");
  json_t *changes = json_is_array(old) ? json_copy((json_t *)old) : json_array();
  for (const char *const *key = watched; *key != NULL; key++) {
    json_t *from = json_object_get(before, *key);
    json_t *to = json_object_get(now, *key);
    if (!differs(from, to))
      continue;
    json_t *change = json_object();
    json_object_set_new(change, "on", tm_json_time(on));
    json_object_set_new(change, "what", json_string(*key));
    json_object_set(change, "from", from);
    json_object_set(change, "to", to);
    json_array_append_new(changes, change);
  }
  while (json_array_size(changes) > MAX_CHANGES)
    json_array_remove(changes, 0);
  return changes;
}

/* Apart from when that was, and from how it is asked. */
static bool is_same_device(const json_t *now, const json_t *before)
{
  static const char *const apart[] = {"changes", "since", "asked"};
  json_t *a = json_copy((json_t *)now);
  json_t *b = json_copy((json_t *)before);
  for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
    json_object_del(a, apart[i]);
    json_object_del(b, apart[i]);
  }
  bool same = json_equal(a, b) == 1;
  json_decref(a);
  json_decref(b);
  return same;
}

static bool is_asked_the_same(const json_t *now, const json_t *before)
{
  const json_t *a = json_object_get(now, "asked");
  const json_t *b = json_object_get(before, "asked");
  return a == NULL || b == NULL ? a == b : json_equal(a, b) == 1;
}

static int write_document(const char *path, json_t *o, int64_t since, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(TM_INVENTORY_MAX_BYTES);
  json_object_set_new(o, "since", tm_json_time(since));
  int rc = tm_json_append(&text, o);
  if (rc == 0)
    rc = tm_buf_puts(&text, "\n");
  if (rc < 0)
    tm_fail(err, rc, "%s: too large", path);
  else
    rc = tm_file_write(path, text.ptr, text.len, 0644, err);
  tm_buf_release(&text);
  return rc;
}

static uint64_t mix(uint64_t sum, const void *data, size_t len) /* FNV-1a */
{
  const unsigned char *p = data;
  for (size_t i = 0; i < len; i++)
    sum = (sum ^ p[i]) * UINT64_C(1099511628211);
  return sum;
}

static uint64_t mix_text(uint64_t sum, const char *text)
{
  return mix(sum, text, strlen(text) + 1);
}

/* Over everything that describe() shows of a reading; never 0. How it is asked does not change
 * while this process lives. */
static uint64_t mark_of(const struct reading *r)
{
  uint64_t sum = mix(UINT64_C(14695981039346656037), &r->kind, sizeof(r->kind));
  const char *const texts[] = {r->vendor,   r->model,   r->serial,
                               r->firmware, r->profile, r->pages_unit};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
    sum = mix_text(sum, texts[i]);
  const double numbers[] = {roughly(r->capacity_bytes), r->slots_total, r->drives};
  sum = mix(sum, numbers, sizeof(numbers));
  for (size_t i = 0; i < r->volumes_len; i++) {
    double capacity = roughly(r->volumes[i].capacity_bytes);
    sum = mix_text(sum, r->volumes[i].name);
    sum = mix(sum, &capacity, sizeof(capacity));
  }
  for (size_t i = 0; i < r->drive_list_len; i++) {
    const struct reading_drive *d = &r->drive_list[i];
    sum = mix_text(mix_text(sum, d->name), d->vendor);
    sum = mix_text(mix_text(sum, d->model), d->serial);
    sum = mix(sum, &d->capacity_bytes, sizeof(d->capacity_bytes));
  }
  for (size_t i = 0; i < r->supplies_len; i++)
    sum = mix_text(sum, r->supplies[i].name);
  for (size_t i = 0; i < r->trays_len; i++)
    sum = mix_text(sum, r->trays[i].name);
  return sum != 0 ? sum : 1;
}

int inventory_update(uint64_t *mark, const struct inventory_device *device, const struct reading *r,
                     struct tm_error *err)
{
  char path[PATH_MAX];
  uint64_t new_mark = mark_of(r);
  if (new_mark == *mark)
    return 0;
  int rc = tm_inventory_path(path, device->state_dir, device->host, NULL, err);
  if (rc == 0)
    rc = tm_dir_make(path, 0755, err);
  if (rc == 0)
    rc = tm_inventory_path(path, device->state_dir, device->host, device->name, err);
  if (rc < 0)
    return rc;
  json_t *now = describe(r, device->asked);
  json_t *before = tm_json_read(path, TM_INVENTORY_MAX_BYTES, NULL);
  bool same = before != NULL && now != NULL;
  if (same) {
    keep_known(now, before);
    same = is_same_device(now, before);
  }
  if (now == NULL) {
    rc = tm_fail(err, -ENOMEM, "out of memory");
  } else if (!same || !is_asked_the_same(now, before)) {
    json_object_set_new(now, "changes", note_changes(before, now, r->observed_at));
    int64_t since = same ? tm_json_time_or(before, "since", r->observed_at) : r->observed_at;
    rc = write_document(path, now, since, err);
  }
  if (rc == 0)
    *mark = new_mark;
  json_decref(now);
  json_decref(before);
  return rc;
}
