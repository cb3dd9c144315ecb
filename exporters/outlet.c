/* SPDX-License-Identifier: MIT */
#include "exporters/outlet.h"

#include "common/json.h"
#include "common/json_memory.h"
#include "exporters/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static json_t *read_note(const struct tm_conf *conf, const char *target, const char *what,
                         struct tm_error *err)
{
  char name[128];
  snprintf(name, sizeof(name), "%s.%s", target, what);
  return state_read(conf->state_dir, name, err);
}

int outlet_open(struct outlet *o, const struct tm_conf *conf, const struct tm_conf_target *target,
                struct tm_error *err)
{
  *o = (struct outlet){.target = target};
  return spool_open(&o->spool, conf->spool_dir, target->name, &conf->spool, err);
}

/* new/ first: an item that is sent meanwhile is then seen in one of both. */
int outlet_look(struct outlet *o, const struct tm_conf *conf, struct tm_error *err)
{
  static const enum spool_state states[] = {SPOOL_NEW, SPOOL_SENT, SPOOL_DEAD};
  o->keys = json_object();
  for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
    struct spool_list list;
    int rc = spool_scan(&o->spool, states[i], &list, NULL, err);
    if (rc < 0)
      return rc;
    for (size_t j = 0; j < list.len; j++)
      json_object_set_new(o->keys, list.entries[j].key, json_string(spool_state_name(states[i])));
    spool_list_release(&list);
  }
  o->queued = read_note(conf, o->target->name, "queued", err);
  if (o->queued != NULL)
    o->acknowledged = read_note(conf, o->target->name, "acknowledged", err);
  if (o->acknowledged == NULL)
    return err->code;
  if (tm_json_starved())
    return tm_fail(err, -ENOMEM, "%s: out of memory", o->target->name);
  return 0;
}

void outlet_close(struct outlet *o)
{
  json_decref(o->keys);
  json_decref(o->queued);
  json_decref(o->acknowledged);
  spool_close(&o->spool);
}

const char *outlet_known_key(const struct outlet *o, const char *device, const char *source)
{
  const json_t *note = json_object_get(o->queued, device);
  const char *had = tm_json_get_string(note, "source");
  const char *key = tm_json_get_string(note, "key");
  if (had == NULL || key == NULL || strcmp(had, source) != 0 ||
      json_object_get(o->keys, key) == NULL)
    return NULL;
  return key;
}

void outlet_note(struct outlet *o, const char *device, const char *source, const char *key)
{
  json_object_set_new(o->queued, device, json_pack("{s:s,s:s}", "source", source, "key", key));
  o->dirty = true;
}

int outlet_save(struct outlet *o, const struct tm_conf *conf, struct tm_error *err)
{
  char name[128];
  snprintf(name, sizeof(name), "%s.queued", o->target->name);
  return o->dirty ? state_write(conf->state_dir, name, o->queued, err) : 0;
}
