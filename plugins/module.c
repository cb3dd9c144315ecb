/* SPDX-License-Identifier: MIT */
#include "plugins/module.h"

#include "common/clock.h"
#include "plugins/border.h"
#include "plugins/config.h"
#include "plugins/member.h"

#include "collectd/core/daemon/plugin.h"
#include "collectd/core/utils/common/common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Devices that are asked together: of one source and one interval. */
struct group {
  const struct module *module;
  const struct ask_source *source;
  double interval_s; /* of reads */
  int64_t unit_s;    /* of borders */
  struct ask_job *jobs;
  size_t len;
  struct border *thread;
  struct group *next;
};

struct module {
  const struct module_plugin *plugin;
  struct config config;
  struct ask *ask;
  struct member *members; /* one for each device of the configuration, in its order */
  size_t members_len;
  struct group *reads;
  struct group *borders;
  plugin_ctx_t context; /* collectd's, for threads that it did not start */
  bool ready;
};

/* collectd's callbacks carry no context of ours; each plugin's .so has its own copy of this. */
static struct module module;

static const char *plugin_name(void)
{
  return reading_kind_name(module.plugin->kind);
}

/* --- members ---------------------------------------------------------------------------------- */

static struct member *make_member(const struct module *mod, const struct config_device *c,
                                  struct tm_error *err)
{
  struct ask_device *device = NULL;
  int rc = ask_url_looks_like(c->source)
               ? ask_device_from_url(&device, mod->ask, c->source, &c->settings, err)
               : ask_device_new(&device, mod->ask, c->source, &c->settings, err);
  if (rc < 0)
    return NULL;
  json_t *asked = ask_device_asked(device);
  struct member *m = asked != NULL ? member_new(c->name, c->host, device) : NULL;
  if (m == NULL) {
    json_decref(asked);
    ask_device_free(device);
    tm_fail(err, -ENOMEM, "out of memory");
    return NULL;
  }
  m->asked = asked;
  m->kind = mod->plugin->kind;
  m->interval_s = c->interval_s;
  m->unit_s = c->unit_s;
  m->state_dir = c->state_dir;
  m->values = (struct dispatch){.host = m->host, .plugin = plugin_name(), .device = m->name};
  interval_init(&m->counter, m->unit_s);
  return m;
}

/* Makes members of those configured devices that have none yet. */
static int add_members(struct module *mod, struct tm_error *err)
{
  struct member **end = &mod->members;
  int rc = 0;
  if (mod->ask == NULL)
    rc = ask_new(&mod->ask, mod->plugin->sources, &mod->config.defaults, err);
  for (const struct config_device *c = mod->config.devices; rc == 0 && c != NULL; c = c->next) {
    if (*end == NULL) {
      *end = make_member(mod, c, err);
      if (*end == NULL) {
        char where[160];
        snprintf(where, sizeof(where), "<Device \"%.100s\">", c->name);
        return tm_fail_prefix(err, where);
      }
      mod->members_len++;
    }
    end = &(*end)->next;
  }
  return rc;
}

/* --- groups ----------------------------------------------------------------------------------- */

static bool belongs(const struct group *g, const struct group *like)
{
  return g->source == like->source && g->unit_s == like->unit_s &&
         !(g->interval_s < like->interval_s) && !(g->interval_s > like->interval_s);
}

/* The group that is like this one; a new one when there is none. NULL when out of memory. */
static struct group *find_group(struct group **groups, const struct group *like)
{
  for (struct group *g = *groups; g != NULL; g = g->next) {
    if (belongs(g, like))
      return g;
  }
  struct group *g = calloc(1, sizeof(*g));
  if (g == NULL)
    return NULL;
  *g = *like;
  g->jobs = calloc(like->module->members_len, sizeof(*g->jobs));
  if (g->jobs == NULL) {
    free(g);
    return NULL;
  }
  g->next = *groups;
  *groups = g;
  return g;
}

/* Puts the member into the group of its source and intervals. */
static int join(struct group **groups, const struct group *like, struct member *m)
{
  struct group *g = find_group(groups, like);
  if (g == NULL)
    return -ENOMEM;
  g->jobs[g->len++] = (struct ask_job){.device = m->device, .user = m};
  return 0;
}

static int make_groups(struct module *mod)
{
  int rc = 0;
  for (struct member *m = mod->members; rc == 0 && m != NULL; m = m->next) {
    const struct ask_source *source = ask_device_source(m->device);
    struct group read = {.module = mod, .source = source, .interval_s = m->interval_s};
    struct group border = {.module = mod, .source = source, .unit_s = m->unit_s};
    rc = join(&mod->reads, &read, m);
    if (rc == 0)
      rc = join(&mod->borders, &border, m);
  }
  return rc;
}

static void ask_group(struct group *g, enum ask_part part, double deadline,
                      void (*done)(struct ask_job *job))
{
  for (size_t i = 0; i < g->len; i++) {
    g->jobs[i].part = part;
    g->jobs[i].deadline = deadline;
    g->jobs[i].done = done;
  }
  ask_run(g->jobs, g->len);
}

/* --- reads ------------------------------------------------------------------------------------ */

