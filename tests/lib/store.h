/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_STORE_H
#define TM_TESTS_STORE_H

#include "contrib/desk/store/db.h"
#include "contrib/desk/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A store for a unit test, and one-line questions to it: a file of SQLite in a folder of the test's
 * own, or the empty database of PostgreSQL that STORE_URL names (tests/lib/postgresql gives one).
 * cmocka.h must be included before.
 */
static char test_folder[] = "/tmp/store-XXXXXX";
static char test_url[512];
static struct store *test_store;

static inline bool test_store_is_pgsql(void)
{
  return strncmp(test_url, "postgresql:", 11) == 0;
}

/* The same store once more, to be closed; NULL with err. */
static inline struct store *test_store_again(struct tm_error *err)
{
  struct store *s = NULL;
  const struct store_settings settings = {.url = test_url, .connections = 4};
  return store_open(&s, &settings, err) == 0 ? s : NULL;
}

static inline int test_store_open(void **state)
{
  struct tm_error err = {0};
  (void)state;
  if (mkdtemp(test_folder) == NULL)
    return -1;
  if (getenv("STORE_URL") != NULL)
    snprintf(test_url, sizeof(test_url), "%s", getenv("STORE_URL"));
  else
    snprintf(test_url, sizeof(test_url), "sqlite:%s/desk.db", test_folder);
  test_store = test_store_again(&err);
  if (test_store != NULL)
    return 0;
  fprintf(stderr, "# %s\n", err.text);
  return -1;
}

static inline int test_store_close(void **state)
{
  char command[600];
  (void)state;
  store_close(test_store);
  snprintf(command, sizeof(command), "rm -rf %s", test_folder);
  return system(command);
}

/* One statement, and the rows that it gives. */
struct test_question {
  const char *sql;
  json_t *rows;
};

static inline int test_run(struct db *db, void *arg, struct tm_error *err)
{
  struct test_question *q = arg;
  struct db_stmt *stmt;
  int rc = db_prepare(db, q->sql, &stmt, err);
  if (rc < 0)
    return rc;
  json_decref(q->rows);
  q->rows = db_rows(stmt, err);
  return q->rows != NULL ? 0 : -EIO;
}

/* The rows of a question as text, "[{\"n\":1}]"; the caller frees. */
static inline char *test_rows(const char *sql)
{
  struct tm_error err = {0};
  struct test_question q = {.sql = sql};
  if (store_read(test_store, &db_everyone, test_run, &q, &err) != 0)
    fail_msg("%s", err.text);
  char *text = json_dumps(q.rows, JSON_COMPACT);
  json_decref(q.rows);
  return text;
}

static inline void test_tell(const char *sql)
{
  struct tm_error err = {0};
  struct test_question q = {.sql = sql};
  if (store_write(test_store, &db_everyone, test_run, &q, &err) != 0)
    fail_msg("%s", err.text);
  json_decref(q.rows);
}

/* One statement without parameters; the number that it gives first, or how many rows it changes. */
struct test_number {
  const char *sql;
  int64_t result;
};

static inline int test_number_run(struct db *db, void *arg, struct tm_error *err)
{
  struct test_number *p = arg;
  struct db_stmt *stmt;
  int rc = db_prepare(db, p->sql, &stmt, err);
  if (rc < 0)
    return rc;
  rc = db_step(stmt, err);
  p->result = rc == 1 ? db_int(stmt, 0) : db_changes(stmt);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static inline int64_t test_ask(const char *sql)
{
  struct tm_error err = {0};
  struct test_number p = {.sql = sql};
  if (store_read(test_store, &db_everyone, test_number_run, &p, &err) != 0)
    fail_msg("%s", err.text);
  return p.result;
}

static inline int64_t test_change(const char *sql)
{
  struct tm_error err = {0};
  struct test_number p = {.sql = sql};
  if (store_write(test_store, &db_everyone, test_number_run, &p, &err) != 0)
    fail_msg("%s", err.text);
  return p.result;
}

#define assert_rows(sql, expected)                                                                 \
  do {                                                                                             \
    char *rows_ = test_rows(sql);                                                                  \
    assert_string_equal(rows_, expected);                                                          \
    free(rows_);                                                                                   \
  } while (0)

#endif
