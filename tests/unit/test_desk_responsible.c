/* SPDX-License-Identifier: MIT */
/* Who looks after a customer: the most exact assignment, and who stands in. */
#include "contrib/desk/people/responsible.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/lib/store.h"

struct asking {
  struct responsible_ask ask;
  const char *staff; /* asked for alone; NULL: by assignments */
  struct responsible found;
  int rc;
};

static int ask(struct db *db, void *arg, struct tm_error *err)
{
  struct asking *a = arg;
  a->found = (struct responsible){0};
  a->rc = a->staff != NULL ? responsible_for(db, a->staff, a->ask.day, &a->found, err)
                           : responsible_find(db, &a->ask, &a->found, err);
  return a->rc < 0 ? a->rc : 0;
}

/* "mori", or "tanabe for K. Mori", or "". */
static void expect(struct asking a, const char *expected)
{
  struct tm_error err = {0};
  char text[300];
  if (store_read(test_store, &db_everyone, ask, &a, &err) != 0)
    fail_msg("%s", err.text);
  snprintf(text, sizeof(text), "%s%s%s", a.found.staff,
           a.found.instead_of[0] != '\0' ? " for " : "", a.found.instead_of);
  assert_string_equal(text, expected);
  assert_int_equal(a.rc, expected[0] != '\0');
}

static int setup(void **state)
{
  if (test_store_open(state) != 0)
    return -1;
  test_tell("INSERT INTO customers (customer_id, name, created_at) VALUES ('C-1', 'One', 0)");
  test_tell("INSERT INTO staff (staff, name, role, email, stand_in, left_on) VALUES"
            " ('mori', 'K. Mori', 'sales', 'mori@vendor.example', 'tanabe', NULL),"
            " ('tanabe', 'R. Tanabe', 'sales', NULL, NULL, NULL),"
            " ('ito', 'S. Ito', 'sales', NULL, 'mori', 500),"
            " ('kato', 'Y. Kato', 'service', NULL, NULL, NULL),"
            " ('abe', 'T. Abe', 'sales', NULL, 'ono', NULL),"
            " ('ono', 'M. Ono', 'sales', NULL, 'abe', NULL)");
  test_tell("INSERT INTO assignments (staff, role, customer_id, site, region, kind) VALUES"
            " ('ono', 'sales', NULL, NULL, 'Kansai', NULL),"
            " ('mori', 'sales', 'C-1', NULL, NULL, NULL),"
            " ('tanabe', 'sales', 'C-1', NULL, NULL, 'printer'),"
            " ('abe', 'sales', 'C-1', 'osaka-1', NULL, NULL),"
            " ('kato', 'service', 'C-1', 'osaka-2', NULL, NULL)");
  test_tell("INSERT INTO absences (staff, from_day, to_day, stand_in) VALUES"
            " ('mori', 100, 110, NULL), ('mori', 200, 210, 'ono'), ('abe', 300, 310, NULL),"
            " ('ono', 300, 310, NULL), ('tanabe', 105, 105, NULL)");
  return 0;
}

#define ON(on_day, ...) ((struct asking){.ask = {.role = "sales", .day = on_day, __VA_ARGS__}})
#define ASK(...)        ON(50, __VA_ARGS__)
#define SERVICE(...)    ((struct asking){.ask = {.role = "service", __VA_ARGS__}})

static void the_most_exact_assignment_counts(void **state)
{
  (void)state;
  expect(ASK(.customer = "C-1", .site = "osaka-1", .region = "Kansai"), "abe");
  expect(ASK(.customer = "C-1", .site = "osaka-2", .region = "Kansai"), "mori");
  expect(ASK(.customer = "C-1", .site = "osaka-2", .kind = "printer"), "tanabe");
  expect(ASK(.customer = "C-2", .site = "osaka-1", .region = "Kansai"), "ono");
  expect(ASK(.customer = "C-2", .region = "Kanto"), "");
  expect(ASK(.region = "Kansai"), "ono");
  expect(SERVICE(.customer = "C-1", .site = "osaka-2"), "kato");
  expect(SERVICE(.customer = "C-1", .site = "osaka-1"), "");
}

static void who_is_absent_is_stood_in_for(void **state)
{
  (void)state;
  expect(ON(100, .customer = "C-1"), "tanabe for K. Mori");
  expect(ON(110, .customer = "C-1"), "tanabe for K. Mori");
  expect(ON(111, .customer = "C-1"), "mori");
  expect(ON(200, .customer = "C-1"), "ono for K. Mori");
  /* The stand-in is away too and has none: the next assignment, here of the region. */
  expect(ON(105, .customer = "C-1", .region = "Kansai"), "ono");
  expect(ON(105, .customer = "C-1"), "");
  /* Two who stand in for each other are both away: the customer's before nobody. */
  expect(ON(305, .customer = "C-1", .site = "osaka-1"), "mori");
}

static void one_person_is_resolved_alike(void **state)
{
  (void)state;
  expect((struct asking){.staff = "ito", .ask.day = 499}, "ito");
  expect((struct asking){.staff = "ito", .ask.day = 500}, "mori for S. Ito");
  expect((struct asking){.staff = "abe", .ask.day = 300}, "");
  expect((struct asking){.staff = "nobody", .ask.day = 1}, "");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_most_exact_assignment_counts),
      cmocka_unit_test(who_is_absent_is_stood_in_for),
      cmocka_unit_test(one_person_is_resolved_alike),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_responsible", tests, setup, test_store_close);
}
