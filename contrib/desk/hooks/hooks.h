/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_HOOKS_H
#define TM_DESK_HOOKS_H

#include "common/sign.h"
#include "contrib/desk/store/db.h"

/*
 * Webhooks: what other systems of the vendor (its CRM) are told of items as they change. They are
 * added on the command line alone, so that nobody who is signed in can make the desk call an
 * address of his choice; https, or plain http on this machine. A message is a JSON object as
 * Standard Webhooks has it:
 *
 *   {"type": "tidemark.item.v1", "timestamp": TIME, "id": KEY, "data": {"item": {...as in
 *    /api/v1/items, without its evidence}, "change": {"what", "from", "to", "by", "at", "text"}}}
 *
 * signed with the webhook's secret (webhook-id = KEY). It is put into the queue within the
 * transaction of the change, once for each change.
 */
struct hook {
  const char *name, *url;
  int64_t now;
  char secret[TM_SECRET_TEXT]; /* written by hook_add: shown this once */
  json_t *list;                /* of hook_list; the caller's */
};

/* Works of the store with a struct hook as their argument. -EEXIST for a name that is taken,
 * -EINVAL for an URL that is not allowed, -ENOENT for a name that is none. */
int hook_add(struct db *db, void *hook, struct tm_error *err);
/* Nothing goes there any more, and what waits is dropped. */
int hook_stop(struct db *db, void *hook, struct tm_error *err);
/* [{"name","url","created_at","stopped_at","sent_at","waiting","given_up","error","error_at"}] */
int hook_list(struct db *db, void *hook, struct tm_error *err);

/* What happened to an item, as its row of item_events says. */
struct hook_change {
  const char *key; /* of this change, once: "item-41-event-7" */
  const char *what, *from, *to, *by, *text;
  int64_t at;
};
/* Puts it into the queue of each webhook; nothing where there are none. */
int hook_item(struct db *db, int64_t item, const struct hook_change *change, struct tm_error *err);

#endif
