/* SPDX-License-Identifier: MIT */
#include "analyzer/source/prometheus_name.h"

#include "common/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

char *prom_metric(char out[PROM_NAME_SIZE], const struct rrd_recipe *recipe,
                  const struct rrd_role *role, const char *ds)
{
  int type = (int)strcspn(role->file, "-");
  bool same = strlen(recipe->plugin) == (size_t)type &&
              strncmp(recipe->plugin, role->file, (size_t)type) == 0;
  snprintf(out, PROM_NAME_SIZE, "collectd_%s%s%.*s%s%s%s", same ? "" : recipe->plugin,
           same ? "" : "_", type, role->file, ds != NULL ? "_" : "", ds != NULL ? ds : "",
           prom_is_counter(role) ? "_total" : "");
  return out;
}

bool prom_is_counter(const struct rrd_role *role)
{
  static const char *const gauges[] = {"load", "percent-idle"};
  for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
    if (strcmp(role->file, gauges[i]) == 0)
      return false;
  return role->use == RRD_RATE;
}

const char *prom_type_instance(const struct rrd_role *role)
{
  const char *dash = strchr(role->file, '-');
  return dash != NULL ? dash + 1 : NULL;
}

int prom_all_metrics(struct tm_buf *b)
{
  const struct rrd_recipe *recipe;
  char name[PROM_NAME_SIZE];
  int rc = 0;
  for (size_t i = 0; (recipe = rrd_recipe_at(i)) != NULL; i++)
    for (const struct rrd_role *role = recipe->roles; role->file != NULL && rc == 0; role++) {
      prom_metric(name, recipe, role, role->ds);
      rc = tm_buf_printf(b, "%s%s", b->len > 0 ? "|" : "", name);
    }
  return rc;
}

static const struct rrd_role *role_of(const struct rrd_recipe *recipe, const char *metric)
{
  char name[PROM_NAME_SIZE];
  for (const struct rrd_role *role = recipe->roles; role->file != NULL; role++)
    if (strcmp(metric, prom_metric(name, recipe, role, role->ds)) == 0)
      return role;
  return NULL;
}

bool prom_owner(struct prom_owner *o, const json_t *labels)
{
  const char *metric = tm_json_get_string(labels, "__name__");
  const char *host = tm_json_get_string(labels, "exported_instance");
  const struct rrd_recipe *recipe = NULL;
  const struct rrd_role *role = NULL;
  o->exported = host != NULL;
  o->host = host != NULL ? host : tm_json_get_string(labels, "instance");
  if (metric == NULL || o->host == NULL)
    return false;
  for (size_t i = 0; role == NULL && (recipe = rrd_recipe_at(i)) != NULL; i++)
    role = role_of(recipe, metric);
  if (role == NULL)
    return false;
  const char *instance = tm_json_get_string(labels, recipe->plugin);
  bool bare = prom_type_instance(role) != NULL && tm_json_get_string(labels, "type") == NULL;
  o->instance = instance != NULL && !bare ? instance : "";
  o->recipe = recipe;
  return true;
}

int prom_quote(struct tm_buf *b, const char *text, bool as_regex)
{
  int rc = 0;
  for (const char *p = text; *p != '\0' && rc == 0; p++) {
    if (as_regex && strchr("\\.+*?()|[]{}^$", *p) != NULL)
      rc = tm_buf_puts(b, "\\\\"); /* one backslash, quoted */
    if (rc == 0 && (*p == '\\' || *p == '"'))
      rc = tm_buf_puts(b, "\\");
    if (rc == 0)
      rc = *p == '\n' ? tm_buf_puts(b, "\\n") : tm_buf_add(b, p, 1);
  }
  return rc;
}
