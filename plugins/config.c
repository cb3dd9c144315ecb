/* SPDX-License-Identifier: MIT */
#include "plugins/config.h"

#include "common/number.h"
#include "common/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_KEYS = 128, MAX_UNIT_S = 86400, MAX_NAME = 100 };

static const char *const block_keys[] = {"Device", "Interval", "UnitInterval", "StateDir", NULL};
static const char *const device_keys[] = {"Source", "Host", "Interval", "UnitInterval", NULL};

int config_init(struct config *c, double interval_s)
{
  *c = (struct config){.interval_s = interval_s, .unit_s = CONFIG_UNIT_S};
  c->state_dir = strdup(CONFIG_STATE_DIR);
  return c->state_dir != NULL ? 0 : -ENOMEM;
}

static void free_device(struct config_device *d)
{
  if (d == NULL)
    return;
  free(d->name);
  free(d->source);
  free(d->host);
  free(d->state_dir);
  ask_settings_release(&d->settings);
  free(d);
}

void config_release(struct config *c)
{
  while (c->devices != NULL) {
    struct config_device *next = c->devices->next;
    free_device(c->devices);
    c->devices = next;
  }
  free(c->state_dir);
  ask_settings_release(&c->defaults);
  *c = (struct config){0};
}

/* --- values of an option ------------------------------------------------------------------ */

/* The one value of an option as text. */
static int get_text(const oconfig_item_t *item, char *out, size_t size, struct tm_error *err)
{
  if (item->values_num != 1 || item->children_num != 0)
    return tm_fail(err, -EINVAL, "%s takes exactly one value", item->key);
  const oconfig_value_t *v = &item->values[0];
  int n = 0;
  if (v->type == OCONFIG_TYPE_STRING)
    n = snprintf(out, size, "%s", v->value.string);
  else if (v->type == OCONFIG_TYPE_NUMBER)
    n = snprintf(out, size, "%.15g", v->value.number);
  else
    n = snprintf(out, size, "%s", v->value.boolean ? "true" : "false");
  if (n < 0 || (size_t)n >= size)
    return tm_fail(err, -EINVAL, "the value of %s is too long", item->key);
  return 0;
}

static int get_string(const oconfig_item_t *item, char **out, struct tm_error *err)
{
  char text[4096];
  int rc = get_text(item, text, sizeof(text), err);
  if (rc < 0)
    return rc;
  free(*out);
  *out = strdup(text);
  return *out != NULL ? 0 : tm_fail(err, -ENOMEM, "out of memory");
}

static int get_interval(const oconfig_item_t *item, double *out, struct tm_error *err)
{
  char text[64];
  double value = 0;
  int rc = get_text(item, text, sizeof(text), err);
  if (rc < 0)
    return rc;
  if (tm_parse_double(text, &value) < 0 || value < 0.01 || value > 86400)
    return tm_fail(err, -EINVAL, "%s '%s': seconds from 0.01 to 86400 are wanted", item->key, text);
  *out = value;
  return 0;
}

static int get_unit(const oconfig_item_t *item, int64_t *out, struct tm_error *err)
{
  char text[64];
  uint64_t value = 0;
  int rc = get_text(item, text, sizeof(text), err);
  if (rc < 0)
    return rc;
  if (tm_parse_u64(text, 1, MAX_UNIT_S, &value) < 0)
    return tm_fail(err, -EINVAL, "%s '%s': whole seconds from 1 to 86400 are wanted", item->key,
                   text);
  *out = (int64_t)value;
  return 0;
}

/* --- names of options ------------------------------------------------------------------------ */

static bool is_one_of(const char *key, const char *const *names)
{
  for (; *names != NULL; names++) {
    if (strcasecmp(key, *names) == 0)
      return true;
  }
  return false;
}

static void add_names(const char **all, size_t *len, const char *const *names)
{
  for (; *names != NULL && *len < MAX_KEYS; names++)
    all[(*len)++] = *names;
  all[*len] = NULL;
}

