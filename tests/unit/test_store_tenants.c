/* SPDX-License-Identifier: MIT */
/* One customer's rows are nobody else's, on either engine. */
#include "contrib/desk/store/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/store.h"

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
  assert_int_equal(store_read(test_store, scope, bound_count, &n, NULL), 0);
  return n;
}

static int64_t unbound_customers(const struct db_scope *scope)
{
  struct test_number p = {.sql = "SELECT count(*) FROM customers"};
  assert_int_equal(store_read(test_store, scope, test_number_run, &p, NULL), 0);
  return p.result;
}

static void a_scope_sees_its_own_customer_alone(void **state)
{
  (void)state;
  const struct db_scope one = {"C-1"}, none = {"C-9"};
  test_change("INSERT INTO customers (customer_id, name, created_at) VALUES ('C-1', 'One', 1)");
  test_change("INSERT INTO customers (customer_id, name, created_at) VALUES ('C-2', 'Two', 1)");
  assert_int_equal(bound_customers(&db_everyone), 2);
  assert_int_equal(bound_customers(&one), 1);
  assert_int_equal(bound_customers(&none), 0);
  assert_int_equal(bound_customers(NULL), 0);
}

static void a_forgotten_condition_finds_nothing_foreign_in_postgresql(void **state)
{
  (void)state;
  const struct db_scope one = {"C-1"}, none = {"C-9"};
  assert_int_equal(unbound_customers(&db_everyone), 2);
  if (!test_store_is_pgsql())
    return;
  assert_int_equal(unbound_customers(&one), 1);
  assert_int_equal(unbound_customers(&none), 0);
  assert_int_equal(unbound_customers(NULL), 0);
  struct tm_error err = {0};
  struct test_number p = {.sql = "UPDATE customers SET name = 'x' WHERE customer_id = 'C-2'"};
  assert_int_equal(store_write(test_store, &one, test_number_run, &p, &err), 0);
  assert_int_equal(p.result, 0);
  p.sql = "INSERT INTO customers (customer_id, name, created_at) VALUES ('C-3', 'Three', 1)";
  assert_true(store_write(test_store, &one, test_number_run, &p, &err) < 0);
}

/* A table that hangs on a device or an item says whose it is. */
static void no_table_of_customers_is_without_its_column(void **state)
{
  (void)state;
  if (!test_store_is_pgsql())
    assert_int_equal(
        test_ask("SELECT count(*) FROM sqlite_schema s WHERE type = 'table' AND EXISTS"
                 " (SELECT 1 FROM pragma_table_info(s.name) WHERE name IN ('device_id', 'item_id'))"
                 " AND NOT EXISTS (SELECT 1 FROM pragma_table_info(s.name)"
                 " WHERE name = 'customer_id')"),
        0);
  else
    assert_int_equal(test_ask("SELECT count(*) FROM pg_class c WHERE relkind = 'r'"
                              " AND relnamespace = current_schema()::regnamespace"
                              " AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid"
                              " AND attname IN ('customer_id', 'device_id', 'item_id'))"
                              " AND NOT (relrowsecurity AND relforcerowsecurity)"),
                     0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_scope_sees_its_own_customer_alone),
      cmocka_unit_test(a_forgotten_condition_finds_nothing_foreign_in_postgresql),
      cmocka_unit_test(no_table_of_customers_is_without_its_column),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("store_tenants", tests, test_store_open, test_store_close);
}
