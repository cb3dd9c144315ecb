/* SPDX-License-Identifier: MIT */
/* Letters to the sales people: what is late, once; and what was new in a week. */
#include "contrib/desk/sales/letters.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/lib/store.h"

/* Monday 2026-11-16 in Tokyo, and its midnight. */
#define MONDAY 20773
#define START  INT64_C(1794754800)

static struct desk_conf conf = {.vendor = "Example Storage",
                                .public_url = "https://desk.example.com",
                                .mail = {.url = "smtp://127.0.0.1:1",
                                         .from = "desk@vendor.example",
                                         .team = "team@vendor.example"}};
static struct desk desk = {.conf = &conf};

struct calling {
  int64_t week, now;
  int n;
};

static int late(struct db *db, void *arg, struct tm_error *err)
{
  struct calling *c = arg;
  c->n = letters_late(db, &desk, c->now, err);
  return c->n < 0 ? c->n : 0;
}

static int weekly(struct db *db, void *arg, struct tm_error *err)
{
  struct calling *c = arg;
  c->n = letters_weekly(db, &desk, c->week, c->now, err);
  return c->n < 0 ? c->n : 0;
}

static int call(store_work *work, int64_t week, int64_t now)
{
  struct tm_error err = {0};
  struct calling c = {week, now, 0};
  if (store_write(test_store, &db_everyone, work, &c, &err) != 0)
    fail_msg("%s", err.text);
  return c.n;
}

static int setup(void **state)
{
  struct tm_error err = {0};
  if (tm_zone_use("Asia/Tokyo", &err) != 0 || test_store_open(state) != 0 ||
      templates_load(&desk.templates, "contrib/desk/pages", &err) != 0) {
    fprintf(stderr, "# %s\n", err.text);
    return -1;
  }
  test_tell("INSERT INTO customers (customer_id, name, region, created_at) VALUES"
            " ('C-1', 'Minato Imaging', 'Kansai', 0), ('C-2', 'Sakura Clinic', NULL, 0)");
  test_tell("INSERT INTO staff (staff, name, role, email, stand_in) VALUES"
            " ('mori', 'K. Mori', 'sales', 'mori@vendor.example', 'tanabe'),"
            " ('tanabe', 'R. Tanabe', 'sales', 'tanabe@vendor.example', NULL)");
  test_tell("INSERT INTO assignments (staff, role, customer_id) VALUES ('tanabe', 'sales', 'C-1')");
  test_tell("INSERT INTO absences (staff, from_day, to_day) VALUES ('mori', 20780, 20790)");
  test_tell("INSERT INTO devices (id, customer_id, site, host, device, first_seen_at, last_seen_at)"
            " VALUES (1, 'C-1', 'osaka-1', 'h', 'array-01', 0, 0),"
            " (2, 'C-2', 'kobe-1', 'h', 'tape-01', 0, 0)");
  return 0;
}

static int teardown(void **state)
{
  templates_free(desk.templates);
  return test_store_close(state);
}

#define ITEM(id, customer, device, owner, order_by, state, first_at)                               \
  "(" #id ", '" customer "', " #device ", 'k/" #id "', 'grow', '" state "', " owner ", " #order_by \
  ", '{\"lines\":[{\"sku\":\"SHELF-20T\",\"quantity\":2}]}', " #first_at ", 0, 0, '100', 'JPY')"
#define INTO                                                                                       \
  "INSERT INTO items (id, customer_id, device_id, key, action, state, owner, order_by,"            \
  " advice_json, first_at, last_at, state_at, price, currency) VALUES "

