/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/store.h"

#include "contrib/desk/store/db_own.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * The same tests run on both engines: on a file of SQLite, or on the empty database of PostgreSQL
 * that STORE_URL names (tests/system/desk_store.t starts one).
 */
static char folder[] = "/tmp/store-XXXXXX";
static char url[512], file[64];
static struct store *store;
static const struct db_scope all = {NULL};

static bool is_pgsql(void)
{
  return strncmp(url, "postgresql:", 11) == 0;
}

static struct store *open_store(struct tm_error *err)
{
  struct store *s = NULL;
  const struct store_settings settings = {.url = url, .connections = 4};
  return store_open(&s, &settings, err) == 0 ? s : NULL;
}

/* One statement without parameters; the number that it gives first, or changes. */
struct plain {
  const char *sql;
  int64_t result;
  bool null;
};

static int run_plain(struct db *db, void *arg, struct tm_error *err)
{
  struct plain *p = arg;
  struct db_stmt *stmt;
  int rc = db_prepare(db, p->sql, &stmt, err);
  if (rc < 0)
    return rc;
  rc = db_step(stmt, err);
  if (rc == 1) {
    p->null = db_is_null(stmt, 0);
    p->result = db_int(stmt, 0);
  } else {
    p->result = db_changes(stmt);
  }
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int64_t ask(const char *sql)
{
  struct tm_error err = {0};
  struct plain p = {.sql = sql};
  if (store_read(store, &all, run_plain, &p, &err) != 0)
    fail_msg("%s", err.text);
  return p.result;
}

static int64_t tell(const char *sql)
{
  struct tm_error err = {0};
  struct plain p = {.sql = sql};
  if (store_write(store, &all, run_plain, &p, &err) != 0)
    fail_msg("%s", err.text);
  return p.result;
}

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
  assert_int_equal(store_write(store, &all, put_values, NULL, &err), 0);
  assert_int_equal(store_read(store, &all, get_values, NULL, &err), 0);
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
  assert_int_equal(store_read(store, &all, match_all, NULL, NULL), 0);
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
  assert_int_equal(store_read(store, &all, bind_too_many, NULL, &err), -EINVAL);
  assert_non_null(strstr(err.text, "cannot be bound"));
}

/* --- transactions ------------------------------------------------------------------------- */

static int set_and_fail(struct db *db, void *arg, struct tm_error *err)
{
  struct plain p = {.sql = "INSERT INTO settings (name, value) VALUES ('lost', '1')"};
  (void)arg;
  assert_int_equal(run_plain(db, &p, err), 0);
  return tm_fail(err, -EINVAL, "no");
}

static void what_a_failed_work_wrote_is_undone(void **state)
{
  (void)state;
  struct tm_error err = {0};
  assert_int_equal(store_write(store, &all, set_and_fail, NULL, &err), -EINVAL);
  assert_string_equal(err.text, "no");
  assert_int_equal(ask("SELECT count(*) FROM settings WHERE name = 'lost'"), 0);
}

static int insert_twice(struct db *db, void *arg, struct tm_error *err)
{
  bool savepoint = arg != NULL;
  struct plain p = {.sql = "INSERT INTO settings (name, value) VALUES ('twice', '1')"};
  assert_int_equal(run_plain(db, &p, err), 0);
  if (savepoint)
    assert_int_equal(db_savepoint(db, err), 0);
  assert_int_equal(run_plain(db, &p, err), -EEXIST);
  if (savepoint)
    db_savepoint_undo(db);
  p.sql = "INSERT INTO settings (name, value) VALUES ('after', '1')";
  if (savepoint)
    assert_int_equal(run_plain(db, &p, err), 0);
  return 0;
}

static void work_that_goes_on_after_a_failure_is_not_kept(void **state)
{
  (void)state;
  struct tm_error err = {0};
  assert_int_equal(store_write(store, &all, insert_twice, NULL, &err), -EIO);
  assert_int_equal(ask("SELECT count(*) FROM settings WHERE name IN ('twice', 'after')"), 0);
}

