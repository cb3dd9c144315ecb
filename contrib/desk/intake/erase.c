/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/erase.h"

#include "common/json.h"
#include "common/log.h"
#include "contrib/desk/customers/crm.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- asked for ---------------------------------------------------------------------------- */

int erase_ask(struct db *db, const struct credential *from, const struct event *e, int64_t now,
              struct tm_error *err)
{
  const json_t *customer = json_object_get(e->data, "customer");
  struct tm_buf arg = TM_BUF_INIT(8192);
  char key[CREDENTIAL_ID + TM_SHA256_HEX + 1];
  struct db_stmt *stmt = NULL;
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

/* --- done --------------------------------------------------------------------------------- */

static int delete_where(struct db *db, const struct erasure *e, const char *sql, int64_t *changes,
                        struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, e->customer);
  if (strstr(sql, "?2") != NULL)
    db_bind_text(stmt, 2, e->site);
  if (strstr(sql, "?3") != NULL)
    db_bind_text(stmt, 3, e->host);
  if (strstr(sql, "?4") != NULL)
    db_bind_text(stmt, 4, e->device);
  rc = db_exec(stmt, err);
  if (rc == 0 && changes != NULL)
    *changes += db_changes(stmt);
  return rc;
}

/* What hangs on a device goes with it; what only names it goes with its site's. */
static int erase_devices(struct db *db, struct erasure *e, struct tm_error *err)
{
  static const char *const more[] = {
      "DELETE FROM quarantine WHERE customer_id = ?1 AND site = ?2",
      "DELETE FROM alarms WHERE customer_id = ?1 AND site = ?2",
      "DELETE FROM item_values WHERE customer_id = ?1 AND device_id IS NULL",
      /* Letters name devices in their words, attachments show their charts. */
      "DELETE FROM letters WHERE customer_id = ?1 AND (due_at IS NULL OR ?2 <> ?2"
      " OR (?3 IS NULL AND ?4 IS NULL) OR text LIKE '%' || ?4 || '%')",
  };
  int rc = delete_where(db, e,
                        "DELETE FROM devices WHERE customer_id = ?1 AND site = ?2"
                        " AND (?3 IS NULL OR host = ?3) AND (?4 IS NULL OR device = ?4)",
                        &e->devices, err);
  for (size_t i = 0; rc == 0 && i < sizeof(more) / sizeof(more[0]); i++)
    rc = delete_where(db, e, more[i], NULL, err);
  if (rc == 0 && e->device == NULL)
    rc =
        delete_where(db, e, "DELETE FROM requests WHERE customer_id = ?1 AND site = ?2", NULL, err);
  return rc;
}

/* Every table that has a customer's rows, whichever program version it came with. */
static int list_tables(struct db *db, json_t **tables, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      db_is_pgsql(db)
                          ? "SELECT table_name AS name FROM information_schema.columns"
                            " WHERE column_name = 'customer_id' AND table_schema = current_schema()"
                          : "SELECT s.name FROM sqlite_schema s, pragma_table_info(s.name) c"
                            " WHERE s.type = 'table' AND c.name = 'customer_id'",
                      &stmt, err);
  if (rc < 0)
    return rc;
  return db_take_rows(stmt, tables, err);
}

/* What names the customer without being his by a column: as long as it is known what he and his
 * people are called. That something was done stays known; by whom and of whom, not. */
static int unname(struct db *db, const struct erasure *e, struct tm_error *err)
{
  static const char *const sql[] = {
      "UPDATE audit SET by_name = 'erased', subject = 'erased', address = NULL, text = NULL"
      " WHERE user_id IN (SELECT id FROM users WHERE customer_id = ?1)"
      " OR subject IN (SELECT login FROM users WHERE customer_id = ?1)",
      /* Letters about several customers: of what is due, of the week. */
      "DELETE FROM letters WHERE customer_id = '' AND (text LIKE '%' || ?1 || '%'"
      " OR text LIKE '%' || (SELECT name FROM customers WHERE customer_id = ?1) || '%'"
      " OR to_address IN (SELECT login FROM users WHERE customer_id = ?1))",
  };
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < sizeof(sql) / sizeof(sql[0]); i++)
    rc = delete_where(db, e, sql[i], NULL, err);
  return rc;
}

static int erase_customer(struct db *db, struct erasure *e, struct tm_error *err)
{
  json_t *tables = NULL, *row;
  size_t i;
  int64_t customers = 0;
  int rc = unname(db, e, err);
  if (rc == 0)
    rc = delete_where(db, e, "DELETE FROM devices WHERE customer_id = ?1", &e->devices, err);
  if (rc == 0)
    rc = delete_where(db, e, "DELETE FROM customers WHERE customer_id = ?1", &customers, err);
  if (rc == 0 && customers == 0)
    rc = tm_fail(err, -ENOENT, "there is no such customer");
  if (rc == 0)
    rc = list_tables(db, &tables, err);
  json_array_foreach(tables, i, row)
  {
    char sql[160];
    snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE customer_id = ?1",
             tm_json_get_string(row, "name"));
    if (rc == 0)
      rc = delete_where(db, e, sql, NULL, err);
  }
  json_decref(tables);
  /* That somebody looked stays known; at whom, not. */
  if (rc == 0)
    rc = delete_where(db, e, "UPDATE audit SET subject = 'erased', text = NULL WHERE subject = ?1",
                      NULL, err);
  return rc;
}

