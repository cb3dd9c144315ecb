/* SPDX-License-Identifier: MIT */
/* The walker of tables against agents that behave, and against ones that do not. */
#include "plugins/source/snmp_fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TOO_BIG      1
#define NO_SUCH_NAME 2
#define GEN_ERR      5

static struct profile_want want(const char *oid, bool column)
{
  struct profile_want w = {.column = column};
  assert_int_equal(oid_parse(oid, &w.oid), 0);
  return w;
}

/* An agent with `rows` rows in each of the columns 1.3.C below column 9, and scalars 1.3.C.0. */
struct agent {
  unsigned rows;
  bool v1;
  unsigned most; /* variables that an answer holds; more is too big */
  unsigned questions;
  long error; /* by which column 1 breaks off after some rows */
  enum {
    HONEST,
    ENDLESS,
    BACKWARD,
    SAME,
    EMPTY,
    ASTRAY,
    ERROR_WITHOUT_INDEX,
    SWAPPED,
    BREAKS_OFF
  } habit;
};

static void give(struct snmp_fetch *f, const uint32_t *id, size_t len, uint32_t number)
{
  struct snmp_value v = {.type = SNMP_UNSIGNED, .number = number};
  snmp_fetch_variable(f, &(struct snmp_variable){.id = id, .id_len = len, .value = &v});
}

/* The row after id in the agent's tree 1.3.COLUMN.ROW. False: the end. */
static bool after(const struct agent *a, const uint32_t *id, size_t len, uint32_t next[4])
{
  uint32_t column = len > 2 ? id[2] : 1;
  uint32_t row = len > 3 ? id[3] + 1 : 1;
  if (a->habit == BACKWARD && len > 3)
    row = id[3] > 0 ? id[3] - 1 : 0;
  if (a->habit == SAME && len > 3)
    row = id[3];
  if (row > a->rows && a->habit != ENDLESS) {
    column++;
    row = 1;
  }
  memcpy(next, (uint32_t[]){1, 3, column, row}, 4 * sizeof(*next));
  return column < 9;
}

static void answer_walk(struct agent *a, struct snmp_fetch *f, const struct snmp_request *r)
{
  uint32_t at[SNMP_REQUEST_MAX][4];
  unsigned repetitions = r->ask == SNMP_ASK_BULK ? r->repetitions : 1;
  for (unsigned k = 0; k < repetitions; k++)
    for (size_t i = 0; i < r->len; i++) {
      uint32_t next[4];
      bool more = k == 0 ? after(a, r->objects[i].id, r->objects[i].id_len, next)
                         : after(a, at[i], 4, next);
      memcpy(at[i], next, sizeof(next));
      if (more)
        give(f, next, 4, next[3]);
      else
        snmp_fetch_variable(f, &(struct snmp_variable){.id = next, .id_len = 4, .end = true});
    }
}

static void answer(struct agent *a, struct snmp_fetch *f, const struct snmp_request *r)
{
  unsigned repetitions = r->ask == SNMP_ASK_BULK ? r->repetitions : 1;
  a->questions++;
  assert_true(r->len > 0 && r->len <= SNMP_REQUEST_MAX);
  if (a->v1)
    assert_true(r->ask != SNMP_ASK_BULK);
  if (a->most > 0 && r->len * repetitions > a->most) {
    snmp_fetch_end(f, TOO_BIG, 0);
    return;
  }
  if (a->habit == ERROR_WITHOUT_INDEX) {
    snmp_fetch_end(f, GEN_ERR, 0);
    return;
  }
  if (a->habit == EMPTY) {
    snmp_fetch_end(f, 0, 0);
    return;
  }
  for (size_t i = 0; i < r->len && a->habit == BREAKS_OFF; i++) {
    if (r->objects[i].id_len > 3 && r->objects[i].id[2] == 1 && r->objects[i].id[3] >= 20) {
      snmp_fetch_end(f, a->error, (long)i + 1);
      return;
    }
  }
  for (size_t i = 0; i < r->len && r->ask == SNMP_ASK_GET; i++) {
    size_t k = a->habit == SWAPPED ? r->len - 1 - i : i;
    const uint32_t *id = r->objects[k].id;
    if (a->v1 && id[2] == 7) { /* an object that it does not have */
      snmp_fetch_end(f, NO_SUCH_NAME, (long)k + 1);
      return;
    }
    if (a->habit == ASTRAY)
      give(f, (uint32_t[]){1, 3, 99, 0}, 4, 1);
    else
      give(f, id, r->objects[k].id_len, id[2]);
  }
  if (r->ask != SNMP_ASK_GET)
    answer_walk(a, f, r);
  snmp_fetch_end(f, 0, 0);
}

