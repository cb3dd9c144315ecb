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

static void put_volumes(json_t **o, const struct reading *r)
{
  json_t *volumes = json_array();
  for (size_t i = 0; i < r->volumes_len; i++) {
    json_t *e = json_object();
    tm_json_put(&e, "name", tm_json_text(r->volumes[i].name));
    tm_json_put(&e, "capacity_bytes", tm_json_number(r->volumes[i].capacity_bytes));
    tm_json_push(&volumes, e);
  }
  tm_json_put(o, "volumes", volumes);
}

/* Which ones they are; how worn they are changes too often for a file that says what a device is.
 */
static void put_drives(json_t **o, const struct reading *r)
{
  static const char *const changing[] = {"state", "life_left_percent", "read_bytes",
                                         "written_bytes"};
  json_t *drives = reading_drives_to_json(r);
  for (size_t i = 0; i < json_array_size(drives); i++)
    for (size_t k = 0; k < sizeof(changing) / sizeof(changing[0]); k++)
      json_object_del(json_array_get(drives, i), changing[k]);
  tm_json_put(o, "drive_list", drives);
}

static void put_named(json_t **o, const char *key, const char *names, size_t len, size_t size)
{
  json_t *list = json_array();
  for (size_t i = 0; i < len; i++)
    tm_json_push(&list, tm_json_text(names + i * size));
  tm_json_put(o, key, list);
}

/* NULL when out of memory: what lacks a member would be taken for a device that lost it. */
static json_t *describe(const struct reading *r, json_t *asked)
{
  json_t *o = json_object();
  tm_json_put(&o, "schema", json_string("tidemark.inventory/1"));
  reading_put_identity(&o, r);
  if (r->kind != READING_PRINTER)
    tm_json_put(&o, "capacity_bytes", tm_json_number(r->capacity_bytes));
  if (r->kind == READING_DISK_ARRAY)
    put_volumes(&o, r);
  if (r->kind == READING_MEDIA_LIBRARY) {
    tm_json_put(&o, "slots_total", tm_json_number(r->slots_total));
    tm_json_put(&o, "drives", tm_json_number(r->drives));
  }
  if (r->drive_list_len > 0) /* many devices tell of none at all */
    put_drives(&o, r);
  if (r->kind == READING_PRINTER) {
    tm_json_put(&o, "pages_unit", tm_json_text(r->pages_unit));
    put_named(&o, "supplies", r->supplies_len > 0 ? r->supplies->name : NULL, r->supplies_len,
              sizeof(*r->supplies));
    put_named(&o, "trays", r->trays_len > 0 ? r->trays->name : NULL, r->trays_len,
              sizeof(*r->trays));
  }
  if (json_is_object(asked))
    tm_json_put(&o, "asked", json_incref(asked));
  return o;
}

/* Lists of parts, of which a reading that ends half way tells the first ones. */
static bool is_list_of_parts(const char *key)
{
  static const char *const lists[] = {"volumes", "drive_list", "supplies", "trays"};
  for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
    if (strcmp(key, lists[i]) == 0)
      return true;
  return false;
}

/* A device that is just starting, or busy, does not lose its name or its parts by that. */
static void keep_known(json_t **now, json_t *before, bool is_half)
{
  const char *key = NULL;
  json_t *old = NULL;
  json_object_foreach(before, key, old)
  {
    const json_t *value = json_object_get(*now, key);
    if (json_is_null(value) || (value == NULL && strcmp(key, "drive_list") == 0) ||
        (is_half && is_list_of_parts(key)))
      tm_json_put(now, key, json_incref(old));
  }
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
  if (before == NULL || now == NULL || json_is_null(before) || json_is_null(now) ||
      json_equal(before, now))
    return false;
  return !json_is_number(before) || !json_is_number(now) ||
         roughly(json_number_value(before)) < roughly(json_number_value(now)) ||
         roughly(json_number_value(before)) > roughly(json_number_value(now));
}

/* What has changed of a device, and when: the notes of the file and those of this change. A new
 * reference; NULL when out of memory. */
