/* SPDX-License-Identifier: MIT */
#include "plugins/source/redfish_tree.h"

#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KIB 1024.0
/* Ids from here on are taken for world wide names and serial numbers. */
#define UNIQUE_ID 12
/* No device moves more than this by one request on average. */
#define MAX_REQUEST_BYTES (64.0 * 1024 * 1024)

/* --- texts and numbers of documents ------------------------------------------------------- */

char *redfish_path(const char *link)
{
  const char *start = strstr(link, "://");
  if (start != NULL)
    start = strchr(start + 3, '/');
  if (start == NULL)
    start = strncmp(link, "/", 1) == 0 ? link : "";
  size_t len = strcspn(start, "?#");
  while (len > 0 && start[len - 1] == '/')
    len--;
  return strndup(start, len);
}

const char *redfish_last_segment(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

static bool says_nothing(const char *text)
{
  static const char *const words[] = {"",     "unknown", "n/a",           "na",
                                      "none", "null",    "not available", "not specified"};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (strcasecmp(text, words[i]) == 0)
      return true;
  return false;
}

static void get_text(char out[READING_NAME], const json_t *doc, const char *key)
{
  const json_t *v = json_object_get(doc, key);
  out[0] = '\0';
  if (json_is_string(v))
    tm_text_clean(out, READING_NAME, json_string_value(v), json_string_length(v));
  if (says_nothing(out))
    out[0] = '\0';
}

/* A number that cannot be negative; NAN for anything else. */
static double get_count(const json_t *doc, const char *key)
{
  double v = tm_json_get_number(doc, key);
  return v >= 0 && v < 0x1p63 ? v : NAN;
}

/* The same, where 0 means that it is not told here. */
static double get_size(const json_t *doc, const char *key)
{
  double v = get_count(doc, key);
  return v > 0 ? v : NAN;
}

static void agree(struct redfish_text *t, const json_t *doc, const char *key)
{
  char text[READING_NAME];
  get_text(text, doc, key);
  if (text[0] == '\0' || t->disputed)
    return;
  if (t->text[0] == '\0')
    memcpy(t->text, text, sizeof(text));
  else if (strcmp(t->text, text) != 0)
    t->disputed = true;
}

/* --- pools and volumes -------------------------------------------------------------------- */

static int add_source(struct redfish_store *s, const json_t *link)
{
  const char *id = tm_json_get_string(link, "@odata.id");
  if (id == NULL || s->sources_len >= REDFISH_SOURCES_MAX)
    return 0;
  char **longer = realloc(s->sources, (s->sources_len + 1) * sizeof(*longer));
  if (longer == NULL)
    return -ENOMEM;
  s->sources = longer;
  s->sources[s->sources_len] = redfish_path(id);
  if (s->sources[s->sources_len] == NULL)
    return -ENOMEM;
  s->sources_len++;
  return 0;
}

/* CapacitySources[].ProvidingPools is a list of links, a collection with its members in it, or a
 * link to one pool, by the version of the schema. */
static int add_sources(struct redfish_store *s, const json_t *doc)
{
  const json_t *sources = json_object_get(doc, "CapacitySources");
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < json_array_size(sources); i++) {
    const json_t *pools = json_object_get(json_array_get(sources, i), "ProvidingPools");
    const json_t *members = json_is_array(pools) ? pools : json_object_get(pools, "Members");
    if (members == NULL)
      rc = add_source(s, pools);
    for (size_t k = 0; rc == 0 && k < json_array_size(members); k++)
      rc = add_source(s, json_array_get(members, k));
  }
  return rc;
}

static double plausible_bytes(double kib, double requests)
{
  double bytes = kib * KIB;
  return bytes <= requests * MAX_REQUEST_BYTES ? bytes : NAN; /* NAN for NANs too */
}

static void fill_statistics(struct redfish_store *s, const json_t *doc)
{
  const json_t *io = json_object_get(doc, "IOStatistics");
  s->writes = get_count(io, "WriteIORequests");
  s->reads = get_count(io, "ReadIORequests");
  s->write_bytes = plausible_bytes(get_count(io, "WriteIOKiBytes"), s->writes);
  s->read_bytes = plausible_bytes(get_count(io, "ReadIOKiBytes"), s->reads);
}

