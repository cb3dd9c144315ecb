/* SPDX-License-Identifier: MIT */
#include "plugins/source/redfish_tree.h"

#include "common/json.h"
#include "common/text.h"
#include "plugins/source/redfish_store.h"
#include "plugins/source/redfish_value.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The part of a pool from which on those built on it are all of it; the rest is their overhead. */
#define NEARLY_ALL 0.9

/* --- what comes in ------------------------------------------------------------------------ */

int redfish_tree_add_pool(struct redfish_tree *t, const struct redfish_found *f)
{
  struct redfish_store s;
  int rc = redfish_store_init(&s, f);
  if (rc < 0)
    return rc;
  if (isnan(s.capacity_bytes))
    s.capacity_bytes = redfish_get_size(f->doc, "CapacityBytes");
  return redfish_stores_add(&t->pools, REDFISH_POOLS_MAX, &s);
}

int redfish_tree_add_volume(struct redfish_tree *t, const struct redfish_found *f)
{
  struct redfish_store s;
  int rc = redfish_store_init(&s, f);
  if (rc < 0)
    return rc;
  /* A thin volume has allocated less than its size. */
  const json_t *data = json_object_get(json_object_get(f->doc, "Capacity"), "Data");
  double size = redfish_get_size(f->doc, "CapacityBytes");
  if (isnan(size))
    size = redfish_get_size(data, "ProvisionedBytes");
  if (!isnan(size))
    s.capacity_bytes = size;
  const char *type = tm_json_get_string(f->doc, "VolumeType");
  s.raw = type != NULL && strcmp(type, "RawDevice") == 0;
  return redfish_stores_add(&t->volumes, REDFISH_VOLUMES_MAX, &s);
}

int redfish_tree_add_counters(struct redfish_tree *t, const struct redfish_found *f)
{
  struct redfish_store s;
  int rc = redfish_store_init(&s, f);
  if (rc < 0)
    return rc;
  s.id[0] = '\0'; /* the Metrics of all drives may have the same */
  return redfish_stores_add(&t->counters, REDFISH_VOLUMES_MAX, &s);
}

int redfish_tree_take_counters(struct redfish_tree *t, struct redfish_tree *from)
{
  int rc = 0;
  for (size_t i = 0; i < from->counters.len; i++) {
    struct redfish_store *s = &from->counters.list[i];
    if (rc == 0)
      rc = redfish_stores_add(&t->counters, REDFISH_VOLUMES_MAX, s);
    else
      redfish_store_release(s);
    *s = (struct redfish_store){0}; /* it was taken over */
  }
  return rc;
}

static void agree(struct redfish_text *t, const json_t *doc, const char *key)
{
  char text[READING_NAME];
  redfish_get_text(text, doc, key);
  if (text[0] == '\0' || t->disputed)
    return;
  if (t->text[0] == '\0')
    memcpy(t->text, text, sizeof(text));
  else if (strcmp(t->text, text) != 0)
    t->disputed = true;
}

void redfish_tree_add_root(struct redfish_tree *t, const json_t *doc)
{
  if (t->vendor.text[0] == '\0')
    agree(&t->vendor, doc, "Vendor");
}

void redfish_tree_add_system(struct redfish_tree *t, const json_t *doc)
{
  agree(&t->vendor, doc, "Manufacturer");
  agree(&t->model, doc, "Model");
  agree(&t->serial, doc, "SerialNumber");
}

void redfish_tree_add_storage(struct redfish_tree *t, const json_t *doc)
{
  const json_t *controllers = json_object_get(doc, "StorageControllers");
  for (size_t i = 0; i < json_array_size(controllers); i++)
    agree(&t->firmware, json_array_get(controllers, i), "FirmwareVersion");
}

/* --- each byte in one layer ----------------------------------------------------------------- */

static json_t *index_paths(const struct redfish_stores *stores)
{
  json_t *index = json_object();
  for (size_t i = 0; i < stores->len; i++)
    json_object_set_new(index, stores->list[i].path, json_integer((json_int_t)i));
  return index;
}

static struct redfish_store *look_up(struct redfish_stores *stores, const json_t *index,
                                     const char *key)
{
  const json_t *i = json_object_get(index, key);
  return i != NULL ? &stores->list[json_integer_value(i)] : NULL;
}

/* Some services tell a link that is broken but for its last segment: that is then enough within the
 * same subsystem. */
static void near_key(char *out, size_t size, const char *storage, const char *path)
{
  snprintf(out, size, "%s\n%s", storage, redfish_last_segment(path));
}

