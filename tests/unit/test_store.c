/* SPDX-License-Identifier: MIT */
/* Values, transactions and what a store is as a whole, on either engine (tests/lib/store.h). */
#include "contrib/desk/store/store.h"

#include "contrib/desk/store/db_own.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/store.h"

/* --- values ------------------------------------------------------------------------------- */

static int put_values(struct db *db, void *arg, struct tm_error *err)
{
  static const char blob[] = {0, 1, (char)0xff, 0};
  struct db_stmt *stmt;
  (void)arg;
  int rc = db_prepare(db,
                      "INSERT INTO catalogues (sha256, issued_on, imported_at, imported_by,"
                      " document) VALUES (?1, ?2, ?3, ?4, ?5)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, "caf\xc3\xa9 ' \" ? $1");
  db_bind_null(stmt, 2);
  db_bind_int(stmt, 3, INT64_MIN + 1);
  db_bind_text(stmt, 4, NULL);
  db_bind_blob(stmt, 5, blob, sizeof(blob));
  rc = db_exec(stmt, err);
  if (rc == 0 && db_changes(stmt) != 1)
    rc = tm_fail(err, -EIO, "changes: 1 expected, %lld seen", (long long)db_changes(stmt));
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO catalogue_items (sku, type, lead_time_days) VALUES (?1, ?2, ?3)",
                    &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, "A");
  db_bind_text(stmt, 2, "");
  db_bind_real(stmt, 3, 0.1 + 0.2);
  rc = db_exec(stmt, err);
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO catalogue_items (sku, type, lead_time_days) VALUES (?1, ?2, ?3)",
                    &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, "B");
  db_bind_text(stmt, 2, "cache");
  db_bind_real(stmt, 3, NAN);
  return db_exec(stmt, err);
}

static int get_values(struct db *db, void *arg, struct tm_error *err)
{
  struct db_stmt *stmt;
  size_t len = 0;
  (void)arg;
  assert_int_equal(db_prepare(db,
                              "SELECT sha256, issued_on, imported_at, imported_by, document, id"
                              " FROM catalogues",
                              &stmt, err),
                   0);
  assert_int_equal(db_step(stmt, err), 1);
  assert_string_equal(db_text(stmt, 0), "caf\xc3\xa9 ' \" ? $1");
  assert_true(db_is_null(stmt, 1));
  assert_int_equal(db_int(stmt, 1), 0);
  assert_true(isnan(db_real(stmt, 1)));
  assert_true(db_int(stmt, 2) == INT64_MIN + 1);
  assert_null(db_text(stmt, 3));
  const void *blob = db_blob(stmt, 4, &len);
  assert_int_equal(len, 4);
  assert_memory_equal(blob, "\0\1\xff\0", 4);
  assert_int_equal(db_int(stmt, 5), 1);
  assert_int_equal(db_step(stmt, err), 0);
  db_done(stmt);
  assert_int_equal(db_prepare(db,
                              "SELECT sku, type, lead_time_days, '[1,{\"a\":2}]' AS lines_json"
                              " FROM catalogue_items ORDER BY sku",
                              &stmt, err),
                   0);
  json_t *rows = db_rows(stmt, err);
  assert_non_null(rows);
  json_t *expected = json_loads("[{\"sku\":\"A\",\"type\":\"\",\"lead_time_days\":0,\"lines\":[1,{"
                                "\"a\":2}]},{\"sku\":\"B\",\"type\":\"cache\",\"lead_time_days\":"
                                "null,\"lines\":[1,{\"a\":2}]}]",
                                0, NULL);
  json_t *first = json_array_get(rows, 0);
  assert_true(json_real_value(json_object_get(first, "lead_time_days")) == 0.1 + 0.2);
  json_object_set_new(first, "lead_time_days", json_integer(0));
  assert_true(json_equal(rows, expected));
  json_decref(expected);
  json_decref(rows);
  return 0;
}

static void values_come_back_as_they_were(void **state)
{
  (void)state;
  struct tm_error err = {0};
  assert_int_equal(store_write(test_store, &db_everyone, put_values, NULL, &err), 0);
  assert_int_equal(store_read(test_store, &db_everyone, get_values, NULL, &err), 0);
}

