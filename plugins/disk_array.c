/* SPDX-License-Identifier: MIT */
/* The collectd plugin disk_array: disk arrays, NAS and this host's own disks. */
#include "plugins/helper.h"
#include "plugins/module.h"
#include "plugins/source/block.h"
#include "plugins/source/snmp.h"

static const struct ask_source *const sources[] = {&source_block,
#ifndef TM_HOST_ONLY /* an agent on the device itself: see contrib/doc/agent.md */
                                                   &source_snmp, &helper_redfish, &helper_snmp3,
#endif
                                                   NULL};

static const struct module_plugin plugin = {
    .kind = READING_DISK_ARRAY,
    .sources = sources,
    .local = "block",
};

/* The name that collectd looks for. */
__attribute__((visibility("default"))) void module_register(void);

void module_register(void)
{
  module_register_plugin(&plugin);
}
