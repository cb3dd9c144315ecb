/* SPDX-License-Identifier: MIT */
/* Work side by side in one store, and through crashes of its server, on either engine. */
#include "contrib/desk/store/store.h"

#include <pthread.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/store.h"

enum { THREADS = 8, ROUNDS = 40 };

/* Reads, then writes what it read and one more: lost when two of them do it side by side. */
static int add_one(struct db *db, void *arg, struct tm_error *err)
{
  struct test_number p = {.sql = "SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'sum'"};
  struct db_stmt *stmt;
  char text[32];
  int rc = test_number_run(db, &p, err);
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

/* As a page does that gets no rows, and does not ask why. */
static int add_and_forget_why(struct db *db, void *arg, struct tm_error *err)
{
  int rc = add_one(db, arg, err);
  return rc < 0 && arg == NULL ? -EIO : rc;
}

static void *add_many(void *arg)
{
  intptr_t failures = 0;
  for (int i = 0; i < ROUNDS; i++) {
    struct tm_error err = {0};
    bool refuse = i % 10 == 9;
    int rc = store_write(test_store, &db_everyone, i % 2 != 0 ? add_one : add_and_forget_why,
                         refuse ? arg : NULL, &err);
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
  test_change("INSERT INTO settings (name, value) VALUES ('sum', '0')");
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, add_many, threads), 0);
  for (int i = 0; i < THREADS; i++) {
    void *failures;
    pthread_join(threads[i], &failures);
    assert_null(failures);
  }
  assert_int_equal(test_ask("SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'sum'"),
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
    int rc = store_write(test_store, &db_everyone, add_one, NULL, &err);
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
  test_change("UPDATE settings SET value = '0' WHERE name = 'sum'");
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
  assert_int_equal(test_ask("SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'sum'"), sum);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(work_side_by_side_is_as_if_one_after_another),
      cmocka_unit_test(a_server_that_crashes_loses_nothing_and_counts_nothing_twice),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("store_threads", tests, test_store_open, test_store_close);
}
