/* SPDX-License-Identifier: MIT */
#include "exporters/opportunities.h"

#include "common/json.h"
#include "common/log.h"
#include "exporters/state.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char *text_of(const json_t *one, const char *key, const char *otherwise)
{
  const char *text = tm_json_get_string(one, key);
  return text != NULL && text[0] != '\0' ? text : otherwise;
}

static void print_one(const char *target, const char *key, const json_t *one, bool as_json)
{
  if (!as_json) {
    const char *reason = tm_json_get_string(one, "lost_reason");
    printf("%-11s %-10s %-10s %-6s %s%s%s\n", text_of(one, "state", "unknown"),
           text_of(one, "end_date", "-"), target, text_of(one, "number", "-"), key,
           reason != NULL ? ": " : "", reason != NULL ? reason : "");
    return;
  }
  json_t *out = json_pack("{s:s,s:s}", "target", target, "key", key);
  json_object_update(out, (json_t *)one);
  json_object_del(out, "digest");
  json_dumpf(out, stdout, JSON_COMPACT);
  putchar('\n');
  json_decref(out);
}

int opportunities_list(const struct tm_conf *conf, const char *target, bool as_json)
{
  size_t targets = 0;
  for (size_t i = 0; i < conf->targets_len; i++) {
    const struct tm_conf_target *t = &conf->targets[i];
    char name[160];
    const char *key;
    json_t *one;
    if (t->type != TM_TARGET_TRYTON || (target != NULL && strcmp(target, t->name) != 0))
      continue;
    targets++;
    snprintf(name, sizeof(name), "%s.opportunities", t->name);
    json_t *note = state_read(conf->state_dir, name);
    json_t *all = json_object_get(note, "opportunities");
    json_object_foreach(all, key, one)
    {
      print_one(t->name, key, one, as_json);
    }
    json_decref(note);
  }
  if (targets > 0)
    return EX_OK;
  tm_log_error("%s: no target of type tryton is configured", conf->path);
  return EX_CONFIG;
}
