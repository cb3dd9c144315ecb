/* SPDX-License-Identifier: MIT */
/* What happened to an item is written down here, and told to webhooks. */
#include "contrib/desk/advice/items.h"
#include "contrib/desk/hooks/hooks.h"

#include <stdio.h>

int item_note(struct db *db, const char *customer, int64_t item, int64_t now, const char *by,
              const char *what, const char *from_state, const char *to_state, const char *text,
              struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO item_events (customer_id, item_id, at, by_name, what,"
                      " from_state, to_state, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
                      " RETURNING id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, customer);
  db_bind_int(stmt, 2, item);
  db_bind_int(stmt, 3, now);
  db_bind_text(stmt, 4, by);
  db_bind_text(stmt, 5, what);
  db_bind_text(stmt, 6, from_state);
  db_bind_text(stmt, 7, to_state);
  db_bind_text(stmt, 8, text);
  rc = db_step(stmt, err);
  int64_t event = rc == 1 ? db_int(stmt, 0) : 0;
  db_done(stmt);
  if (rc < 0)
    return rc;
  char key[64];
  snprintf(key, sizeof(key), "item-%lld-event-%lld", (long long)item, (long long)event);
  const struct hook_change change = {.key = key,
                                     .what = what,
                                     .from = from_state,
                                     .to = to_state,
                                     .by = by,
                                     .text = text,
                                     .at = now};
  return hook_item(db, item, &change, err);
}
