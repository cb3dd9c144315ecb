/* SPDX-License-Identifier: MIT */
/* The collectd plugin media_library: tape and optical libraries, and tape drives of this host. */
#include "plugins/helper.h"
#include "plugins/module.h"
#include "plugins/source/block.h"
#include "plugins/source/snmp.h"

static const struct ask_source *const sources[] = {&source_block,
#ifndef TM_HOST_ONLY
                                                   &source_snmp, &helper_snmp3,
#endif
                                                   NULL};

static const struct module_plugin plugin = {.kind = READING_MEDIA_LIBRARY, .sources = sources};

/* The name that collectd looks for. */
__attribute__((visibility("default"))) void module_register(void);

void module_register(void)
{
  module_register_plugin(&plugin);
}