/* As an older program, which cut a text within a character, has left it on SQLite. */
static void a_text_with_half_a_character_hides_no_row(void **state)
{
  (void)state;
  if (test_store_is_pgsql())
    return; /* takes none */
  char *rows = test_rows("SELECT CAST(x'61e7b4' AS TEXT) AS cut, '\xe7\xb4\x99\n x' AS whole");
  assert_string_equal(rows, "[{\"cut\":\"a\xef\xbf\xbd\xef\xbf\xbd\","
                            "\"whole\":\"\xe7\xb4\x99\\n x\"}]");
  free(rows);
}

/* The same statement first with a NULL, then with a value, and asked whether it is one. */
static int match(struct db *db, const char *text, bool known, int64_t number)
{
  struct tm_error err = {0};
  struct db_stmt *stmt;
  assert_int_equal(db_prepare(db,
                              "SELECT count(*) FROM catalogue_items WHERE (?1 IS NULL OR type = ?1)"
                              " AND (?2 IS NULL OR lead_time_days < ?2)",
                              &stmt, &err),
                   0);
  db_bind_text(stmt, 1, text);
  db_bind_int_or_null(stmt, 2, known, number);
  if (db_step(stmt, &err) != 1)
    fail_msg("%s", err.text);
  int n = (int)db_int(stmt, 0);
  db_done(stmt);
  return n;
}

static int match_all(struct db *db, void *arg, struct tm_error *err)
{
  (void)arg;
  (void)err;
  assert_int_equal(match(db, NULL, false, 0), 2);
  assert_int_equal(match(db, "cache", false, 0), 1);
  assert_int_equal(match(db, NULL, true, 1), 1);
  assert_int_equal(match(db, "cache", true, 1), 0);
  return 0;
}

static void a_parameter_may_be_null_in_one_use_and_a_value_in_the_next(void **state)
{
  (void)state;
  assert_int_equal(store_read(test_store, &db_everyone, match_all, NULL, NULL), 0);
}

static int bind_too_many(struct db *db, void *arg, struct tm_error *err)
{
  struct db_stmt *stmt;
  (void)arg;
  assert_int_equal(db_prepare(db, "SELECT ?1 || 'x'", &stmt, err), 0);
  db_bind_text(stmt, 1, "a");
  db_bind_int(stmt, 2, 1);
  int rc = db_step(stmt, err);
  db_done(stmt);
  return rc;
}

static void a_parameter_that_is_not_there_is_told(void **state)
{
  (void)state;
  struct tm_error err = {0};
  assert_int_equal(store_read(test_store, &db_everyone, bind_too_many, NULL, &err), -EINVAL);
  assert_non_null(strstr(err.text, "cannot be bound"));
}

/* --- transactions ------------------------------------------------------------------------- */

static int set_and_fail(struct db *db, void *arg, struct tm_error *err)
{
  struct test_number p = {.sql = "INSERT INTO settings (name, value) VALUES ('lost', '1')"};
  (void)arg;
  assert_int_equal(test_number_run(db, &p, err), 0);
  return tm_fail(err, -EINVAL, "no");
}

static void what_a_failed_work_wrote_is_undone(void **state)
{
  (void)state;
  struct tm_error err = {0};
  assert_int_equal(store_write(test_store, &db_everyone, set_and_fail, NULL, &err), -EINVAL);
  assert_string_equal(err.text, "no");
  assert_int_equal(test_ask("SELECT count(*) FROM settings WHERE name = 'lost'"), 0);
}

static int insert_twice(struct db *db, void *arg, struct tm_error *err)
{
  bool savepoint = arg != NULL;
  struct test_number p = {.sql = "INSERT INTO settings (name, value) VALUES ('twice', '1')"};
  assert_int_equal(test_number_run(db, &p, err), 0);
  if (savepoint)
    assert_int_equal(db_savepoint(db, err), 0);
  assert_int_equal(test_number_run(db, &p, err), -EEXIST);
  if (savepoint)
    db_savepoint_undo(db);
  p.sql = "INSERT INTO settings (name, value) VALUES ('after', '1')";
  if (savepoint)
    assert_int_equal(test_number_run(db, &p, err), 0);
  return 0;
}