static void a_savepoint_undoes_what_failed_and_keeps_the_rest(void **state)
{
  (void)state;
  struct tm_error err = {0};
  int savepoint = 1;
  assert_int_equal(store_write(store, &all, insert_twice, &savepoint, &err), 0);
  assert_int_equal(ask("SELECT count(*) FROM settings WHERE name IN ('twice', 'after')"), 2);
}

static void a_row_that_is_there_changes_nothing_on_conflict(void **state)
{
  (void)state;
  assert_int_equal(tell("INSERT INTO settings (name, value) VALUES ('c', '1')"), 1);
  assert_int_equal(tell("INSERT INTO settings (name, value) VALUES ('c', '2')"
                        " ON CONFLICT (name) DO NOTHING"),
                   0);
  assert_int_equal(tell("INSERT INTO settings (name, value) VALUES ('c', '7')"
                        " ON CONFLICT (name) DO UPDATE SET value = excluded.value"),
                   1);
  assert_int_equal(ask("SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'c'"), 7);
  assert_int_equal(tell("UPDATE settings SET value = '8' WHERE name = 'c' RETURNING 42"), 42);
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
  assert_int_equal(store_write(store, &all, forget, NULL, &err), -EIO);
  assert_string_equal(err.text, "a statement was not given back");
}

static int write_inside(struct db *db, void *arg, struct tm_error *err)
{
  struct plain p = {.sql = "SELECT 1"};
  (void)db;
  (void)arg;
  return store_write(store, &all, run_plain, &p, err);
}

static void writing_inside_of_writing_does_not_hang(void **state)
{
  (void)state;
  struct tm_error err = {0};
  int rc = store_write(store, &all, write_inside, NULL, &err);
  assert_true(is_pgsql() ? rc == 0 : rc == -EDEADLK);
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
  assert_int_equal(store_read(store, &all, nest, NULL, NULL), 0);
}

/* --- many at once ------------------------------------------------------------------------- */

enum { THREADS = 8, ROUNDS = 40 };

/* Reads, then writes what it read and one more: lost when two of them do it side by side. */
static int add_one(struct db *db, void *arg, struct tm_error *err)
{
  struct plain p = {.sql = "SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'sum'"};
  struct db_stmt *stmt;
  char text[32];
  int rc = run_plain(db, &p, err);
  if (rc < 0)
    return rc;
  if (arg != NULL)
    return tm_fail(err, -EINVAL, "this one does not count");
  rc = db_prepare(db, "UPDATE settings SET value = ?1 WHERE name = 'sum'", &stmt, err);
  if (rc < 0)
    return rc;
  snprintf(text, sizeof(text), "%lld", (long long)p.result + 1);
  db_bind_text(stmt, 1, text);
  return db_exec(stmt, err);
}

static void *add_many(void *arg)
{
  intptr_t failures = 0;
  for (int i = 0; i < ROUNDS; i++) {
    struct tm_error err = {0};
    bool refuse = i % 10 == 9;
    int rc = store_write(store, &all, add_one, refuse ? arg : NULL, &err);
    if (rc != (refuse ? -EINVAL : 0)) {
      fprintf(stderr, "# %s\n", err.text);
      failures++;
    }
  }
  return (void *)failures;
}

static void work_side_by_side_is_as_if_one_after_another(void **state)
{
  (void)state;
  pthread_t threads[THREADS];
  tell("INSERT INTO settings (name, value) VALUES ('sum', '0')");
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, add_many, threads), 0);
  for (int i = 0; i < THREADS; i++) {
    void *failures;
    pthread_join(threads[i], &failures);
    assert_null(failures);
  }
  assert_int_equal(ask("SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'sum'"),
                   THREADS * ROUNDS * 9 / 10);
}

/* Adds one as often as it can, until told to end; gives how often it was said to be durable. */
static atomic_bool enough;

static void *add_until_told(void *arg)
{
  intptr_t n = 0;
  (void)arg;
  while (!enough) {
    struct tm_error err = {0};
    int rc = store_write(store, &all, add_one, NULL, &err);
    if (rc == 0)
      n++;
    else
      fprintf(stderr, "# %s\n", err.text);
  }
  return (void *)n;
}

