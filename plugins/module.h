/* SPDX-License-Identifier: MIT */
#ifndef TM_MODULE_H
#define TM_MODULE_H

#include "plugins/ask.h"
#include "plugins/reading.h"

/*
 * All that a collectd plugin of ours does, but for which kind of device it is for: configuration,
 * reads, unit intervals, values, inventory, log. A plugin's module_register() is one call.
 */
struct module_plugin {
  enum reading_kind kind;
  const struct ask_source *const *sources; /* NULL-terminated */
  const char *local; /* the source that serves the host itself when no <Device> is given, or NULL */
};

/* `plugin` must stay: it is a constant of the plugin's file. */
void module_register_plugin(const struct module_plugin *plugin);

#endif