static void work_that_goes_on_after_a_failure_is_not_kept(void **state)
{
  (void)state;
  struct tm_error err = {0};
  assert_int_equal(store_write(test_store, &db_everyone, insert_twice, NULL, &err), -EIO);
  assert_int_equal(test_ask("SELECT count(*) FROM settings WHERE name IN ('twice', 'after')"), 0);
}

static void a_savepoint_undoes_what_failed_and_keeps_the_rest(void **state)
{
  (void)state;
  struct tm_error err = {0};
  int savepoint = 1;
  assert_int_equal(store_write(test_store, &db_everyone, insert_twice, &savepoint, &err), 0);
  assert_int_equal(test_ask("SELECT count(*) FROM settings WHERE name IN ('twice', 'after')"), 2);
}

static void a_row_that_is_there_changes_nothing_on_conflict(void **state)
{
  (void)state;
  assert_int_equal(test_change("INSERT INTO settings (name, value) VALUES ('c', '1')"), 1);
  assert_int_equal(test_change("INSERT INTO settings (name, value) VALUES ('c', '2')"
                               " ON CONFLICT (name) DO NOTHING"),
                   0);
  assert_int_equal(test_change("INSERT INTO settings (name, value) VALUES ('c', '7')"
                               " ON CONFLICT (name) DO UPDATE SET value = excluded.value"),
                   1);
  assert_int_equal(test_ask("SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'c'"), 7);
  assert_int_equal(test_change("UPDATE settings SET value = '8' WHERE name = 'c' RETURNING 42"),
                   42);
}

static int forget(struct db *db, void *arg, struct tm_error *err)
{
  struct db_stmt *stmt;
  (void)arg;
  assert_int_equal(db_prepare(db, "SELECT name FROM settings", &stmt, err), 0);
  assert_int_equal(db_step(stmt, err), 1);
  return 0;
}

static void a_statement_that_was_not_given_back_is_told(void **state)
{
  (void)state;
  struct tm_error err = {0};
  assert_int_equal(store_write(test_store, &db_everyone, forget, NULL, &err), -EIO);
  assert_string_equal(err.text, "a statement was not given back");
}

static int write_inside(struct db *db, void *arg, struct tm_error *err)
{
  struct test_number p = {.sql = "SELECT 1"};
  (void)db;
  (void)arg;
  return store_write(test_store, &db_everyone, test_number_run, &p, err);
}

static void writing_inside_of_writing_does_not_hang(void **state)
{
  (void)state;
  struct tm_error err = {0};
  int rc = store_write(test_store, &db_everyone, write_inside, NULL, &err);
  assert_true(test_store_is_pgsql() ? rc == 0 : rc == -EDEADLK);
}

static int count_pairs(struct db *db, const char *sql, int depth)
{
  struct tm_error err = {0};
  struct db_stmt *stmt;
  int n = 0;
  assert_int_equal(db_prepare(db, sql, &stmt, &err), 0);
  while (db_step(stmt, &err) == 1)
    n += depth == 0 ? 1 : count_pairs(db, sql, depth - 1);
  db_done(stmt);
  return n;
}

static int nest(struct db *db, void *arg, struct tm_error *err)
{
  (void)arg;
  (void)err;
  assert_int_equal(count_pairs(db, "SELECT sku FROM catalogue_items", 2), 8);
  return 0;
}

static void a_statement_may_run_inside_its_own_loop(void **state)
{
  (void)state;
  assert_int_equal(store_read(test_store, &db_everyone, nest, NULL, NULL), 0);
}

/* --- the whole ---------------------------------------------------------------------------- */

static void a_store_is_found_as_it_was_left(void **state)
{
  (void)state;
  test_change("INSERT INTO customers (customer_id, name, created_at) VALUES ('C-1', 'One', 1)");
  struct tm_error err = {0};
  struct store *second = test_store_again(&err); /* beside the first */
  if (second == NULL)
    fail_msg("%s", err.text);
  store_close(second);
  store_close(test_store);
  test_store = test_store_again(&err);
  assert_non_null(test_store);
  assert_int_equal(test_ask("SELECT count(*) FROM customers"), 1);
}

static void what_a_newer_program_used_is_left_alone(void **state)
{
  (void)state;
  struct tm_error err = {0};
  test_change("INSERT INTO migrations (step, name) VALUES (9999, 'future')");
  assert_null(test_store_again(&err));
  assert_int_equal(err.code, -EPROTO);
  assert_non_null(strstr(err.text, "a newer one has used it"));
  test_change("DELETE FROM migrations WHERE step = 9999");
}