static struct redfish_store *find_pool(struct redfish_tree *t, const json_t *index,
                                       const struct redfish_store *user, const char *path)
{
  char key[4 * READING_NAME];
  struct redfish_store *pool = look_up(&t->pools, index, path);
  if (pool == NULL) {
    near_key(key, sizeof(key), user->storage, path);
    pool = look_up(&t->pools, index, key);
  }
  return pool != user ? pool : NULL;
}

static bool serves_others(const struct redfish_store *pool)
{
  return pool->upper_bytes < pool->capacity_bytes * NEARLY_ALL; /* not with NAN */
}

static void mark_pools(struct redfish_tree *t)
{
  char key[4 * READING_NAME];
  json_t *index = index_paths(&t->pools);
  for (size_t i = 0; i < t->pools.len; i++) {
    near_key(key, sizeof(key), t->pools.list[i].storage, t->pools.list[i].path);
    json_object_set_new(index, key, json_integer((json_int_t)i));
  }
  for (size_t i = 0; i < t->pools.len; i++) {
    const struct redfish_store *user = &t->pools.list[i];
    for (size_t k = 0; k < user->sources_len; k++) {
      struct redfish_store *pool = find_pool(t, index, user, user->sources[k]);
      if (pool == NULL)
        continue;
      pool->upper_bytes += user->capacity_bytes;
      pool->provides = true;
    }
  }
  for (size_t i = 0; i < t->pools.len; i++) {
    struct redfish_store *user = &t->pools.list[i];
    user->layer |= user->provides && !serves_others(user);
    for (size_t k = 0; k < user->sources_len; k++) {
      const struct redfish_store *pool = find_pool(t, index, user, user->sources[k]);
      user->layer |= pool != NULL && serves_others(pool);
    }
  }
  json_decref(index);
}

static void mark_volumes(struct redfish_tree *t)
{
  json_t *index = index_paths(&t->volumes);
  json_t *taken = json_object(); /* what volumes that are not raw devices are built on */
  for (size_t i = 0; i < t->volumes.len; i++) {
    const struct redfish_store *user = &t->volumes.list[i];
    for (size_t k = 0; k < user->sources_len; k++) {
      struct redfish_store *below = look_up(&t->volumes, index, user->sources[k]);
      if (below != NULL && below != user)
        below->layer = true;
      if (!user->raw)
        json_object_set_new(taken, user->sources[k], json_true());
    }
  }
  for (size_t i = 0; i < t->volumes.len; i++) {
    struct redfish_store *v = &t->volumes.list[i];
    for (size_t k = 0; v->raw && k < v->sources_len; k++)
      v->layer |= json_object_get(taken, v->sources[k]) != NULL;
  }
  json_decref(index);
  json_decref(taken);
}

/* --- totals --------------------------------------------------------------------------------- */

/* The sum over what is counted; NAN as soon as one does not tell, and for none. */
static double total(const struct redfish_stores *stores, size_t offset)
{
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < stores->len; i++) {
    double v;
    if (stores->list[i].layer)
      continue;
    memcpy(&v, (const char *)&stores->list[i] + offset, sizeof(v));
    sum += v;
    n++;
  }
  return n > 0 ? sum : NAN;
}
#define TOTAL(stores, field) total((stores), offsetof(struct redfish_store, field))

static bool any_drive_counts(const struct redfish_tree *t)
{
  for (size_t i = 0; i < t->drives.len; i++)
    if (!isnan(t->drives.list[i].writes))
      return true;
  return false;
}

const struct redfish_stores *redfish_tree_counted(const struct redfish_tree *t)
{
  const struct redfish_stores *const layers[] = {&t->counters, &t->drives, &t->pools, &t->volumes};
  /* The counters of another layer would be a step in the sum. */
  bool drives_missing = t->drives_unknown || t->drives_uncounted;
  if (t->uncounted || (drives_missing && any_drive_counts(t)))
    return NULL;
  for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
    if (!isnan(TOTAL(layers[i], writes)))
      return layers[i];
  return NULL;
}

static void tell_totals(const struct redfish_tree *t, struct reading *r)
{
  const struct redfish_stores *full =
      isnan(TOTAL(&t->pools, capacity_bytes)) ? &t->volumes : &t->pools;
  r->capacity_bytes = TOTAL(full, capacity_bytes);
  r->used_bytes = TOTAL(full, used_bytes);
  const struct redfish_stores *busy = redfish_tree_counted(t);
  if (busy == NULL)
    return;
  r->transfers = TOTAL(busy, writes);
  r->reads = TOTAL(busy, reads);
  r->write_bytes = TOTAL(busy, write_bytes);
  r->read_bytes = TOTAL(busy, read_bytes);
}