static json_t *note_changes(const json_t *before, const json_t *now, int64_t on)
{
  static const char *const watched[] = {"vendor",   "model",          "serial",
                                        "firmware", "capacity_bytes", NULL};
  const json_t *notes = json_object_get(before, "changes");
  json_t *changes = json_array();
  for (size_t i = 0; i < json_array_size(notes); i++)
    tm_json_push(&changes, json_incref(json_array_get(notes, i)));
  for (const char *const *key = watched; *key != NULL; key++) {
    json_t *from = json_object_get(before, *key);
    json_t *to = json_object_get(now, *key);
    if (!differs(from, to))
      continue;
    json_t *change = json_object();
    tm_json_put(&change, "on", tm_json_time(on));
    tm_json_put(&change, "what", json_string(*key));
    tm_json_put(&change, "from", json_incref(from));
    tm_json_put(&change, "to", json_incref(to));
    tm_json_push(&changes, change);
  }
  while (json_array_size(changes) > MAX_CHANGES)
    json_array_remove(changes, 0);
  return changes;
}

/* Each member of one is the other's too, apart from when that was, and from how it is asked. */
static bool is_within(json_t *one, const json_t *other)
{
  const char *key = NULL;
  json_t *value = NULL;
  json_object_foreach(one, key, value)
  {
    bool apart =
        strcmp(key, "changes") == 0 || strcmp(key, "since") == 0 || strcmp(key, "asked") == 0;
    if (!apart && json_equal(value, json_object_get(other, key)) != 1)
      return false;
  }
  return true;
}

static bool is_same_device(json_t *now, json_t *before)
{
  return is_within(now, before) && is_within(before, now);
}

static bool is_asked_the_same(const json_t *now, const json_t *before)
{
  const json_t *a = json_object_get(now, "asked");
  const json_t *b = json_object_get(before, "asked");
  return a == NULL || b == NULL ? a == b : json_equal(a, b) == 1;
}

/* Of a file that is none, or no inventory, nothing is kept; one that cannot be read now may hold
 * the device's whole history, and is left as it is. */
static int read_known(json_t **known, const char *path, struct tm_error *err)
{
  struct tm_error why = {0};
  *known = tm_json_read(path, TM_INVENTORY_MAX_BYTES, &why);
  bool none = why.code == -ENOENT || why.code == -EBADMSG || why.code == -EFBIG;
  if (*known != NULL || none)
    return 0;
  *err = why;
  return why.code;
}

static int write_document(const char *path, const json_t *o, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(TM_INVENTORY_MAX_BYTES);
  int rc = tm_json_append(&text, o);
  if (rc == 0)
    rc = tm_buf_puts(&text, "\n");
  if (rc < 0)
    tm_fail(err, rc, "%s: %s", path, rc == -ENOMEM ? "out of memory" : "too large");
  else
    rc = tm_file_write(path, text.ptr, text.len, 0644, err);
  tm_buf_release(&text);
  return rc;
}

/* What is known of the device from now on; nothing is written where that is what stands there. */
static int keep(const char *path, const struct reading *r, json_t *asked, struct tm_error *err)
{
  json_t *before = NULL;
  int rc = read_known(&before, path, err);
  if (rc < 0)
    return rc;
  json_t *now = describe(r, asked);
  keep_known(&now, before, r->error.code != 0);
  bool same = before != NULL && is_same_device(now, before);
  if (!same || !is_asked_the_same(now, before)) {
    int64_t since = same ? tm_json_time_or(before, "since", r->observed_at) : r->observed_at;
    tm_json_put(&now, "changes", note_changes(before, now, r->observed_at));
    tm_json_put(&now, "since", tm_json_time(since));
    rc = now != NULL ? write_document(path, now, err)
                     : tm_fail(err, -ENOMEM, "%s: out of memory", path);
  }
  json_decref(now);
  json_decref(before);
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
  const double numbers[] = {roughly(r->capacity_bytes), r->slots_total, r->drives,
                            r->error.code != 0}; /* half a reading is not the whole of the same */
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
  rc = keep(path, r, device->asked, err);
  if (rc == 0)
    *mark = new_mark;
  return rc;
}