static void store_release(struct redfish_store *s)
{
  for (size_t i = 0; i < s->sources_len; i++)
    free(s->sources[i]);
  free(s->sources);
  free(s->path);
}

static int store_init(struct redfish_store *s, const char *path, const char *storage,
                      const json_t *doc)
{
  *s = (struct redfish_store){.path = redfish_path(path)};
  if (s->path == NULL)
    return -ENOMEM;
  get_text(s->id, doc, "Id");
  get_text(s->name, doc, "Name");
  if (s->name[0] == '\0')
    memcpy(s->name, s->id, sizeof(s->id));
  if (s->name[0] == '\0') {
    const char *last = redfish_last_segment(s->path);
    tm_text_clean(s->name, sizeof(s->name), last, strlen(last));
  }
  tm_text_clean(s->storage, sizeof(s->storage), storage, strlen(storage));
  const json_t *data = json_object_get(json_object_get(doc, "Capacity"), "Data");
  s->capacity_bytes = get_size(data, "AllocatedBytes");
  s->used_bytes = get_count(data, "ConsumedBytes");
  fill_statistics(s, doc);
  return add_sources(s, doc);
}

static bool same_store(const struct redfish_store *a, const struct redfish_store *b)
{
  return strcmp(a->path, b->path) == 0 || (strlen(a->id) >= UNIQUE_ID && strcmp(a->id, b->id) == 0);
}

/* Takes over what s holds. */
static int stores_add(struct redfish_stores *stores, size_t max, struct redfish_store *s)
{
  for (size_t i = 0; i < stores->len; i++) {
    if (same_store(&stores->list[i], s)) {
      store_release(s);
      return 0;
    }
  }
  int rc = stores->len >= max ? -EFBIG : 0;
  /* Room is doubled at powers of two, so that no capacity has to be kept. */
  if (rc == 0 && (stores->len & (stores->len - 1)) == 0) {
    size_t room = stores->len == 0 ? 1 : stores->len * 2;
    struct redfish_store *longer = realloc(stores->list, room * sizeof(*longer));
    if (longer == NULL)
      rc = -ENOMEM;
    else
      stores->list = longer;
  }
  if (rc < 0) {
    store_release(s);
    return rc;
  }
  stores->list[stores->len++] = *s;
  return 0;
}

static int make_store(struct redfish_store *s, const char *path, const char *storage,
                      const json_t *doc)
{
  if (!json_is_object(doc))
    return -EINVAL;
  int rc = store_init(s, path, storage, doc);
  if (rc < 0)
    store_release(s);
  return rc;
}

int redfish_tree_add_pool(struct redfish_tree *t, const char *path, const char *storage,
                          const json_t *doc)
{
  struct redfish_store s;
  int rc = make_store(&s, path, storage, doc);
  if (rc < 0)
    return rc;
  if (isnan(s.capacity_bytes))
    s.capacity_bytes = get_size(doc, "CapacityBytes");
  return stores_add(&t->pools, REDFISH_POOLS_MAX, &s);
}

int redfish_tree_add_volume(struct redfish_tree *t, const char *path, const char *storage,
                            const json_t *doc)
{
  struct redfish_store s;
  int rc = make_store(&s, path, storage, doc);
  if (rc < 0)
    return rc;
  /* A thin volume has allocated less than its size. */
  const json_t *data = json_object_get(json_object_get(doc, "Capacity"), "Data");
  double size = get_size(doc, "CapacityBytes");
  if (isnan(size))
    size = get_size(data, "ProvisionedBytes");
  if (!isnan(size))
    s.capacity_bytes = size;
  return stores_add(&t->volumes, REDFISH_VOLUMES_MAX, &s);
}

/* --- identity ----------------------------------------------------------------------------- */

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

/* --- the reading -------------------------------------------------------------------------- */

/* Some services tell a link that is broken but for its last segment: that is then enough within the
 * same subsystem. */