static int write_receipt(struct db *db, struct erasure *e, struct tm_error *err)
{
  const char *const parts[] = {e->customer, e->site, e->host, e->device};
  char subject[TM_SHA256_HEX], rows[64];
  unsigned char random[16];
  struct tm_buf name = TM_BUF_INIT(8192);
  struct db_stmt *stmt = NULL;
  for (size_t i = 0; i < 4 && parts[i] != NULL; i++)
    tm_buf_printf(&name, "%s%s", i > 0 ? "/" : "", parts[i]);
  tm_sha256_hex(subject, name.ptr, name.len);
  tm_buf_release(&name);
  randombytes_buf(random, sizeof(random));
  snprintf(e->receipt, sizeof(e->receipt), "E-");
  sodium_bin2hex(e->receipt + 2, sizeof(e->receipt) - 2, random, sizeof(random));
  snprintf(rows, sizeof(rows), "{\"devices\":%lld}", (long long)e->devices);
  int rc = db_prepare(db,
                      "INSERT INTO erasures (receipt, subject_sha256, extent, asked_by, asked_at,"
                      " done_at, rows_json) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, e->receipt);
  db_bind_text(stmt, 2, subject);
  db_bind_text(stmt, 3, e->site == NULL ? "customer" : e->device == NULL ? "site" : "device");
  db_bind_text(stmt, 4, e->by);
  db_bind_int(stmt, 5, e->now);
  db_bind_text(stmt, 6, rows);
  return db_exec(stmt, err);
}

/* Our keys there begin with the names of what is erased. */
static int forget_in_crm(struct db *db, const struct erasure *e, struct tm_error *err)
{
  const char *const parts[] = {e->customer, e->site, e->host, e->device};
  struct tm_buf prefix = TM_BUF_INIT(8192);
  for (size_t i = 0; i < 4 && parts[i] != NULL; i++)
    tm_buf_printf(&prefix, "%s/", parts[i]);
  json_t *arg = json_pack("[s]", prefix.ptr);
  int rc = arg != NULL ? crm_want(db, e->customer, "erase", arg, e->now, err)
                       : tm_fail(err, -ENOMEM, "out of memory");
  json_decref(arg);
  tm_buf_release(&prefix);
  return rc;
}

int erase_now(struct db *db, void *erasure, struct tm_error *err)
{
  struct erasure *e = erasure;
  e->devices = 0;
  int rc = e->site == NULL ? erase_customer(db, e, err) : erase_devices(db, e, err);
  if (rc == 0 && e->crm)
    rc = forget_in_crm(db, e, err);
  return rc == 0 ? write_receipt(db, e, err) : rc;
}

/* --- what is due -------------------------------------------------------------------------- */

struct task {
  int64_t now, id;
  bool crm;
  json_t *arg;
};

static int find_task(struct db *db, void *arg, struct tm_error *err)
{
  struct task *t = arg;
  struct db_stmt *stmt = NULL;
  json_decref(t->arg);
  t->arg = NULL;
  int rc = db_prepare(db,
                      "SELECT id, arg_json FROM tasks WHERE kind = 'erase' AND due_at <= ?1"
                      " ORDER BY due_at, id LIMIT 1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, t->now);
  json_t *rows = db_rows(stmt, err);
  if (rows == NULL)
    return -EIO;
  const json_t *row = json_array_get(rows, 0);
  t->id = json_integer_value(json_object_get(row, "id"));
  t->arg = json_incref(json_object_get(row, "arg"));
  json_decref(rows);
  return 0;
}

static int do_task(struct db *db, void *arg, struct tm_error *err)
{
  const struct task *t = arg;
  struct db_stmt *stmt = NULL;
  struct erasure e = {.customer = tm_json_get_string(t->arg, "customer"),
                      .site = tm_json_get_string(t->arg, "site"),
                      .device = tm_json_get_string(t->arg, "device"),
                      .by = tm_json_get_string(t->arg, "by"),
                      .crm = t->crm,
                      .now = t->now};
  if (e.device != NULL) /* the host says nothing without one */
    e.host = tm_json_get_string(t->arg, "host");
  int rc = db_prepare(db, "DELETE FROM tasks WHERE id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, t->id);
  rc = db_exec(stmt, err);
  /* Another desk has done it meanwhile. */
  if (rc < 0 || db_changes(stmt) == 0)
    return rc;
  return erase_now(db, &e, err);
}

void erase_tidy(struct store *store)
{
  struct tm_error err = {0};
  if (store_tidy(store, &err) < 0)
    tm_log_warning("%s; tried again within a minute", err.text);
}

int erase_due(struct store *store, bool crm, int64_t now, struct tm_error *err)
{
  struct task t = {.now = now, .crm = crm};
  bool some = false;
  int rc;
  do {
    rc = store_read(store, &db_everyone, find_task, &t, err);
    if (rc < 0 || t.arg == NULL)
      break;
    rc = store_write(store, &db_everyone, do_task, &t, err);
    some = some || rc == 0;
  } while (rc == 0);
  json_decref(t.arg);
  if (rc == 0 && (some || store_is_untidy(store)))
    erase_tidy(store);
  return rc;
}