static void a_backup_is_a_whole_store(void **state)
{
  (void)state;
  struct tm_error err = {0};
  char path[600];
  snprintf(path, sizeof(path), "%s/copy.db", test_folder);
  int rc = store_backup(test_store, path, &err);
  if (test_store_is_pgsql()) {
    assert_int_equal(rc, -ENOTSUP);
    assert_non_null(strstr(err.text, "pg_dump"));
    return;
  }
  assert_int_equal(rc, 0);
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  snprintf(path, sizeof(path), "%s/desk.db", test_folder);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  char copy[620];
  struct store *other = NULL, *kept = test_store;
  snprintf(copy, sizeof(copy), "sqlite:%s", path);
  const struct store_settings settings = {.url = copy, .connections = 1};
  assert_int_equal(store_open(&other, &settings, &err), 0);
  test_store = other;
  assert_int_equal(test_ask("SELECT count(*) FROM customers"), 1);
  test_store = kept;
  store_close(other);
}

static int tidy_beside(struct db *db, void *arg, struct tm_error *err)
{
  struct test_number count = {.sql = "SELECT count(*) FROM customers"};
  int *rc = arg;
  if (test_number_run(db, &count, err) < 0)
    return -EIO;
  test_tell("INSERT INTO customers (customer_id, name, created_at) VALUES ('gone', 'x', 0)");
  test_tell("DELETE FROM customers WHERE customer_id = 'gone'");
  *rc = store_tidy(test_store, NULL);
  return 0;
}

static void what_is_erased_beside_a_reader_is_told_to_be_there_still(void **state)
{
  (void)state;
  struct tm_error err = {0};
  int rc = 0;
  assert_int_equal(store_read(test_store, &db_everyone, tidy_beside, &rc, &err), 0);
  assert_int_equal(rc, test_store_is_pgsql() ? 0 : -EAGAIN);
  assert_int_equal(store_is_untidy(test_store), !test_store_is_pgsql());
  assert_int_equal(store_tidy(test_store, &err), 0);
  assert_false(store_is_untidy(test_store));
  if (test_store_is_pgsql())
    return;
  struct stat st;
  char path[600];
  snprintf(path, sizeof(path), "%s/desk.db-wal", test_folder);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_size, 0);
}

static void an_unknown_engine_is_told(void **state)
{
  (void)state;
  struct tm_error err = {0};
  struct store *s = NULL;
  const struct store_settings settings = {.url = "mysql://x", .connections = 1};
  assert_int_equal(store_open(&s, &settings, &err), -EINVAL);
  const struct store_settings nowhere = {.url = "sqlite:/nowhere/at/all.db", .connections = 1};
  assert_int_equal(store_open(&s, &nowhere, &err), -ENOENT);
  assert_non_null(strstr(err.text, "/nowhere/at/all.db"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_come_back_as_they_were),
      cmocka_unit_test(a_text_with_half_a_character_hides_no_row),
      cmocka_unit_test(a_parameter_may_be_null_in_one_use_and_a_value_in_the_next),
      cmocka_unit_test(a_parameter_that_is_not_there_is_told),
      cmocka_unit_test(what_a_failed_work_wrote_is_undone),
      cmocka_unit_test(work_that_goes_on_after_a_failure_is_not_kept),
      cmocka_unit_test(a_savepoint_undoes_what_failed_and_keeps_the_rest),
      cmocka_unit_test(a_row_that_is_there_changes_nothing_on_conflict),
      cmocka_unit_test(a_statement_that_was_not_given_back_is_told),
      cmocka_unit_test(writing_inside_of_writing_does_not_hang),
      cmocka_unit_test(a_statement_may_run_inside_its_own_loop),
      cmocka_unit_test(a_store_is_found_as_it_was_left),
      cmocka_unit_test(what_a_newer_program_used_is_left_alone),
      cmocka_unit_test(a_backup_is_a_whole_store),
      cmocka_unit_test(what_is_erased_beside_a_reader_is_told_to_be_there_still),
      cmocka_unit_test(an_unknown_engine_is_told),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("store", tests, test_store_open, test_store_close);
}