/* collectd keeps no line numbers of its configuration: block and option are named instead. */
static int refuse_key(const char *key, const char **known, struct tm_error *err)
{
  const char *near = tm_text_nearest(key, known);
  if (near != NULL)
    return tm_fail(err, -EINVAL, "no such option '%s'; did you mean '%s'?", key, near);
  return tm_fail(err, -EINVAL, "no such option '%s'", key);
}

static int set_setting(struct ask_settings *settings, const oconfig_item_t *item,
                       struct tm_error *err)
{
  char text[4096];
  int rc = get_text(item, text, sizeof(text), err);
  if (rc == 0 && ask_settings_set(settings, item->key, text) < 0)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  return rc;
}

/* --- devices ---------------------------------------------------------------------------------- */

/* The name becomes part of file names. */
static int check_name(const char *name, struct tm_error *err)
{
  if (name[0] == '\0' || name[0] == '.' || strlen(name) > MAX_NAME)
    return tm_fail(err, -EINVAL,
                   "a name of 1 to %d characters that does not begin with a dot is "
                   "wanted",
                   MAX_NAME);
  for (const char *p = name; *p != '\0'; p++) {
    if (*p == '/' || (unsigned char)*p < 0x20 || *p == 0x7f)
      return tm_fail(err, -EINVAL, "the name may not contain '/' or control characters");
  }
  return tm_text_is_utf8(name) ? 0 : tm_fail(err, -EINVAL, "the name is not UTF-8");
}

static const struct ask_source *source_of(const struct module_plugin *plugin, const char *text)
{
  for (const struct ask_source *const *s = plugin->sources; *s != NULL; s++) {
    if (strcasecmp((*s)->name, text) == 0)
      return *s;
    for (const char *const *scheme = (*s)->schemes; *scheme != NULL; scheme++) {
      size_t len = strlen(*scheme);
      if (strncasecmp(text, *scheme, len) == 0 && text[len] == ':')
        return *s;
    }
  }
  return NULL;
}

static int refuse_source(const struct module_plugin *plugin, const char *text, struct tm_error *err)
{
  char names[256] = "";
  size_t len = 0;
  for (const struct ask_source *const *s = plugin->sources; *s != NULL && len < 200; s++)
    len +=
        (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len > 0 ? ", " : "", (*s)->name);
  if (text == NULL)
    return tm_fail(err, -EINVAL, "no Source is given; there are: %s", names);
  return tm_fail(err, -EINVAL, "no such Source '%.64s'; there are: %s",
                 ask_url_looks_like(text) ? "(a URL)" : text, names);
}

static int read_option(struct config_device *d, const struct ask_source *source,
                       const oconfig_item_t *item, struct tm_error *err)
{
  if (strcasecmp(item->key, "Source") == 0)
    return 0;
  if (strcasecmp(item->key, "Host") == 0)
    return get_string(item, &d->host, err);
  if (strcasecmp(item->key, "Interval") == 0)
    return get_interval(item, &d->interval_s, err);
  if (strcasecmp(item->key, "UnitInterval") == 0)
    return get_unit(item, &d->unit_s, err);
  if (is_one_of(item->key, source->keys))
    return set_setting(&d->settings, item, err);
  const char *known[MAX_KEYS + 1];
  size_t len = 0;
  add_names(known, &len, device_keys);
  add_names(known, &len, source->keys);
  return refuse_key(item->key, known, err);
}

static int fill_device(struct config_device *d, const struct module_plugin *plugin,
                       const oconfig_item_t *block, struct tm_error *err)
{
  int rc = 0;
  for (int i = 0; rc == 0 && i < block->children_num; i++) {
    if (strcasecmp(block->children[i].key, "Source") == 0)
      rc = get_string(&block->children[i], &d->source, err);
  }
  if (rc < 0)
    return rc;
  const struct ask_source *source = d->source != NULL ? source_of(plugin, d->source) : NULL;
  if (source == NULL)
    return refuse_source(plugin, d->source, err);
  if (ask_settings_set(&d->settings, "Device", d->name) < 0)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  for (int i = 0; rc == 0 && i < block->children_num; i++)
    rc = read_option(d, source, &block->children[i], err);
  return rc;
}