/* STORE_CRASH ends the server as a power cut would, and starts it again. */
static void a_server_that_crashes_loses_nothing_and_counts_nothing_twice(void **state)
{
  (void)state;
  pthread_t threads[4];
  intptr_t sum = 0;
  if (getenv("STORE_CRASH") == NULL)
    return;
  tell("UPDATE settings SET value = '0' WHERE name = 'sum'");
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, add_until_told, NULL), 0);
  for (int i = 0; i < 2; i++) {
    usleep(300000);
    assert_int_equal(system(getenv("STORE_CRASH")), 0);
  }
  usleep(300000);
  enough = true;
  for (int i = 0; i < 4; i++) {
    void *n;
    pthread_join(threads[i], &n);
    assert_true((intptr_t)n > 0);
    sum += (intptr_t)n;
  }
  assert_int_equal(ask("SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'sum'"), sum);
}

/* --- tenants ------------------------------------------------------------------------------ */

static int bound_count(struct db *db, void *arg, struct tm_error *err)
{
  struct db_stmt *stmt;
  int rc = db_prepare(db, "SELECT count(*) FROM customers WHERE (?1 IS NULL OR customer_id = ?1)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  rc = db_step(stmt, err);
  *(int64_t *)arg = db_int(stmt, 0);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int64_t bound_customers(const struct db_scope *scope)
{
  int64_t n = -1;
  assert_int_equal(store_read(store, scope, bound_count, &n, NULL), 0);
  return n;
}

static int64_t unbound_customers(const struct db_scope *scope)
{
  struct plain p = {.sql = "SELECT count(*) FROM customers"};
  assert_int_equal(store_read(store, scope, run_plain, &p, NULL), 0);
  return p.result;
}

static void a_scope_sees_its_own_customer_alone(void **state)
{
  (void)state;
  const struct db_scope one = {"C-1"}, none = {"C-9"};
  tell("INSERT INTO customers (customer_id, name, created_at) VALUES ('C-1', 'One', 1)");
  tell("INSERT INTO customers (customer_id, name, created_at) VALUES ('C-2', 'Two', 1)");
  assert_int_equal(bound_customers(&all), 2);
  assert_int_equal(bound_customers(&one), 1);
  assert_int_equal(bound_customers(&none), 0);
  assert_int_equal(bound_customers(NULL), 0);
}

static void a_forgotten_condition_finds_nothing_foreign_in_postgresql(void **state)
{
  (void)state;
  const struct db_scope one = {"C-1"}, none = {"C-9"};
  assert_int_equal(unbound_customers(&all), 2);
  if (!is_pgsql())
    return;
  assert_int_equal(unbound_customers(&one), 1);
  assert_int_equal(unbound_customers(&none), 0);
  assert_int_equal(unbound_customers(NULL), 0);
  struct tm_error err = {0};
  struct plain p = {.sql = "UPDATE customers SET name = 'x' WHERE customer_id = 'C-2'"};
  assert_int_equal(store_write(store, &one, run_plain, &p, &err), 0);
  assert_int_equal(p.result, 0);
  p.sql = "INSERT INTO customers (customer_id, name, created_at) VALUES ('C-3', 'Three', 1)";
  assert_true(store_write(store, &one, run_plain, &p, &err) < 0);
}

/* A table that hangs on a device or an item says whose it is. */
static void no_table_of_customers_is_without_its_column(void **state)
{
  (void)state;
  if (!is_pgsql())
    assert_int_equal(
        ask("SELECT count(*) FROM sqlite_schema s WHERE type = 'table' AND EXISTS"
            " (SELECT 1 FROM pragma_table_info(s.name) WHERE name IN ('device_id', 'item_id'))"
            " AND NOT EXISTS (SELECT 1 FROM pragma_table_info(s.name)"
            " WHERE name = 'customer_id')"),
        0);
  else
    assert_int_equal(ask("SELECT count(*) FROM pg_class c WHERE relkind = 'r'"
                         " AND relnamespace = current_schema()::regnamespace"
                         " AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid"
                         " AND attname IN ('customer_id', 'device_id', 'item_id'))"
                         " AND NOT (relrowsecurity AND relforcerowsecurity)"),
                     0);
}

/* --- the whole ---------------------------------------------------------------------------- */

static void a_store_is_found_as_it_was_left(void **state)
{
  (void)state;
  struct tm_error err = {0};
  struct store *second = open_store(&err); /* beside the first */
  if (second == NULL)
    fail_msg("%s", err.text);
  store_close(second);
  store_close(store);
  store = open_store(&err);
  assert_non_null(store);
  assert_int_equal(ask("SELECT count(*) FROM customers"), 2);
}

static void what_a_newer_program_used_is_left_alone(void **state)
{
  (void)state;
  struct tm_error err = {0};
  tell("INSERT INTO migrations (step, name) VALUES (9999, 'future')");
  assert_null(open_store(&err));
  assert_int_equal(err.code, -EPROTO);
  assert_non_null(strstr(err.text, "a newer one has used it"));
  tell("DELETE FROM migrations WHERE step = 9999");
}

static void a_backup_is_a_whole_store(void **state)
{
  (void)state;
  struct tm_error err = {0};
  char path[600];
  snprintf(path, sizeof(path), "%s/copy.db", folder);
  int rc = store_backup(store, path, &err);
  if (is_pgsql()) {
    assert_int_equal(rc, -ENOTSUP);
    assert_non_null(strstr(err.text, "pg_dump"));
    return;
  }
  assert_int_equal(rc, 0);
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  assert_int_equal(stat(file, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  char copy[620];
  struct store *other = NULL, *kept = store;
  snprintf(copy, sizeof(copy), "sqlite:%s", path);
  const struct store_settings settings = {.url = copy, .connections = 1};
  assert_int_equal(store_open(&other, &settings, &err), 0);
  store = other;
  assert_int_equal(ask("SELECT count(*) FROM customers"), 2);
  store = kept;
  store_close(other);
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

static int set_up(void **state)
{
  (void)state;
  struct tm_error err = {0};
  if (mkdtemp(folder) == NULL)
    return -1;
  snprintf(file, sizeof(file), "%s/desk.db", folder);
  if (getenv("STORE_URL") != NULL)
    snprintf(url, sizeof(url), "%s", getenv("STORE_URL"));
  else
    snprintf(url, sizeof(url), "sqlite:%s", file);
  store = open_store(&err);
  if (store == NULL)
    fprintf(stderr, "# %s\n", err.text);
  return store != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
  char command[600];
  (void)state;
  store_close(store);
  snprintf(command, sizeof(command), "rm -rf %s", folder);
  return system(command);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_come_back_as_they_were),
      cmocka_unit_test(a_parameter_may_be_null_in_one_use_and_a_value_in_the_next),
      cmocka_unit_test(a_parameter_that_is_not_there_is_told),
      cmocka_unit_test(what_a_failed_work_wrote_is_undone),
      cmocka_unit_test(work_that_goes_on_after_a_failure_is_not_kept),
      cmocka_unit_test(a_savepoint_undoes_what_failed_and_keeps_the_rest),
      cmocka_unit_test(a_row_that_is_there_changes_nothing_on_conflict),
      cmocka_unit_test(a_statement_that_was_not_given_back_is_told),
      cmocka_unit_test(writing_inside_of_writing_does_not_hang),
      cmocka_unit_test(a_statement_may_run_inside_its_own_loop),
      cmocka_unit_test(work_side_by_side_is_as_if_one_after_another),
      cmocka_unit_test(a_server_that_crashes_loses_nothing_and_counts_nothing_twice),
      cmocka_unit_test(a_scope_sees_its_own_customer_alone),
      cmocka_unit_test(a_forgotten_condition_finds_nothing_foreign_in_postgresql),
      cmocka_unit_test(no_table_of_customers_is_without_its_column),
      cmocka_unit_test(a_store_is_found_as_it_was_left),
      cmocka_unit_test(what_a_newer_program_used_is_left_alone),
      cmocka_unit_test(a_backup_is_a_whole_store),
      cmocka_unit_test(an_unknown_engine_is_told),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