static struct redfish_store *find_source(struct redfish_tree *t, const struct redfish_store *user,
                                         const char *path)
{
  struct redfish_store *near = NULL;
  for (size_t i = 0; i < t->pools.len; i++) {
    struct redfish_store *p = &t->pools.list[i];
    if (strcmp(p->path, path) == 0)
      return p;
    if (strcmp(p->storage, user->storage) == 0 &&
        strcmp(redfish_last_segment(p->path), redfish_last_segment(path)) == 0)
      near = p;
  }
  return near;
}

static void mark_sources(struct redfish_tree *t)
{
  for (size_t i = 0; i < t->pools.len; i++) {
    const struct redfish_store *user = &t->pools.list[i];
    for (size_t k = 0; k < user->sources_len; k++) {
      struct redfish_store *p = find_source(t, user, user->sources[k]);
      if (p != NULL && p != user)
        p->provides = true;
    }
  }
}

static bool name_is_unique(const struct redfish_stores *stores, size_t i)
{
  for (size_t k = 0; k < stores->len; k++)
    if (k != i && strcmp(stores->list[k].name, stores->list[i].name) == 0)
      return false;
  return true;
}

static int tell_volumes(const struct redfish_tree *t, struct reading *r)
{
  for (size_t i = 0; i < t->volumes.len; i++) {
    const struct redfish_store *s = &t->volumes.list[i];
    struct reading_volume *v = reading_add_volume(r);
    if (v == NULL)
      return -ENOMEM;
    char both[2 * READING_NAME + 4];
    int n = snprintf(both, sizeof(both), "%s / %s", s->storage, s->name);
    if (name_is_unique(&t->volumes, i))
      memcpy(v->name, s->name, sizeof(v->name));
    else
      tm_text_clean(v->name, sizeof(v->name), both, (size_t)n);
    v->capacity_bytes = s->capacity_bytes;
    v->used_bytes = s->used_bytes;
  }
  return 0;
}

/* The sum over what is counted; NAN as soon as one does not tell, and for none. */
static double total(const struct redfish_stores *stores, size_t offset)
{
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < stores->len; i++) {
    double v;
    if (stores->list[i].provides)
      continue;
    memcpy(&v, (const char *)&stores->list[i] + offset, sizeof(v));
    sum += v;
    n++;
  }
  return n > 0 ? sum : NAN;
}
#define TOTAL(stores, field) total((stores), offsetof(struct redfish_store, field))

const struct redfish_stores *redfish_tree_counted(const struct redfish_tree *t)
{
  if (!isnan(TOTAL(&t->pools, writes)))
    return &t->pools;
  return !isnan(TOTAL(&t->volumes, writes)) ? &t->volumes : NULL;
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

static int tell_counters(const struct redfish_tree *t, struct reading *r)
{
  const struct redfish_stores *busy = redfish_tree_counted(t);
  for (size_t i = 0; busy != NULL && i < busy->len; i++) {
    const struct redfish_store *s = &busy->list[i];
    if (s->provides)
      continue;
    struct reading_counter *c = reading_add_counter(r);
    if (c == NULL)
      return -ENOMEM;
    /* The end of the path differs more than its beginning. */
    size_t len = strlen(s->path);
    const char *end = s->path + (len < sizeof(c->name) ? 0 : len - (sizeof(c->name) - 1));
    tm_text_clean(c->name, sizeof(c->name), end, strlen(end));
    c->value = (uint64_t)s->writes;
    c->bits = 64;
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
  mark_sources(t);
  int rc = 0;
  if (complete) {
    tell_totals(t, r);
    rc = tell_counters(t, r);
  }
  return rc < 0 ? rc : tell_volumes(t, r);
}

static void stores_release(struct redfish_stores *stores)
{
  for (size_t i = 0; i < stores->len; i++)
    store_release(&stores->list[i]);
  free(stores->list);
}

void redfish_tree_release(struct redfish_tree *t)
{
  stores_release(&t->pools);
  stores_release(&t->volumes);
  *t = (struct redfish_tree){0};
}
