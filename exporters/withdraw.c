/* SPDX-License-Identifier: MIT */
#include "exporters/withdraw.h"

#include "exporters/consent.h"
#include "exporters/spool.h"

#include <errno.h>

static int sweep(struct spool *s, const struct consent *c, size_t *moved, struct tm_error *err)
{
  struct spool_list list;
  int rc = spool_scan(s, SPOOL_NEW, &list, NULL, err);
  if (rc < 0)
    return rc;
  for (size_t i = 0; rc == 0 && i < list.len; i++) {
    struct spool_item item;
    rc = spool_read(s, SPOOL_NEW, &list.entries[i], &item, err);
    if (rc == -ENOENT || rc == -EBADMSG) { /* sent meanwhile; or damaged, which push will see to */
      rc = 0;
      continue;
    }
    int covers = rc == 0 ? consent_covers(c, item.head) : 1;
    if (covers < 0)
      rc = tm_fail(err, covers, "out of memory");
    if (covers == 0) {
      rc = spool_dead(s, &list.entries[i], "consent was withdrawn", err);
      *moved += rc == 0;
      rc = rc == -ENOENT ? 0 : rc;
    }
    spool_item_release(&item);
  }
  spool_list_release(&list);
  return rc;
}

int withdraw_items(const struct tm_conf *conf, size_t *moved, struct tm_error *err)
{
  struct consent consent;
  int rc = consent_load(&consent, conf->state_dir, err);
  for (size_t i = 0; rc == 0 && i < conf->targets_len; i++) {
    struct spool spool;
    rc = spool_open(&spool, conf->spool_dir, conf->targets[i].name, &conf->spool, err);
    if (rc < 0)
      break;
    rc = spool_lock(&spool, "fill", true, err);
    if (rc == 0)
      rc = sweep(&spool, &consent, moved, err);
    spool_close(&spool);
  }
  consent_release(&consent);
  return rc;
}