static size_t fetch(struct agent *a, const struct profile_want *wants, size_t len,
                    struct snmp_rows *rows, struct tm_error *trouble)
{
  struct snmp_manners m;
  struct snmp_fetch f;
  struct snmp_request r;
  snmp_rows_init(rows);
  snmp_manners_init(&m, a->v1);
  assert_int_equal(snmp_fetch_init(&f, wants, len, false, &m, rows), 0);
  while (snmp_fetch_next(&f, &r)) {
    assert_true(a->questions < 30000); /* whatever the agent does, it ends */
    answer(a, &f, &r);
  }
  *trouble = f.trouble;
  snmp_fetch_release(&f);
  return rows->len;
}

static size_t count(struct snmp_rows *rows, const char *oid)
{
  struct oid_path o = {0};
  size_t first = 0;
  assert_int_equal(oid_parse(oid, &o), 0);
  return snmp_rows_under(rows, o.id, o.len, &first);
}

static void scalars_and_columns_are_fetched(void **state)
{
  (void)state;
  for (int v1 = 0; v1 < 2; v1++) {
    struct agent a = {.rows = 37, .v1 = v1 != 0};
    struct profile_want wants[] = {want("1.3.1", true), want("1.3.5.0", false), want("1.3.2", true),
                                   want("1.3.6.0", false)};
    struct snmp_rows rows;
    struct tm_error trouble;
    fetch(&a, wants, 4, &rows, &trouble);
    assert_int_equal(trouble.code, 0);
    assert_int_equal(count(&rows, "1.3.1"), 37);
    assert_int_equal(count(&rows, "1.3.2"), 37);
    assert_int_equal(count(&rows, "1.3.5.0"), 1);
    assert_int_equal(count(&rows, "1.3.6.0"), 1);
    snmp_rows_release(&rows);
  }
}

static void a_missing_object_costs_itself_alone(void **state)
{
  (void)state;
  struct agent a = {.v1 = true};
  struct profile_want wants[] = {want("1.3.1.0", false), want("1.3.7.0", false),
                                 want("1.3.2.0", false)};
  struct snmp_rows rows;
  struct tm_error trouble;
  assert_int_equal(fetch(&a, wants, 3, &rows, &trouble), 2);
  assert_int_equal(count(&rows, "1.3.2.0"), 1);
  snmp_rows_release(&rows);
}

static void answers_in_another_order_are_understood(void **state)
{
  (void)state;
  struct agent a = {.habit = SWAPPED};
  struct profile_want wants[] = {want("1.3.1.0", false), want("1.3.2.0", false)};
  struct snmp_rows rows;
  struct snmp_row row;
  struct tm_error trouble;
  assert_int_equal(fetch(&a, wants, 2, &rows, &trouble), 2);
  assert_true(snmp_rows_get(&rows, (uint32_t[]){1, 3, 2, 0}, 4, &row));
  assert_int_equal(row.value.number, 2);
  snmp_rows_release(&rows);
}

static void what_is_too_big_is_asked_in_parts(void **state)
{
  (void)state;
  struct agent a = {.rows = 20, .most = 1};
  struct profile_want wants[] = {want("1.3.1", true), want("1.3.2", true), want("1.3.5.0", false),
                                 want("1.3.6.0", false)};
  struct snmp_rows rows;
  struct tm_error trouble;
  assert_int_equal(fetch(&a, wants, 4, &rows, &trouble), 42);
  assert_int_equal(trouble.code, 0);
  snmp_rows_release(&rows);
}

