/* SPDX-License-Identifier: MIT */
#ifndef TM_CONFIG_H
#define TM_CONFIG_H

#include "plugins/ask.h"
#include "plugins/module.h"

#include "liboconfig/oconfig.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A <Plugin> block, as the module sees it. Options that stand in the block itself are defaults of
 * every <Device> in it; options of a source are kept as its settings. Nothing here touches a
 * device.
 */
struct config_device {
  char *name;
  char *source; /* a source's name or a URL */
  char *host;   /* NULL */
  char *state_dir;
  double interval_s;
  int64_t unit_s;
  struct ask_settings settings;
  struct config_device *next;
};

struct config {
  char *state_dir;
  double interval_s;
  int64_t unit_s;
  struct ask_settings defaults;
  struct config_device *devices; /* in the order of the file */
};

#define CONFIG_STATE_DIR "/var/lib/tidemark"
#define CONFIG_UNIT_S    300
#define CONFIG_LOCAL     "local" /* the device that is this host */

/* The defaults; interval_s is collectd's own. 0 or -ENOMEM. */
int config_init(struct config *c, double interval_s);
/* Adds a block. 0, or a negative errno with block, option and nearest known name in err. */
int config_read(struct config *c, const struct module_plugin *plugin, const oconfig_item_t *block,
                struct tm_error *err);
/* Adds the device that is this host. 0 or -ENOMEM. */
int config_add_local(struct config *c, const struct module_plugin *plugin);
void config_release(struct config *c);

#endif