static void what_is_late_is_told_once(void **state)
{
  (void)state;
  test_tell(INTO ITEM(1, "C-1", 1, "'mori'", 20774, "new", 0) "," ITEM(
      2, "C-1", 1, "'mori'", 20775, "contacted",
      0) "," ITEM(3, "C-1", 1, "NULL", 20774, "proposed",
                  0) "," ITEM(4, "C-2", 2, "NULL", 20774, "agreed",
                              0) "," ITEM(5, "C-2", 2, "NULL", 20774, "ordered",
                                          0) "," ITEM(6, "C-2", 2, "NULL", 20774, "snoozed",
                                                      0) "," ITEM(7, "C-2", 2, "NULL", 30000, "new",
                                                                  0));
  const char *const tell = "SELECT to_address, customer_id, subject FROM letters ORDER BY id";
  assert_int_equal(call(late, 0, INT64_C(20774) * TM_DAY), 0); /* on the day itself it is not */
  assert_int_equal(call(late, 0, INT64_C(20775) * TM_DAY), 3);
  assert_rows(tell, "[{\"to_address\":\"mori@vendor.example\",\"customer_id\":\"C-1\","
                    "\"subject\":\"Minato Imaging, array-01: past its order date\"},"
                    "{\"to_address\":\"tanabe@vendor.example\",\"customer_id\":\"C-1\","
                    "\"subject\":\"Minato Imaging, array-01: past its order date\"},"
                    "{\"to_address\":\"team@vendor.example\",\"customer_id\":\"C-2\","
                    "\"subject\":\"Sakura Clinic, tape-01: past its order date\"}]");
  assert_int_equal(call(late, 0, INT64_C(20775) * TM_DAY + 60), 0);
  assert_rows("SELECT text FROM letters WHERE id = 1",
              "[{\"text\":\"Minato Imaging, array-01 at osaka-1\\n  Grow: 2 \xc3\x97 SHELF-20T,"
              " \xc2\xa5\xc2\xa0"
              "100\\n  Order by 2026-11-17: 1 day late. State: New.\\n"
              "  https://desk.example.com/items/1\\n\\nYou are told once of each. The list:"
              " https://desk.example.com/opportunities\\n\"}]");
}

static void who_is_away_is_stood_in_for(void **state)
{
  (void)state;
  assert_int_equal(call(late, 0, INT64_C(20782) * TM_DAY), 1);
  assert_rows(
      "SELECT to_address, text LIKE 'You get this instead of K. Mori, who is away.%' AS said"
      " FROM letters ORDER BY id DESC LIMIT 1",
      "[{\"to_address\":\"tanabe@vendor.example\",\"said\":1}]");
}

/* What is one's own is not said to be somebody else's. */
static void what_is_ones_own_stands_in_another_letter(void **state)
{
  (void)state;
  test_tell("UPDATE items SET told_late_at = 1");
  test_tell("DELETE FROM letters");
  test_tell(INTO ITEM(21, "C-1", 1, "'mori'", 20774, "new", 0) "," ITEM(22, "C-1", 1, "'tanabe'",
                                                                        20775, "new", 0));
  assert_int_equal(call(late, 0, INT64_C(20782) * TM_DAY), 2);
  assert_rows("SELECT to_address, text LIKE 'You get this instead of K. Mori%' AS instead,"
              " text LIKE '%/items/21%' AS moris, text LIKE '%/items/22%' AS own"
              " FROM letters ORDER BY id",
              "[{\"to_address\":\"tanabe@vendor.example\",\"instead\":1,\"moris\":1,\"own\":0},"
              "{\"to_address\":\"tanabe@vendor.example\",\"instead\":0,\"moris\":0,\"own\":1}]");
  test_tell("DELETE FROM letters");
  int64_t week = (MONDAY + 10) / 7;
  char sql[200];
  snprintf(sql, sizeof(sql), "UPDATE items SET first_at = %lld WHERE id IN (21, 22)",
           (long long)START + 1);
  test_tell(sql);
  assert_int_equal(call(weekly, week, INT64_C(20782) * TM_DAY), 2);
  assert_rows("SELECT to_address, text LIKE 'You get this instead of K. Mori%' AS instead,"
              " text LIKE '%/items/21%' AS moris, text LIKE '%/items/22%' AS own"
              " FROM letters ORDER BY id",
              "[{\"to_address\":\"tanabe@vendor.example\",\"instead\":1,\"moris\":1,\"own\":0},"
              "{\"to_address\":\"tanabe@vendor.example\",\"instead\":0,\"moris\":0,\"own\":1}]");
  test_tell("DELETE FROM letters");
  test_tell("DELETE FROM items WHERE id IN (21, 22)");
}