static uint64_t checksum(const char *text) /* FNV-1a */
{
  uint64_t sum = 14695981039346656037U;
  for (; *text != '\0'; text++)
    sum = (sum ^ (unsigned char)*text) * 1099511628211U;
  return sum;
}

/* A path that is too long is named by its end, which says more, and a checksum of the whole. */
static void name_counter(struct reading_counter *c, const char *path)
{
  char text[sizeof(c->name)];
  size_t len = strlen(path);
  if (len < sizeof(text))
    snprintf(text, sizeof(text), "%s", path);
  else
    snprintf(text, sizeof(text), "%016" PRIx64 "~%s", checksum(path), path + len - 30);
  tm_text_clean(c->name, sizeof(c->name), text, strlen(text));
}

static int tell_counters(const struct redfish_tree *t, struct reading *r)
{
  const struct redfish_stores *busy = redfish_tree_counted(t);
  for (size_t i = 0; busy != NULL && i < busy->len; i++) {
    const struct redfish_store *s = &busy->list[i];
    if (s->layer)
      continue;
    struct reading_counter *c = reading_add_counter(r);
    if (c == NULL)
      return -ENOMEM;
    name_counter(c, s->counted != NULL ? s->counted : s->path);
    c->value = (uint64_t)s->writes;
    c->bits = 64;
  }
  return 0;
}

/* --- parts ---------------------------------------------------------------------------------- */

static bool name_is_unique(const struct redfish_stores *stores, size_t i)
{
  for (size_t k = 0; k < stores->len; k++)
    if (k != i && strcmp(stores->list[k].name, stores->list[i].name) == 0)
      return false;
  return true;
}

/* Names that several share get the subsystem's in front. */
static void tell_name(char out[READING_NAME], const struct redfish_stores *stores, size_t i)
{
  const struct redfish_store *s = &stores->list[i];
  char both[2 * READING_NAME + 4];
  int n = snprintf(both, sizeof(both), "%s / %s", s->storage, s->name);
  if (name_is_unique(stores, i))
    memcpy(out, s->name, READING_NAME);
  else
    tm_text_clean(out, READING_NAME, both, (size_t)n);
}

static int tell_volumes(const struct redfish_tree *t, struct reading *r)
{
  for (size_t i = 0; i < t->volumes.len; i++) {
    const struct redfish_store *s = &t->volumes.list[i];
    struct reading_volume *v = reading_add_volume(r);
    if (v == NULL)
      return -ENOMEM;
    tell_name(v->name, &t->volumes, i);
    const char *last = redfish_last_segment(s->path);
    tm_text_clean(v->id, sizeof(v->id), last, strlen(last));
    v->capacity_bytes = s->capacity_bytes;
    v->used_bytes = s->used_bytes;
  }
  return 0;
}

static int tell_drives(const struct redfish_tree *t, struct reading *r)
{
  for (size_t i = 0; !t->drives_unknown && i < t->drives.len; i++) {
    struct reading_drive *d = reading_add_drive(r);
    if (d == NULL)
      return -ENOMEM;
    *d = *t->drives.list[i].drive;
    tell_name(d->name, &t->drives, i);
  }
  return 0;
}

static void tell_text(char out[READING_NAME], const struct redfish_text *t)
{
  if (!t->disputed)
    memcpy(out, t->text, READING_NAME);
}

int redfish_tree_tell(struct redfish_tree *t, bool complete, struct reading *r)
{
  tell_text(r->vendor, &t->vendor);
  tell_text(r->model, &t->model);
  tell_text(r->serial, &t->serial);
  tell_text(r->firmware, &t->firmware);
  snprintf(r->profile, sizeof(r->profile), "redfish");
  mark_pools(t);
  mark_volumes(t);
  int rc = 0;
  if (complete) {
    tell_totals(t, r);
    rc = tell_counters(t, r);
  }
  if (rc == 0)
    rc = tell_volumes(t, r);
  return rc < 0 ? rc : tell_drives(t, r);
}

void redfish_tree_release(struct redfish_tree *t)
{
  redfish_stores_release(&t->pools);
  redfish_stores_release(&t->volumes);
  redfish_stores_release(&t->drives);
  redfish_stores_release(&t->counters);
  *t = (struct redfish_tree){0};
}
