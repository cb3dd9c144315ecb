/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/erase.h"

#include "common/json.h"

#include <errno.h>
#include <stdio.h>

int erase_ask(struct db *db, const struct credential *from, const struct event *e, int64_t now,
              struct tm_error *err)
{
  const json_t *customer = json_object_get(e->data, "customer");
  struct tm_buf arg = TM_BUF_INIT(8192);
  char key[CREDENTIAL_ID + TM_SHA256_HEX + 1];
  struct db_stmt *stmt;
  json_t *task = json_pack("{s:s, s:s, s:s*, s:s*, s:s}", "customer", from->customer, "site",
                           from->site, "host", tm_json_get_string(customer, "host"), "device",
                           tm_json_get_string(json_object_get(e->data, "product"), "device"), "by",
                           tm_json_get_string(e->data, "by"));
  int rc =
      task == NULL || tm_json_append(&arg, task) < 0 ? tm_fail(err, -ENOMEM, "out of memory") : 0;
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO tasks (kind, key, customer_id, due_at, arg_json)"
                    " VALUES ('erase', ?1, ?2, ?3, ?4) ON CONFLICT (kind, key) DO NOTHING",
                    &stmt, err);
  if (rc == 0) {
    snprintf(key, sizeof(key), "%s/%s", from->customer, e->id);
    db_bind_text(stmt, 1, key);
    db_bind_text(stmt, 2, from->customer);
    db_bind_int(stmt, 3, now);
    db_bind_text(stmt, 4, arg.ptr);
    rc = db_exec(stmt, err);
  }
  tm_buf_release(&arg);
  json_decref(task);
  return rc;
}
