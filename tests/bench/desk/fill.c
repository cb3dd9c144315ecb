/* SPDX-License-Identifier: MIT */
/*
 * fill URL DEVICES MONTHS [ASKED]: a store with so many devices of a thousand customers, their
 * history by day, and an open item of every third; then what pages ask for most, of devices at
 * random, a thousand times each (or so often). Prints one line a question: name, median and 95th of
 * a hundred in ms; and the peak of memory.
 */
#include "common/clock.h"
#include "contrib/desk/store/history.h"
#include "contrib/desk/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { AT_ONCE = 200, ASKED_MAX = 1000, CUSTOMERS = 1000 };

static uint32_t seed = 1;
static int64_t today; /* days since 1970 */

static uint32_t chance(uint32_t n)
{
  seed = seed * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)seed * n) >> 32);
}

struct part {
  int64_t first, n, months;
};

static int exec_int(struct db *db, const char *sql, int64_t a, int64_t b, struct tm_error *err)
{
  struct db_stmt *stmt;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, a);
  db_bind_int(stmt, 2, b);
  return db_exec(stmt, err);
}

static int fill_history(struct db *db, int64_t id, int64_t months, struct tm_error *err)
{
  static struct day days[HISTORY_SENT_MAX];
  int64_t start = days_month_start(days_month(today) - months + 1);
  size_t n = 0;
  double used = 1e13 + chance(1000000) * 1e6;
  for (int64_t date = start; date <= today && n < HISTORY_SENT_MAX; date++) {
    struct day *d = &days[n++];
    *d = (struct day){.date = date, .arrived_on = date + 1};
    used += chance(200000) * 1e6;
    const double values[DAY_FIELDS] = {1e14,
                                       used,
                                       0,
                                       0,
                                       3e5 + chance(100000),
                                       (double)(date * TM_DAY + chance(TM_DAY)),
                                       9e4 + chance(100000) / 7.0,
                                       2e5 + chance(90000),
                                       1};
    for (int i = 0; i < DAY_FIELDS; i++) {
      d->state[i] = i == DAY_SLOTS_TOTAL || i == DAY_SLOTS_USED ? DAY_ABSENT : DAY_KNOWN;
      d->value[i] = values[i];
    }
  }
  char customer[24];
  snprintf(customer, sizeof(customer), "C-%d", (int)(id % CUSTOMERS));
  int64_t rc = history_merge(db, customer, id, days, n, err);
  return rc < 0 ? (int)rc : 0;
}

static int fill_part(struct db *db, void *arg, struct tm_error *err)
{
  const struct part *p = arg;
  int rc = 0;
  for (int64_t id = p->first; rc == 0 && id < p->first + p->n; id++) {
    rc = exec_int(db,
                  "INSERT INTO devices (id, customer_id, site, host, device, kind, model,"
                  " used_fraction, fill_middle, first_seen_at, last_seen_at, last_day, words)"
                  " VALUES (?1, 'C-' || (?1 % 1000), 'site-' || (?1 % 200), 'h', 'd' || ?1,"
                  " 'disk_array', 'DS-' || (?1 % 30), 0.5, ?2, 1, 1, 20000,"
                  " 'c-' || (?1 % 1000) || ' example d' || ?1 || ' ds-' || (?1 % 30))",
                  id, today + (int64_t)chance(700), err);
    if (rc == 0 && id % 3 == 0)
      rc = exec_int(db,
                    "INSERT INTO items (customer_id, device_id, key, action, kind, state_at, money,"
                    " probability, urgency, weight, order_by, advice_json, first_at, last_at)"
                    " VALUES ('C-' || (?1 % 1000), ?1, 'k' || ?1, 'grow', 'disk_array', 1, 1000.0 "
                    "* (?2 % 997),"
                    " 0.5, 1, 500.0 * (?2 % 997), ?2, '{\"reason\":\"full in spring\"}', 1, 1)",
                    id, today - 30 + (int64_t)chance(700), err);
    if (rc == 0)
      rc = fill_history(db, id, p->months, err);
  }
  return rc;
}