/* An empty device with the defaults of the block. */
static struct config_device *new_device(const struct config *c, const char *name)
{
  struct config_device *d = calloc(1, sizeof(*d));
  if (d == NULL)
    return NULL;
  d->interval_s = c->interval_s;
  d->unit_s = c->unit_s;
  d->name = strdup(name);
  d->state_dir = strdup(c->state_dir);
  if (d->name == NULL || d->state_dir == NULL) {
    free_device(d);
    return NULL;
  }
  return d;
}

static void append_device(struct config *c, struct config_device *d)
{
  struct config_device **end = &c->devices;
  while (*end != NULL)
    end = &(*end)->next;
  *end = d;
}

static bool name_is_taken(const struct config *c, const char *name)
{
  for (const struct config_device *d = c->devices; d != NULL; d = d->next) {
    if (strcmp(d->name, name) == 0)
      return true;
  }
  return false;
}

static int read_device(struct config *c, const struct module_plugin *plugin,
                       const oconfig_item_t *block, struct tm_error *err)
{
  char where[160];
  if (block->values_num != 1 || block->values[0].type != OCONFIG_TYPE_STRING)
    return tm_fail(err, -EINVAL, "<Device> takes one name in quotes, <Device \"array-01\">");
  const char *name = block->values[0].value.string;
  snprintf(where, sizeof(where), "<Device \"%.100s\">", name);
  struct config_device *d = NULL;
  int rc = check_name(name, err);
  /* Host tells apart two devices of one name, but then nobody could say which is meant. */
  if (rc == 0 && name_is_taken(c, name))
    rc = tm_fail(err, -EINVAL, "this name is given twice");
  if (rc == 0) {
    d = new_device(c, name);
    rc = d != NULL ? fill_device(d, plugin, block, err) : tm_fail(err, -ENOMEM, "out of memory");
  }
  if (rc < 0)
    free_device(d);
  else
    append_device(c, d);
  return rc < 0 ? tm_fail_prefix(err, where) : 0;
}

int config_add_local(struct config *c, const struct module_plugin *plugin)
{
  struct config_device *d = new_device(c, CONFIG_LOCAL);
  if (d != NULL)
    d->source = strdup(plugin->local);
  if (d == NULL || d->source == NULL) {
    free_device(d);
    return -ENOMEM;
  }
  append_device(c, d);
  return 0;
}

/* --- the block -------------------------------------------------------------------------------- */

static int read_default(struct config *c, const struct module_plugin *plugin,
                        const oconfig_item_t *item, struct tm_error *err)
{
  if (strcasecmp(item->key, "Interval") == 0)
    return get_interval(item, &c->interval_s, err);
  if (strcasecmp(item->key, "UnitInterval") == 0)
    return get_unit(item, &c->unit_s, err);
  if (strcasecmp(item->key, "StateDir") == 0)
    return get_string(item, &c->state_dir, err);
  const char *known[MAX_KEYS + 1];
  size_t len = 0;
  add_names(known, &len, block_keys);
  for (const struct ask_source *const *s = plugin->sources; *s != NULL; s++) {
    if (is_one_of(item->key, (*s)->keys))
      return set_setting(&c->defaults, item, err);
    add_names(known, &len, (*s)->keys);
  }
  return refuse_key(item->key, known, err);
}

int config_read(struct config *c, const struct module_plugin *plugin, const oconfig_item_t *block,
                struct tm_error *err)
{
  int rc = 0;
  for (int i = 0; rc == 0 && i < block->children_num; i++) {
    const oconfig_item_t *item = &block->children[i];
    if (strcasecmp(item->key, "Device") != 0)
      rc = read_default(c, plugin, item, err);
  }
  for (int i = 0; rc == 0 && i < block->children_num; i++) {
    const oconfig_item_t *item = &block->children[i];
    if (strcasecmp(item->key, "Device") == 0)
      rc = read_device(c, plugin, item, err);
  }
  return rc;
}
