/* SPDX-License-Identifier: MIT */
#include "exporters/opportunities.h"

#include "common/json.h"
#include "common/log.h"
#include "exporters/input.h"
#include "exporters/state.h"
#include "exporters/tell.h"

#include <errno.h>
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
    const char *over = reason == NULL ? tm_json_get_string(one, "withdrawn") : NULL;
    printf("%-11s %-10s %-10s %-6s %s%s%s%s\n", text_of(one, "state", "unknown"),
           text_of(one, "end_date", "-"), target, text_of(one, "number", "-"), key,
           reason != NULL ? ": " : "", over != NULL ? ": no longer advised since " : "",
           reason != NULL ? reason
           : over != NULL ? over
                          : "");
    return;
  }
  json_t *out = json_pack("{s:s,s:s}", "target", target, "key", key);
  json_object_update(out, (json_t *)one);
  json_object_del(out, "digest");
  json_object_del(out, "origin");
  json_object_del(out, "advised_at");
  json_dumpf(out, stdout, JSON_COMPACT);
  putchar('\n');
  json_decref(out);
}

/* Calls back with the note of each ERP. */
static int each_erp(const struct tm_conf *conf, const char *target,
                    void (*use)(void *arg, const char *name, json_t *opportunities), void *arg)
{
  size_t n = 0;
  struct tm_error err = {0};
  for (size_t i = 0; i < conf->targets_len; i++) {
    const struct tm_conf_target *t = &conf->targets[i];
    char name[160];
    if (t->type != TM_TARGET_TRYTON || (target != NULL && strcmp(target, t->name) != 0))
      continue;
    n++;
    snprintf(name, sizeof(name), "%s.opportunities", t->name);
    json_t *note = state_read(conf->state_dir, name, &err);
    if (note == NULL) {
      tm_log_error("%s: %s", t->name, err.text);
      return tm_exit_status(err.code);
    }
    use(arg, t->name, json_object_get(note, "opportunities"));
    json_decref(note);
  }
  if (n == 0)
    tm_log_error("%s: no target of type tryton is configured", conf->path);
  return n == 0 ? EX_CONFIG : EX_OK;
}

static void print_all(void *arg, const char *name, json_t *opportunities)
{
  const bool *as_json = arg;
  const char *key;
  json_t *one;
  json_object_foreach(opportunities, key, one)
  {
    print_one(name, key, one, *as_json);
  }
}

int opportunities_list(const struct tm_conf *conf, const char *target, bool as_json)
{
  return each_erp(conf, target, print_all, &as_json);
}

/* --- what is still wanted ------------------------------------------------------------------- */

static void collect_closed(void *arg, const char *name, json_t *opportunities)
{
  static const char *const closed[] = {"won", "lost", "cancelled", "deleted", NULL};
  const char *key;
  json_t *one;
  (void)name;
  json_object_foreach(opportunities, key, one)
  {
    const char *state = text_of(one, "state", "");
    for (size_t i = 0; closed[i] != NULL; i++) {
      if (strcmp(state, closed[i]) == 0)
        json_object_set_new(arg, key, json_true());
    }
  }
}

static int print_open(void *arg, const json_t *summary, const char *where, struct tm_error *err)
{
  const json_t *closed = arg;
  json_t *open = json_array(), *one;
  size_t i;
  (void)where;
  json_array_foreach(json_object_get(summary, "recommendations"), i, one)
  {
    const char *key = tm_json_get_string(one, "key");
    if (key == NULL || json_object_get(closed, key) == NULL)
      json_array_append(open, one);
  }
  json_t *out = json_copy((json_t *)summary);
  if (json_array_size(json_object_get(summary, "recommendations")) > 0)
    json_object_set(out, "recommendations", open);
  int rc = tell_json(out, err);
  json_decref(out);
  json_decref(open);
  if (rc < 0)
    tm_log_error("%s", err->text);
  return rc < 0 ? -ECANCELED : 0;
}

int opportunities_open(const struct tm_conf *conf, const char *target, char *const *files)
{
  struct input_counts counts;
  json_t *closed = json_object();
  int status = each_erp(conf, target, collect_closed, closed);
  if (status == EX_OK)
    status =
        input_read(conf, files, print_open, closed, &counts) < 0 ? EX_IOERR : input_status(&counts);
  json_decref(closed);
  return status;
}
