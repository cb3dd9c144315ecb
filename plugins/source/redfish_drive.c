/* SPDX-License-Identifier: MIT */
/* What the documents of a drive say about it. */
#include "common/json.h"
#include "plugins/source/redfish_store.h"
#include "plugins/source/redfish_value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KIB       1024.0
#define NVME_UNIT 512000.0 /* bytes of a data unit in the health log of NVMe */

/* Some services say 255 for 'unknown'. */
static double percent(const json_t *doc, const char *key)
{
  double v = redfish_get_count(doc, key);
  return v <= 100 ? v : NAN;
}

static double life_left(const json_t *doc, const json_t *nvme)
{
  double left = percent(doc, "PredictedMediaLifeLeftPercent");
  double worn = redfish_get_count(nvme, "PercentageUsed"); /* goes past 100 */
  if (isnan(left) && worn <= 255)
    left = fmax(0, 100 - worn);
  return left;
}

/* State says whether it takes part ("Enabled", "StandbySpare", "UnavailableOffline"), Health how it
 * is. */
static void get_state(struct reading_drive *d, const json_t *doc)
{
  const json_t *status = json_object_get(doc, "Status");
  redfish_get_text(d->state, status, "State");
  if (d->state[0] == '\0' || strcmp(d->state, "Enabled") == 0)
    redfish_get_text(d->state, status, "Health");
}

static double moved_bytes(const json_t *metrics, const char *kib_key, const char *unit_key)
{
  double kib = redfish_get_count(metrics, kib_key);
  double units = redfish_get_count(json_object_get(metrics, "NVMeSMART"), unit_key);
  return isnan(kib) ? units * NVME_UNIT : kib * KIB;
}

static struct reading_drive *describe(const struct redfish_store *s, const struct redfish_found *f)
{
  struct reading_drive *d = calloc(1, sizeof(*d));
  if (d == NULL)
    return NULL;
  memcpy(d->name, s->name, sizeof(d->name));
  redfish_get_text(d->vendor, f->doc, "Manufacturer");
  redfish_get_text(d->model, f->doc, "Model");
  if (d->model[0] == '\0')
    redfish_get_text(d->model, f->doc, "PartNumber");
  redfish_get_text(d->serial, f->doc, "SerialNumber");
  get_state(d, f->doc);
  d->capacity_bytes = s->capacity_bytes;
  d->life_left_percent = life_left(f->doc, json_object_get(f->metrics, "NVMeSMART"));
  d->read_bytes = moved_bytes(f->metrics, "ReadIOKiBytes", "DataUnitsRead");
  d->written_bytes = moved_bytes(f->metrics, "WriteIOKiBytes", "DataUnitsWritten");
  return d;
}

int redfish_tree_add_drive(struct redfish_tree *t, const struct redfish_found *f)
{
  struct redfish_store s;
  const char *state = tm_json_get_string(json_object_get(f->doc, "Status"), "State");
  if (state != NULL && strcasecmp(state, "Absent") == 0)
    return 0;
  int rc = redfish_store_init(&s, f);
  if (rc < 0)
    return rc;
  s.capacity_bytes = redfish_get_size(f->doc, "CapacityBytes");
  s.drive = describe(&s, f);
  if (s.drive == NULL) {
    redfish_store_release(&s);
    return -ENOMEM;
  }
  return redfish_stores_add(&t->drives, REDFISH_DRIVES_MAX, &s);
}