static void without_a_mail_server_nothing_counts_as_told(void **state)
{
  (void)state;
  conf.mail.url = NULL;
  test_tell("UPDATE items SET told_late_at = NULL WHERE id = 1");
  assert_int_equal(call(late, 0, INT64_C(20782) * TM_DAY), 0);
  assert_rows("SELECT told_late_at FROM items WHERE id = 1", "[{\"told_late_at\":null}]");
  conf.mail.url = "smtp://127.0.0.1:1";
  test_tell("UPDATE items SET open = 0");
  test_tell("DELETE FROM letters");
}

static void a_week_begins_on_monday_at_six(void **state)
{
  (void)state;
  int64_t week = (MONDAY + 3) / 7;
  assert_int_equal(letters_week(START + 6 * 3600), week);
  assert_int_equal(letters_week(START + 6 * 3600 - 1), week - 1);
  assert_int_equal(letters_week(START + 7 * TM_DAY), week);
  assert_int_equal(letters_week(START + 7 * TM_DAY + 6 * 3600), week + 1);
}

static void a_week_is_told_to_whom_it_concerns(void **state)
{
  (void)state;
  int64_t week = (MONDAY + 3) / 7;
  char sql[700];
  /* The last second of the week before and the first one of this week. */
  snprintf(sql, sizeof(sql),
           INTO
           "(11, 'C-1', 1, 'k/11', 'grow', 'new', 'mori', 20800,"
           " '{\"lines\":[]}', %lld, 0, 0, '100', 'JPY'), (12, 'C-2', 2, 'k/12', 'cache', 'new',"
           " NULL, NULL, '{\"lines\":[]}', %lld, 0, 0, NULL, NULL)",
           (long long)START - 1, (long long)START);
  test_tell(sql);
  snprintf(sql, sizeof(sql),
           "INSERT INTO item_events (customer_id, item_id, at, by_name, what, from_state, to_state)"
           " VALUES ('C-1', 11, %lld, 'desk', 'advice', NULL, 'new'),"
           " ('C-1', 1, %lld, 'K. Mori', 'state', 'new', 'contacted'),"
           " ('C-1', 1, %lld, 'K. Mori', 'state', 'contacted', 'lost')",
           (long long)START - 1, (long long)START - 7 * TM_DAY, (long long)START);
  test_tell(sql);
  assert_int_equal(call(weekly, week, START + 7 * 3600), 1);
  assert_int_equal(call(weekly, week, START + 8 * 3600), 1); /* the same letter */
  assert_rows("SELECT to_address, subject, customer_id FROM letters",
              "[{\"to_address\":\"mori@vendor.example\",\"subject\":\"Week of 2026-11-09: 1 new,"
              " 1 changed\",\"customer_id\":\"\"}]");
  assert_rows("SELECT text LIKE '%New\n- Minato Imaging, array-01 at osaka-1: Grow%' AS fresh,"
              " text LIKE '%: New to Contacted, by K. Mori\n%/items/1\n%' AS changed,"
              " text LIKE '%Sakura%' AS other, text LIKE '%Lost%' AS later FROM letters",
              "[{\"fresh\":1,\"changed\":1,\"other\":0,\"later\":0}]");
}

static void a_week_without_news_has_no_letter(void **state)
{
  (void)state;
  assert_int_equal(call(weekly, (MONDAY + 3) / 7 - 3, START), 0);
  assert_rows("SELECT count(*) AS n FROM letters", "[{\"n\":1}]");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_late_is_told_once),
      cmocka_unit_test(who_is_away_is_stood_in_for),
      cmocka_unit_test(what_is_ones_own_stands_in_another_letter),
      cmocka_unit_test(without_a_mail_server_nothing_counts_as_told),
      cmocka_unit_test(a_week_begins_on_monday_at_six),
      cmocka_unit_test(a_week_is_told_to_whom_it_concerns),
      cmocka_unit_test(a_week_without_news_has_no_letter),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_letters", tests, setup, teardown);
}