static void a_column_that_breaks_off_is_not_told(void **state)
{
  (void)state;
  static const struct {
    bool v1;
    long error;
    bool told;
  } cases[] = {{false, GEN_ERR, false}, {false, NO_SUCH_NAME, true}, {true, GEN_ERR, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct agent a = {.rows = 50, .v1 = cases[i].v1, .habit = BREAKS_OFF, .error = cases[i].error};
    struct profile_want wants[] = {want("1.3.1", true), want("1.3.2", true)};
    struct snmp_rows rows;
    struct tm_error trouble;
    fetch(&a, wants, 2, &rows, &trouble);
    assert_int_equal(count(&rows, "1.3.1") > 0, cases[i].told);
    assert_int_equal(trouble.code == 0, cases[i].told);
    assert_int_equal(count(&rows, "1.3.2"), 50);
    snmp_rows_release(&rows);
  }
}

static void a_lying_agent_comes_to_an_end(void **state)
{
  (void)state;
  static const struct {
    int habit;
    size_t most_rows;
    bool trouble;
  } cases[] = {{ENDLESS, SNMP_COLUMN_ROWS, true},
               {BACKWARD, 1, true},
               {SAME, 1, true},
               {EMPTY, 0, false},
               {ASTRAY, 0, false},
               {ERROR_WITHOUT_INDEX, 0, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct agent a = {.rows = 1, .habit = cases[i].habit};
    /* An honest start is needed for the walk back to have something to go back from. */
    a.rows = a.habit == BACKWARD || a.habit == SAME ? 50 : 1;
    bool scalar = a.habit == ASTRAY;
    struct profile_want wants[] = {want(scalar ? "1.3.8.0" : "1.3.8", !scalar)};
    struct snmp_rows rows;
    struct tm_error trouble;
    size_t n = fetch(&a, wants, 1, &rows, &trouble);
    if (n > cases[i].most_rows || (trouble.code != 0) != cases[i].trouble)
      fail_msg("habit %d: %zu rows, trouble '%s'", cases[i].habit, n, trouble.text);
    snmp_rows_release(&rows);
  }
}

static void a_probe_takes_one_row(void **state)
{
  (void)state;
  struct agent a = {.rows = 500};
  struct profile_want wants[] = {want("1.3.1", true)};
  struct snmp_rows rows;
  struct tm_error trouble;
  wants[0].first = true;
  assert_int_equal(fetch(&a, wants, 1, &rows, &trouble), 1);
  assert_int_equal(a.questions, 1);
  snmp_rows_release(&rows);
}

/* A walk of one column that nothing was asked for yet. */
static void begin_walk(struct snmp_fetch *f, struct snmp_manners *m, struct snmp_rows *rows)
{
  const struct profile_want wants[] = {want("1.3.1", true)};
  snmp_rows_init(rows);
  snmp_manners_init(m, false);
  assert_int_equal(snmp_fetch_init(f, wants, 1, false, m, rows), 0);
}

static void lost_answers_make_requests_smaller(void **state)
{
  (void)state;
  struct snmp_manners m;
  struct snmp_fetch f;
  struct snmp_request r;
  struct snmp_rows rows;
  begin_walk(&f, &m, &rows);
  unsigned before = m.repetitions;
  assert_true(snmp_fetch_next(&f, &r));
  assert_true(snmp_fetch_lost(&f));
  assert_true(m.repetitions < before);
  assert_true(snmp_fetch_next(&f, &r));
  assert_true(r.repetitions < before);
  snmp_fetch_release(&f);
  snmp_rows_release(&rows);
}

static void a_walk_that_time_ends_is_known(void **state)
{
  (void)state;
  static const uint32_t row[][4] = {{1, 3, 1, 1}, {1, 3, 1, 2}};
  char oid[SNMP_OID_TEXT] = "";
  size_t n = 0;
  struct snmp_manners m;
  struct snmp_fetch f;
  struct snmp_request r;
  struct snmp_rows rows;
  begin_walk(&f, &m, &rows);
  assert_true(snmp_fetch_next(&f, &r));
  assert_false(snmp_fetch_halfway(&f, oid, sizeof(oid), &n));
  for (size_t i = 0; i < 2; i++)
    give(&f, row[i], 4, 7);
  snmp_fetch_end(&f, 0, 0);
  assert_true(snmp_fetch_next(&f, &r));
  snmp_fetch_lost(&f);
  assert_true(snmp_fetch_halfway(&f, oid, sizeof(oid), &n));
  assert_string_equal(oid, "1.3.1");
  assert_int_equal(n, 2);
  assert_true(snmp_fetch_next(&f, &r));
  give(&f, (const uint32_t[]){1, 4}, 2, 7);
  snmp_fetch_end(&f, 0, 0);
  assert_false(snmp_fetch_halfway(&f, oid, sizeof(oid), &n));
  snmp_fetch_release(&f);
  snmp_rows_release(&rows);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(scalars_and_columns_are_fetched),
      cmocka_unit_test(a_missing_object_costs_itself_alone),
      cmocka_unit_test(answers_in_another_order_are_understood),
      cmocka_unit_test(what_is_too_big_is_asked_in_parts),
      cmocka_unit_test(a_column_that_breaks_off_is_not_told),
      cmocka_unit_test(a_lying_agent_comes_to_an_end),
      cmocka_unit_test(a_probe_takes_one_row),
      cmocka_unit_test(lost_answers_make_requests_smaller),
      cmocka_unit_test(a_walk_that_time_ends_is_known),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
