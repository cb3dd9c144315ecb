/* SPDX-License-Identifier: MIT */
#include "exporters/target.h"

#include <stdio.h>

const struct target_ops *target_ops_of(const struct tm_conf_target *target)
{
  switch (target->type) {
  case TM_TARGET_FILE:
    return &target_file_ops;
  case TM_TARGET_WEBHOOK:
    return target->mapping != NULL ? &target_mapped_ops : &target_webhook_ops;
  case TM_TARGET_SMTP:
    return &target_smtp_ops;
  case TM_TARGET_TRYTON:
    return &target_tryton_ops;
  }
  return NULL;
}

void target_fail_all(struct target_item *items, size_t n, struct target_outcome *out,
                     enum target_health health)
{
  out->health = health;
  for (size_t i = 0; i < n; i++) {
    items[i].result = TARGET_RETRY;
    snprintf(items[i].reason, sizeof(items[i].reason), "%.*s", (int)sizeof(items[i].reason) - 1,
             out->error.text);
  }
}
