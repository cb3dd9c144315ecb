/* SPDX-License-Identifier: MIT */
/* From a document to a pool, volume or drive, each once. */
#include "plugins/source/redfish_store.h"

#include "common/json.h"
#include "common/text.h"
#include "plugins/source/redfish_value.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KIB 1024.0
/* Of an id that is taken for a world wide name or a serial number. */
#define UNIQUE_ID     12
#define UNIQUE_DIGITS 6
/* No device moves more than this by one request on average. */
#define MAX_REQUEST_BYTES (64.0 * 1024 * 1024)

/* --- what it is built on ------------------------------------------------------------------- */

static int add_source(struct redfish_store *s, const json_t *link)
{
  const char *id = tm_json_get_string(link, "@odata.id");
  if (id == NULL || s->sources_len >= REDFISH_SOURCES_MAX)
    return 0;
  char *path = redfish_path(id);
  if (path == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < s->sources_len; i++) {
    if (strcmp(s->sources[i], path) == 0) {
      free(path);
      return 0;
    }
  }
  char **longer = realloc(s->sources, (s->sources_len + 1) * sizeof(*longer));
  if (longer == NULL) {
    free(path);
    return -ENOMEM;
  }
  s->sources = longer;
  s->sources[s->sources_len++] = path;
  return 0;
}

/* A list of links, a collection with its members in it, or one link, by the version of the schema.
 */
static int add_links(struct redfish_store *s, const json_t *links)
{
  const json_t *members = json_is_array(links) ? links : json_object_get(links, "Members");
  int rc = 0;
  if (members == NULL)
    rc = add_source(s, links);
  for (size_t k = 0; rc == 0 && k < json_array_size(members); k++)
    rc = add_source(s, json_array_get(members, k));
  return rc;
}

static int add_sources(struct redfish_store *s, const json_t *doc)
{
  static const char *const keys[] = {"ProvidingPools", "ProvidingVolumes", "ProvidingPool",
                                     "ProvidingVolume"};
  const json_t *sources = json_object_get(doc, "CapacitySources");
  int rc = add_links(s, json_object_get(json_object_get(doc, "Links"), "Drives"));
  for (size_t i = 0; rc == 0 && i < json_array_size(sources); i++) {
    const json_t *source = json_array_get(sources, i);
    const json_t *links = json_object_get(source, "Links"); /* where the oldest schema has them */
    for (size_t k = 0; rc == 0 && k < sizeof(keys) / sizeof(keys[0]); k++) {
      rc = add_links(s, json_object_get(source, keys[k]));
      if (rc == 0)
        rc = add_links(s, json_object_get(links, keys[k]));
    }
  }
  return rc;
}

/* --- counters ------------------------------------------------------------------------------ */

static double plausible_bytes(double kib, double requests)
{
  double bytes = kib * KIB;
  return bytes <= requests * MAX_REQUEST_BYTES ? bytes : NAN; /* NAN for NANs too */
}

static void fill_counters(struct redfish_store *s, const json_t *doc)
{
  const json_t *io = json_object_get(doc, "IOStatistics");
  const json_t *nvme = json_object_get(doc, "NVMeSMART");
  s->writes = redfish_get_count(io, "WriteIORequests");
  s->reads = redfish_get_count(io, "ReadIORequests");
  s->write_bytes = plausible_bytes(redfish_get_count(io, "WriteIOKiBytes"), s->writes);
  s->read_bytes = plausible_bytes(redfish_get_count(io, "ReadIOKiBytes"), s->reads);
  if (isnan(s->writes)) {
    s->writes = redfish_get_count(nvme, "HostWriteCommands");
    s->reads = redfish_get_count(nvme, "HostReadCommands");
  }
}

bool redfish_tree_has_counters(const json_t *doc)
{
  struct redfish_store s = {0};
  fill_counters(&s, doc);
  return !isnan(s.writes);
}

static int find_counters(struct redfish_store *s, const struct redfish_found *f)
{
  fill_counters(s, f->doc);
  if (!isnan(s->writes) || f->metrics == NULL)
    return 0;
  fill_counters(s, f->metrics);
  if (isnan(s->writes))
    return 0;
  s->counted = redfish_path(f->metrics_path);
  return s->counted != NULL ? 0 : -ENOMEM;
}

/* --- one store ----------------------------------------------------------------------------- */

void redfish_store_release(struct redfish_store *s)
{
  for (size_t i = 0; i < s->sources_len; i++)
    free(s->sources[i]);
  free(s->sources);
  free(s->path);
  free(s->counted);
  free(s->drive);
  *s = (struct redfish_store){0};
}

static int fill(struct redfish_store *s, const struct redfish_found *f)
{
  s->path = redfish_path(f->path);
  if (s->path == NULL)
    return -ENOMEM;
  redfish_get_text(s->id, f->doc, "Id");
  redfish_get_text(s->name, f->doc, "Name");
  if (s->name[0] == '\0')
    memcpy(s->name, s->id, sizeof(s->id));
  if (s->name[0] == '\0') {
    const char *last = redfish_last_segment(s->path);
    tm_text_clean(s->name, sizeof(s->name), last, strlen(last));
  }
  tm_text_clean(s->storage, sizeof(s->storage), f->storage, strlen(f->storage));
  const json_t *data = json_object_get(json_object_get(f->doc, "Capacity"), "Data");
  s->capacity_bytes = redfish_get_size(data, "AllocatedBytes");
  s->used_bytes = redfish_get_count(data, "ConsumedBytes");
  int rc = find_counters(s, f);
  return rc < 0 ? rc : add_sources(s, f->doc);
}

int redfish_store_init(struct redfish_store *s, const struct redfish_found *f)
{
  *s = (struct redfish_store){0};
  if (!json_is_object(f->doc))
    return -EINVAL;
  int rc = fill(s, f);
  if (rc < 0)
    redfish_store_release(s);
  return rc;
}

/* --- all of them --------------------------------------------------------------------------- */

/* "Disk.Virtual.0" and "DriveMetrics" are long, and the same elsewhere. */
static bool is_unique(const char *id)
{
  size_t digits = 0;
  size_t len = 0;
  for (; id[len] != '\0'; len++) {
    if (!isalnum((unsigned char)id[len]) && strchr(":-_", id[len]) == NULL)
      return false;
    digits += isdigit((unsigned char)id[len]) != 0;
  }
  return len >= UNIQUE_ID && digits >= UNIQUE_DIGITS;
}

static bool same_store(const struct redfish_store *a, const struct redfish_store *b)
{
  return strcmp(a->path, b->path) == 0 || (is_unique(a->id) && strcmp(a->id, b->id) == 0);
}

int redfish_stores_add(struct redfish_stores *stores, size_t max, struct redfish_store *s)
{
  for (size_t i = 0; i < stores->len; i++) {
    if (same_store(&stores->list[i], s)) {
      redfish_store_release(s);
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
    redfish_store_release(s);
    return rc;
  }
  stores->list[stores->len++] = *s;
  return 0;
}

void redfish_stores_release(struct redfish_stores *stores)
{
  for (size_t i = 0; i < stores->len; i++)
    redfish_store_release(&stores->list[i]);
  free(stores->list);
  *stores = (struct redfish_stores){0};
}
