/* SPDX-License-Identifier: MIT */
#ifndef TM_DELIVERY_H
#define TM_DELIVERY_H

#include "exporters/consent.h"
#include "exporters/health.h"
#include "exporters/load.h"
#include "exporters/push.h"
#include "exporters/spool.h"
#include "exporters/target.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What push does with one target: items out of the spool, through the target's own code, and to
 * the folder that fits what became of them. */

enum { DELIVERY_FAILURES = 3 /* one after the other: then it is not the item */ };

/* One target while it is being served. */
struct delivery {
  const struct push_order *order;
  const struct tm_conf_target *target;
  const struct target_ops *ops;
  void *state; /* of ops; NULL until something is to be sent */
  struct spool spool;
  struct consent consent;
  struct health health;
  json_t *acknowledged; /* note: device -> {history_to} */
  bool acknowledged_more;
  size_t sent, refused, left;
  size_t requests;                                    /* that came in this run and were new */
  struct spool_entry failed_items[DELIVERY_FAILURES]; /* answered, but not taken: is it them? */
  int64_t failed_due[DELIVERY_FAILURES];
  int failures; /* of these, without a success between */
  bool answered_well;
  int64_t next_due;
  bool unanswered, failed;
  bool denied; /* failed for want of a permission */
};

/* Tells a trouble of this target on standard error. */
void delivery_complain(const struct delivery *p, const char *text);

/* Makes the target ready, once; connects nowhere. */
int delivery_open(struct delivery *p);
/* Reads one item into the load. False when it is not to be sent: withdrawn, damaged, without
 * consent; it has been put away then. */
bool delivery_take(struct delivery *p, struct load *l, const struct spool_entry *entry);
/* One exchange, and what follows from it. 0: go on; else the target is left alone in this pass. */
int delivery_send(struct delivery *p, struct load *l);
/* After an exchange without items. */
void delivery_judge_health(struct delivery *p, const struct target_outcome *out);
/*
 * After a pass. Failures alone: the target is taken to be ill, but not for so long that an item
 * that is ill itself could hold up those that come after it.
 */
void delivery_judge(struct delivery *p);

#endif