static int begin(struct db *db, void *arg, struct tm_error *err)
{
  (void)arg;
  int rc = 0;
  for (int64_t i = 0; rc == 0 && i < CUSTOMERS; i++)
    rc = exec_int(
        db, "INSERT INTO customers (customer_id, name, created_at) VALUES ('C-' || ?1, 'E', ?2)", i,
        1, err);
  return rc;
}

struct question {
  const char *name, *sql;
  int64_t id;
};

static int ask(struct db *db, void *arg, struct tm_error *err)
{
  const struct question *q = arg;
  struct db_stmt *stmt;
  json_t *rows;
  if (q->sql == NULL) {
    rows = history_json(db, q->id, today, 731, 1, err);
    json_decref(rows);
    return rows != NULL ? 0 : -EIO;
  }
  int rc = db_prepare(db, q->sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, q->id);
  rows = db_rows(stmt, err);
  json_decref(rows);
  return rows != NULL ? 0 : -EIO;
}

static int compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void measure(struct store *store, struct question q, int64_t devices, int asked)
{
  static double took[ASKED_MAX];
  for (int i = 0; i < asked; i++) {
    struct tm_error err = {0};
    q.id = 1 + chance((uint32_t)devices);
    double start = tm_monotonic();
    if (store_read(store, &db_everyone, ask, &q, &err) < 0) {
      fprintf(stderr, "fill: %s: %s\n", q.name, err.text);
      exit(1);
    }
    took[i] = (tm_monotonic() - start) * 1e3;
  }
  qsort(took, (size_t)asked, sizeof(took[0]), compare);
  printf("%-40s %8.2f %8.2f\n", q.name, took[asked / 2], took[asked * 95 / 100]);
}

int main(int argc, char **argv)
{
  static const struct question questions[] = {
      {"two years of a device by day", NULL, 0},
      {"50 open items by weight",
       "SELECT i.*, d.device FROM items i JOIN devices d ON d.id = i.device_id"
       " WHERE i.open = 1 AND ?1 > 0 ORDER BY i.weight DESC, i.id LIMIT 50",
       0},
      {"50 of a customer's items",
       "SELECT i.* FROM items i WHERE i.open = 1 AND i.customer_id = 'C-' || (?1 % 1000)"
       " ORDER BY i.weight DESC, i.id LIMIT 50",
       0},
      {"50 devices by fill date",
       "SELECT * FROM devices WHERE fill_middle >= 20000 + ?1 % 600 ORDER BY fill_middle, id LIMIT "
       "50",
       0},
      {"50 devices by a word",
       "SELECT * FROM devices WHERE words LIKE '%d' || ?1 || ' %' ORDER BY id LIMIT 50", 0},
  };
  if (argc < 4 || argc > 5)
    return 64;
  int asked = argc == 5 ? atoi(argv[4]) : ASKED_MAX;
  if (asked < 0 || asked > ASKED_MAX)
    return 64;
  struct store_settings settings = {.url = argv[1], .connections = 4};
  struct store *store = NULL;
  today = time(NULL) / TM_DAY;
  struct tm_error err = {0};
  int64_t devices = strtoll(argv[2], NULL, 10);
  int rc = store_open(&store, &settings, &err);
  if (rc == 0)
    rc = store_write(store, &db_everyone, begin, NULL, &err);
  double start = tm_monotonic();
  for (int64_t first = 1; rc == 0 && first <= devices; first += AT_ONCE) {
    int64_t left = devices + 1 - first;
    struct part p = {first, left < AT_ONCE ? left : AT_ONCE, strtoll(argv[3], NULL, 10)};
    rc = store_write(store, &db_everyone, fill_part, &p, &err);
  }
  if (rc < 0) {
    fprintf(stderr, "fill: %s\n", err.text);
    return 1;
  }
  printf("%lld devices with %s months in %.0f s\n%-40s %8s %8s\n", (long long)devices, argv[3],
         tm_monotonic() - start, "ms", "median", "p95");
  for (size_t i = 0; asked > 0 && i < sizeof(questions) / sizeof(questions[0]); i++)
    measure(store, questions[i], devices, asked);
  store_close(store);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("peak of memory: %ld MiB\n", usage.ru_maxrss / 1024);
  return 0;
}