static void reading_came(struct ask_job *job)
{
  const struct member *m = job->user;
  struct reading *r = &job->reading;
  if (r->observed_at != INT64_MIN && r->kind != m->kind) {
    r->observed_at = INT64_MIN;
    tm_fail(&r->error, -EINVAL, "this is a %s: it belongs into <Plugin %s>",
            reading_kind_name(r->kind), reading_kind_name(r->kind));
  }
  member_take_reading(job->user, job);
}

static int read_group(user_data_t *user)
{
  struct group *g = user->data;
  /* A device that does not answer costs its own slot: all is over before the next read. */
  ask_group(g, ASK_EVERYTHING, tm_monotonic() + 0.9 * g->interval_s, reading_came);
  for (size_t i = 0; i < g->len; i++) {
    member_keep_inventory(g->jobs[i].user, &g->jobs[i]);
    reading_release(&g->jobs[i].reading);
  }
  return 0; /* anything else would make collectd double the interval */
}

static int register_reads(struct module *mod)
{
  int rc = 0;
  for (struct group *g = mod->reads; rc == 0 && g != NULL; g = g->next) {
    char name[128];
    snprintf(name, sizeof(name), "%s/%s/%g", plugin_name(), g->source->name, g->interval_s);
    rc = plugin_register_complex_read(plugin_name(), name, read_group,
                                      DOUBLE_TO_CDTIME_T(g->interval_s), &(user_data_t){.data = g});
  }
  return rc;
}

/* --- borders ---------------------------------------------------------------------------------- */

static void border_came(struct ask_job *job)
{
  member_take_border(job->user, job);
  reading_release(&job->reading);
}

static void at_border(int64_t border, void *user)
{
  struct group *g = user;
  plugin_set_ctx(g->module->context);
  for (size_t i = 0; i < g->len; i++) {
    struct member *m = g->jobs[i].user;
    m->border = border;
  }
  /* What comes later than the bound is of no use. */
  double left = (double)border + interval_bound(g->unit_s) - ask_wall_clock();
  ask_group(g, ASK_COUNTERS, tm_monotonic() + (left > 0 ? left : 0), border_came);
}

static int start_borders(struct module *mod, struct tm_error *err)
{
  int rc = 0;
  for (struct group *g = mod->borders; rc == 0 && g != NULL; g = g->next)
    rc = border_start(&g->thread, g->unit_s, at_border, g, err);
  return rc;
}

/* --- collectd's callbacks --------------------------------------------------------------------- */

static void release_groups(struct group *groups)
{
  while (groups != NULL) {
    struct group *next = groups->next;
    border_stop(groups->thread);
    free(groups->jobs);
    free(groups);
    groups = next;
  }
}

static void release(struct module *mod)
{
  release_groups(mod->borders);
  release_groups(mod->reads);
  while (mod->members != NULL) {
    struct member *next = mod->members->next;
    member_free(mod->members);
    mod->members = next;
  }
  ask_free(mod->ask);
  config_release(&mod->config);
  *mod = (struct module){.plugin = mod->plugin};
}

static int prepare(struct module *mod, struct tm_error *err)
{
  if (mod->config.state_dir != NULL)
    return 0;
  /* collectd tells its interval to its plugins only now. */
  int rc = config_init(&mod->config, CDTIME_T_TO_DOUBLE(plugin_get_interval()));
  return rc < 0 ? tm_fail(err, rc, "out of memory") : 0;
}

static int on_config(oconfig_item_t *block)
{
  struct tm_error err = {0};
  int rc = prepare(&module, &err);
  if (rc == 0)
    rc = config_read(&module.config, module.plugin, block, &err);
  /* The devices are made here, so that `collectd -t` checks their settings too. */
  if (rc == 0)
    rc = add_members(&module, &err);
  if (rc < 0)
    P_ERROR("<Plugin %s>: %s", plugin_name(), err.text);
  return rc < 0 ? -1 : 0;
}

static int on_init(void)
{
  struct tm_error err = {0};
  if (module.ready)
    return 0;
  int rc = prepare(&module, &err);
  if (rc == 0 && module.config.devices == NULL && module.plugin->local != NULL &&
      config_add_local(&module.config, module.plugin) < 0)
    rc = tm_fail(&err, -ENOMEM, "out of memory");
  if (rc == 0)
    rc = add_members(&module, &err);
  if (rc == 0 && module.members_len == 0)
    P_WARNING("no <Device> is configured: there is nothing to do");
  if (rc == 0 && make_groups(&module) < 0)
    rc = tm_fail(&err, -ENOMEM, "out of memory");
  module.context = plugin_get_ctx();
  if (rc == 0 && register_reads(&module) != 0)
    rc = tm_fail(&err, -EIO, "collectd refused the read callback");
  if (rc == 0)
    rc = start_borders(&module, &err);
  if (rc < 0)
    P_ERROR("cannot start: %s", err.text);
  module.ready = rc == 0;
  return rc < 0 ? -1 : 0;
}

static int on_shutdown(void)
{
  release(&module);
  return 0;
}

void module_register_plugin(const struct module_plugin *plugin)
{
  module.plugin = plugin;
  plugin_register_complex_config(plugin_name(), on_config);
  plugin_register_init(plugin_name(), on_init);
  plugin_register_shutdown(plugin_name(), on_shutdown);
}
